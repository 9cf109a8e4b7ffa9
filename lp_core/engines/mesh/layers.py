"""Small full-resolution layers over the warped image: a soft-edged opening, filled from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Box
from lp_core.geometry.coverage import coverage

Map = NDArray[np.float32]


@dataclass(frozen=True)
class Opening:
    """A polygon in the image with a soft edge."""

    left: int
    top: int
    alpha: Map
    """(h, w) 0..1 coverage of the patch whose top-left pixel is (left, top)."""

    @property
    def rows(self) -> slice:
        """Rows of the image that the patch covers."""
        return slice(self.top, self.top + self.alpha.shape[0])

    @property
    def columns(self) -> slice:
        """Columns of the image that the patch covers."""
        return slice(self.left, self.left + self.alpha.shape[1])

    def grid(self) -> tuple[Map, Map]:
        """(1, w) and (h, 1) pixel coordinates of the patch in the image."""
        height, width = self.alpha.shape
        x = np.arange(self.left, self.left + width, dtype=np.float32)[None, :]
        return x, np.arange(self.top, self.top + height, dtype=np.float32)[:, None]


def opening(polygon: NDArray[np.float64], size: tuple[int, int], feather_px: float) -> Opening | None:
    """Coverage of a polygon, feathered; None when it is outside the image or has hardly any area.

    Args:
        polygon: (P, 2) corners in pixels.
        size: width and height of the image.
        feather_px: standard deviation of the soft edge in pixels.
    """
    where = patch(polygon, size, feather_px * 3 + 2)
    if where is None:
        return None
    height, width = where.alpha.shape
    alpha: Map = coverage(polygon - (where.left, where.top), (width, height))
    if feather_px > 0.3:
        alpha = cv2.GaussianBlur(alpha, (0, 0), feather_px)
    return replace(where, alpha=alpha)


def patch(points: NDArray[np.float64], size: tuple[int, int], margin_px: float = 1.0) -> Opening | None:
    """The box around (P, 2) points, covered whole; None when hardly any of it is in the image.

    Args:
        points: in pixels.
        size: width and height of the image.
        margin_px: room around the points.
    """
    low = np.maximum(np.floor(points.min(axis=0) - margin_px).astype(int), 0)
    high = np.minimum(np.ceil(points.max(axis=0) + margin_px).astype(int) + 1, size)
    if (high - low < 2).any():
        return None
    return Opening(int(low[0]), int(low[1]), np.ones((high - low)[::-1], np.float32))


def blend(picture: NDArray[Any], where: Opening, content: NDArray[Any]) -> None:
    """Lays content (h, w, C) over the image's patch by its coverage, in place; integers are rounded.

    Where one side is infinite or no number, the side that covers more is taken whole.
    """
    target = picture[where.rows, where.columns]
    alpha = where.alpha[..., None]
    own, laid = target.astype(np.float32), content.astype(np.float32)
    with np.errstate(invalid="ignore"):  # infinity minus infinity, replaced below
        mixed = np.where(own == laid, own, own + (laid - own) * alpha)
    if np.issubdtype(picture.dtype, np.integer):
        mixed = np.rint(mixed)
    else:
        mixed = np.where(np.isfinite(mixed), mixed, np.where(alpha >= 0.5, laid, own))
    target[...] = np.where(alpha > 0, mixed.astype(picture.dtype), target)


def mix_flow(flow: Map, matte: Map, region: Box, where: Opening, other: Map) -> None:
    """Mixes another flow into one by a patch's coverage, in place, where the matte is above 0.

    Args:
        flow: (h, w, 2) of ``region``, pixels.
        matte: (h, w) of ``region``.
        region: half-open box in the image.
        where: the patch; what is outside the region is left out.
        other: (h, w, 2) of the patch.
    """
    left, top, right, bottom = region
    rows = slice(max(where.rows.start, top), min(where.rows.stop, bottom))
    columns = slice(max(where.columns.start, left), min(where.columns.stop, right))
    own = (
        slice(rows.start - where.top, rows.stop - where.top),
        slice(columns.start - where.left, columns.stop - where.left),
    )
    there = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    share = where.alpha[own] * (matte[there] > 0)
    flow[there] += share[..., None] * (other[own] - flow[there])
