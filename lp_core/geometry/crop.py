"""Landmarks to the square that a network looks at, and the matrices between that crop and the frame.

Convention:
    Points are (x, y), origin top-left, integer = pixel center, in the frame and in the crop alike (no
    half-pixel shift between them). A matrix ``a_from_b`` takes column vectors (x, y, 1). Angles are
    radians, positive from x towards y, that is clockwise in the image. Source: the published LivePortrait
    cropping, section by section; angles by atan2 where that has a rounded arc cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError

F64 = NDArray[np.float64]
Indices = tuple[int, ...]

_LEAST_AXIS = 1e-3
"""Pixels; anchor points nearer than this give no direction, and the image's upright is taken."""


@dataclass(frozen=True)
class Anchors:
    """Which landmarks stand for the eyes and the mouth in one layout."""

    first_eye: Indices
    second_eye: Indices
    lips: Indices


ANCHORS = {
    5: Anchors((0,), (1,), (3, 4)),
    9: Anchors((2, 3), (0, 1), (5, 6)),
    68: Anchors((36, 39), (42, 45), (48, 54)),
    101: Anchors((39, 42, 45, 48), (51, 54, 57, 60), (75, 81)),
    106: Anchors((33, 35, 40, 39), (87, 89, 94, 93), (52, 61)),
    203: Anchors((0, 6, 12, 18), (24, 30, 36, 42), (48, 66)),
    478: Anchors((468,), (473,), (14,)),
}
"""Number of landmarks -> anchors; 9 is the animal layout, 478 MediaPipe's with irises."""


@dataclass(frozen=True)
class CropShape:
    """How large a crop is around a face, and how far it is moved towards forehead or side."""

    scale: float
    """Side of the square over the face's extent."""
    shift_x: float = 0.0
    """Shift along the face's horizontal, in sides."""
    shift_y: float = -0.125
    """Shift along the face's vertical, in sides; below 0 towards the forehead."""


SOURCE_CROP = CropShape(2.3)
"""Of a source, still or filmed."""
DRIVING_CROP = CropShape(2.2, shift_y=-0.1)
"""Of a driving clip."""
LANDMARK_CROP = CropShape(1.5, shift_y=-0.1)
"""Of the 203-point landmark model's input."""


@dataclass(frozen=True)
class Square:
    """A square around a face.

    Convention: see the module.
    """

    center: F64
    """(2,) in frame pixels."""
    side: float
    """In frame pixels."""
    angle: float
    """Radians by which the square's horizontal is turned from the frame's."""

    def corners(self) -> F64:
        """(4, 2) top left, top right, bottom right, bottom left of the turned square, in frame pixels."""
        half = self.side / 2
        signs = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        right = np.array([np.cos(self.angle), np.sin(self.angle)])
        down = np.array([-right[1], right[0]])
        corners: F64 = self.center + half * (signs[:, :1] * right + signs[:, 1:] * down)
        return corners

    def upright(self) -> Square:
        """The same center and side, not turned."""
        return Square(self.center, self.side, 0.0)


def anchor_points(landmarks: NDArray[Any], uses_lips: bool = True) -> F64:
    """Two points that give a face its place and direction.

    Convention: see the module.

    Args:
        landmarks: (P, 2) or more columns, frame pixels, P a key of ANCHORS; any other count above 101 is
            taken by its first 101 points.
        uses_lips: from the middle of the eyes to the lips; else along the perpendicular of the eyes.

    Returns:
        (2, 2): the upper point, the lower point.

    Raises:
        SettingError: the layout is not known.
    """
    points = np.asarray(landmarks, np.float64)
    if points.ndim != 2 or points.shape[1] < 2 or (len(points) not in ANCHORS and len(points) <= 101):
        known = ", ".join(str(count) for count in ANCHORS)
        raise SettingError(f"Landmarks of shape {points.shape} cannot be cropped by; give {known} points.")
    anchors = ANCHORS.get(len(points), ANCHORS[101])
    first, second, lips = (
        points[list(group), :2].mean(axis=0)
        for group in (anchors.first_eye, anchors.second_eye, anchors.lips)
    )
    if uses_lips:
        return np.stack([(first + second) / 2, lips])
    across = second - first
    return np.stack([first, first + np.array([-across[1], across[0]])])


def oriented_square(landmarks: NDArray[Any], shape: CropShape, uses_lips: bool = True) -> Square:
    """The square around a face, turned with it.

    Convention: see the module.

    Args:
        landmarks: (P, 2) or more columns, frame pixels.
        shape: its size and shift.
        uses_lips: as for ``anchor_points``.

    Raises:
        SettingError: the layout is not known, or the landmarks have no extent.
    """
    points = np.asarray(landmarks, np.float64)
    upper, lower = anchor_points(points, uses_lips)
    axis = lower - upper
    length = np.hypot(*axis)
    down = axis / length if length > _LEAST_AXIS else np.array([0.0, 1.0])
    right = np.array([down[1], -down[0]])
    middle = points[:, :2].mean(axis=0)
    along = (points[:, :2] - middle) @ np.stack([right, down], axis=1)
    low, high = along.min(axis=0), along.max(axis=0)
    side = float((high - low).max()) * shape.scale
    if not np.isfinite(side) or side <= 0:
        raise SettingError("The landmarks have no extent to crop by; find the face again.")
    a, b = (low + high) / 2 + np.array([shape.shift_x, shape.shift_y]) * side
    return Square(middle + right * a + down * b, side, float(np.arctan2(right[1], right[0])))


def crop_from_frame(square: Square, size: int) -> F64:
    """(3, 3) matrix from the frame to a crop of ``size`` pixels a side.

    Convention: see the module; the square's center comes to (size / 2, size / 2).
    """
    scale, half = size / square.side, size / 2
    c, s = np.cos(square.angle), np.sin(square.angle)
    x, y = square.center
    return np.array(
        [
            [scale * c, scale * s, half - scale * (c * x + s * y)],
            [-scale * s, scale * c, half - scale * (-s * x + c * y)],
            [0.0, 0.0, 1.0],
        ]
    )


def frame_from_crop(square: Square, size: int) -> F64:
    """(3, 3) matrix from a crop of ``size`` pixels a side to the frame; inverts ``crop_from_frame``."""
    scale, half = square.side / size, size / 2
    c, s = np.cos(square.angle), np.sin(square.angle)
    x, y = square.center
    return np.array(
        [
            [scale * c, -scale * s, x - scale * half * (c - s)],
            [scale * s, scale * c, y - scale * half * (s + c)],
            [0.0, 0.0, 1.0],
        ]
    )
