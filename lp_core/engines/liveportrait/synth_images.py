"""Images by rule: smooth to detailed random colors, the same bits everywhere; for calibration, tests and benchmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.liveportrait.synth import F64, uniform

OCTAVES = ((4, 1.0), (8, 0.7), (16, 0.5), (32, 0.35), (64, 0.25))
"""Nodes a side and amplitude of an image's random grids."""
MIDDLE, CONTRAST = 127.5, 48.0
"""Mean of an image, and its spread for a unit of amplitude, of 255."""


def image(seed: int, label: str, height: int = 256, width: int = 256) -> NDArray[np.uint8]:
    """A random image.

    Args:
        seed: any integer.
        label: names the image; another label gives another image.
        height: in pixels.
        width: in pixels.

    Returns:
        (height, width, 3) uint8.
    """
    total = np.zeros((height, width, 3))
    for nodes, amplitude in OCTAVES:
        grid = uniform(seed, f"image:{label}:{nodes}", (nodes, nodes, 3))
        total = total + amplitude * _stretched(grid, height, width)
    levels = np.clip(MIDDLE + CONTRAST * total, 0.0, 255.0)
    return np.floor(levels + 0.5).clip(0, 255).astype(np.uint8)


def _taps(size: int, nodes: int) -> tuple[NDArray[np.int64], F64]:
    position = np.arange(size, dtype=np.float64) * ((nodes - 1) / max(size - 1, 1))
    low = np.minimum(position.astype(np.int64), nodes - 2)
    return low, position - low


def _stretched(grid: F64, height: int, width: int) -> F64:
    """Bilinear, corners aligned."""
    (y, fy), (x, fx) = _taps(height, grid.shape[0]), _taps(width, grid.shape[1])
    fy, fx = fy[:, None, None], fx[None, :, None]
    top = grid[y][:, x] * (1.0 - fx) + grid[y][:, x + 1] * fx
    bottom = grid[y + 1][:, x] * (1.0 - fx) + grid[y + 1][:, x + 1] * fx
    result: F64 = top * (1.0 - fy) + bottom * fy
    return result
