"""The eight orientations of an image, numbered as in EXIF.

Convention:
    The number says how stored rows and columns must be turned to stand upright, EXIF 2.32 table 4.6.1 (tag
    274): 1 as it is, 2 mirrored left-right, 3 turned 180 degrees, 4 mirrored top-bottom, 5 transposed, 6
    turned 90 degrees clockwise, 7 transposed over the other diagonal, 8 turned 90 degrees counter-clockwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lp_core.frame import Pixels

UPRIGHT = 1

_BY_MATRIX = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """(H, W, ...) any dtype -> the upright image, C-contiguous; (W, H, ...) for orientations 5 to 8."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def swaps_axes(orientation: int) -> bool:
    """True when width and height change places."""
    return orientation >= 5


def from_display_matrix(matrix: Sequence[int]) -> int:
    """Orientation of an ISO 14496-12 display matrix.

    Args:
        matrix: nine numbers (a, b, u, c, d, v, x, y, w); a stored point (x, y) is shown at
            (a x + c y, b x + d y). A turn that is not a multiple of 90 degrees counts as none.
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    threshold = (abs(a) + abs(b)) / 2
    signs = (_sign(a, threshold), _sign(b, threshold), _sign(c, threshold), _sign(d, threshold))
    return _BY_MATRIX.get(signs, UPRIGHT)


def _sign(value: int, threshold: float) -> int:
    return 0 if abs(value) <= threshold else (1 if value > 0 else -1)
