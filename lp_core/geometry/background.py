"""Arithmetic of a background that is exchanged behind a moved person, on blocks of pixels at any places.

Pixels are (h, w, C) of any type, planes (C, h, w) float32: one number after the other is faster.

The formula is that of lp_core.render.layers.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.warp import put

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


def planes(pixels: NDArray[Any]) -> F32:
    """(C, h, w): the numbers of (h, w, C) pixels, each by itself."""
    result = np.empty((pixels.shape[2], *pixels.shape[:2]), np.float32)
    for channel, plane in enumerate(result):  # faster than OpenCV's split
        plane[:] = pixels[..., channel]
    return result


def joined(colors: F32, last: F32) -> F32:
    """(h, w, C + 1) colors (h, w, C) and one more number (h, w)."""
    return np.asarray(cv2.merge([colors, last]), np.float32)


def is_moved(flow_x: F32, flow_y: F32, least_px: float) -> Mask:
    """(h, w) where a flow is longer than so many pixels along x or y."""
    return np.asarray(cv2.max(cv2.absdiff(flow_x, 0), cv2.absdiff(flow_y, 0)) > least_px)


def toward(values: F32, other: F32, share: F32) -> F32:
    """(C, h, w) values that go to others by an (h, w) share."""
    return np.asarray(values + (other - values) * share, np.float32)


def exchanged(drawn: F32, here: F32, there: F32, person: F32, loose: F32) -> F32:
    """(C, h, w) drawn pixels with the background that came along exchanged for the one that belongs there.

    Where only background is shown, it is that, and by a share what came along besides.

    Args:
        drawn: (C, h, w) as the engine drew them.
        here: (C, h, w) the background that belongs there.
        there: (C, h, w) the background that came along.
        person: (h, w) 0..1 how far the person is shown.
        loose: (h, w) 0..1 how far what came along besides is loose hair.
    """
    free = 1 - person
    share = np.where(person > 0, free, loose)
    return np.asarray(drawn * person + here * free + (drawn - there) * share, np.float32)


def changed(pixels: NDArray[Any], values: F32, mask: Mask) -> NDArray[Any]:
    """A copy of pixels with planes of values where an (h, w) mask is, rounded and clipped to what their type holds."""
    if pixels.dtype.kind != "f":
        values = np.clip(np.rint(values), 0, np.iinfo(pixels.dtype).max)
    result = pixels.copy()
    put(np.asarray(cv2.merge(list(values.astype(pixels.dtype)))), mask, result)
    return result
