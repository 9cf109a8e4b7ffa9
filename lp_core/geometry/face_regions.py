"""Skin, eyes and inside of the mouth of a face: closed contours, where a flow carries them, and their coverage.

Convention:
    Positions (x, y) in pixels of the frame, y downwards, integer = pixel center. "Left" and "right" are the image's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Box
from lp_core.geometry.coverage import coverage
from lp_core.geometry.warp import sample

F64 = NDArray[np.float64]

_APPROACH = np.linspace(1.0, 0.0, 9)
"""Steps in which a contour is carried: from outside the opening to its margin."""
_ROUNDS = 4
"""Corrections at each step."""
_OUTSIDE = 0.25
"""Where the approach begins: this share of an opening's width outside of it."""


@dataclass(frozen=True)
class FaceContours:
    """Closed contours of one face; each (P, 2)."""

    skin: F64
    """Outline of the face: from forehead to chin, where the landmarks reach the forehead."""
    eyes: tuple[F64, F64]
    """Lid margins of the left and the right eye."""
    mouth: F64
    """Inner lip line."""

    def mapped(self, change: Callable[[F64], F64]) -> FaceContours:
        """The contours with a change applied to each opening; the skin's outline stays."""
        return FaceContours(self.skin, (change(self.eyes[0]), change(self.eyes[1])), change(self.mouth))


def carried(contours: FaceContours, flow: NDArray[np.float32], box: Box) -> FaceContours:
    """The contours of a source's face where an inverse flow shows them.

    A closed mouth that opens has no single place for its inner lip line: the upper lip's is sought from above, the
    lower lip's from below, and so with lids. The outline of the face moves with what is around it.

    Args:
        contours: in the source.
        flow: (h, w, 2) of the box: output pixel (x, y) shows the source at (x, y) + flow.
        box: in the frame; outside of it the flow is 0.
    """

    def opening(line: F64) -> F64:
        across = line[np.argmax(line[:, 0])] - line[np.argmin(line[:, 0])]
        width = float(np.linalg.norm(across))
        down = np.array([-across[1], across[0]]) / max(width, 1e-6)
        # Contours go from one corner along the lower margin to the other, and back along the upper one.
        half = len(line) // 2
        side = np.zeros(len(line))
        side[1:half], side[half + 1 :] = 1.0, -1.0
        return _sought(line, side[:, None] * down * _OUTSIDE * width, flow, box)

    skin = _sought(contours.skin, np.zeros_like(contours.skin), flow, box)
    return FaceContours(skin, contours.eyes, contours.mouth).mapped(opening)


def _sought(line: F64, outside: F64, flow: NDArray[np.float32], box: Box) -> F64:
    """Where a line is shown, approached from outside."""
    place = line + outside
    for share in _APPROACH:
        wanted = line + share * outside
        for _ in range(_ROUNDS):
            place = place + (wanted - place - _flow_at(flow, box, place))
    return place


def _flow_at(flow: NDArray[np.float32], box: Box, place: F64) -> F64:
    """(P, 2) the flow at places; 0 outside its box."""
    if not flow.size:
        return np.zeros_like(place)
    left, top, right, bottom = box
    x, y = place[:, 0] - left, place[:, 1] - top
    found = sample(flow, x[None].astype(np.float32), y[None].astype(np.float32))[0].astype(np.float64)
    is_inside = (x >= -0.5) & (x < right - left - 0.5) & (y >= -0.5) & (y < bottom - top - 0.5)
    return np.where(is_inside[:, None], found, 0.0)


def region_coverage(contours: FaceContours, size: tuple[int, int]) -> NDArray[np.float32]:
    """(H, W, 3) coverage, 0..1: skin, eyes, inside of the mouth; their sum is nowhere above 1.

    Args:
        contours: of the face.
        size: width and height of the frame.
    """
    whole = np.zeros((size[1], size[0], 3), np.float32)
    low = np.maximum(np.floor(contours.skin.min(axis=0) - 1).astype(int), 0)
    high = np.minimum(np.ceil(contours.skin.max(axis=0) + 2).astype(int), size)
    if (high <= low).any():
        return whole
    part = int(high[0] - low[0]), int(high[1] - low[1])
    face = coverage(contours.skin - low, part)
    eyes = np.maximum(*(coverage(eye - low, part) for eye in contours.eyes))
    mouth = np.minimum(coverage(contours.mouth - low, part), face)
    eyes = np.minimum(eyes, face - mouth)
    whole[low[1] : high[1], low[0] : high[0]] = np.dstack([face - mouth - eyes, eyes, mouth])
    return whole
