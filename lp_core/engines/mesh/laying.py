"""The moved pixels of a portrait, sampled along the head's flow: the costliest step, so it goes strip by strip."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.deform import HeadFlow
from lp_core.geometry.sampling import CutOutSampler, Sampler

STRIP_PX = 32
"""Rows at a time: what one step leaves is still in the processor's cache for the next."""
STILL_PX = 1 / 1024
"""A flow below this is the arithmetic's, not the performance's."""


def lay_moved(pixels: NDArray[Any], head: HeadFlow, sampler: Sampler | CutOutSampler, name: str) -> None:
    """Samples what moved, in place; where nothing moves the source's own bits stay.

    Args:
        pixels: (H, W, C) a copy of the source.
        head: where each pixel of the touched region is taken from.
        sampler: of the source.
        name: the filter.
    """
    left, first, right, bottom = head.region
    x = np.arange(left, right, dtype=np.float32)
    for top in range(first, bottom, STRIP_PX):
        rows = slice(top - first, min(top + STRIP_PX, bottom) - first)
        matte, flow_x, flow_y = head.matte[rows], head.flow[rows, :, 0], head.flow[rows, :, 1]
        # Weights of 0 would still mix in a NaN, so pixels that stay are left out altogether.
        moved = (matte > 0) & ((np.abs(flow_x) > STILL_PX) | (np.abs(flow_y) > STILL_PX))
        there = np.flatnonzero(moved.any(axis=0))
        if len(there):
            columns = slice(there[0], there[-1] + 1)
            y = np.arange(top, top + len(matte), dtype=np.float32)[:, None]
            warped = sampler.at(flow_x[:, columns] + x[columns], flow_y[:, columns] + y, name)
            mask = np.ascontiguousarray(moved[:, columns]).view(np.uint8)
            part = pixels[top : top + len(matte), left + columns.start : left + columns.stop]
            cv2.copyTo(warped, mask, part)
