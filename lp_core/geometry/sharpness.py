"""How sharp a part of an image is.

Formula: mean of the absolute Laplacian over the standard deviation, of gray levels at a fixed size, so that neither
contrast nor resolution counts, only the fine detail.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 96
"""Height at which a part is looked at, pixels."""


def sharpness(image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> float:
    """About 0.1 for a sharp face, below 0.03 for a blurred one; 0 where there is nothing to see.

    Args:
        image: (H, W, 3) RGB.
        box: (left, top, right, bottom) in pixels; what is outside of the image does not count.
    """
    height, width = image.shape[:2]
    left, top = max(int(box[0]), 0), max(int(box[1]), 0)
    right, bottom = min(int(np.ceil(box[2])), width), min(int(np.ceil(box[3])), height)
    if right - left < 4 or bottom - top < 4:
        return 0.0
    gray = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    size = max(round(SIDE * (right - left) / (bottom - top)), 8), SIDE
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    spread = float(cv2.meanStdDev(small)[1][0, 0])
    detail = cv2.norm(cv2.Laplacian(small, cv2.CV_32F), cv2.NORM_L1) / small.size
    return detail / spread / 4 if spread > 1 else 0.0
