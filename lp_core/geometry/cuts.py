"""Cuts in a clip: frames that differ from the one before far more than frames in a shot do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

_GRID = 24
"""Pixels that are looked at along each side of a frame."""
_CERTAIN = 30.0
"""Mean change, in codes, that is a cut whatever happened before."""
_LEAST, _JUMP = 8.0, 5.0
"""A cut within one set changes less: at least so many codes, and so many times as much as the frames before."""
_MEMORY = 0.8
"""Weight of the frames before in the running mean of the changes."""


class Cuts:
    """Tells the first frames of shots, frame by frame."""

    def __init__(self) -> None:
        """Has seen no frame yet."""
        self._small: NDArray[np.int16] | None = None
        self._usual = 1.0

    def is_new_shot(self, picture: U8) -> bool:
        """Whether a frame is of another shot than the one that was given before; False for the first.

        Args:
            picture: (H, W, 3) uint8 RGB.
        """
        before, self._small = self._small, _thumbnail(picture)
        if before is None:
            return False
        if before.shape != self._small.shape:
            return True
        change = float(np.abs(self._small - before).mean())
        if change > _CERTAIN or change > max(_LEAST, _JUMP * self._usual):
            return True
        self._usual = _MEMORY * self._usual + (1 - _MEMORY) * change
        return False


def _thumbnail(picture: U8) -> NDArray[np.int16]:
    rows, columns = max(picture.shape[0] // _GRID, 1), max(picture.shape[1] // _GRID, 1)
    return picture[rows // 2 :: rows, columns // 2 :: columns].astype(np.int16)
