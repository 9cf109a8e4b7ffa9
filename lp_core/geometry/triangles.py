"""Piecewise-affine maps over a triangle mesh."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SHIFT_BITS = 4
_FAR = 30000.0
_THIN_PX = 1.0
"""Triangles lower than this are drawn as lines: a pixel next to one is too far outside for its affine map."""

Map = NDArray[np.float32]


def affine_of_triangles(
    to_points: NDArray[np.float64], from_points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The affine map of every triangle from one image to the other.

    Args:
        to_points: (T, 3, 2) corners where the map arrives.
        from_points: (T, 3, 2) corners where it starts.

    Returns:
        (T, 2, 3): ``to = m[:, :2] @ from + m[:, 2]``; triangles without area get a map of zeros.
    """
    a, b, c = _planes(from_points)
    first, second, third = _planes(to_points)
    ab, ac = b - a, c - a
    area = ab[0] * ac[1] - ab[1] * ac[0]
    has_area = np.abs(area) > 1e-9
    ab, ac = (np.where(has_area, edge / np.where(has_area, area, 1.0), 0.0) for edge in (ab, ac))
    u, v = second - first, third - first
    result = np.empty((2, 3, len(area)))
    result[:, 0] = u * ac[1] - v * ab[1]
    result[:, 1] = v * ab[0] - u * ac[0]
    result[:, 2] = first - (result[:, 0] * a[0] + result[:, 1] * a[1])
    return result.transpose(2, 0, 1)


def _planes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 2, T) of (T, 3, 2): corner, coordinate, triangle; most steps are far quicker on them."""
    return np.ascontiguousarray(corners.transpose(1, 2, 0))


def _steady(
    affine: NDArray[np.float64], taken: NDArray[np.float64], shown: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The maps (T, 2, 3), where those of thin triangles are made to vary along their longest edge only."""
    corners = _planes(shown)
    edges = corners[[1, 2, 0]] - corners
    squares = edges[:, 0] ** 2 + edges[:, 1] ** 2
    area = edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0]
    thin = np.flatnonzero(area**2 < _THIN_PX**2 * np.maximum(squares.max(axis=0), 1e-9))
    longest = squares[:, thin].argmax(axis=0)
    start, end = taken[thin, longest], taken[thin, (longest + 1) % 3]
    along = edges[longest, :, thin] / np.maximum(squares[longest, thin], 1e-9)[:, None]
    result = affine.copy()
    result[thin, :, :2] = (end - start)[:, :, None] * along[:, None, :]
    result[thin, :, 2] = start - (result[thin, :, :2] @ shown[thin, longest, :, None])[:, :, 0]
    return result


def rasterize(
    shown: NDArray[np.float64], taken: NDArray[np.float64], width: int, height: int
) -> tuple[Map, Map, NDArray[np.bool_]]:
    """Draws a mesh as a map that says from where each pixel is taken. Later triangles cover earlier ones.

    Triangles without height are drawn as lines that run from one end of their longest edge to the other.

    Args:
        shown: (T, 3, 2) corners in the raster, in drawing order.
        taken: (T, 3, 2) the same corners in the image that is sampled.
        width: width of the raster.
        height: height of the raster.

    Returns:
        (map_x, map_y, covered): (H, W) float32 positions in the sampled image, and where the mesh is.

    Convention:
        Points (x, y), origin top-left, integer = pixel center.
    """
    ids = np.zeros((height, width, 2), np.int16)  # a position along the table of maps, and a zero
    corners = np.rint(np.clip(shown, -_FAR, _FAR) * (1 << _SHIFT_BITS)).astype(np.int32)
    fill = cv2.fillConvexPoly
    for number, triangle in enumerate(corners, start=1):
        fill(ids, triangle, number, 8, _SHIFT_BITS)
    affine = np.zeros((2, 1, len(shown) + 1, 3), np.float32)
    affine[:, 0, 1:] = _steady(affine_of_triangles(taken, shown), taken, shown).transpose(1, 0, 2)
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    maps = []
    for table in affine:
        plane = cv2.remap(table, ids, None, cv2.INTER_NEAREST)
        maps.append(plane[..., 0] * x + plane[..., 1] * y + plane[..., 2])
    return maps[0], maps[1], ids[..., 0] > 0
