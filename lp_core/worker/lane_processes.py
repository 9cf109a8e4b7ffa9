"""Jobs done in other processes, one for each lane, so that a library that crashes takes one job with it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import quote

from lp_core.contexts import ClosesOnExit
from lp_core.errors import WorkerError
from lp_core.link.messages import PHASES
from lp_core.link.runtime import without_token
from lp_core.render.report import Progress
from lp_core.worker.job_context import JobContext
from lp_core.worker.job_outcome import Outcome
from lp_core.worker.job_store import Row

logger = logging.getLogger(__name__)

KINDS = "lp_core.worker.job_kinds:job_kinds"
STOP_S = 10.0
"""A job that is asked to stop has this many seconds, then its process is ended."""
CANCEL_S = 30.0
"""A cancelled one has so many."""
_POLL_S = 0.1
_BEGIN = "import sys; sys.path[:] = sys.argv[1:]; from lp_core.worker.lane_program import main; main()"


class LaneProcesses(ClosesOnExit):
    """Does jobs in the process of their lane, which is started when it is needed; ``close`` may be called twice."""

    def __init__(
        self, folder: Path, roots: Iterable[Path], kinds: str = KINDS, more: Mapping[str, Any] | None = None
    ) -> None:
        """Starts nothing yet.

        Args:
            folder: of the worker's own; each lane has a folder with a lock in it.
            roots: allowed folders, resolved.
            kinds: 'module:function' that gives name -> who does such jobs, for allowed folders.
            more: keyword arguments of that function, plain values.
        """
        self._folder, self._roots, self._kinds = folder, [str(root) for root in roots], kinds
        self._more = dict(more or {})
        self._lock = threading.Lock()
        self._processes: dict[str, _LaneProcess] = {}
        self._is_closed = False

    def do(self, row: Row, context: JobContext) -> Outcome:
        """Does a job; one of a lane at a time. Where its process dies, so does only the job."""
        return self.run(row.lane, row.kind, row.parameters, context)

    def run(self, lane: str, kind: str, parameters: Mapping[str, Any], context: JobContext) -> Outcome:
        """The same, for what is not in the table of jobs."""
        try:
            process = self._process(lane)
        except (OSError, WorkerError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            sentence = f"The process that does the jobs cannot be started: {reason}; see the worker's log."
            return Outcome("failed", None, "worker", sentence)
        outcome = process.do(kind, parameters, context)
        if outcome.state == "died":
            logger.warning("job %s: %s", context.id, outcome.sentence)
        return outcome

    def _process(self, lane: str) -> _LaneProcess:
        """The process of a lane, started where there is none.

        Raises:
            OSError: the system refuses.
            WorkerError: it ended as it began.
        """
        with self._lock:
            if self._is_closed:
                raise WorkerError("the worker stops")
            process = self._processes.get(lane)
        if process is not None and process.is_alive:
            return process
        if process is not None:
            process.close()
        begin = {
            "roots": self._roots,
            "kinds": self._kinds,
            "more": self._more,
            "folder": str(self._folder / quote(lane, safe="")),
        }
        try:
            process = _LaneProcess(begin)
        except (
            _KilledAtOnce
        ) as error:  # by the system, for want of memory, or by somebody: no fault of the job
            logger.warning("lane %s: %s; it is started again", lane, error)
            process = _LaneProcess(begin)
        with self._lock:
            self._processes[lane] = process
        return process

    def close(self) -> None:
        """Ends the processes."""
        with self._lock:
            self._is_closed = True
            processes = list(self._processes.values())
            self._processes.clear()
        for process in processes:
            process.close()


class _KilledAtOnce(WorkerError):
    """A signal ended a process before it could take a job."""


class _Requests:
    """What a running job should hear, and until when it may take to obey."""

    def __init__(self, context: JobContext) -> None:
        self._waiting = {
            "cancelled": (context.cancelled, CANCEL_S),
            "stopping": (context.stopping, STOP_S),
        }
        self._until, self._late = float("inf"), Outcome("interrupted")

    def new(self) -> list[str]:
        """What came since the last look."""
        found = [name for name, (event, _) in self._waiting.items() if event.is_set()]
        for name in found:
            until = time.monotonic() + self._waiting.pop(name)[1]
            if until < self._until:
                self._until = until
                self._late = Outcome("cancelled" if name == "cancelled" else "interrupted")
        return found

    def late(self) -> Outcome | None:
        """The outcome of a job that has not obeyed in time; None before."""
        return self._late if time.monotonic() > self._until else None


class _LaneProcess:
    """One running program; see lp_core/worker/lane_program.py for what is said."""

    def __init__(self, begin: dict[str, Any]) -> None:
        words = [name or str(Path.cwd()) for name in sys.path]
        self._program = subprocess.Popen(  # noqa: S603 - this program's own Python
            [sys.executable, "-P", "-c", _BEGIN, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=without_token(),
            start_new_session=True,  # Ctrl-C goes to the worker, which says what is to be done
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        if self._program.stdin is None or self._program.stdout is None:
            raise WorkerError("it has no pipes")
        self._in, self._out = self._program.stdin, self._program.stdout
        self._said: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="lane-reader", daemon=True)
        self._reader.start()
        self._send(begin)
        if self._said.get() is None:
            self.close()
            failure = _KilledAtOnce if self._program.wait() < 0 else WorkerError
            raise failure(f"it ended as it began ({self._end()})")

    @property
    def is_alive(self) -> bool:
        return self._program.poll() is None

    def _read(self) -> None:
        with contextlib.suppress(ValueError):  # cut off by a crash
            for line in self._out:
                self._said.put(json.loads(line))
        self._said.put(None)

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it has ended, which is seen by what it says
            self._in.write(json.dumps(message).encode() + b"\n")
            self._in.flush()

    def do(self, kind: str, parameters: Mapping[str, Any], context: JobContext) -> Outcome:
        """Does a job."""
        self._send({"do": kind, "job": context.id, "folder": str(context.folder), "parameters": parameters})
        requests = _Requests(context)
        while True:
            late = self._tell(requests)
            if late is not None:
                self._kill()
                return late
            try:
                message = self._said.get(timeout=_POLL_S)
            except Empty:
                continue
            if message is None:
                return Outcome("died", sentence=f"The process that did the job ended ({self._end()}).")
            if "ended" in message:
                return Outcome(**message["ended"])
            _pass_on(message, context)

    def _tell(self, requests: _Requests) -> Outcome | None:
        """Tells what is requested for the job by now; its outcome where it does not obey."""
        for name in requests.new():
            self._send({"set": name})
        return requests.late()

    def _kill(self) -> None:
        """Ends it and what it has started."""
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._program.kill()
            else:
                os.killpg(self._program.pid, signal.SIGKILL)
        self._program.wait()

    def _end(self) -> str:
        """How it ended, in words."""
        code = self._program.wait()
        if code >= 0:
            return f"code {code}"
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"

    def close(self) -> None:
        """Ends it."""
        with contextlib.suppress(OSError):
            self._in.close()
        try:
            self._program.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._kill()
        self._reader.join()
        self._out.close()


def _pass_on(message: dict[str, Any], context: JobContext) -> None:
    """Tells what the program reports of its job."""
    if "say" in message:
        context.say(message["say"])
        return
    values = {name: value for name, value in message["progress"].items() if name != "type"}
    if values["phase"] in PHASES:
        context.tell(Progress(**values), message["gained"])
