"""The worker's parts, made in order and closed in order."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lp_core.contexts import ClosesOnExit
from lp_core.errors import NotAllowed
from lp_core.files import ensure_folder
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.connections import ConnectionLimits, most_connections
from lp_core.worker.events import Hub
from lp_core.worker.job_context import JobContext, JobKind
from lp_core.worker.job_kinds import job_kinds
from lp_core.worker.job_outcome import Outcome, carry_out
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.job_store import JobStore, Row
from lp_core.worker.lane_processes import LaneProcesses
from lp_core.worker.lane_program import wait_for_earlier
from lp_core.worker.live_mailbox import open_streams
from lp_core.worker.looks import KINDS as LOOKS
from lp_core.worker.looks import ContainedLooks, MediaLooks
from lp_core.worker.talking.sessions import TalkSessions
from lp_core.worker.uploads import Uploads

_ALL = 1_000_000


class Service(ClosesOnExit):
    """Everything the routes use; ``close`` may be called twice."""

    def __init__(self, state: Path, folders: Folders, is_contained: bool = True) -> None:
        """Opens the table of jobs; nothing runs before ``start``.

        Args:
            state: folder of the worker's own.
            folders: what it may touch; its own folders for uploads and results come in addition.
            is_contained: jobs run in separate processes, which may crash.

        Raises:
            WorkerError: the state cannot be used.
        """
        self.state = state
        self.results = state / "results"
        for folder in (state, self.results):
            ensure_folder(folder, mode=0o700)
        self.uploads = Uploads(state / "uploads")
        self.limits = ConnectionLimits(most_connections())
        self.roots = folders.roots
        own = Folders.of([self.uploads.folder, self.results])
        self.folders = Folders((*folders.roots, *own.roots))
        self.hub = Hub()
        self.kinds: dict[str, JobKind] = job_kinds(self.folders)
        with ExitStack() as stack:
            self.store = JobStore(state / "jobs.sqlite3")
            stack.callback(self.store.close)
            self._processes: dict[str, LaneProcesses] = {}
            self._added = stack.enter_context(ExitStack())  # closes after the lanes, whenever it was filled
            self.looks = MediaLooks(self.folders)
            if is_contained:
                lanes, roots = state / "lanes", self.folders.roots
                self._processes = dict.fromkeys(self.kinds, stack.enter_context(LaneProcesses(lanes, roots)))
                looking = stack.enter_context(LaneProcesses(lanes, roots, LOOKS))
                self.looks = ContainedLooks(self.folders, looking, state)
            self.lanes = JobRunner(self.store, self.hub, self.kinds, state / "jobs", self._do)
            stack.callback(self.lanes.close)
            self.streams = stack.enter_context(open_streams(self.folders))
            self.talking = TalkSessions(self.folders.readable, self._examine)
            self._cleanup = stack.pop_all()

    def _examine(self, portrait: str) -> None:
        """Reads a portrait and its faces in another process first: a file that crashes it crashes nothing here."""
        self.looks.look("faces", {"source": portrait, "frame": 0})

    def contain(self, kind: str, kinds: str, more: Mapping[str, Any]) -> None:
        """Has the jobs of a kind that was added done in other processes, where the others are.

        Args:
            kind: its name.
            kinds: see ``LaneProcesses``.
            more: see ``LaneProcesses``.
        """
        if self._processes:
            made = LaneProcesses(self.state / "lanes" / kind, self.folders.roots, kinds, more)
            self._processes[kind] = self._added.enter_context(made)

    def _do(self, row: Row, context: JobContext) -> Outcome:
        """Does a job in the process for its kind; in this one where there is none."""
        processes = self._processes.get(row.kind) if row.kind in self.kinds else None
        if processes is not None:
            return processes.do(row, context)
        return carry_out(self.kinds, row.kind, row.parameters, context)

    def start(self) -> None:
        """Takes up what an earlier worker left, once its programs have ended."""
        wait_for_earlier(self.state / "lanes")
        waiting = [row for state in ("queued", "running") for row in self.store.newest(state, _ALL)]
        self.uploads.clean(json.dumps([row.parameters for row in waiting]))
        self.lanes.start()

    def submit(self, kind: str, request: Any) -> tuple[Row, bool]:  # noqa: ANN401 - the kind's own model
        """A new job, or the one of the same key: (job, whether it is new).

        Raises:
            LpError: it cannot be done.
        """
        if kind not in self.kinds:
            raise NotAllowed(
                f"This worker cannot do jobs of the kind '{kind}'; it does: {', '.join(self.kinds)}."
            )
        return self.submit_named(request.key or secrets.token_hex(16), kind, request, request.priority)

    def submit_named(self, name: str, kind: str, request: Any, priority: int = 0) -> tuple[Row, bool]:  # noqa: ANN401
        """The same under a given name, for a kind that is there.

        Raises:
            LpError: it cannot be done.
        """
        accepted = self.kinds[kind].accept(request)
        row, is_new = self.store.add(
            name, kind, accepted.lane, priority, accepted.output, accepted.parameters
        )
        if is_new:
            self.lanes.told(row)
            self.lanes.wake(row.lane)
        return row, is_new

    def close(self) -> None:
        """Stops the jobs where they are and closes the table."""
        self.hub.close()
        self._cleanup.close()
