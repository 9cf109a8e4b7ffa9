"""Points set by hand in some frames of a video, carried through the others by optical flow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, Sightings
from lp_core.faces.hand_points import F64, Keys, face_from_points
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.timing import FrameRate

Picture = NDArray[np.uint8]
_WINDOW_PX = 31
_LONGEST_PX = 1280
"""Images are followed at this size at most."""


def tracked(pictures: Iterable[Picture], keys: Keys) -> list[F64]:
    """The points of every frame.

    Between two keys the points follow the image from the first one, and what they are off at the second is taken back
    evenly over the frames between. Before the first key they stay; after the last one they follow the image.

    Args:
        pictures: (H, W, 3) uint8 RGB of every frame.
        keys: points of at least one frame.
    """
    found: list[F64] = []
    before: Picture | None = None
    start = min(keys)
    for index, picture in enumerate(pictures):
        scale = min(1.0, _LONGEST_PX / max(picture.shape[:2]))
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        if index <= start or before is None:
            points = keys[start]
        else:
            points = _followed(before, small, found[-1], scale)
            if index in keys:
                _take_back(found, start, index, keys[index] - points)
                points = keys[index]
        if index in keys:
            start = index
        found.append(points)
        before = small
    return found


def _followed(before: Picture, now: Picture, points: F64, scale: float) -> F64:
    places = ((points + 0.5) * scale - 0.5).astype(np.float32)[:, None]
    window = (_WINDOW_PX, _WINDOW_PX)
    moved, is_found, _ = cv2.calcOpticalFlowPyrLK(before, now, places, None, winSize=window, maxLevel=4)
    steps = (moved - places)[:, 0].astype(np.float64) / scale
    seen = is_found.ravel() == 1
    if not seen.any():
        return points
    # A point that is lost or runs away goes with the others.
    middle = np.median(steps[seen], axis=0)
    reach = np.ptp(points, axis=0).max() / 4
    astray = ~seen | (np.linalg.norm(steps - middle, axis=1) > reach)
    steps[astray] = middle
    moved_points: F64 = points + steps
    return moved_points


def _take_back(found: list[F64], start: int, stop: int, error: F64) -> None:
    for index in range(start + 1, stop):
        found[index] = found[index] + error * (index - start) / (stop - start)


class HandTrack:
    """The points of a video's frames, found when they are first asked for; owned by one render."""

    def __init__(self, pictures: Callable[[], Iterable[Picture]], keys: Keys) -> None:
        """Takes what is needed; nothing is decoded yet.

        Args:
            pictures: decodes the video from its first frame.
            keys: points of some frames.
        """
        self._pictures, self._keys = pictures, keys
        self._found: list[F64] | None = None
        self._lock = threading.Lock()

    def at(self, index: int) -> F64:
        """The points of a frame; of the last one beyond the end."""
        with self._lock:
            if self._found is None:
                self._found = tracked(self._pictures(), self._keys) or [self._keys[min(self._keys)]]
        return self._found[min(index, len(self._found) - 1)]


class HandAnalyzer:
    """A ``FaceAnalyzer`` that knows one face: the one whose points were set by hand."""

    scheme = MEDIAPIPE478.name

    def __init__(self, track: HandTrack, canonical: F64, rate: FrameRate) -> None:
        """Takes the points.

        Args:
            track: points of every frame.
            canonical: (478, 3) neutral face.
            rate: of the frames.
        """
        self._track, self._canonical, self._rate = track, canonical, rate

    def analyze(self, picture: Picture, time_ms: int | None = None) -> list[Face]:  # noqa: ARG002 - the contract's
        """The face at a time; see ``FaceAnalyzer.analyze``."""
        index = 0 if time_ms is None else round(time_ms / 1000 * float(self._rate.fps))
        return [face_from_points(self._track.at(index), self._canonical)]

    def survey(self, picture: Picture) -> Sightings:
        """The face of the first frame; see ``FaceAnalyzer.survey``."""
        return Sightings(tuple(self.analyze(picture)))

    def close(self) -> None:
        """Nothing is held."""
