"""A batch: every shot rendered or found up to date, then the timeline and the reports written."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lp_core.batch.otio.losses import losses
from lp_core.batch.otio.relink import conform_timeline
from lp_core.batch.otio.timeline import read_timeline, write_timeline
from lp_core.batch.plan import BUNDLE, WORK, BatchPlan, Shot
from lp_core.batch.report import write_reports
from lp_core.batch.results import UNEXPECTED, BatchSummary, ShotResult, unexpected
from lp_core.batch.steps import RenderResources, run_shot
from lp_core.batch.up_to_date import read_record
from lp_core.errors import Cancelled, LpError, SettingError
from lp_core.link.messages import PHASES
from lp_core.render.report import Listener, Progress

logger = logging.getLogger(__name__)

TIMELINE = "timeline.otio"
DEBUG_LOG = "debug.log"
"""File in the batch's working folder with the tracebacks of unexpected errors."""


@dataclass
class Overall:
    """Turns the progress of shots into that of the whole batch, which only rises."""

    plan: BatchPlan
    listener: Listener | None
    clock: Callable[[], float] = time.perf_counter
    _done: dict[str, float] = field(default_factory=dict)
    _passed: int = 0
    _start: float | None = None

    def of(self, shot: Shot) -> Listener:
        """Anyone who hears the progress of a shot."""

        def hear(event: Progress) -> None:
            begin, end = PHASES[event.phase].share
            total = event.total or shot.frames
            share = begin + (end - begin) * min(event.frame / max(total, 1), 1.0)
            self._done[shot.id] = max(self._done.get(shot.id, 0.0), share * shot.frames)
            self.tell()

        return hear

    def finished(self, shot: Shot, was_rendered: bool) -> None:
        """A shot has ended; what needed no work does not count for the rate."""
        self._done[shot.id] = float(shot.frames)
        if not was_rendered:
            self._passed += shot.frames
        self.tell()

    def tell(self) -> None:
        """Tells where the batch stands."""
        if self._start is None:
            self._start = self.clock()
        if self.listener is None:
            return
        done, total = sum(self._done.values()), self.plan.frames
        elapsed = self.clock() - self._start
        fps = max(done - self._passed, 0.0) / elapsed if elapsed > 0 else 0.0
        eta = round((total - done) / fps, 2) if fps > 0 else None
        self.listener(Progress("render", round(done), total, round(fps, 2), eta))


def run_plan(plan: BatchPlan, means: RenderResources, listener: Listener | None = None) -> list[ShotResult]:
    """Renders what is not up to date, in this process; a shot that fails does not stop the others.

    Args:
        plan: what to do.
        means: with what.
        listener: takes the progress of the whole; what it raises stops the work, finished parts stay.

    Raises:
        Cancelled: the listener raised it.
    """
    overall = Overall(plan, listener)
    overall.tell()
    means = replace(means, listener=overall.of)
    results = []
    for shot in plan.shots:
        start = time.perf_counter()
        result = _attempt(plan, shot, means)
        results.append(replace(result, seconds=round(time.perf_counter() - start, 3)))
        overall.finished(shot, result.state == "rendered")
    return results


def _attempt(plan: BatchPlan, shot: Shot, means: RenderResources) -> ShotResult:
    try:
        record, was_rendered = run_shot(plan, shot, means)
    except Cancelled:
        raise
    except LpError as error:
        return ShotResult(shot, "failed", None, str(error), error.wire_code)
    except Exception as error:  # noqa: BLE001 - one shot must not end the others
        return failed_unexpectedly(plan, shot, error)
    return ShotResult(shot, "rendered" if was_rendered else "up to date", record)


def failed_unexpectedly(plan: BatchPlan, shot: Shot, error: Exception) -> ShotResult:
    """The result of a shot that an error of any kind ended; its traceback goes into the batch's log."""
    logger.exception("shot %s", shot.words, exc_info=error)
    path = plan.folder / WORK / DEBUG_LOG
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{shot.words}\n{''.join(traceback.format_exception(error))}\n")
    return ShotResult(shot, "failed", None, f"{unexpected(error)} Log: {path}.", UNEXPECTED)


def results_of(plan: BatchPlan) -> list[ShotResult]:
    """What the records say of every shot, for anyone who rendered them on other machines."""
    found = []
    for shot in plan.shots:
        record = read_record(plan, shot)
        state: Literal["rendered", "failed"] = "failed" if record is None else "rendered"
        message = "" if record else f"{shot.words} was not rendered to its end."
        found.append(ShotResult(shot, state, record, message, "" if record else "error"))
    return found


def deliver(
    plan: BatchPlan,
    results: Sequence[ShotResult],
    timeline: Any = None,  # noqa: ANN401 - a timeline
) -> BatchSummary:
    """Writes the timeline and the reports.

    Args:
        plan: what was done.
        results: what became of it.
        timeline: as it was read for the plan; None: it is read again.

    Raises:
        LpError: a file cannot be written.
    """
    notes = list(plan.notes)
    if timeline is None:
        if plan.is_job:
            raise SettingError(f"{plan.timeline} is one job and has no timeline; conform is its last step.")
        timeline, _ = read_timeline(Path(plan.timeline), plan.folder / WORK / BUNDLE)
    conform_timeline(timeline, plan, [result.shot for result in results if result.state != "failed"])
    written = [plan.folder / TIMELINE]
    write_timeline(timeline, written[0])
    for suffix in plan.file_types:
        path = plan.folder / f"timeline{suffix}"
        if path == written[0]:
            continue
        try:
            write_timeline(timeline, path)
            written.append(path)
            lost = losses(timeline, path)
            notes.extend([] if lost is None else [lost])
        except SettingError as error:
            notes.append(str(error))
    summary = BatchSummary(plan, tuple(results), tuple(map(str, written)), tuple(notes))
    write_reports(summary)
    return summary
