"""Mattes of a video made steady: what earlier frames said of the same thing counts too, carried along the flow.

Only a few earlier frames count, each by itself, so that any frame can be made without those before them.

Convention:
    A patch covers a half-open box (left, top, right, bottom) of the frame in pixels with an (h, w) grid. Flow leads
    from a frame to an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Box
from lp_core.geometry.dense_field import carried_along, likeness, small_gray
from lp_core.geometry.optical_flow import FINE, Search, dense_flow

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

MEMORY = 2
"""Earlier frames that count."""
_ENOUGH_PX = 480
"""Longer side, at least, of an image in which coarse flow is searched."""
_WEIGHTS = 0.8, 0.6
"""Of the frame before and of the one before it; the frame itself has 1."""


@dataclass(frozen=True)
class Patch:
    """Values over a part of a frame."""

    values: F32
    """(h, w)."""
    box: Box
    """What they cover."""


@dataclass(frozen=True)
class SeenPatch:
    """A frame and what was found in it."""

    gray: U8
    """The whole frame, reduced (lp_core.geometry.dense_field.small_gray)."""
    size: tuple[int, int]
    """Its width and height, pixels."""
    patch: Patch
    """What was found, unsteadied."""

    @classmethod
    def of(cls, image: U8, patch: Patch) -> SeenPatch:
        """What was found in an image, (H, W, 3) RGB.

        A large image is halved or more before: that takes little time and is enough for coarse flow.
        """
        height, width = image.shape[:2]
        part = max(max(height, width) // _ENOUGH_PX, 1)
        size = max(width // part, 1), max(height // part, 1)
        small = image if part == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return cls(small_gray(np.asarray(small, np.uint8)), (width, height), patch)


def steadied(now: SeenPatch, before: Sequence[SeenPatch], effort: Search = FINE) -> F32:
    """(h, w) the values of a frame's patch, mixed with those of earlier frames where these show the same.

    Args:
        now: the frame.
        before: those before it, the latest first; of another size they do not count.
        effort: how well the flow between them is searched.
    """
    total, weight = now.patch.values.copy(), np.float32(1)
    whole = np.full_like(total, weight)
    for then, share in zip(before, _WEIGHTS, strict=False):
        if then.gray.shape != now.gray.shape:
            continue
        flow = dense_flow(now.gray, then.gray, effort)
        alike = likeness(now.gray, carried_along(then.gray, flow))
        flow_x, flow_y, alike = cv2.split(_over_patch(np.asarray(cv2.merge([flow, alike]), np.float32), now))
        found, known = _looked_up(then, now, flow_x, flow_y)
        trust = np.float32(share) * alike * known
        total += trust * found
        whole += trust
    return np.asarray(total / whole, np.float32)


def _over_patch(field: F32, seen: SeenPatch) -> F32:
    """(h, w, C) a field of the reduced frame on the grid of a frame's patch."""
    x, y = _positions(seen)
    matrix = np.array([[x[1] - x[0], 0, x[0]], [0, y[1] - y[0], y[0]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(field, matrix, (len(x), len(y)), flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def _positions(seen: SeenPatch) -> tuple[F64, F64]:
    """(w,) x and (h,) y of a patch's grid in the reduced frame."""
    left, top, right, bottom = seen.patch.box
    height, width = seen.patch.values.shape
    scale = _scale(seen)
    x = (left + (np.arange(width) + 0.5) * (right - left) / width) * scale[0] - 0.5
    y = (top + (np.arange(height) + 0.5) * (bottom - top) / height) * scale[1] - 0.5
    return x, y


def _scale(seen: SeenPatch) -> tuple[float, float]:
    return seen.gray.shape[1] / seen.size[0], seen.gray.shape[0] / seen.size[1]


def _looked_up(then: SeenPatch, now: SeenPatch, flow_x: F32, flow_y: F32) -> tuple[F32, F32]:
    """(h, w) values of an earlier patch where a flow leads from each place of a patch, and 1 where it covers them."""
    left, top, right, bottom = then.patch.box
    height, width = then.patch.values.shape
    scale = _scale(then)
    gain = width / (right - left) / scale[0], height / (bottom - top) / scale[1]
    x, y = _positions(now)
    # Straight to the earlier patch's grid: each place plus its part of the flow.
    first = (x + 0.5) * gain[0] - left * scale[0] * gain[0] - 0.5
    second = (y + 0.5) * gain[1] - top * scale[1] * gain[1] - 0.5
    at_x = flow_x * np.float32(gain[0]) + first.astype(np.float32)
    at_y = flow_y * np.float32(gain[1]) + second.astype(np.float32)[:, None]
    found = cv2.remap(then.patch.values, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    known = (np.abs(at_x - np.float32((width - 1) / 2)) <= width / 2) & (
        np.abs(at_y - np.float32((height - 1) / 2)) <= height / 2
    )
    return np.asarray(found, np.float32), known.astype(np.float32)
