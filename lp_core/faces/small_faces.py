"""Where to look again for faces too small for the detector: tiles of an image, windows around faces.

Convention:
    Boxes are in frame pixels, x right, y down, half-open, and never leave the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lp_core.faces.base import FaceBox

_LEVELS = 3
"""The finest tiles have an eighth of the image's long side; a fourth level would take seconds on a 4K
frame."""
_SMALLEST_TILE_PX = 160
"""Smaller tiles would only magnify blur: the detector itself sees 128 pixels."""
_SAME_FACE_OVERLAP = 0.3
"""Two detections that share more than this part of their union are one face."""


@dataclass(frozen=True)
class FaceDetection:
    """A face seen by the detector, before landmarks."""

    box: FaceBox
    """Bounding box in frame pixels."""
    score: float
    """Detector's confidence, 0..1."""
    roll_deg: float = 0.0
    """Turn under which the detector saw it upright, positive clockwise: a guess at its roll."""


def tile_levels(width: int, height: int) -> list[list[FaceBox]]:
    """Square tiles over an image, from coarse to fine.

    Tiles of one level have half the side of the level before and overlap by half, so that every face up to
    half a tile is whole in one of them. An image too small for the first level has none.

    Returns:
        Levels of boxes with whole-numbered edges, row by row.
    """
    sides = [max(width, height) // 2 ** (level + 1) for level in range(_LEVELS)]
    return [
        [
            FaceBox(left, top, min(left + side, width), min(top + side, height))
            for top in _starts(height, side)
            for left in _starts(width, side)
        ]
        for side in sides
        if side >= _SMALLEST_TILE_PX
    ]


def _starts(length: int, side: int) -> list[int]:
    """First pixels of tiles that cover a length, each at most half a side after the one before."""
    if length <= side:
        return [0]
    steps = -(-(length - side) // (side // 2))
    return [round(index * (length - side) / steps) for index in range(steps + 1)]


def window_around(box: FaceBox, factor: float, width: int, height: int) -> FaceBox:
    """A square window of ``factor`` times a box's longer side around its middle, cut to the image.

    Returns:
        A box with whole-numbered edges, at least one pixel wide and high.
    """
    (x, y), half = box.center, max(box.right - box.left, box.bottom - box.top) * factor / 2
    left, right = _cut(x - half, x + half, width)
    top, bottom = _cut(y - half, y + half, height)
    return FaceBox(left, top, right, bottom)


def _cut(start: float, stop: float, length: int) -> tuple[int, int]:
    first = min(max(round(start), 0), length - 1)
    return first, max(min(round(stop), length), first + 1)


def overlap(one: FaceBox, other: FaceBox) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one.area + other.area - width * height)


def distinct(detections: Sequence[FaceDetection]) -> list[FaceDetection]:
    """The detections without repeats of the same face, best first (non-maximum suppression)."""
    kept: list[FaceDetection] = []
    for found in sorted(detections, key=lambda item: item.score, reverse=True):
        if all(overlap(found.box, other.box) <= _SAME_FACE_OVERLAP for other in kept):
            kept.append(found)
    return kept
