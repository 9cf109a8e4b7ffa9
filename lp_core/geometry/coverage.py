"""How much of each pixel a polygon covers.

Convention:
    Positions (x, y) in pixels, origin top-left, integer = pixel center.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FINER = 4
"""Coverage is counted on a grid this many times finer: OpenCV's own soft lines widen a polygon by 0.7 pixels a side,
which is another shape at every resolution."""
_SHIFT_BITS = 4


def coverage(polygon: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) coverage of a closed polygon, 0..1.

    Args:
        polygon: (P, 2) corners; those outside the size are allowed.
        size: width and height in pixels.
    """
    width, height = size
    fine = np.zeros((height * FINER, width * FINER), np.uint8)
    corners = np.rint(((polygon + 0.5) * FINER - 0.5) * (1 << _SHIFT_BITS)).astype(np.int32)
    cv2.fillPoly(fine, [corners], 255, cv2.LINE_8, _SHIFT_BITS)
    # fillPoly fills all that it touches: its outline counts half.
    cv2.polylines(fine, [corners], True, 128, 1, cv2.LINE_8, _SHIFT_BITS)
    counted = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    covered: NDArray[np.float32] = counted.astype(np.float32) / np.float32(255)
    return covered
