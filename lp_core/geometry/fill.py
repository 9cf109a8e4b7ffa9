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

_GRAIN, _GRAIN_MOST = 0.004, 4.0
"""Size of the largest grain, in longer sides of the image; its limit, in medians: what is stronger is a line."""
_LEAST_GRAIN, _ALIKE = 1 / 255, 3.0
"""Grain at least, white being 1; difference from a fill, in medians of the grain, up to which something is grain."""
_CELLS = 4
"""Pixels in a coarser one; one that is known is enough, so that a fill goes on from what is next to it."""


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


def grained(fill: NDArray[Any], image: NDArray[Any], hole: NDArray[np.bool_]) -> NDArray[Any]:
    """A fill with grain like that around the hole, mirrored at its edge; every other pixel keeps its bits.

    Args:
        fill: (H, W, C) the image with the hole filled softly.
        image: (H, W, C) uint8, uint16 or float32.
        hole: (H, W) True where nothing is known.
    """
    known = ~hole & np.isfinite(image).all(axis=-1)
    if not known.any() or not hole.any():
        return fill
    fine = _fine(image, known)
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros(int(labels.max()) + 1, np.intp)
    nearest[labels[known]] = np.flatnonzero(known)
    at = np.array(np.nonzero(hole))
    edge = np.array(np.divmod(nearest[labels[hole]], hole.shape[1]))
    limits = np.array(hole.shape)[:, None] - 1
    across = limits - np.abs(limits - np.abs(2 * edge - at))
    rows, columns = np.clip(across, 0, limits)
    result = fill.copy()
    mixed = fill[hole].astype(np.float32) + fine[rows, columns]
    if image.dtype.kind != "f":
        mixed = np.clip(np.rint(mixed), 0, np.iinfo(image.dtype).max)
    result[hole] = mixed.astype(image.dtype)
    return result


def unlike(
    image: NDArray[Any], fill: NDArray[Any], hole: NDArray[np.bool_], person: NDArray[np.bool_]
) -> F32:
    """(H, W) 0..1 how far an image differs from what would fill a hole, by more than the grain around it.

    Args:
        image: (H, W, C) uint8, uint16 or float32.
        fill: (H, W, C) the image with the hole filled softly.
        hole: (H, W).
        person: (H, W) the part of the hole that has no say in what is next to it.
    """
    known = ~hole & np.isfinite(image).all(axis=-1)
    if not known.any():
        return np.ones(hole.shape, np.float32)
    white = 1.0 if image.dtype.kind == "f" else float(np.iinfo(image.dtype).max)
    grain = max(float(np.median(np.abs(_fine(image, known)[known]))), _LEAST_GRAIN * white)
    apart = np.nan_to_num(np.abs(image.astype(np.float32) - fill).max(axis=-1))
    apart, share = (
        cv2.GaussianBlur(one.astype(np.float32), (0, 0), _grain_px(known))
        for one in (apart * ~person, ~person)
    )
    apart = apart / np.maximum(share, np.float32(1e-3))
    return np.asarray(np.clip(apart / np.float32(_ALIKE * grain) - 1, 0, 1), np.float32)


def _grain_px(known: NDArray[np.bool_]) -> float:
    return float(max(_GRAIN * max(known.shape), 1.0))


def _fine(image: NDArray[Any], known: NDArray[np.bool_]) -> F32:
    """(H, W, C) grain of an image where it is known, 0 elsewhere: what is finer than _GRAIN, without strong lines."""
    pixels = np.where(known[..., None], image, 0).astype(np.float32)
    weight = known.astype(np.float32)
    soft, share = (cv2.GaussianBlur(one, (0, 0), _grain_px(known)) for one in (pixels, weight))
    fine = (pixels - soft.reshape(pixels.shape) / np.maximum(share, np.float32(1e-6))[..., None]) * weight[
        ..., None
    ]
    most = np.float32(_GRAIN_MOST * np.median(np.abs(fine[known])))
    return np.asarray(np.clip(fine, -most, most), np.float32)


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


def soft_fill(image: NDArray[Any], hidden: F32, box: Box, side_px: int) -> F32:
    """(h, w, C) what fills a large hole within a box, coarse: it has no detail anyway.

    Args:
        image: (H, W, C) uint8, uint16 or float32.
        hidden: (h, w) over the box, perhaps coarser: how far each place is to be filled; only where it is 0 the image
            is looked at.
        box: half-open (left, top, right, bottom).
        side_px: largest side of the result.
    """
    left, top, right, bottom = box
    scale = min(side_px / max(right - left, bottom - top), 1.0)
    size = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
    reduced = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    small: F32 = reduced.astype(np.float32).reshape(size[1], size[0], -1)
    known = np.asarray(cv2.resize(hidden, size, interpolation=cv2.INTER_AREA)) <= 0
    if image.dtype.kind == "f":
        known &= np.isfinite(small).all(axis=-1)
    if not known.any() or known.all():
        return small
    weight = known.astype(np.float32)
    finite = small if image.dtype.kind != "f" else np.where(known[..., None], small, np.float32(0))
    return np.asarray(_pulled(_times(finite, weight), weight), np.float32)


def widened(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """A mask (H, W) with a strip of so many pixels around it."""
    side = 2 * pixels + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def ramp(mask: NDArray[np.bool_], half_px: int) -> F32:
    """(H, W) 1 in a mask, falling to 0 over twice so many pixels around it."""
    side = 2 * half_px + 1
    wide = widened(mask, half_px).astype(np.float32)
    soft = cv2.blur(wide, (side, side), borderType=cv2.BORDER_REPLICATE)
    soft *= soft >= 1 / side
    return np.asarray(np.maximum(soft, mask, out=soft), np.float32)


def laid(over: NDArray[Any], image: NDArray[Any], weight: F32) -> NDArray[Any]:
    """An image laid over another of the same type by (H, W) weights; where they are 0 every bit stays.

    Where the image below holds no finite value, the one over it is taken whole.
    """
    result = image.copy()
    if image.dtype.kind == "f":
        np.copyto(result, over, where=~np.isfinite(image) & (weight > 0)[..., None])
    rows, columns = np.nonzero((weight > 0) & (weight < 1))
    share = weight[rows, columns][:, None]
    mixed = result[rows, columns].astype(np.float32)
    mixed += share * (over[rows, columns].astype(np.float32) - mixed)
    if image.dtype.kind != "f":
        mixed = np.rint(mixed)
    result[rows, columns] = mixed.astype(image.dtype)
    cv2.copyTo(over, (weight >= 1).view(np.uint8), result)
    return result


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
    sure = np.minimum(small_weight * np.float32(_CELLS), np.float32(1))
    gain = np.divide(sure, small_weight, out=np.zeros_like(sure), where=small_weight > 0)
    coarse = _pulled(_times(small, gain), sure)
    wide = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    return np.asarray(weighted + _times(wide, 1 - weight), np.float32)


def _times(values: F32, weight: F32) -> F32:
    """(h, w, C) values times an (h, w) weight."""
    return np.asarray(cv2.multiply(values, cv2.merge([weight] * values.shape[2])), np.float32).reshape(
        values.shape
    )
