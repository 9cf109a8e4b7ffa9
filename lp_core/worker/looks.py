"""Looks into media for answers that wait for no job: small images, faces, lengths of files that were sent.

Files are decoded in another process, so that one which crashes a decoder or a landmarker costs one answer.
"""

from __future__ import annotations

import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lp_core.errors import LpError, NotAllowed, TooBusy, UnreadableMedia
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.face_looks import find_faces, frame_jpeg
from lp_core.worker.job_context import Accepted, JobContext, JobKind
from lp_core.worker.job_outcome import Outcome
from lp_core.worker.lane_processes import LaneProcesses
from lp_core.worker.sent_files import look_into
from lp_core.worker.thumbnails import small_picture

KINDS = "lp_core.worker.looks:look_kinds"
"""Kinds of the processes that look."""
LONGEST_S = {"pictures": 10.0, "faces": 60.0}
"""Lane -> seconds after which a look is abandoned."""
_TURN_S = 5.0
"""A look waits so long for the one before it in its lane."""
Values = Mapping[str, Any]


@dataclass(frozen=True)
class _Look:
    """A kind of look."""

    lane: str
    """Key of LONGEST_S."""
    act: Callable[[Folders, Values], dict[str, Any]]
    """Does it: plain values in and out."""


def _picture(folders: Folders, values: Values) -> dict[str, Any]:
    return {"jpeg": b64encode(small_picture(folders.readable(values["path"]))).decode("ascii")}


def _face_picture(folders: Folders, values: Values) -> dict[str, Any]:
    data = frame_jpeg(folders.readable(values["source"]), values["frame"])
    return {"jpeg": b64encode(data).decode("ascii")}


def _faces(folders: Folders, values: Values) -> dict[str, Any]:
    return find_faces(folders.readable(values["source"]), values["frame"])


def _sent(folders: Folders, values: Values) -> dict[str, Any]:
    path = Path(folders.readable(values["path"]))
    return {"seconds": look_into(path, values["kind"], values["most_s"])}


LOOKS: Mapping[str, _Look] = {
    "picture": _Look("pictures", _picture),
    "face_picture": _Look("pictures", _face_picture),
    "faces": _Look("faces", _faces),
    "sent": _Look("pictures", _sent),
}
"""Name of a look -> what it does."""


class MediaLooks:
    """Looks in this process; see ``ContainedLooks``."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._turn = threading.Lock()

    def look(self, name: str, values: Values) -> Values:
        """Does a look of LOOKS.

        Raises:
            LpError: the media cannot be read, or may not.
        """
        with self._turn:  # each takes a processor
            return LOOKS[name].act(self._folders, values)

    def jpeg(self, name: str, values: Values) -> bytes:
        """The image that a look gives; raises as ``look``."""
        return b64decode(self.look(name, values)["jpeg"])


class ContainedLooks(MediaLooks):
    """Looks in other processes, in each lane one at a time."""

    def __init__(self, folders: Folders, processes: LaneProcesses, folder: Path) -> None:
        """Begins.

        Args:
            folders: that may be read.
            processes: look; their kinds are ``look_kinds``.
            folder: of the worker's own.
        """
        super().__init__(folders)
        self._processes, self._folder = processes, folder
        self._locks = {lane: threading.Lock() for lane in LONGEST_S}

    def look(self, name: str, values: Values) -> Values:
        """Does a look of LOOKS.

        Raises:
            LpError: the media cannot be read, or may not.
            TooBusy: another look takes too long.
        """
        lock = self._locks[LOOKS[name].lane]
        if not lock.acquire(timeout=_TURN_S):
            raise TooBusy("Another file takes long to read; try again.")
        try:
            outcome = self._done(name, values)
            if outcome.state == "died":
                outcome = self._done(name, values)
        finally:
            lock.release()
        if outcome.state != "done":
            raise _error_of(outcome)
        return outcome.summary or {}

    def _done(self, name: str, values: Values) -> Outcome:
        lane = LOOKS[name].lane
        context = JobContext(
            lane, self._folder, lambda _progress, _gained: None, lambda _text: None, threading.Event()
        )
        limit = threading.Timer(LONGEST_S[lane], context.cancelled.set)
        limit.start()
        try:
            return self._processes.run(lane, name, values, context)
        finally:
            limit.cancel()
            limit.join()


def _error_of(outcome: Outcome) -> LpError:
    """The error that the other process reported."""
    sentence = outcome.sentence or "The file takes too long to read."
    kind = next((kind for kind in _kinds(LpError) if kind.wire_code == outcome.code), UnreadableMedia)
    return kind(sentence)


def _kinds(kind: type[LpError]) -> Iterator[type[LpError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


@dataclass(frozen=True)
class _LookKind:
    """A look as a kind of job, which nobody can ask for."""

    folders: Folders
    name: str

    def accept(self, _request: object) -> Accepted:
        """Refuses; see the contract."""
        raise NotAllowed("A look into a file is not a job.")

    def run(self, parameters: Values, _context: JobContext) -> dict[str, Any]:
        """Does it; see the contract."""
        return LOOKS[self.name].act(self.folders, parameters)

    def abandon(self, context: JobContext) -> None:
        """Nothing is written; see the contract."""


def look_kinds(folders: Folders) -> dict[str, JobKind]:
    """The kinds of jobs that look."""
    return {name: _LookKind(folders, name) for name in LOOKS}
