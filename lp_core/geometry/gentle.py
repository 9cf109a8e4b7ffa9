"""Flow without steps: blurred where it is steep, as it is where it is not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

STEEPEST = 0.35
"""Slope, in pixels per pixel, up to which flow stays as it is; from twice as much it is replaced."""
REDUCED = 2
"""The search for a softer flow runs in images smaller by this factor."""
LEVELS = (0.75, 1.5, 3.0, 6.0)
"""Softness of the flows that take the place of steep ones, in pixels of the smaller images."""
GROWN = 1.5
"""How far around a steep place its replacement reaches, over the softness."""


def gentle(flow: F32, weight: F32) -> F32:
    """Flow whose slope stays near STEEPEST.

    Where a video covers or uncovers something its flow has steps, and an image of something else that is sampled
    by that flow folds and tears. Each place takes the sharpest of several blurred flows that is gentle around it.

    Args:
        flow: (h, w, 2) pixels.
        weight: (h, w) above 0, how much each place counts when it is blurred.

    Returns:
        (h, w, 2).
    """
    height, width = weight.shape
    size = max(width // REDUCED, 8), max(height // REDUCED, 8)
    sharp = cv2.resize(flow, size, interpolation=cv2.INTER_AREA)
    weighted = cv2.merge([flow[..., 0] * weight, flow[..., 1] * weight, weight])
    small = cv2.resize(weighted, size, interpolation=cv2.INTER_AREA)
    levels = [sharp]
    for sigma in LEVELS:
        blurred = cv2.GaussianBlur(small, (0, 0), sigma)
        levels.append(blurred[..., :2] / blurred[..., 2:])
    found, keep = levels[-1], np.ones(size[::-1], np.float32)
    for now, sigma in zip(levels[-2::-1], LEVELS[::-1], strict=True):
        keep = _kept(now / np.float32(width / size[0]), sigma)
        found = found + keep[..., None] * (now - found)
    return np.asarray(
        _large(found, width, height)
        + _large(keep, width, height)[..., None] * (flow - _large(sharp, width, height)),
        np.float32,
    )


def _kept(flow: F32, sigma: float) -> F32:
    """(h, w) 1 where nothing around is steep, 0 where something is."""
    slope = np.zeros(flow.shape[:2], np.float32)
    for axis in ((1, 0), (0, 1)):
        change = np.square(cv2.Sobel(flow, cv2.CV_32F, *axis, ksize=3, scale=0.125))
        slope += change[..., 0] + change[..., 1]
    reach = 2 * int(np.ceil(GROWN * sigma)) + 1
    steep = cv2.dilate(np.sqrt(slope), np.ones((reach, reach), np.uint8))
    return np.asarray(cv2.blur(np.clip(2 - steep / np.float32(STEEPEST), 0, 1), (reach, reach)), np.float32)


def _large(field: F32, width: int, height: int) -> F32:
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
