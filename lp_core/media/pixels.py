"""Pixels scaled to another size."""

from __future__ import annotations

import cv2
import numpy as np

from lp_core.frame import Pixels


def resized_pixels(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Pixels (H, W, C) at another size (width, height): averaged where it is smaller, cubic where it is larger.

    Convention:
        Pixel centers are at integer coordinates; the outer edges of both sizes coincide.
    """
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    is_smaller = size[0] * size[1] < width * height
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC)
    return np.ascontiguousarray(scaled.reshape(size[1], size[0], pixels.shape[2]))
