"""Many small jobs from several clients at once: nothing lost, nothing done twice, memory, and how fast it answers.

python benchmarks/worker_load.py [--jobs 200] [--clients 8]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
from fakes.films import write_portrait  # noqa: E402
from fakes.worker import Worker  # noqa: E402

from lp_core.cli.demo import PORTRAIT  # noqa: E402
from lp_core.link.client import Client  # noqa: E402
from lp_core.media.image.stills import read_image  # noqa: E402

SETTINGS = {"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}, "output": {"fps": "5"}}
WARM_UP = 20


def resident_mb(pid: int) -> float:
    """Memory of a process that is resident now, in megabytes (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def parameters(worker: Worker, name: str) -> dict[str, object]:
    """A job of ten small frames."""
    return {
        "source": str(worker.data / "portrait.png"),
        "driving": "demo:still",
        "output": str(worker.data / f"{name}.mp4"),
        "settings": SETTINGS,
    }


def submit_many(client: Client, worker: Worker, number: int, count: int, made: list[str]) -> None:
    """One client's share of the jobs."""
    for index in range(count):
        job = client.submit("animate", parameters(worker, f"c{number}-{index}"))
        made.append(job.id)


def round_trips(client: Client, worker: Worker, count: int = 30) -> list[float]:
    """Milliseconds from before a submission to its first progress event."""
    found = []
    for index in range(count):
        start = time.perf_counter()
        job = client.submit("animate", parameters(worker, f"t{index}")).id
        events = client.follow(job)
        for event in events:
            if event.progress is not None:
                found.append((time.perf_counter() - start) * 1000)
                break
        events.close()
        client.wait(job)
    return found


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(Path(folder))
        client = worker.start()
        write_portrait(worker.data / "portrait.png", np.asarray(read_image(PORTRAIT)[0].pixels))
        for index in range(WARM_UP):
            client.wait(client.submit("animate", parameters(worker, f"w{index}")).id)
        trips = round_trips(client, worker)
        print(
            f"submit to first progress event, warm: median {statistics.median(trips):.1f} ms, "
            f"worst {max(trips):.1f} ms of {len(trips)}"
        )
        pid = worker.process.pid
        before = resident_mb(pid)
        made: list[str] = []
        share = options.jobs // options.clients
        threads = [
            threading.Thread(target=submit_many, args=(Client(client.address), worker, number, share, made))
            for number in range(options.clients)
        ]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        submitted_s = time.perf_counter() - start
        curve = []
        for count, job in enumerate(made, start=1):
            client.wait(job)
            if count % max(len(made) // 8, 1) == 0:
                curve.append(f"{resident_mb(pid):.0f}")
        seconds = time.perf_counter() - start
        films = len(list(worker.data.glob("c*.mp4")))
        worker.stop()
        rows = sqlite3.connect(worker.state / "jobs.sqlite3").execute(
            "SELECT state, starts, COUNT(*) FROM jobs WHERE output LIKE '%/c%' GROUP BY state, starts"
        )
        print(f"{len(made)} jobs from {options.clients} clients: all taken in {submitted_s:.2f} s")
        print(f"all done in {seconds:.1f} s")
        print(f"(state, starts, jobs): {json.dumps(rows.fetchall())}; {len(set(made))} names, {films} videos")
        print(f"resident before {before:.0f} MB, then {', '.join(curve)} MB")


if __name__ == "__main__":
    main()
