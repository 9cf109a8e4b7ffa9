"""Arithmetic of a background that is exchanged behind a moved person, on (h, w) blocks of pixels at any places.

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

_DEPTHS = {"uint8": cv2.CV_8U, "uint16": cv2.CV_16U}


def planes(pairs: F32) -> tuple[F32, F32]:
    """(h, w) each: the two numbers of (h, w, 2)."""
    first, second = cv2.split(pairs)
    return np.asarray(first, np.float32), np.asarray(second, np.float32)


def is_moved(flow_x: F32, flow_y: F32, least_px: float) -> Mask:
    """(h, w) where a flow is longer than so many pixels along x or y."""
    return np.asarray(cv2.max(cv2.absdiff(flow_x, 0), cv2.absdiff(flow_y, 0)) > least_px)


def is_any(*covers: F32) -> Mask:
    """(h, w) where one of several (h, w, 2) covers is above 0."""
    return np.asarray(np.maximum.reduce([cv2.max(*cv2.split(cover)) for cover in covers]) > 0)


def toward(values: NDArray[Any], other: F32, share: F32) -> F32:
    """(h, w, C) values that go to others by an (h, w) share."""
    apart = cv2.subtract(values, other, dtype=cv2.CV_32F)
    return np.asarray(cv2.subtract(values, _weighted(apart, share), dtype=cv2.CV_32F))


def exchanged(drawn: NDArray[Any], here: F32, there: F32, person: F32, loose: F32) -> F32:
    """(h, w, C) drawn pixels with the background that came along exchanged for the one that belongs there.

    Where only background is shown, it is that, and by a share what came along besides.

    Args:
        drawn: (h, w, C) as the engine drew them.
        here: (h, w, C) the background that belongs there.
        there: (h, w, C) the background that came along.
        person: (h, w) 0..1 how far the person is shown.
        loose: (h, w) 0..1 how far what came along besides is loose hair.
    """
    came = cv2.subtract(drawn, there, dtype=cv2.CV_32F)
    shown = cv2.add(here, _weighted(came, loose))
    mixed = cv2.add(drawn, _weighted(cv2.subtract(here, there), 1 - person), dtype=cv2.CV_32F)
    cv2.copyTo(mixed, (person > 0).view(np.uint8), shown)
    return np.asarray(shown)


def changed(pixels: NDArray[Any], values: F32, mask: Mask) -> NDArray[Any]:
    """A copy of (h, w, C) pixels with values of a mask (h, w), rounded and clipped to what their type holds."""
    result = pixels.copy()
    is_float = pixels.dtype.kind == "f"
    put(values if is_float else cv2.add(values, 0, dtype=_DEPTHS[pixels.dtype.name]), mask, result)
    return result


def _weighted(values: NDArray[Any], weight: F32) -> F32:
    """(h, w, C) values times an (h, w) weight."""
    return np.asarray(cv2.multiply(values, cv2.merge([weight] * values.shape[2])), np.float32)
