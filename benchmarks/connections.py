"""Whether a worker answers a new client while others hold and open as many connections as they can.

    python benchmarks/connections.py [--streams 400] [--half-open 3000] [--idle 100] [--descriptors 256] [--seconds 10]
        [--strangers 0] [--pause 1.0]

Starts a worker with few file descriptors. Then authenticated event streams, requests that are never finished, and
connections that say nothing are opened and kept; closed ones are opened again. Meanwhile an authenticated request is
made from a new connection again and again. Prints what became of the crowd, and the times of the answers.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any


class Crowd:
    """Connections of one kind, kept open; each that the worker closes is counted and opened again."""

    def __init__(self, name: str, count: int, port: int, request: bytes, pause_s: float) -> None:
        self.name, self.count, self.port, self.request, self.pause_s = name, count, port, request, pause_s
        self.seen: Counter[str] = Counter()
        self.stop = threading.Event()

    def run(self) -> None:
        """Opens and keeps the connections until it is stopped."""
        watched = selectors.DefaultSelector()
        kept: list[socket.socket] = []
        while not self.stop.is_set():
            while len(kept) < self.count and not self.stop.is_set():
                self._open(watched, kept)
            for key, _ in watched.select(0.2):
                self._look(watched, kept, key.fileobj)  # type: ignore[arg-type]
            self.stop.wait(self.pause_s)
        for item in kept:
            item.close()

    def _open(self, watched: selectors.BaseSelector, kept: list[socket.socket]) -> None:
        made = socket.socket()
        made.settimeout(5)
        try:
            made.connect(("127.0.0.1", self.port))
            if self.request:
                made.sendall(self.request)
        except OSError:
            self.seen["not connected"] += 1
            made.close()
            return
        made.setblocking(False)
        watched.register(made, selectors.EVENT_READ)
        kept.append(made)
        self.seen["opened"] += 1

    def _look(self, watched: selectors.BaseSelector, kept: list[socket.socket], item: socket.socket) -> None:
        try:
            data = item.recv(65536)
        except OSError:
            data = b""
        if data.startswith(b"HTTP/1.1 "):
            self.seen[f"status {data[9:12].decode()}"] += 1
        if not data or not data.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 " in data[:9]:
            watched.unregister(item)
            kept.remove(item)
            item.close()
            self.seen["closed by the worker"] += 1


def ask(address: dict[str, object]) -> float:
    """Seconds until an authenticated request from a new connection is answered."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", int(str(address["port"])), timeout=30)
    connection.request("GET", "/jobs?limit=1", headers={"Authorization": f"Bearer {address['token']}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the new client got status {answer.status}")
    return time.perf_counter() - start


def times_of(address: dict[str, object], seconds: float) -> list[float]:
    """Times of requests for so long."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        found.append(ask(address))
        time.sleep(0.05)
    return found


def say(when: str, times: list[float]) -> None:
    """Prints a line about a list of times."""
    ordered = [time * 1e3 for time in sorted(times)]
    print(
        f"{when}: {len(ordered)} requests from new connections, all answered; "
        f"median {ordered[len(ordered) // 2]:.0f} ms, worst {ordered[-1]:.0f} ms"
    )


def start(folder: Path, descriptors: int) -> tuple[subprocess.Popen[bytes], dict[str, object]]:
    """A worker with few descriptors, and its address."""
    run = folder / "run"
    run.mkdir(mode=0o700)
    words = ["-m", "lp_core", "serve", "--allow", str(folder), "--state", str(folder / "state")]
    command = ["bash", "-c", f'ulimit -n {descriptors}; exec "$@"', "worker", sys.executable, *words]
    environment = {**os.environ, "LPSUITE_RUNTIME_DIR": str(run), "LPSUITE_LIVE_DIR": str(folder / "live")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    until = time.monotonic() + 60
    while not (run / "worker.json").exists():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit((folder / "log").read_text())
        time.sleep(0.05)
    return process, json.loads((run / "worker.json").read_text())


def crowds_of(options: argparse.Namespace, address: dict[str, object]) -> list[Crowd]:
    """All that press on the worker."""
    port, host = int(str(address["port"])), b"Host: 127.0.0.1\r\n"
    bearer = f"Authorization: Bearer {address['token']}\r\n".encode()
    stream = b"GET /events HTTP/1.1\r\n" + host + bearer + b"\r\n"
    head = b"GET /jobs HTTP/1.1\r\n" + host + b"X-Slow: "
    body = b"POST /jobs HTTP/1.1\r\n" + host + bearer + b"Content-Length: 100000\r\n\r\n{"
    stranger = b"GET /jobs HTTP/1.1\r\n" + host + b"Authorization: Bearer wrong\r\n\r\n"
    half, pause = options.half_open // 2, options.pause
    return [
        Crowd("event streams", options.streams, port, stream, pause),
        Crowd("half heads", options.half_open - half, port, head, pause),
        Crowd("half bodies", half, port, body, pause),
        Crowd("idle", options.idle, port, b"", pause),
        Crowd("strangers", options.strangers, port, stranger, pause),
    ]


def press_on(crowds: list[Crowd], told: Any, results: Any) -> None:  # noqa: ANN401 - of multiprocessing
    """Runs all crowds, in a separate process, until it is stopped."""
    threads = [threading.Thread(target=crowd.run) for crowd in crowds]
    for thread in threads:
        thread.start()
    told.wait()
    for crowd in crowds:
        crowd.stop.set()
    for crowd, thread in zip(crowds, threads, strict=True):
        thread.join()
        results.put(
            f"{crowd.name}: {', '.join(f'{word} {count}' for word, count in sorted(crowd.seen.items()))}"
        )


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, value in (
        ("streams", 400),
        ("half-open", 3000),
        ("idle", 100),
        ("descriptors", 256),
        ("strangers", 0),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds after which closed ones come again")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with tempfile.TemporaryDirectory() as name:
        process, address = start(Path(name), options.descriptors)
        try:
            say("before", times_of(address, 1))
            crowds = crowds_of(options, address)
            told, results = multiprocessing.Event(), multiprocessing.Queue()
            press = multiprocessing.Process(target=press_on, args=(crowds, told, results))
            press.start()
            time.sleep(1)
            say("under attack", times_of(address, options.seconds))
            descriptors = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
            print(f"descriptors of the worker: {descriptors} of {options.descriptors}")
            told.set()
            for _ in crowds:
                print(results.get(timeout=60))
            press.join()
            say("after", times_of(address, 2))
            print(f"log of the worker: {len((Path(name) / 'log').read_text().splitlines())} lines")
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
