"""The guided filter: smooths one image along the edges of another.

Formulas: He, Sun, Tang, Guided Image Filtering, ECCV 2010, for a gray guide; He, Sun, Fast Guided Filter, 2015.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


def guided_filter(guide: F32, values: F32, radius: int, epsilon: float, is_fast: bool = False) -> F32:
    """Values smoothed where the guide is smooth, with edges where the guide has edges.

    Args:
        guide: (h, w), 0..1.
        values: (h, w), or at half the size where it is fast.
        radius: of the square window, pixels of the guide, at least 1.
        epsilon: variance of the guide below which a window counts as smooth.
        is_fast: whether guide and values are compared at half the size.

    Returns:
        (h, w) float32.
    """
    height, width = guide.shape
    seen = guide
    if is_fast:
        half = max(width // 2, 1), max(height // 2, 1)
        seen = np.asarray(cv2.resize(guide, half, interpolation=cv2.INTER_AREA), np.float32)
        values = np.asarray(cv2.resize(values, half, interpolation=cv2.INTER_AREA), np.float32)
        radius = max(round(radius / 2), 1)
    slope, offset = _lines(seen, values, (2 * radius + 1, 2 * radius + 1), epsilon)
    if is_fast:
        slope, offset = (
            np.asarray(cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
            for one in (slope, offset)
        )
    return np.asarray(slope * guide + offset, np.float32)


def _lines(guide: F32, values: F32, size: tuple[int, int], epsilon: float) -> tuple[F32, F32]:
    """(h, w) slope and offset by which values follow the guide around each pixel."""

    def mean(image: NDArray[np.floating]) -> F32:
        return np.asarray(cv2.blur(image, size, borderType=cv2.BORDER_REFLECT), np.float32)

    mean_guide, mean_values = mean(guide), mean(values)
    covariance = mean(guide * values) - mean_guide * mean_values
    variance = mean(guide * guide) - mean_guide * mean_guide
    slope = covariance / (variance + np.float32(epsilon))
    return mean(slope), mean(mean_values - slope * mean_guide)
