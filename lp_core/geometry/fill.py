"""Filling a hole of an image from around it: soft, without structure.

Formula: push-pull, Gortler et al., The Lumigraph, 1996: averages of known pixels at ever coarser scales, handed down
again where nothing is known.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Box

F32 = NDArray[np.float32]


def filled(image: NDArray[Any], hole: NDArray[np.bool_]) -> NDArray[Any]:
    """The image with a hole filled from around it; every other pixel keeps its bits.

    Args:
        image: (H, W, C) uint8, uint16 or float32.
        hole: (H, W) True where nothing is known. Where it is True everywhere, the image comes back as it is.

    Returns:
        A new array of the same shape and type. Values that are not finite count as unknown.
    """
    known = ~hole & np.isfinite(image).all(axis=-1) if image.dtype.kind == "f" else ~hole
    if not known.any() or not hole.any():
        return image.copy()
    weight = known.astype(np.float32)
    soft = _pulled(np.where(known[..., None], image, 0).astype(np.float32), weight)
    result = image.copy()
    inside = soft[hole]
    result[hole] = (
        np.clip(np.rint(inside), 0, np.iinfo(image.dtype).max) if image.dtype.kind != "f" else inside
    )
    return result


def filled_around(image: NDArray[Any], hole: NDArray[np.bool_]) -> NDArray[Any]:
    """The same for a small hole, looking at its surroundings alone: as far again as the hole is large."""
    rows, columns = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return image.copy()
    reach = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    part = (
        slice(max(rows[0] - reach, 0), rows[-1] + 1 + reach),
        slice(max(columns[0] - reach, 0), columns[-1] + 1 + reach),
    )
    result = image.copy()
    result[part] = filled(image[part], hole[part])
    return result


def filled_softly(image: NDArray[Any], hole: NDArray[np.bool_], box: Box, side_px: int) -> NDArray[Any]:
    """The same for a large hole within a box, fast: what fills it is found in a reduced copy and has no detail anyway.

    Args:
        image: (H, W, C) uint8, uint16 or float32.
        hole: (H, W); outside of the box it does not count.
        box: half-open (left, top, right, bottom); what is around the hole within it is looked at.
        side_px: largest side of the reduced copy.
    """
    left, top, right, bottom = box
    part = slice(top, bottom), slice(left, right)
    gap = np.ascontiguousarray(hole[part]).view(np.uint8)
    if not gap.any() or gap.all():
        return image.copy()
    scale = min(side_px / max(gap.shape), 1.0)
    size = max(round(gap.shape[1] * scale), 1), max(round(gap.shape[0] * scale), 1)
    small = cv2.resize(image[part], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small = small.reshape(size[1], size[0], -1)
    known = cv2.resize(gap * np.uint8(255), size, interpolation=cv2.INTER_AREA) == 0
    known &= np.isfinite(small).all(axis=-1)
    if not known.any():
        return image.copy()
    soft = _pulled(np.where(known[..., None], small, np.float32(0)), known.astype(np.float32))
    if image.dtype.kind != "f":
        soft = np.clip(np.rint(soft), 0, np.iinfo(image.dtype).max)
    whole = cv2.resize(soft.astype(image.dtype), gap.shape[::-1], interpolation=cv2.INTER_LINEAR)
    result = image.copy()
    cv2.copyTo(whole.reshape(*gap.shape, -1), gap, result[part])
    return result


def widened(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """A mask (H, W) with a strip of so many pixels around it."""
    side = 2 * pixels + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def _pulled(weighted: F32, weight: F32) -> F32:
    """(h, w, C) values everywhere, from values that are already multiplied by their (h, w) weight 0..1."""
    if weight.min() > 0 or max(weight.shape) <= 2:
        return np.asarray(weighted / np.maximum(weight, np.float32(1e-6))[..., None], np.float32)
    height, width = weight.shape
    size = max((width + 1) // 2, 1), max((height + 1) // 2, 1)
    small = np.atleast_3d(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA)).reshape(
        size[1], size[0], -1
    )
    small_weight = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    coarse = _pulled(small, small_weight)
    wide = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    return np.asarray(weighted + (1 - weight)[..., None] * wide, np.float32)
