"""Parts of an image that are looked at together: squares of pixels, only those where something is to be done.

Rows of a square are copied as a whole, which takes a small part of the time that single pixels take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

F32 = NDArray[np.float32]

SIDE = 8
"""Of a square, pixels; a multiple of every step of a coarse mask."""


@dataclass(frozen=True)
class Tiles:
    """Squares of pixels of a region, each of them a row: (n, side * side). Squares at the region's end may overlap."""

    top: NDArray[np.intp]
    """(n,) first row of each, in the region."""
    left: NDArray[np.intp]
    """(n,) first column."""
    side: tuple[int, int]
    """Height and width."""

    @classmethod
    def over(cls, mask: NDArray[np.bool_], step: int, size: tuple[int, int]) -> Tiles:
        """Those that hold something of a mask.

        Args:
            mask: (h, w) of the region, each cell a square of ``step`` pixels.
            step: divides SIDE.
            size: width and height of the region.
        """
        cells = SIDE // step
        height, width = mask.shape
        padded = cv2.copyMakeBorder(
            mask.view(np.uint8) * np.uint8(255), 0, -height % cells, 0, -width % cells, cv2.BORDER_CONSTANT
        )
        shape = padded.shape[1] // cells, padded.shape[0] // cells
        rows, columns = np.nonzero(cv2.resize(padded, shape, interpolation=cv2.INTER_AREA))
        side = min(SIDE, size[1]), min(SIDE, size[0])
        return cls(
            np.minimum(rows * SIDE, size[1] - side[0]), np.minimum(columns * SIDE, size[0] - side[1]), side
        )

    def __len__(self) -> int:
        return len(self.top)

    def taken(self, region: NDArray[Any]) -> NDArray[Any]:
        """(n, side * side[, C]) what a region (h, w[, C]) shows in them."""
        return self._windows(region)[self.top, self.left].reshape(*self._shape, *region.shape[2:])

    def put(self, values: NDArray[Any], region: NDArray[Any]) -> None:
        """Puts (n, side * side[, C]) values into a region, in place."""
        self._windows(region)[self.top, self.left] = values.reshape(len(self), *self.side, *region.shape[2:])

    def positions(self, corner: tuple[int, int]) -> tuple[F32, F32]:
        """(n, side * side) each: x and y in the frame that has the region's corner (x, y) at a place."""
        rows, columns = (np.arange(length, dtype=np.float32) for length in self.side)
        x = (self.left + corner[0]).astype(np.float32)[:, None, None] + columns
        y = (self.top + corner[1]).astype(np.float32)[:, None, None] + rows[:, None]
        shape = len(self), *self.side
        return np.broadcast_to(x, shape).reshape(self._shape), np.broadcast_to(y, shape).reshape(self._shape)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self), self.side[0] * self.side[1]

    def _windows(self, region: NDArray[Any]) -> NDArray[Any]:
        """(H - h + 1, W - w + 1, h, w[, C]) view of a region: the square at each place."""
        counts = tuple(length - side + 1 for length, side in zip(region.shape, self.side, strict=False))
        shape = *counts, *self.side, *region.shape[2:]
        return as_strided(region, shape, region.strides[:2] + region.strides)
