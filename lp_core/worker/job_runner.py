"""Jobs at work: one thread for every device, each taking the next job that waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from lp_core.errors import LpError, NotThere, defect_message
from lp_core.files import known_failure, remove
from lp_core.render.report import Progress
from lp_core.worker.events import Event, Hub
from lp_core.worker.job_context import JobContext, JobKind
from lp_core.worker.job_outcome import Do, Outcome, carry_out
from lp_core.worker.job_store import JobStore, Row

logger = logging.getLogger(__name__)

MOST_STARTS = 2
"""Starts without any gain after which a job is abandoned: it takes its process down with it."""
RETRY_S = 1.0
"""How long a lane waits before it tries again what the disk of the worker's state refused."""


class JobRunner:
    """Runs the jobs of a store; ``close`` may be called twice and puts unfinished jobs back."""

    def __init__(
        self, store: JobStore, hub: Hub, kinds: Mapping[str, JobKind], folder: Path, do: Do | None = None
    ) -> None:
        """Nothing runs before ``start``.

        Args:
            store: the table.
            hub: hears what happens.
            kinds: name -> who does such jobs.
            folder: jobs get folders in it.
            do: does a job, such as ``LaneProcesses.do``; None: this process does.
        """
        self._store, self._hub, self._kinds, self._folder = store, hub, kinds, folder
        self._do: Do = do or (lambda row, context: carry_out(kinds, row.kind, row.parameters, context))
        self._stopping = threading.Event()
        self._wake = threading.Condition()
        self._threads: dict[str, threading.Thread] = {}
        self._running: dict[str, JobContext] = {}
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """What keeps jobs from being done now, in a sentence; None when nothing does."""
        return self._problem

    def start(self) -> None:
        """Takes up what an earlier worker left, then whatever waits."""
        self._store.recover()
        self._sweep()
        for lane in self._store.lanes():
            self.wake(lane)

    def _sweep(self) -> None:
        """Removes what ended and unknown jobs left, where a worker was killed before it could."""
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            try:
                row = self._store.get(folder.name)
            except NotThere:
                remove(folder)
                continue
            if row.has_ended:
                self._tidy(row)

    def wake(self, lane: str) -> None:
        """A job waits in a lane."""
        with self._wake:
            known = self._threads.get(lane)
            if (known is None or not known.is_alive()) and not self._stopping.is_set():
                thread = threading.Thread(target=self._work, args=(lane,), name=f"lane-{lane}", daemon=True)
                self._threads[lane] = thread
                thread.start()
            self._wake.notify_all()

    def cancel(self, job: str) -> Row:
        """Cancels a job and informs it, when it runs.

        Raises:
            NotThere: there is none of that name.
        """
        before = self._store.get(job)
        row = self._store.cancel(job)
        with self._wake:
            context = self._running.get(job)
        if context is not None:
            context.cancelled.set()
        elif row.state == "cancelled" and before.state == "queued":
            self._tidy(row)
            self._told(row)
        return row

    def _tidy(self, row: Row) -> None:
        """An ended job leaves nothing behind but its result."""
        context = self._context(row)
        kind = self._kinds.get(row.kind)
        try:
            if row.state != "done" and kind is not None:
                kind.abandon(context)
        except Exception:  # the job has ended all the same
            logger.exception("what the job %s left cannot be removed", row.id)
        context.clean()

    def close(self) -> None:
        """Stops all jobs where they are and waits for the threads."""
        self._stopping.set()
        with self._wake:
            self._wake.notify_all()
            threads = list(self._threads.values())
        for thread in threads:
            thread.join()

    def told(self, row: Row) -> None:
        """Tells everyone the state of a job."""
        self._told(row)

    def _told(self, row: Row) -> None:
        self._hub.publish(Event(row.id, "state", row.as_json()))

    def _work(self, lane: str) -> None:
        """Does the jobs of a lane; nothing that goes wrong on the way ends it."""
        while not self._stopping.is_set():
            row = self._tried("take the next job", partial(self._next, lane))
            if row is not None:
                self._run(row)

    def _next(self, lane: str) -> Row | None:
        """The next job of a lane; None after a second without one."""
        with self._wake:  # a job that comes between the look and the wait would be seen late otherwise
            row = self._store.claim(lane)
            if row is None:
                self._wake.wait(1.0)
        return row

    def _tried(self, what: str, act: Callable[[], Row | None]) -> Row | None:
        """What an act gives. An error does not end the lane: it is said, and after a while the lane goes on."""
        try:
            found = act()
        except Exception as error:
            known = known_failure(error)
            if known is None:
                logger.exception("a lane cannot %s", what)
            else:
                logger.warning("A lane cannot %s: %s", what, known)
            self._problem = str(known or f"{type(error).__name__}: {error}")
            self._stopping.wait(RETRY_S)
            return None
        self._problem = None
        return found

    def _kept(self, row: Row, change: Callable[[], Row]) -> Row:
        """The job after a change of its state, which is tried until the table takes it or the worker stops.

        When the worker stops first, the job is found as running at the next start and goes on.
        """
        while True:
            changed = self._tried(f"keep the end of the job {row.id}", change)
            if changed is not None:
                return changed
            if self._stopping.is_set():
                return row

    def _context(self, row: Row) -> JobContext:
        def tell(progress: Progress, gained: int) -> None:
            values = {name: value for name, value in progress.as_json().items() if name != "type"}
            self._quietly(lambda: self._store.report(row.id, values, gained))
            self._hub.publish(Event(row.id, "progress", {"job": row.id, **values}))

        def say(text: str) -> None:
            self._quietly(lambda: self._store.say(row.id, text))
            self._hub.publish(Event(row.id, "log", {"job": row.id, "text": text}))

        return JobContext(row.id, self._folder / row.id, tell, say, self._stopping)

    def _quietly(self, keep: Callable[[], None]) -> None:
        """Keeps a report of a job, without which the job goes on where the table does not take it."""
        try:
            keep()
        except LpError as error:
            self._problem = str(error)
        else:
            self._problem = None

    def _run(self, row: Row) -> None:
        context = self._context(row)
        with self._wake:
            self._running[row.id] = context
        self._told(row)
        try:
            end = self._outcome(row, context)
            ended = self._kept(row, end)
        finally:
            with self._wake:
                del self._running[row.id]
        if ended.has_ended:
            self._tidy(ended)
        self._told(ended)

    def _outcome(self, row: Row, context: JobContext) -> Callable[[], Row]:
        """Does a job; returns what changes its row accordingly."""
        end = partial(self._store.end, row.id)
        if row.starts > MOST_STARTS:
            phase = (row.progress or {}).get("phase") or "prepare"
            sentence = (
                f"The process that did this job died {MOST_STARTS} times in the phase '{phase}' without getting "
                "further, so it is abandoned; check the input files and the worker's log, then submit it again."
            )
            return partial(end, "failed", error=("worker_died", sentence))
        try:
            if self._store.get(row.id).wants_cancel:
                context.cancelled.set()
            outcome = self._do(row, context)
        except Exception as error:
            known = known_failure(error)
            if known is None:
                logger.exception("job %s", row.id)
            outcome = Outcome(
                "failed",
                None,
                "defect" if known is None else known.wire_code,
                str(known or defect_message(error)),
            )
        return self._change_of(row, outcome, context)

    def _change_of(self, row: Row, outcome: Outcome, context: JobContext) -> Callable[[], Row]:
        """What changes the row of a job by its outcome."""
        end = partial(self._store.end, row.id)
        if outcome.state == "interrupted":
            return partial(self._store.requeue, row.id)
        if outcome.state == "died":
            context.say(outcome.sentence)
            return partial(self._store.retry, row.id)
        if outcome.state == "failed":
            if outcome.code != "defect":
                context.say(outcome.sentence)
            return partial(end, "failed", error=(outcome.code or "defect", outcome.sentence))
        if outcome.state == "done":
            for note in (outcome.summary or {}).get("notes", ()):
                context.say(note)
            return partial(end, "done", summary=outcome.summary)
        return partial(end, outcome.state)
