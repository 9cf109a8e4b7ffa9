"""The color of a face's skin as a smooth function of the place, and what does not have it.

Formula: each channel of CIELAB is a quadratic of the place in the face, fitted by reweighted least squares with the
weights of Geman and McClure, 1 / (1 + r^2)^2, so that what is not skin does not count. A pixel's distance is
Mahalanobis's, by the spread of skin around the fit.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_ROUNDS = 8
_ODD = 14.0
"""Residual at which a pixel counts a quarter, 8-bit codes of L / 2, a and b."""
_LIGHT = 0.5
"""Weight of lightness: shadows are skin."""
_STIFF = 0.02
"""How much the slopes of the fit are held back, over the number of pixels: a bar must not bend it."""
_KEPT = 2.0
"""Residuals, over _ODD, up to which a pixel shows how far skin spreads."""
_LEAST = 200
"""Pixels below which nothing is said."""
_SPREAD, _WIDEST = 2.5, 9.0
"""Least and largest spread of skin along any direction, 8-bit codes."""


def skin_distance(image: NDArray[np.uint8], skin: NDArray[np.bool_], area: NDArray[np.bool_]) -> F32:
    """How far each pixel is from the color that skin has at its place; 0 outside the area.

    Args:
        image: (h, w, 3) RGB as shown.
        skin: (h, w) where skin is expected: the face without eyes, brows, nostrils and lips.
        area: (h, w) where the distance is wanted.

    Returns:
        (h, w); about 1 on skin.
    """
    found = np.zeros(skin.shape, np.float32)
    if int(skin.sum()) < _LEAST:
        return found
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 0.8), cv2.COLOR_RGB2LAB).astype(np.float32)
    rows, columns = np.nonzero(skin)
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()])
    places = _quadratic((columns, rows), low, high)
    colors = lab[rows, columns].astype(np.float64)
    scale = np.array([_LIGHT, 1.0, 1.0])
    fit = np.zeros((places.shape[1], 3))
    fit[0] = np.median(colors, axis=0)
    stiff = np.diag([0.0, *[_STIFF * len(places)] * (places.shape[1] - 1)])
    for _ in range(_ROUNDS):
        rest = colors - places @ fit
        away = np.linalg.norm(rest * scale, axis=1) / _ODD
        weighted = places * (1 / (1 + away * away) ** 2)[:, None]
        fit = np.linalg.solve(weighted.T @ places + stiff, weighted.T @ colors)
    rest = colors - places @ fit
    kept = np.linalg.norm(rest * scale, axis=1) < _KEPT * _ODD
    if int(kept.sum()) < _LEAST:
        return found
    spread, axes = np.linalg.eigh(np.cov(rest[kept].T))
    inverse = axes @ np.diag(1 / np.clip(spread, _SPREAD**2, _WIDEST**2)) @ axes.T
    rows, columns = np.nonzero(area)
    rest = lab[rows, columns] - _quadratic((columns, rows), low, high) @ fit
    found[rows, columns] = _mahalanobis(rest, inverse)
    return found


def _quadratic(
    at: tuple[NDArray[np.intp], NDArray[np.intp]], low: NDArray[np.intp], high: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(N, 6) terms of a quadratic of places, within -1..1 over the face and held beyond it."""
    span = np.maximum(high - low, 1)
    x, y = (np.clip(2 * (at[axis] - low[axis]) / span[axis] - 1, -1, 1) for axis in (0, 1))
    return np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y])


def _mahalanobis(rest: NDArray[np.floating], inverse: NDArray[np.floating]) -> F32:
    return np.asarray(np.sqrt(np.einsum("ni,ij,nj->n", rest, inverse, rest)), np.float32)
