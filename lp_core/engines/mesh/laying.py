"""The moved pixels of a portrait, sampled along the head's flow: the costliest step, so it goes strip by strip."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.deform import HeadFlow
from lp_core.geometry.sampling import CutOutSampler, Sampler

STRIP_PX = 64
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
    _, first, _, bottom = head.region
    for top in range(first, bottom, STRIP_PX):
        _lay_strip(pixels, head, sampler, name, slice(top, min(top + STRIP_PX, bottom)))


def _lay_strip(
    pixels: NDArray[Any], head: HeadFlow, sampler: Sampler | CutOutSampler, name: str, rows: slice
) -> None:
    left, first, right, _ = head.region
    inside = slice(rows.start - first, rows.stop - first)
    matte, flow = head.matte[inside], np.ascontiguousarray(head.flow[inside])
    # Weights of 0 would still mix in a NaN, so pixels that stay are left out altogether.
    along_x_or_y = (np.abs(flow) > STILL_PX).view(np.uint16)[..., 0] != 0  # two at once: many times as fast
    moved = (matte > 0) & along_x_or_y
    there = np.flatnonzero(moved.any(axis=0))
    if len(there):
        columns = slice(there[0], there[-1] + 1)
        warped = sampler.along(flow[:, columns], left + int(there[0]), rows.start, name)
        mask = np.ascontiguousarray(moved[:, columns]).view(np.uint8)
        cv2.copyTo(warped, mask, pixels[rows, left + columns.start : left + columns.stop])
