"""Runs one command of LP Suite as a child process and hears its progress: nothing is left behind when it ends.

Standard library only, Python 3.7 syntax.
"""

import json
import subprocess
import threading
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..errors import WorkerError
from .messages import JobProgress
from .start import clean_environment, find_program

_SHOWN = 600  # characters of its output that a message quotes


class ProgramOutput:
    """What a command of ``lpsuite`` has printed."""

    def __init__(self) -> None:
        self.summary: Dict[str, Any] = {}
        """Its summary, as the command reports it; empty where it reports none."""
        self._error: Dict[str, Any] = {}
        self._plain: List[str] = []

    @property
    def text(self) -> str:
        """All lines that are not reports."""
        return "".join(self._plain).strip()

    def take(self, line: str) -> Optional[JobProgress]:
        """Takes a line; returns progress where it reports some."""
        try:
            values = json.loads(line)
            kind = values["type"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self._plain.append(line)
            return None
        if kind == "progress":
            return JobProgress.from_json(values)
        if kind == "error":
            self._error = values
        elif kind == "summary":
            self.summary = values
        return None

    def error(self, code: int) -> WorkerError:
        """Why it failed."""
        if self._error:
            return WorkerError(str(self._error.get("message")), str(self._error.get("code")))
        last = self.text[-_SHOWN:] or "it printed nothing"
        return WorkerError(f"LP Suite ended with code {code}: {last}")


def run_program(
    words: Sequence[str],
    listen: Optional[Callable[[JobProgress], None]] = None,
    limit_s: Optional[float] = None,
) -> ProgramOutput:
    """Runs ``lpsuite`` with these words.

    The child belongs to the caller's own process group, so ending the caller's group ends it too; an error or an
    interruption here ends it as well.

    Args:
        words: the command, such as ``["animate", ...]``.
        listen: called with progress, for a command that has ``--progress json``; None: for any other command.
        limit_s: seconds after which it is ended; None: it takes the time that it needs.

    Returns:
        What it printed.

    Raises:
        WorkerError: it cannot be started, failed or took too long; the sentence is the command's own.
    """
    command = [*find_program(), *words, *([] if listen is None else ["--progress", "json"])]
    try:
        child = subprocess.Popen(  # noqa: S603 - the user's own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise WorkerError(f"{command[0]} cannot be started: {error.strerror}.") from error
    output, has_expired = ProgramOutput(), threading.Event()
    timer = None if limit_s is None else threading.Timer(limit_s, _expire, (child, has_expired))
    try:
        if timer is not None:
            timer.start()
        for line in child.stdout or ():
            event = output.take(line)
            if event is not None and listen is not None:
                listen(event)
        child.wait()
    finally:
        if timer is not None:
            timer.cancel()
        _end(child)
    if has_expired.is_set():
        raise WorkerError(
            f"LP Suite did not finish within {limit_s:.0f} s; look whether its files can be reached."
        )
    if child.returncode:
        raise output.error(child.returncode)
    return output


def _expire(child: Any, has_expired: Any) -> None:  # noqa: ANN401 - a Popen, a threading.Event
    has_expired.set()
    child.kill()


def _end(child: Any) -> None:  # noqa: ANN401 - a Popen, whose type arguments differ between Pythons
    if child.stdout is not None:
        child.stdout.close()
    if child.poll() is None:
        child.kill()
        child.wait()
