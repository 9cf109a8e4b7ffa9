"""A crop out of a frame and back into it: exact bilinear sampling in float, only in the region, rounded once.

Convention:
    Points are (x, y), integer = pixel center. Sampling is bilinear at exact positions, outside is
    zero. Matrices ``a_from_b`` take column vectors (x, y, 1). Regions are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.geometry.crop import Square, frame_from_crop
from lp_core.geometry.warp import affine_part, lay

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

FEATHER = 16
"""Pixels over which the mask of a crop of MASK_SIZE fades; the published mask."""
MASK_SIZE = 512
_ROWS = 128  # rows sampled at a time, so that memory stays small for large faces


@dataclass(frozen=True)
class Region:
    """Part of a frame, half-open."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def is_empty(self) -> bool:
        """True where no pixel is inside."""
        return self.right <= self.left or self.bottom <= self.top


def feather_mask(size: int = MASK_SIZE) -> F32:
    """Weights of a crop: 1 inside, fading over 16 of 512 pixels towards its border, corners rounded.

    At 512 this is the published mask before its rounding down to 8 bits: max(0, 1 - d/16) with d the
    distance to the square 16 <= x, y <= 496; not symmetric by one pixel.

    Args:
        size: side of the crop; the mask is the same in proportion.

    Returns:
        (size, size) 0..1.
    """
    feather = FEATHER * size / MASK_SIZE
    at = np.arange(size, dtype=np.float64)
    beyond = np.maximum(np.maximum(feather - at, at - (size - feather)), 0.0)
    weights = 1.0 - np.hypot(beyond[:, None], beyond[None, :]) / feather
    return np.maximum(weights, 0.0).astype(np.float32)


def sample(picture: NDArray[Any], x: F64, y: F64) -> F32:
    """Bilinear samples at exact positions.

    Convention: see the module.

    Args:
        picture: (H, W) or (H, W, C) of any real type.
        x: (...) columns.
        y: (...) rows, the same shape.

    Returns:
        (...) or (..., C) float32 in the image's own units.
    """
    height, width = picture.shape[:2]
    left, top = np.floor(x), np.floor(y)
    extra = (1,) * (picture.ndim - 2)
    total = np.zeros(x.shape + picture.shape[2:], np.float32)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        at_x, at_y = left + column, top + row
        weight = (1.0 - np.abs(x - at_x)) * (1.0 - np.abs(y - at_y))
        is_inside = (at_x >= 0) & (at_x < width) & (at_y >= 0) & (at_y < height)
        weight = np.where(is_inside, weight, 0.0).astype(np.float32)
        index_x = np.clip(at_x, 0, width - 1).astype(np.intp)
        index_y = np.clip(at_y, 0, height - 1).astype(np.intp)
        total += picture[index_y, index_x] * weight.reshape(weight.shape + extra)
    return total


def warp_region(
    picture: NDArray[Any], picture_from_target: F64, region: Region, *, extends_edge: bool = False
) -> F32:
    """A part of an image seen through a matrix.

    Args:
        picture: (H, W) or (H, W, C).
        picture_from_target: (3, 3) affine.
        region: part of the target that is wanted.
        extends_edge: outside the image its nearest edge goes on; else it is zero there.

    Returns:
        (bottom - top, right - left[, C]) float32 in the image's own units.
    """
    m = picture_from_target
    shape = (region.bottom - region.top, region.right - region.left)
    result = np.empty(shape + picture.shape[2:], np.float32)
    columns = np.arange(region.left, region.right, dtype=np.float64)[None, :]
    for first in range(0, shape[0], _ROWS):
        last = min(first + _ROWS, shape[0])
        rows = np.arange(region.top + first, region.top + last, dtype=np.float64)[:, None]
        x = m[0, 0] * columns + m[0, 1] * rows + m[0, 2]
        y = m[1, 0] * columns + m[1, 1] * rows + m[1, 2]
        if extends_edge:
            x, y = np.clip(x, 0, picture.shape[1] - 1), np.clip(y, 0, picture.shape[0] - 1)
        result[first:last] = sample(picture, x, y)
    return result


def cut(frame: NDArray[Any], frame_from_crop: F64, size: int) -> F32:
    """The crop of a frame.

    Args:
        frame: (H, W, C) of any real type.
        frame_from_crop: (3, 3), as ``lp_core.geometry.crop.frame_from_crop`` gives it.
        size: side of the crop in pixels.

    Returns:
        (size, size, C) float32 in the frame's own units, zero outside the frame.
    """
    return warp_region(frame, frame_from_crop, Region(0, 0, size, size))


def cut_square(frame: NDArray[Any], square: Square, size: int) -> F32:
    """A square of a frame as a crop; pixels of a square larger than twice the crop are averaged, never skipped over.

    Args:
        frame: (H, W, C) of any real type.
        square: around the face.
        size: side of the crop in pixels.

    Returns:
        (size, size, C) float32 in the frame's own units, zero outside the frame.
    """
    factor = 1
    while square.side > 2 * factor * size:
        factor *= 2
    aligned = np.eye(3)
    aligned[:2, 2] = (1 - factor) / 2  # so that averages stand where the published crop has its pixels
    picture = cut(frame, frame_from_crop(square, factor * size) @ aligned, factor * size)
    while len(picture) > size:
        picture = halved(picture)
    return picture


