"""How a running render is shown: a bar on a terminal, JSON lines for a host program, one line at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from lp_core.cli.output import say
from lp_core.errors import Cancelled, LpError, one_line
from lp_core.link.messages import phase_label

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from lp_core.render.report import Progress, Summary

PROGRESS_KINDS = ("auto", "json", "none", "openjd")
Command = TypeVar("Command", bound=Callable[..., Any])


def progress_option(command: Command) -> Command:
    """Adds ``--progress``."""
    return click.option(
        "--progress",
        type=click.Choice(PROGRESS_KINDS),
        default="auto",
        show_default=True,
        help="auto: a bar on a terminal; json: one object a line on stdout, the summary last; none: no bar; openjd: "
        "the messages of Open Job Description.",
    )(command)


class Reporter:
    """Shows nothing while the work runs; the notes and the summary in plain lines when it is done."""

    def progress(self, event: Progress) -> None:
        """Takes one progress event."""

    def done(self, summary: Summary) -> None:
        """Takes the final summary."""
        for note in summary.notes:
            say(one_line(note))
        say(one_line(summary.sentence()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class JsonReporter(Reporter):
    """One JSON object a line on stdout: progress, and last the summary or the error."""

    def progress(self, event: Progress) -> None:
        """Writes the event."""
        self._write(event.as_json())

    def done(self, summary: Summary) -> None:
        """Writes the summary."""
        self._write(summary.as_json())

    def _write(self, values: dict[str, Any]) -> None:
        say(json.dumps(values))  # flushes, so that a host sees each line at once

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, LpError):
            self._write({"type": "error", "code": error.wire_code, "message": str(error)})
        elif isinstance(error, KeyboardInterrupt):
            self._write({"type": "error", "code": Cancelled.wire_code, "message": "Stopped."})
        elif isinstance(error, Exception):
            self._write({"type": "error", "code": "defect", "message": f"{type(error).__name__}: {error}"})


class OpenJdReporter(Reporter):
    """The lines that an Open Job Description session understands."""

    def progress(self, event: Progress) -> None:
        """Writes how far the phase is, and which one it is."""
        if event.total:
            say(f"openjd_progress: {min(event.frame / event.total, 1.0) * 100:.1f}")
        say(f"openjd_status: {phase_label(event.phase)}, {event.frame} frames")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, LpError):
            say(f"openjd_fail: {one_line(str(error))}")


class BarReporter(Reporter):
    """A bar with frames, rate and time left on stderr."""

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._tasks: dict[str, TaskID] = {}

    def progress(self, event: Progress) -> None:
        """Moves the bar of the event's phase."""
        if self._bar is None:
            self._bar = _make_bar()
            self._bar.start()
        if event.phase not in self._tasks:
            self._tasks[event.phase] = self._bar.add_task(
                phase_label(event.phase), total=event.total, fps=0.0
            )
        self._bar.update(self._tasks[event.phase], completed=event.frame, total=event.total, fps=event.fps)

    def done(self, summary: Summary) -> None:
        """Ends the bar, then shows the summary."""
        self._stop()
        super().done(summary)

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()


def _make_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]:.1f} fps"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def make_reporter(kind: str) -> Reporter:
    """The reporter for a kind of PROGRESS_KINDS and the terminal at hand."""
    if kind == "json":
        return JsonReporter()
    if kind == "openjd":
        return OpenJdReporter()
    if kind == "auto" and sys.stderr.isatty():
        return BarReporter()
    return Reporter()
