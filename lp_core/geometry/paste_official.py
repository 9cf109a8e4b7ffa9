"""Paste-back with the published pipeline's numbers: 8 bits at every step, cut off instead of rounded.

``lp_core.geometry.paste`` is what the program uses; this is for ``--official-compat`` and holds its recordings.

Convention:
    As in ``lp_core.geometry.paste``. The published pipeline warps by OpenCV, which rounds sample positions to
    1/32 pixel; here they are exact, so that a warped pixel may be one or two levels off.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.paste import F32, F64, MASK_SIZE, PastePlace, feather_mask, warp_region

U8 = NDArray[np.uint8]


def official_mask(size: int = MASK_SIZE) -> U8:
    """(size, size) the published mask; at 512 it is the published file bit for bit."""
    mask: U8 = np.floor(255.0 * feather_mask(size).astype(np.float64)).astype(np.uint8)
    return mask


def official_weight(place: PastePlace, size: int = MASK_SIZE) -> F64:
    """(h, w) of the place's region, 0..1: the published mask as it is in the frame, in steps of 1/255."""
    return _warped(official_mask(size), place) / 255.0


def paste_official(frame: U8, crop: U8, place: PastePlace) -> U8:
    """The frame with a crop in it.

    Args:
        frame: (H, W, C) display-encoded; not changed.
        crop: (size, size, C or fewer); channels beyond its own stay the frame's.
        place: of the crop in the frame.

    Returns:
        (H, W, C). Along the rim, where the mask is thin, the black outside of the crop is mixed in, as published.
    """
    result = frame.copy()
    if place.region.is_empty:
        return result
    weight = official_weight(place, len(crop))[..., None].astype(np.float32)
    part = result[place.region.slices][..., : crop.shape[2]]
    mixed: F32 = weight * _warped(crop, place).astype(np.float32) + (1 - weight) * part.astype(np.float32)
    part[...] = np.clip(mixed, 0, 255).astype(np.uint8)
    return result


def _warped(picture: NDArray[Any], place: PastePlace) -> F64:
    """A crop of 8 bits in the place's region, rounded to 8 bits, black outside of it."""
    return np.rint(warp_region(picture, place.crop_from_frame, place.region)).astype(np.float64)
