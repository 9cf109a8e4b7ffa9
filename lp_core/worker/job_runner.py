"""Jobs at work: one thread for every device, each taking the next job that waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lp_core.errors import Cancelled, LpError, missing_extra
from lp_core.files import ensure_folder, known_failure
from lp_core.render.report import Progress
from lp_core.worker.events import Event, Hub
from lp_core.worker.job_context import Interrupted, JobContext, JobKind
from lp_core.worker.job_store import JobStore, Row

logger = logging.getLogger(__name__)

MOST_STARTS = 2
"""Starts without any gain after which a job is given up: it takes the worker down with it."""


class JobRunner:
    """Runs the jobs of a store; ``close`` may be called twice and puts unfinished jobs back."""

    def __init__(self, store: JobStore, hub: Hub, kinds: Mapping[str, JobKind], folder: Path) -> None:
        """Nothing runs before ``start``.

        Args:
            store: the table.
            hub: hears what happens.
            kinds: name -> who does such jobs.
            folder: jobs get folders in it.
        """
        self._store, self._hub, self._kinds, self._folder = store, hub, kinds, folder
        self._stopping = threading.Event()
        self._wake = threading.Condition()
        self._threads: dict[str, threading.Thread] = {}
        self._running: dict[str, JobContext] = {}

    def start(self) -> None:
        """Takes up what an earlier worker left, then whatever waits."""
        for row in self._store.recover():
            if row.has_ended:
                self._tidy(row)
        for lane in self._store.lanes():
            self.wake(lane)

    def wake(self, lane: str) -> None:
        """A job waits in a lane."""
        with self._wake:
            if lane not in self._threads and not self._stopping.is_set():
                thread = threading.Thread(target=self._work, args=(lane,), name=f"lane-{lane}", daemon=True)
                self._threads[lane] = thread
                thread.start()
            self._wake.notify_all()

    def cancel(self, job: str) -> Row:
        """Cancels a job and tells it, when it runs.

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
        if row.state != "done" and kind is not None:
            kind.abandon(context)
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
        while not self._stopping.is_set():
            with self._wake:  # a job that comes between the look and the wait would be seen late otherwise
                row = self._store.claim(lane)
                if row is None:
                    self._wake.wait(1.0)
            if row is not None:
                self._run(row)

    def _context(self, row: Row) -> JobContext:
        def tell(progress: Progress, gained: int) -> None:
            values = {name: value for name, value in progress.as_json().items() if name != "type"}
            self._store.report(row.id, values, gained)
            self._hub.publish(Event(row.id, "progress", {"job": row.id, **values}))

        def say(text: str) -> None:
            self._store.say(row.id, text)
            self._hub.publish(Event(row.id, "log", {"job": row.id, "text": text}))

        return JobContext(row.id, self._folder / row.id, tell, say, self._stopping)

    def _run(self, row: Row) -> None:
        context = self._context(row)
        with self._wake:
            self._running[row.id] = context
        if self._store.get(row.id).wants_cancel:
            context.cancelled.set()
        self._told(row)
        try:
            ended = self._outcome(row, context)
        finally:
            with self._wake:
                del self._running[row.id]
        if ended.has_ended:
            self._tidy(ended)
        self._told(ended)

    def _outcome(self, row: Row, context: JobContext) -> Row:
        """Does a job; the row as it stands afterwards."""
        if row.starts > MOST_STARTS:
            phase = (row.progress or {}).get("phase") or "prepare"
            sentence = (
                f"The worker died {MOST_STARTS} times in the phase '{phase}' of this job without getting further, so "
                "it is given up; check the input files and the worker's log, then submit it again."
            )
            return self._store.end(row.id, "failed", error=("worker_died", sentence))
        kind = self._kinds.get(row.kind)
        if kind is None:
            sentence = str(missing_extra(f"A job of the kind '{row.kind}'", "otio"))
            return self._store.end(row.id, "failed", error=("missing_dependency", sentence))
        try:
            ensure_folder(context.folder)
            context.progress(Progress("prepare", 0, None, 0.0, None))
            summary: dict[str, Any] = kind.run(row.parameters, context)
        except Interrupted:
            return self._store.requeue(row.id)
        except Cancelled:
            return self._store.end(row.id, "cancelled")
        except LpError as error:
            context.say(str(error))
            return self._store.end(row.id, "failed", error=(error.wire_code, str(error)))
        except Exception as error:
            known = known_failure(error)
            if known is not None:
                context.say(str(known))
                return self._store.end(row.id, "failed", error=(known.wire_code, str(known)))
            logger.exception("job %s", row.id)
            sentence = f"This is a defect of LP Suite, please report it: {type(error).__name__}: {error}"
            return self._store.end(row.id, "failed", error=("defect", sentence))
        for note in summary.get("notes", ()):
            context.say(note)
        return self._store.end(row.id, "done", summary=summary)
