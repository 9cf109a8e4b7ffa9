"""Inverse flows as compositors use them: absolute maps, and where things go.

Convention:
    Flows (h, w, 2) float32 in pixels (x, y), y downwards: output pixel (x, y) shows the source at
    (x, y) + flow. Boxes (left, top, right, bottom) half-open, in pixels of the frame; outside its box a flow
    is 0. Integer = pixel center.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Box, united
from lp_core.geometry.warp import sample

F32 = NDArray[np.float32]

_ROUNDS = 10
"""Steps of the search for where a point goes; each one shortens the error by the flow's slope, below 0.6."""


def st_map(flow: F32, box: Box, size: tuple[int, int], format_box: Box) -> F32:
    """The flow as an absolute map in the convention of Nuke's STMap, free of resolution.

    Args:
        flow: of ``box``.
        box: in a frame of ``size``.
        size: width and height of the frame.
        format_box: the format (display window) in pixels of the frame: 0..1 spans it.

    Returns:
        (H, W, 2): red = (x + 0.5) / width from the left, green = (y + 0.5) / height from the bottom, of the
        place that is shown; the identity outside the box.
    """
    left, top, right, bottom = format_box
    x = (np.arange(size[0], dtype=np.float64) - left + 0.5) / (right - left)
    y = (bottom - 0.5 - np.arange(size[1], dtype=np.float64)) / (bottom - top)
    result = np.empty((size[1], size[0], 2), np.float32)
    result[..., 0], result[..., 1] = x, y[:, None]
    part = result[box[1] : box[3], box[0] : box[2]]
    part[..., 0] = x[box[0] : box[2]] + flow[..., 0].astype(np.float64) / (right - left)
    part[..., 1] = y[box[1] : box[3], None] - flow[..., 1].astype(np.float64) / (bottom - top)
    return result


def forward_motion(
    now: tuple[F32, Box], following: tuple[F32, Box], source_motion: F32 | None = None
) -> tuple[F32, Box]:
    """How far what a pixel shows moves until the following frame.

    Args:
        now: a flow and its box.
        following: flow and box of the following frame.
        source_motion: (H, W, 2) how far everything in the source moves until then, of the whole frame; None: the
            source is the same image.

    Returns:
        (h, w, 2) pixels (x, y), y downwards, and its box, the whole frame where the source moves; 0 outside.
    """
    if source_motion is None:
        box = united(now[1], following[1])
    else:
        box = (0, 0, source_motion.shape[1], source_motion.shape[0])
    here, there = _spread(*now, box), _spread(*following, box)
    height, width = here.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    if source_motion is not None:
        here = here + sample(source_motion, x + here[..., 0], y + here[..., 1])
    moved = np.zeros_like(here)
    for _ in range(
        _ROUNDS
    ):  # the wanted y obeys y + there(y) = place in the following source of what x shows
        moved = here - sample(there, x + moved[..., 0], y + moved[..., 1])
    return moved, box


def _spread(flow: F32, own: Box, box: Box) -> F32:
    if own == box:
        return flow
    result = np.zeros((box[3] - box[1], box[2] - box[0], 2), np.float32)
    top, left = own[1] - box[1], own[0] - box[0]
    result[top : top + flow.shape[0], left : left + flow.shape[1]] = flow
    return result
