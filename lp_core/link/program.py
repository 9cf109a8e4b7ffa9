"""Runs one command of LP Suite as a child process and hears its progress: nothing is left behind when it ends.

Standard library only, Python 3.7 syntax.
"""

import json
import subprocess
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..errors import WorkerError
from .messages import JobProgress
from .start import clean_environment, find_program

_SHOWN = 600  # characters of its output that a message quotes


def run_program(words: Sequence[str], listen: Callable[[JobProgress], None]) -> Dict[str, Any]:
    """Runs ``lpsuite`` with these words and ``--progress json``.

    The child belongs to the caller's own process group, so whoever ends the caller's group ends it too; an error or an
    interruption here ends it as well.

    Args:
        words: the command, such as ``["animate", ...]``.
        listen: called with progress.

    Returns:
        The summary, as the command tells it; empty where it reports none.

    Raises:
        WorkerError: it cannot be started, or it failed; the sentence is the command's own.
    """
    command = [*find_program(), *words, "--progress", "json"]
    try:
        child = subprocess.Popen(  # noqa: S603 - the user's own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            universal_newlines=True,
        )
    except OSError as error:
        raise WorkerError(f"{command[0]} cannot be started: {error.strerror}.") from error
    told = _Told()
    try:
        for line in child.stdout or ():
            event = told.hear(line)
            if event is not None:
                listen(event)
        child.wait()
    finally:
        _end(child)
    if child.returncode:
        raise told.error(child.returncode)
    return told.summary


class _Told:
    """What a command has said so far."""

    def __init__(self) -> None:
        self.summary: Dict[str, Any] = {}
        self._error: Dict[str, Any] = {}
        self._plain: List[str] = []

    def hear(self, line: str) -> Optional[JobProgress]:
        """Takes a line; returns progress where it reports some."""
        try:
            values = json.loads(line)
            kind = values["type"]
        except (ValueError, KeyError, TypeError):
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
        last = "".join(self._plain).strip()[-_SHOWN:] or "it said nothing"
        return WorkerError(f"LP Suite ended with code {code}: {last}")


def _end(child: Any) -> None:  # noqa: ANN401 - a Popen, whose type arguments differ between Pythons
    if child.stdout is not None:
        child.stdout.close()
    if child.poll() is None:
        child.kill()
        child.wait()
