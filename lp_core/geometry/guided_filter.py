"""The guided filter: smooths one image along the edges of another.

Formulas: He, Sun, Tang, Guided Image Filtering, ECCV 2010, for a gray guide.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


def guided_filter(guide: F32, values: F32, radius: int, epsilon: float) -> F32:
    """Values smoothed where the guide is smooth, with edges where the guide has edges.

    Args:
        guide: (h, w), 0..1.
        values: (h, w).
        radius: of the square window, pixels, at least 1.
        epsilon: variance of the guide below which a window counts as smooth.

    Returns:
        (h, w) float32.
    """
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(image: NDArray[np.floating]) -> F32:
        return np.asarray(cv2.blur(image, size, borderType=cv2.BORDER_REFLECT), np.float32)

    mean_guide, mean_values = mean(guide), mean(values)
    covariance = mean(guide * values) - mean_guide * mean_values
    variance = mean(guide * guide) - mean_guide * mean_guide
    slope = covariance / (variance + np.float32(epsilon))
    offset = mean_values - slope * mean_guide
    return np.asarray(mean(slope) * guide + mean(offset), np.float32)
