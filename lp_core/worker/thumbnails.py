"""Small images for the page."""

from __future__ import annotations

import threading
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lp_core.errors import EmptyVideo, NotAllowed, TooBusy, UnreadableMedia
from lp_core.media.open import open_source
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.job_context import Accepted, JobContext, JobKind
from lp_core.worker.job_outcome import Outcome
from lp_core.worker.lane_processes import LaneProcesses

SIDE_PX = 192
"""Longer side; twice the size it is shown at, for screens of high density."""
_QUALITY = 85
PICTURES = "lp_core.worker.thumbnails:picture_kinds"
"""Kinds of the processes that make images."""
_LANE = "pictures"
_TURN_S = 5.0
"""An image waits so long for the one before it."""
_LONGEST_S = 10.0
"""An image that takes longer is abandoned."""


def small_picture(path: str) -> bytes:
    """The first image of a file or sequence as a small JPEG.

    Raises:
        MediaError: it cannot be read.
    """
    with open_source(path) as source:
        frame = next(iter(source), None)
    if frame is None:
        raise EmptyVideo(f"{path} holds no image.")
    return small_jpeg(frame.as_rgb8())


def small_jpeg(picture: np.typing.NDArray[np.uint8], side_px: int = SIDE_PX) -> bytes:
    """A (H, W, 3) RGB image as JPEG, at most ``side_px`` long on either side."""
    height, width = picture.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    return data.tobytes()


class ContainedPictures:
    """Small images made in another process, one at a time: a file that crashes a decoder has no image."""

    def __init__(self, processes: LaneProcesses, folder: Path) -> None:
        """Begins.

        Args:
            processes: make them; their kinds are ``picture_kinds``.
            folder: of the worker's own.
        """
        self._processes, self._folder = processes, folder
        self._lock = threading.Lock()

    def small_picture(self, path: str) -> bytes:
        """See ``small_picture``.

        Raises:
            MediaError: it cannot be read.
            TooBusy: another image takes too long.
        """
        if not self._lock.acquire(timeout=_TURN_S):
            raise TooBusy("Another image takes long; try again.")
        try:
            outcome = self._made(path)
            if outcome.state == "died":
                outcome = self._made(path)
        finally:
            self._lock.release()
        if outcome.state != "done":
            raise UnreadableMedia(outcome.sentence or f"{path} takes too long to read; it has no image.")
        return b64decode((outcome.summary or {})["jpeg"])

    def _made(self, path: str) -> Outcome:
        context = JobContext(
            _LANE, self._folder, lambda _progress, _gained: None, lambda _text: None, threading.Event()
        )
        limit = threading.Timer(_LONGEST_S, context.cancelled.set)
        limit.start()
        try:
            return self._processes.run(_LANE, _LANE, {"path": path}, context)
        finally:
            limit.cancel()
            limit.join()


class _Picture:
    """Small images as a kind of job, which nobody can ask for."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def accept(self, _request: object) -> Accepted:
        """Refuses; see the contract."""
        raise NotAllowed("Images are not jobs.")

    def run(self, parameters: Mapping[str, Any], _context: JobContext) -> dict[str, Any]:
        """Makes one; see the contract."""
        data = small_picture(self._folders.readable(parameters["path"]))
        return {"jpeg": b64encode(data).decode("ascii")}

    def abandon(self, context: JobContext) -> None:
        """Nothing is written; see the contract."""


def picture_kinds(folders: Folders) -> dict[str, JobKind]:
    """The kind of job that makes small images."""
    return {_LANE: _Picture(folders)}
