"""Resampling of images: the only caller of OpenCV's warps and resizes.

Convention:
    Positions (x, y), origin top-left, integer = pixel center. Images (H, W) or (H, W, C), uint8, uint16 or
    float32; the color state stays what it is.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


def sample(picture: NDArray[Any], map_x: Map, map_y: Map) -> NDArray[Any]:
    """The image at (h, w) positions, bilinear; outside, the nearest edge pixel. Returns (h, w[, C]).

    In float32 a value that is infinite or no number stays in the pixel it moves to and does not spread: the
    pixels next to it are made of their finite neighbors.
    """
    sampled = _remapped(picture, map_x, map_y)
    if picture.dtype != np.float32 or np.isfinite(sampled).all():
        return sampled
    is_finite = np.isfinite(picture)
    weight = _remapped(is_finite.astype(np.float32), map_x, map_y)
    known = _remapped(np.where(is_finite, picture, np.float32(0)), map_x, map_y)
    nearest = np.asarray(cv2.remap(picture, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE))
    inside = np.isfinite(nearest) & (weight > 0)
    return np.where(inside, known / np.where(inside, weight, np.float32(1)), nearest)


def _remapped(picture: NDArray[Any], map_x: Map, map_y: Map) -> NDArray[Any]:
    return np.asarray(cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def enlarge(field: Map, width: int, height: int) -> Map:
    """A smooth field on a coarse grid, bilinear on a finer one; cell areas stay aligned."""
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def on_grid(places: Map, low: int, high: int, cells: int) -> Map:
    """Positions along an axis, on a grid of so many cells over the half-open span from ``low`` to ``high``."""
    scale = np.float32(cells / (high - low))
    return np.asarray(
        places * scale + ((np.float32(0.5) - np.float32(low)) * scale - np.float32(0.5)), np.float32
    )


def spread(values: Map, box: tuple[int, int, int, int], size: tuple[int, int]) -> Map:
    """(H, W) values of a part of a frame, enlarged to its pixels; 1 around it.

    Args:
        values: (h, w) over the part.
        box: the part, half-open.
        size: width and height of the frame.
    """
    left, top, right, bottom = box
    whole = np.ones((size[1], size[0]), np.float32)
    whole[top:bottom, left:right] = cv2.resize(
        values, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
    )
    return whole


def enlarge_part(
    field: Map, scale: float, corner: tuple[float, float], box: tuple[int, int, int, int]
) -> Map:
    """A part of a smooth field on a coarse grid, bilinear on a finer one.

    Args:
        field: (h, w) or (h, w, C); cell (i, j) is on the finer grid at
            ``corner + (i + 0.5, j + 0.5) / scale - 0.5``.
        scale: cells per pixel of the finer grid, at most 1.
        corner: (x, y).
        box: the part, half-open (left, top, right, bottom) on the finer grid; beyond the field its edge goes on.
    """
    left, top, right, bottom = box
    shift = [(at + 0.5 - low) * scale - 0.5 for at, low in zip((left, top), corner, strict=True)]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (right - left, bottom - top)
    return np.asarray(
        cv2.warpAffine(field, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def affine_part(
    picture: NDArray[Any], picture_from_target: NDArray[np.float64], box: tuple[int, int, int, int]
) -> NDArray[Any]:
    """A box (left, top, right, bottom) of what an image shows through a matrix, bilinear; its edge goes on.

    Args:
        picture: (H, W) or (H, W, C).
        picture_from_target: (3, 3) affine.
        box: half-open, in pixels of the target.
    """
    left, top, right, bottom = box
    matrix = picture_from_target[:2].copy()
    matrix[:, 2] += matrix[:, :2] @ (left, top)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (right - left, bottom - top)
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def lay(over: NDArray[np.float32], weight: Map, mask: NDArray[np.uint8], part: NDArray[Any]) -> None:
    """Lays an image over a part of another by weights, in place; where the mask is 0 every bit stays.

    Args:
        over: (h, w, C) in the part's units.
        weight: (h, w) 0..1.
        mask: (h, w) above 0 where the weight is.
        part: (h, w, C) uint8, uint16 or float32, a view of the image.
    """
    blended = cv2.subtract(over, part, dtype=cv2.CV_32F)
    blended *= weight[..., None]
    blended = cv2.add(blended, part, dtype=cv2.CV_32F)
    if part.dtype.kind != "f":
        blended = np.clip(np.rint(blended), 0, np.iinfo(part.dtype).max).astype(part.dtype)
    cv2.copyTo(blended, mask, part)


def put(picture: NDArray[Any], mask: NDArray[np.bool_], part: NDArray[Any]) -> None:
    """Puts the pixels of a mask (h, w) into a part of another image of the same type, in place."""
    cv2.copyTo(picture, mask.view(np.uint8), part)


def clear(picture: NDArray[Any], mask: NDArray[np.bool_]) -> None:
    """Makes the pixels of a mask (h, w) 0, in place."""
    pixel = picture[0, 0].nbytes
    if pixel not in (1, 2, 4, 8) or not picture.flags.c_contiguous:
        picture[mask] = 0
        return
    whole = picture.view(f"u{picture.itemsize}").reshape(mask.shape[0], -1).view(f"u{pixel}")
    np.multiply(whole, ~mask, out=whole)  # as one number each: every bit of the others stays


def blocks(mask: NDArray[np.bool_], step: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """A coarse mask with each cell as a square of ``step`` pixels, cut to a width and height."""
    wide = cv2.resize(mask.view(np.uint8), None, fx=step, fy=step, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(wide[: size[1], : size[0]]).view(np.bool_)


def reduce(picture: NDArray[Any], scale: float) -> NDArray[Any]:
    """The image smaller by ``scale`` (0 < scale <= 1) by area averaging; at least 2 x 2 pixels."""
    height, width = picture.shape[:2]
    size = max(round(width * scale), 2), max(round(height * scale), 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
