"""What a job at work is handed: its folder, and the ways to say how far it is and to hear that it must stop."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lp_core.errors import Cancelled
from lp_core.link.messages import PHASES
from lp_core.render.report import Progress


class Interrupted(Cancelled):
    """The worker stops; the job goes on when it comes back."""


@dataclass
class JobContext:
    """One job at work."""

    id: str
    """Its name."""
    folder: Path
    """A separate folder that outlives the worker: what is there when it starts again, it made itself."""
    tell: Callable[[Progress, int], None]
    """Takes progress, and what a restart would not lose (any number that rises)."""
    say: Callable[[str], None]
    """Takes a sentence for the user."""
    stopping: threading.Event
    """Set when the worker stops."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the user cancels."""

    def check(self) -> None:
        """Raises Cancelled or Interrupted when the job must stop."""
        if self.cancelled.is_set():
            raise Cancelled("The job was cancelled.")
        if self.stopping.is_set():
            raise Interrupted("The worker stops; the job goes on when it is started again.")

    def progress(self, event: Progress) -> None:
        """Tells how far the job is; raises when it must stop."""
        self.tell(event, PHASES[event.phase].gain + event.frame)
        self.check()

    def clean(self) -> None:
        """Removes the job's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class JobKind(Protocol):
    """Knows how to check and do one kind of job."""

    def accept(self, request: Any) -> Accepted:  # noqa: ANN401 - its own model
        """Checks a request before it becomes a job.

        Raises:
            LpError: it cannot be done, or touches what it may not.
        """
        ...

    def run(self, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
        """Does the job, or what is left of it; returns the summary.

        Raises:
            LpError: it failed, or must stop.
        """
        ...

    def abandon(self, context: JobContext) -> None:
        """Removes what a job that failed or was cancelled has left outside its folder."""
        ...


@dataclass(frozen=True)
class Accepted:
    """A job that may begin."""

    parameters: dict[str, Any]
    """What was asked for, as plain values, paths resolved."""
    output: str
    """What it makes."""
    lane: str
    """The device it needs; one job at a time runs on each."""
