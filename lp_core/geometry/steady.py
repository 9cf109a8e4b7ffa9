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
from lp_core.geometry.optical_flow import dense_flow

F32 = NDArray[np.float32]
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


def steadied(now: SeenPatch, before: Sequence[SeenPatch], is_rough: bool = False) -> F32:
    """(h, w) the values of a frame's patch, mixed with those of earlier frames where these show the same.

    Args:
        now: the frame.
        before: those before it, the latest first; of another size they do not count.
        is_rough: whether a rough flow will do.
    """
    total, weight = now.patch.values.copy(), np.float32(1)
    whole = np.full_like(total, weight)
    for then, share in zip(before, _WEIGHTS, strict=False):
        if then.gray.shape != now.gray.shape:
            continue
        flow = dense_flow(now.gray, then.gray, is_rough)
        alike = likeness(now.gray, carried_along(then.gray, flow))
        x, y = _positions(now.patch, now)
        along = [
            cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for plane in (flow[..., 0], flow[..., 1], alike)
        ]
        found, known = _looked_up(then, x + along[0], y + along[1])
        trust = np.float32(share) * along[2] * known
        total += trust * found
        whole += trust
    return np.asarray(total / whole, np.float32)


def _positions(patch: Patch, seen: SeenPatch) -> tuple[F32, F32]:
    """(h, w) positions of a patch's grid in the reduced frame."""
    left, top, right, bottom = patch.box
    height, width = patch.values.shape
    scale = seen.gray.shape[1] / seen.size[0], seen.gray.shape[0] / seen.size[1]
    x = (left + (np.arange(width) + 0.5) * (right - left) / width) * scale[0] - 0.5
    y = (top + (np.arange(height) + 0.5) * (bottom - top) / height) * scale[1] - 0.5
    grid = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.ascontiguousarray(grid[0]), np.ascontiguousarray(grid[1])


def _looked_up(then: SeenPatch, x: F32, y: F32) -> tuple[F32, F32]:
    """(h, w) values of an earlier patch at positions in its reduced frame, and 1 where it covers them."""
    left, top, right, bottom = then.patch.box
    height, width = then.patch.values.shape
    scale = then.gray.shape[1] / then.size[0], then.gray.shape[0] / then.size[1]
    at_x = ((x + 0.5) / np.float32(scale[0]) - left) * np.float32(width / (right - left)) - np.float32(0.5)
    at_y = ((y + 0.5) / np.float32(scale[1]) - top) * np.float32(height / (bottom - top)) - np.float32(0.5)
    found = cv2.remap(
        then.patch.values,
        at_x.astype(np.float32),
        at_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    known = (at_x >= -0.5) & (at_x <= width - 0.5) & (at_y >= -0.5) & (at_y <= height - 0.5)
    return np.asarray(found, np.float32), known.astype(np.float32)
