"""The program that does the jobs of one lane. The worker starts it and survives it.

Both sides write lines of JSON. To this program: first ``{"roots", "kinds", "more", "folder"}``; then ``{"do", "job",
"folder", "parameters"}``, and while that runs ``{"set": "cancelled"}`` or ``{"set": "stopping"}``. From it:
``{"ready"}``, ``{"progress", "gained"}``, ``{"say"}``, and last ``{"ended"}``.
The end of its input ends it at once, so that it does not outlive its worker; the lock of its folder keeps the next
worker's program waiting until it has gone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from lp_core.errors import WorkerError
from lp_core.files import write_whole
from lp_core.log_lines import neutral_log
from lp_core.render.folder_lock import locked
from lp_core.render.report import Progress
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.job_context import JobContext
from lp_core.worker.job_outcome import carry_out
from lp_core.worker.process_birth import birth_of

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""So long the program of a worker that has died may take to end by itself."""
HOLDER = "pid"
"""File next to the lock: the number of the process that has it, and when that process began."""


def main() -> None:
    """Does jobs until its input ends."""
    faulthandler.enable()
    neutral_log()
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not get between the lines
    sent = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with sent, contextlib.suppress(OSError):  # nobody hears it: the input has ended as well
            out.write(json.dumps(message).encode() + b"\n")

    first = json.loads(sys.stdin.buffer.readline())
    with _alone(Path(first["folder"])):
        module, _, function = first["kinds"].partition(":")
        folders = Folders(tuple(map(Path, first["roots"])))
        kinds = getattr(import_module(module), function)(folders, **first["more"])
        desk = _Desk(send)
        threading.Thread(target=desk.listen, args=(sys.stdin.buffer,), daemon=True).start()
        send({"ready": os.getpid()})
        while (task := desk.tasks.get()) is not None:
            context = desk.begin(task)
            send({"ended": carry_out(kinds, task["do"], task["parameters"], context).as_json()})
            desk.end()


class _Desk:
    """Takes what the worker says: tasks for the main thread, and requests for the job that runs."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.tasks: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._send = send
        self._is_busy = False
        self._flags = {"cancelled": threading.Event(), "stopping": threading.Event()}

    def begin(self, task: dict[str, Any]) -> JobContext:
        """The context of a task."""

        def tell(progress: Progress, gained: int) -> None:
            self._send({"progress": progress.as_json(), "gained": gained})

        folder = Path(task["folder"])
        say: Callable[[str], None] = lambda text: self._send({"say": text})  # noqa: E731
        return JobContext(task["job"], folder, tell, say, self._flags["stopping"], self._flags["cancelled"])

    def end(self) -> None:
        """The task is done."""
        self._is_busy = False
        self._flags["cancelled"].clear()

    def listen(self, lines: IO[bytes]) -> None:
        """Reads to the end of the input, then ends the process."""
        for line in lines:
            message = json.loads(line)
            if "set" in message:
                self._flags[message["set"]].set()
            else:
                self._is_busy = True
                self.tasks.put(message)
        if self._is_busy:
            os._exit(1)  # the worker has died: nobody hears of the job, and another one will do it
        self.tasks.put(None)


def wait_for_earlier(lanes: Path) -> None:
    """Waits until the programs of an earlier worker are gone: they may still write what is about to be removed.

    Args:
        lanes: folder whose folders, at any depth, are those of the lanes.
    """
    for file in sorted(lanes.rglob(HOLDER)):
        try:
            with _held(file.parent):
                pass
        except (OSError, WorkerError) as error:
            logger.warning("lane %s: %s", file.parent.name, error)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the lock of a lane, and says so in a file."""
    with _held(folder):
        write_whole(folder / HOLDER, f"{os.getpid()} {birth_of(os.getpid())}", durable=False)
        yield


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Waits until the program of an earlier worker has gone; ends it where that takes too long."""
    busy = WorkerError(f"Another process does the jobs of {folder}; end it.", "running")
    until, is_patient = time.monotonic() + PATIENCE_S, True
    while True:
        try:
            with locked(folder, busy):
                yield
                return
        except WorkerError as error:
            if error is not busy:
                raise
        if time.monotonic() > until:
            if not is_patient:
                raise busy
            until, is_patient = time.monotonic() + PATIENCE_S, False
            _end_holder(folder / HOLDER)
        time.sleep(0.05)


def _end_holder(file: Path) -> None:
    """Kills the process that a file names, unless its number belongs to another process by now."""
    with contextlib.suppress(OSError, ValueError):
        number, _, birth = file.read_text().partition(" ")
        if birth and birth == birth_of(int(number)):
            os.kill(int(number), getattr(signal, "SIGKILL", signal.SIGTERM))
