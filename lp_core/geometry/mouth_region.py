"""Where a filmed face may change when its mouth alone is replaced: lips, chin, lower cheeks and a part of the neck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import CHIN, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER, NOSE_BASE

JAW = (np.array([172, 58, 132]), np.array([397, 288, 361]))
"""Outline of the jaw at the height of the mouth, left and right in the image."""
UP, SIDE, DOWN = 0.95, 0.97, 2.0
"""Reach from the middle of the lips: parts of the way to the nose, to the outline, and to the chin."""
WHOLE = 0.5
"""Part of the reach over which a change is whole; beyond it dies away."""

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class MouthRegion:
    """A soft region around a mouth, in pixels of a frame.

    Convention:
        Points (x, y), origin top-left, integer = pixel center; boxes half-open (left, top, right, bottom).
    """

    middle: F64
    """(2,) middle of the lips."""
    down: F64
    """(2,) unit vector from nose to chin."""
    reach: tuple[float, float, float, float]
    """Pixels upwards, downwards, and to either side: against and along (-down y, down x)."""

    @classmethod
    def of(cls, points: NDArray[np.floating[Any]]) -> MouthRegion:
        """The region of a face with (478, 2 or 3) landmarks in pixels."""
        flat = points[:, :2].astype(np.float64)
        middle = flat[np.concatenate([LIPS_OUTER_UPPER, LIPS_OUTER_LOWER])].mean(axis=0)
        axis = flat[CHIN] - flat[NOSE_BASE]
        length = max(float(np.linalg.norm(axis)), 1e-6)
        down = axis / length
        across = np.array([-down[1], down[0]])
        up_px = max(float((middle - flat[NOSE_BASE]) @ down), 0.1 * length)
        down_px = max(float((flat[CHIN] - middle) @ down), 0.1 * length)
        sides = np.concatenate([flat[side] - middle for side in JAW]) @ across
        narrowest = 0.3 * length
        return cls(
            middle,
            down,
            (
                UP * up_px,
                DOWN * down_px,
                SIDE * max(float(-sides.min()), narrowest),
                SIDE * max(float(sides.max()), narrowest),
            ),
        )

    def weight(self, box: tuple[int, int, int, int]) -> F32:
        """(h, w) of a box: 1 at the mouth, exactly 0 outside the region, smooth between."""
        left, top, right, bottom = box
        x = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(self.middle[0])
        y = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(self.middle[1])
        down_x, down_y = (np.float32(part) for part in self.down)
        below, along = x * down_x + y * down_y, y * down_x - x * down_y
        up, down, before, after = (np.float32(1 / reach) for reach in self.reach)
        rho = np.hypot(below * np.where(below < 0, up, down), along * np.where(along < 0, before, after))
        t = np.clip((1 - rho) / np.float32(1 - WHOLE), 0, 1)
        return np.asarray(np.minimum(t * t * t * (t * (t * 6 - 15) + 10), 1), np.float32)
