"""Cutting an image into tiles that give the same result as the whole, and joining them without a seam.

Convention:
    Positions are pixels of the small image, half-open; a result is ``scale`` times as large. Every tile is read
    with a margin of context that is thrown away; kept parts overlap by a feather over which the weights of both
    neighbors, linear from 0 to 1, add up to exactly 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class TileSpan:
    """One tile along one axis."""

    read: tuple[int, int]
    """What the network is shown."""
    keep: tuple[int, int]
    """What of it is used, feather included."""
    fade_in: int
    """Pixels at the start of ``keep`` over which the weight rises from 0; 0 at the image's edge."""
    fade_out: int
    """Pixels at the end of ``keep`` over which it falls to 0."""

    def weights(self, scale: int) -> F32:
        """(n * scale,) weights of the kept part in the result."""
        count = (self.keep[1] - self.keep[0]) * scale
        at = np.arange(count, dtype=np.float32) + np.float32(0.5)
        weights = np.ones(count, np.float32)
        if self.fade_in:
            weights = np.minimum(weights, at / np.float32(self.fade_in * scale))
        if self.fade_out:
            weights = np.minimum(weights, (count - at) / np.float32(self.fade_out * scale))
        return weights


def spans(length: int, tile: int, margin: int, feather: int) -> list[TileSpan]:
    """Cuts an axis into as few, equally long pieces as ``tile`` allows.

    Args:
        length: pixels of the axis.
        tile: most pixels a piece may own, without feather and margin.
        margin: pixels of context around a kept part.
        feather: pixels over which neighbors are mixed; less where pieces are short.
    """
    count = -(-length // tile)
    bounds = [round(index * length / count) for index in range(count + 1)]
    shortest = min(b - a for a, b in zip(bounds, bounds[1:], strict=False))
    half = min(feather, shortest) // 2
    result = []
    for first, last in zip(bounds, bounds[1:], strict=False):
        before = half if first > 0 else 0
        after = half if last < length else 0
        keep = first - before, last + after
        read = max(keep[0] - margin, 0), min(keep[1] + margin, length)
        result.append(TileSpan(read, keep, 2 * before, 2 * after))
    return result


@dataclass(frozen=True)
class Tile:
    """One tile of an image."""

    across: TileSpan
    down: TileSpan

    @property
    def read(self) -> tuple[slice, slice]:
        """Rows and columns to show the network."""
        return slice(*self.down.read), slice(*self.across.read)

    def add(self, result: F32, enlarged: F32, scale: int) -> None:
        """Adds the kept part of a tile's result to the whole, in place.

        Args:
            result: (H * scale, W * scale, C), zero where nothing was added.
            enlarged: (h * scale, w * scale, C) of what was read.
            scale: of the network.
        """
        rows, columns = (
            slice((s.keep[0] - s.read[0]) * scale, (s.keep[1] - s.read[0]) * scale)
            for s in (self.down, self.across)
        )
        weights = self.down.weights(scale)[:, None] * self.across.weights(scale)
        place = (
            slice(self.down.keep[0] * scale, self.down.keep[1] * scale),
            slice(self.across.keep[0] * scale, self.across.keep[1] * scale),
        )
        result[place] += enlarged[rows, columns] * weights[..., None]


def batches(tiles: Sequence[Tile], most: int) -> list[list[Tile]]:
    """The same tiles in groups of one size, at most ``most`` in each."""
    sizes: dict[tuple[int, int], list[Tile]] = {}
    for tile in tiles:
        (top, bottom), (left, right) = tile.down.read, tile.across.read
        sizes.setdefault((bottom - top, right - left), []).append(tile)
    return [same[first : first + most] for same in sizes.values() for first in range(0, len(same), most)]


def plan(width: int, height: int, tile: int, margin: int, feather: int) -> list[Tile]:
    """All tiles of an image, row by row; see ``spans``."""
    rows, columns = spans(height, tile, margin, feather), spans(width, tile, margin, feather)
    return [Tile(across, down) for down, across in product(rows, columns)]