def halved(picture: NDArray[Any]) -> F32:
    """Means of 2 x 2 pixels; (2H, 2W, C) -> (H, W, C) float32."""
    wide = np.asarray(picture, np.float32)
    mean: F32 = (wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]) / np.float32(4)
    return mean


def region_of(frame_from_crop: F64, size: int, width: int, height: int) -> Region:
    """The part of a frame that a crop can reach.

    Args:
        frame_from_crop: (3, 3).
        size: side of the crop.
        width: of the frame.
        height: of the frame.
    """
    ends = np.array([[-1.0, size, size, -1.0], [-1.0, -1.0, size, size], [1.0, 1.0, 1.0, 1.0]])
    corners = (frame_from_crop @ ends)[:2]
    low, high = np.floor(corners.min(axis=1)), np.ceil(corners.max(axis=1)) + 1
    return Region(
        int(np.clip(low[0], 0, width)),
        int(np.clip(low[1], 0, height)),
        int(np.clip(high[0], 0, width)),
        int(np.clip(high[1], 0, height)),
    )


@dataclass(frozen=True)
class PastePlace:
    """Where a crop is in a frame and how far it shows: the same for every image laid there."""

    region: Region
    """Part of the frame that the crop can reach."""
    crop_from_frame: F64
    """(3, 3)."""
    weight: F32
    """(h, w) of the region, 0..1: the mask as it is in the frame."""

    @cached_property
    def mask(self) -> NDArray[np.uint8]:
        """(h, w) 1 where anything shows."""
        return (self.weight > 0).view(np.uint8)


def place_of(frame_from_crop: F64, mask: F32, width: int, height: int) -> PastePlace:
    """The place of a crop.

    Args:
        frame_from_crop: (3, 3).
        mask: (size, size) 0..1, as ``feather_mask`` gives it.
        width: of the frame.
        height: of the frame.
    """
    region = region_of(frame_from_crop, len(mask), width, height)
    crop_from_frame = np.linalg.inv(frame_from_crop).astype(np.float64)
    if region.is_empty:
        return PastePlace(Region(0, 0, 0, 0), crop_from_frame, np.zeros((0, 0), np.float32))
    return PastePlace(region, crop_from_frame, np.minimum(warp_region(mask, crop_from_frame, region), 1.0))


def paste_at(frame: NDArray[Any], crop: NDArray[Any], place: PastePlace) -> NDArray[Any]:
    """The frame with a crop in it, same shape and type; see ``paste`` and ``paste_into``."""
    result = frame.copy()
    paste_into(result, crop, place)
    return result


def paste_into(frame: NDArray[Any], crop: NDArray[Any], place: PastePlace) -> None:
    """Lays a crop into a frame that the caller owns, in place: only the place's region is touched.

    Args:
        frame: (H, W, C) uint8, uint16 or float32.
        crop: (size, size, C or fewer) in the frame's own units; channels beyond its own stay the frame's.
        place: of ``place_of``, with a mask of the crop's size.
    """
    region, channels = place.region, crop.shape[2]
    if region.is_empty:
        return
    box = (region.left, region.top, region.right, region.bottom)
    drawn = affine_part(
        np.asarray(crop, np.float32), place.crop_from_frame, box
    )  # zero would draw a dark rim
    part = frame[region.slices]
    if channels == part.shape[2]:
        lay(drawn, place.weight, place.mask, part)
        return
    own = np.ascontiguousarray(part[..., :channels])
    lay(drawn, place.weight, place.mask, own)
    part[..., :channels] = own


def paste(
    frame: NDArray[Any], crop: NDArray[Any], frame_from_crop: F64, mask: F32
) -> tuple[NDArray[Any], F32]:
    """Lays a crop back into its frame.

    Blended in float where the mask reaches and rounded once to the frame's type, never truncated; where the
    matte is 0 the frame's pixels stay as they are, bit for bit.

    Args:
        frame: (H, W, C) uint8, uint16 or float; not changed.
        crop: (size, size, C) in the frame's own units (0..255 for uint8), any real type.
        frame_from_crop: (3, 3).
        mask: (size, size) 0..1, as ``feather_mask`` gives it.

    Returns:
        The frame with the crop in it, same shape and type; and the matte (H, W) float32 0..1.

    Raises:
        SettingError: crop and mask, or the channels of crop and frame, do not fit.
    """
    if mask.shape != crop.shape[:2] or crop.shape[2:] != frame.shape[2:]:
        raise SettingError(
            f"A crop of shape {crop.shape} with a mask of shape {mask.shape} cannot be laid into a frame of "
            f"shape {frame.shape}; make all of one size and number of channels."
        )
    height, width = frame.shape[:2]
    place = place_of(frame_from_crop, mask, width, height)
    matte = np.zeros((height, width), np.float32)
    matte[place.region.slices] = place.weight
    return paste_at(frame, crop, place), matte
