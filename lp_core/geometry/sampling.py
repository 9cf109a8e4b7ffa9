"""Sampling of an image through a chosen filter, without halos.

Convention:
    Positions (x, y), origin top-left, integer = pixel center. Images (H, W) or (H, W, C), uint8, uint16 or float32;
    outside, the nearest edge pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.warp import Map, sample

FILTERS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4}
_SQUARE = np.ones((2, 2), np.uint8)
_REACH = 9
"""Side of the square of pixels that the widest filter looks at, and one more."""
_TRANSPARENT = np.float32(1 / 1024)
"""Alpha below which a color cannot be told from its weighted value."""


def places(flow: Map, left: int, top: int) -> tuple[Map, Map]:
    """Positions (x, y), (h, w) each, where a flow (h, w, 2) takes pixels from whose first is at (left, top)."""
    height, width = flow.shape[:2]
    x = np.arange(left, left + width, dtype=np.float32)
    y = np.arange(top, top + height, dtype=np.float32)[:, None]
    return flow[..., 0] + x, flow[..., 1] + y


@dataclass(frozen=True)
class Sampler:
    """An image that is sampled many times; ``CutOutSampler`` is for colors next to a straight alpha.

    ``cubic`` and ``lanczos`` keep detail that ``linear`` softens. Their result is clamped to the range of the four
    pixels around a position, so that no edge gets a halo. At a pixel's own place all three give that pixel.
    """

    pixels: NDArray[Any]
    """(H, W) or (H, W, C)."""

    def at(self, map_x: Map, map_y: Map, name: str = "linear") -> NDArray[Any]:
        """The image at (h, w) positions through a filter, a key of FILTERS; (h, w) or (h, w, C).

        A value that is infinite or not a number does not spread: where a wide filter would meet one, ``linear``
        is in, which keeps it in the pixel it moves to (lp_core.geometry.warp.sample).
        """
        if name == "linear":
            return sample(self.pixels, map_x, map_y)
        whole, rest = cv2.convertMaps(map_x, map_y, cv2.CV_16SC2)
        if self.pixels.dtype != np.float32:
            return self._clamped(whole, rest, FILTERS[name])
        found = self._remapped(self.pixels, whole, rest, FILTERS[name])
        low, high = self._bounds_at(whole)
        clamped = np.asarray(cv2.min(cv2.max(found, low), high)).reshape(found.shape)
        is_finite = np.isfinite(found)
        return clamped if is_finite.all() else np.where(is_finite, clamped, sample(self.pixels, map_x, map_y))

    def along(self, flow: Map, left: int, top: int, name: str = "linear") -> NDArray[Any]:
        """The image where a flow takes it from.

        Args:
            flow: (h, w, 2) from each pixel's own place, x and y.
            left: column of the first pixel.
            top: its row.
            name: a key of FILTERS.
        """
        if name == "linear" or self.pixels.dtype == np.float32:
            return self.at(*places(flow, left, top), name)
        whole, rest = cv2.convertMaps(np.ascontiguousarray(flow), None, cv2.CV_16SC2)
        height, width = whole.shape[:2]
        own = np.zeros((width, 2), np.int16)
        own[:, 0] = np.arange(left, left + width)
        whole += own  # quicker after the conversion than before it
        whole[..., 1] += np.arange(top, top + height, dtype=np.int16)[:, None]
        return self._clamped(whole, rest, FILTERS[name])

    def _clamped(self, whole: NDArray[Any], rest: NDArray[Any], how: int) -> NDArray[Any]:
        """An image of integers at pixels and 32nds of them, as OpenCV's filters take them, without halos."""
        found = self._remapped(self.pixels, whole, rest, how)
        low, high = self._bounds_at(whole)
        return np.asarray(cv2.min(cv2.max(found, low, dst=found), high, dst=found))

    def _bounds_at(self, whole: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        low, high = (self._remapped(bound, whole, None, cv2.INTER_NEAREST) for bound in self._bounds)
        return low, high

    @cached_property
    def _bounds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Least and largest of each pixel and its neighbors right, below and below right."""
        low, high = (
            np.asarray(make(self.pixels, _SQUARE, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE))
            for make in (cv2.erode, cv2.dilate)
        )
        return low.reshape(self.pixels.shape), high.reshape(self.pixels.shape)

    @staticmethod
    def _remapped(
        picture: NDArray[Any], whole: NDArray[Any], rest: NDArray[Any] | None, how: int
    ) -> NDArray[Any]:
        """The image at pixels and 32nds of them, as ``cv2.convertMaps`` gives them; None: at pixels alone."""
        found = np.asarray(cv2.remap(picture, whole, rest, how, borderMode=cv2.BORDER_REPLICATE))
        return found.reshape(*whole.shape[:2], *picture.shape[2:])


@dataclass(frozen=True)
class CutOutSampler:
    """A cut-out whose colors are not weighted by its alpha, sampled many times without a fringe.

    A color counts by its alpha, so what a file keeps under transparent pixels never shows at an edge. Where everything
    around a position is transparent, the hidden colors are sampled as they are; where all of it is opaque, the result
    is that of ``Sampler`` to the bit.
    """

    pixels: NDArray[Any]
    """(H, W, 4) RGB and straight alpha."""

    def at(self, map_x: Map, map_y: Map, name: str = "linear") -> NDArray[Any]:
        """The image at (h, w) positions through a filter, a key of FILTERS; (h, w, 4)."""
        plain = self._plain.at(map_x, map_y, name)
        is_edge = self._is_edge(map_x, map_y)
        if not is_edge.any():
            return plain
        weighted = self._weighted.at(map_x, map_y, name)[is_edge]
        alpha = weighted[:, 3:]
        colors = weighted[:, :3] / np.maximum(alpha, np.float32(1e-6))
        dtype = self.pixels.dtype
        if dtype.kind != "f":
            colors = np.clip(np.rint(colors), 0, np.iinfo(dtype).max)
        values = plain[is_edge]
        values[:, :3] = np.where(alpha > _TRANSPARENT, colors, values[:, :3]).astype(dtype)
        result = plain.copy()
        result[is_edge] = values
        return result

    def along(self, flow: Map, left: int, top: int, name: str = "linear") -> NDArray[Any]:
        """The image where a flow takes it from; see ``Sampler.along``."""
        return self.at(*places(flow, left, top), name)

    def _is_edge(self, map_x: Map, map_y: Map) -> NDArray[np.bool_]:
        """(h, w) True where alpha changes around a position."""
        near = cv2.remap(self._edges, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(near, bool)

    @cached_property
    def _plain(self) -> Sampler:
        return Sampler(self.pixels)

    @cached_property
    def _weighted(self) -> Sampler:
        white = 1 if self.pixels.dtype.kind == "f" else np.iinfo(self.pixels.dtype).max
        alpha = self.pixels[..., 3:].astype(np.float32) / np.float32(white)
        colors = np.where(alpha > 0, self.pixels[..., :3].astype(np.float32), 0) * alpha
        return Sampler(np.concatenate([colors, alpha], axis=2))

    @cached_property
    def _edges(self) -> NDArray[np.uint8]:
        alpha = np.ascontiguousarray(self.pixels[..., 3])
        kernel = np.ones((_REACH, _REACH), np.uint8)
        return np.asarray(cv2.dilate(alpha, kernel) != cv2.erode(alpha, kernel), np.uint8)
