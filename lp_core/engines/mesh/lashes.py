"""An eye in the source: its width, its axes, and where the lashes of its upper lid are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import EyeIndices
from lp_core.geometry.warp import sample

PUSH_UP = 0.07
"""How far above the landmarks the skin of the upper lid begins, in eye widths: landmarks are on the eyeball's side of
the lashes and of the wet rim, which must not travel over the eye with a closing lid."""
LEAST_OFFSET = 0.02
"""Lashes are looked for from here up to PUSH_UP above the landmarks, in eye widths."""

F64 = NDArray[np.float64]


def lash_offset(pixels: NDArray[Any], points: F64, eye: EyeIndices) -> float:
    """How far above the landmarks of the upper lid its lashes are darkest, in eye widths.

    Judged by the lighter points of the line, so that the dark of an iris under it counts for nothing.

    Args:
        pixels: (H, W, 3 or 4) the source.
        points: (478, 2 or 3) landmarks in its pixels.
        eye: index tables of the eye.
    """
    _, across = eye_axes(points, eye)
    offsets = np.linspace(LEAST_OFFSET, 0.8 * PUSH_UP, 9)
    last = len(eye.upper) - 1
    along = np.linspace(1, last - 1, 4 * last)
    line = np.stack([np.interp(along, np.arange(last + 1), points[eye.upper, axis]) for axis in (0, 1)], -1)
    at = (line - (offsets * eye_width(points, eye))[:, None, None] * across).astype(np.float32)
    colors = sample(pixels, np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1]))
    light = np.nan_to_num(colors[..., :3].astype(np.float64)).sum(axis=2)
    return float(offsets[np.percentile(light, 75, axis=1).argmin()])


def eye_width(points: F64, eye: EyeIndices) -> float:
    """From corner to corner in the source, pixels."""
    corners = points[[eye.upper[0], eye.upper[-1]], :2]
    return float(np.linalg.norm(corners[1] - corners[0])) + 1e-6


def eye_axes(points: F64, eye: EyeIndices) -> tuple[F64, F64]:
    """Unit vectors along and across the eye in the source, in pixels; across points down the face."""
    axis = points[eye.upper[-1], :2] - points[eye.upper[0], :2]
    along = axis / max(float(np.linalg.norm(axis)), 1e-6)
    return along, np.array([-along[1], along[0]])
