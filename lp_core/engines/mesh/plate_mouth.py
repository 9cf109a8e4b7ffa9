"""What a filmed plate gives of its mouth before another voice replaces it: the mouth at rest, and views into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import DrivingPicture
from lp_core.faces.base import Face
from lp_core.frame import Frame
from lp_core.geometry.facemesh import OVAL
from lp_core.geometry.warp import reduce
from lp_core.motion.landmarks.motion import motion_from_landmarks
from lp_core.motion.landmarks.resting import (
    RestingMouth,
    RestingSurvey,
    resting_arrays,
    resting_from_arrays,
)

OPENINGS = (0.06, 0.12, 0.19, 0.27, 0.37, 0.5)
"""Lip gaps over mouth width from which a view into the mouth is kept, one from each to the next."""
VIEW_PX = 512
"""Largest height of a view."""
MARGIN = 0.06
"""Room around the face in a view, in its heights."""


@dataclass(frozen=True)
class PlateMouth:
    """The mouth of a plate."""

    resting: RestingMouth
    """At rest."""
    views: tuple[DrivingPicture, ...]
    """The plate's own open mouth, from little to wide open."""
    openings: NDArray[np.float64]
    """(V,) lip gap over mouth width in each view, rising."""

    def seen_at(self, opening: float) -> tuple[tuple[DrivingPicture, float], ...]:
        """The views that show a mouth which is so far open, with their weights; none where the plate never opens it."""
        if not self.views:
            return ()
        place = float(np.interp(opening, self.openings, np.arange(len(self.views))))
        low = min(int(place), len(self.views) - 1)
        part = place - low
        pairs = [(self.views[low], 1 - part)]
        if part > 0:
            pairs.append((self.views[low + 1], part))
        return tuple(pairs)


@dataclass(frozen=True)
class _View:
    opening: float
    turn: float
    pixels: NDArray[np.uint8]
    landmarks: NDArray[np.float32]


def survey_plate(plate: Iterable[tuple[Frame, Face | None]]) -> dict[str, NDArray[Any]]:
    """The mouth of a plate as plain arrays; empty where no frame shows the face.

    Args:
        plate: every frame with the face that is animated, None where it is lost.
    """
    survey, views = RestingSurvey(), dict[int, _View]()
    for frame, face in plate:
        if face is None:
            continue
        height, width = frame.pixels.shape[:2]
        motion = motion_from_landmarks(
            face.landmarks_frame, face.head_rotation, face.coefficients, width, height
        )
        survey.add(motion)
        kind = int(np.searchsorted(OPENINGS, float(motion.lips), side="right")) - 1
        turn = float(np.arccos(np.clip(motion.rotation[2, 2], -1, 1)))
        if kind >= 0 and (kind not in views or turn < views[kind].turn - 0.02):
            views[kind] = _view(frame, face, float(motion.lips), turn)
    resting = survey.result()
    if resting is None:
        return {}
    arrays = resting_arrays(resting)
    kept = sorted(views.values(), key=lambda view: view.opening)
    arrays["openings"] = np.array([view.opening for view in kept], np.float64)
    for index, view in enumerate(kept):
        arrays[f"view{index}"], arrays[f"view_points{index}"] = view.pixels, view.landmarks
    return arrays


def plate_mouth(arrays: Mapping[str, NDArray[Any]]) -> PlateMouth | None:
    """The mouth of a plate from the arrays of ``survey_plate``; None where it found none."""
    if "openings" not in arrays:
        return None
    openings = arrays["openings"]
    views = tuple(
        DrivingPicture(arrays[f"view{index}"], arrays[f"view_points{index}"])
        for index in range(len(openings))
    )
    return PlateMouth(resting_from_arrays(arrays), views, openings)


def _view(frame: Frame, face: Face, opening: float, turn: float) -> _View:
    """The face cut out of a frame, in 8 bits, at most VIEW_PX high."""
    points = face.landmarks_frame
    height, width = frame.pixels.shape[:2]
    low, high = points[OVAL, :2].min(axis=0), points[OVAL, :2].max(axis=0)
    margin = MARGIN * float(high[1] - low[1])
    left, top = (int(value) for value in np.clip(np.floor(low - margin), 0, (width - 2, height - 2)))
    right, bottom = (
        int(value) for value in np.clip(np.ceil(high + margin) + 1, (left + 2, top + 2), (width, height))
    )
    pixels = np.ascontiguousarray(frame.as_rgb8()[top:bottom, left:right])
    scale = min(1.0, VIEW_PX / (bottom - top))
    landmarks = (points - np.array([left, top, 0], np.float32)) * np.float32(scale)
    landmarks[:, :2] += (scale - 1) / 2
    return _View(opening, turn, reduce(pixels, scale), landmarks.astype(np.float32))
