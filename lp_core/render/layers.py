"""The person as a layer over the background: the background stays where the head moves, and shows where it has been.

Convention:
    Person mattes are (H, W) float32 on the source frame, 1 = person, 0 = background. Plates are frames of the source's
    shape, type and color state without the person.

Formula:
    An engine gives ``E(x) = S(x + f)``, the source through its flow ``f``: background bends with the head. With the
    matte ``a = A(x + f)`` of the moved person and the plate ``P``, a source pixel is ``F a + P (1 - a)``. Exchanging
    the background that came along for the one that belongs there gives ``E(x) + (1 - a) (P(x) - P(x + f))``, edges
    and hair included. A found matte misses loose hair, so in a fringe around it the plate goes over from the fill to
    the source itself, and the formula holds there too: what the plate lacks, ``S - P``, is taken for hair and moves
    along. Elsewhere the background is the plate as it is.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Animation
from lp_core.faces.base import Face
from lp_core.frame import Box, Frame
from lp_core.geometry.background import changed, exchanged, is_any, is_moved, planes, toward
from lp_core.geometry.fill import laid, widened
from lp_core.geometry.warp import blocks, enlarge, on_grid, only, put, sample, spread

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

NOT_FROM_SOURCE = np.float32(0.998)
"""Highest value of the result's matte where the image is not the source through the flow alone: not 1."""
_MOVED_PX = 1 / 64
"""A flow below this leaves a pixel where it is."""
_ROW = 1024
"""Places in a row."""
_TOGETHER = 16 * _ROW
"""Places that are looked at together: few enough for a processor's cache."""
_STEP = 4
"""Pixels between those that are looked at first in a coarse layer."""
_HAIR = np.float32(4)
"""1 / the value of the fringe from which on all of what the plate lacks moves along."""


@dataclass(frozen=True)
class SoftFill:
    """A plate that is the source itself, filled softly where the person is or may be."""

    colors: F32
    """(h, w, C) over the layer's box, coarse, in the source's units."""


@dataclass(frozen=True)
class Layer:
    """What is known of a source frame besides its pixels, over a part of it; around that part is the person."""

    box: Box
    """The part, half-open."""
    cover: F32
    """(h, w, 2) over the part, perhaps coarser than its pixels: the person's matte, and where loose hair may be, 1 at
    the matte and falling to 0; 0 everywhere where the matte is exact."""
    plate: NDArray[Any] | SoftFill
    """(H, W, C) the frame without the person, of its type and color state; or how it is filled."""

    @classmethod
    def whole(cls, person: F32, plate: NDArray[Any], fringe: F32 | None = None) -> Layer:
        """A layer from (H, W) matte, (H, W, C) plate and (H, W) fringe of a whole frame; None: the matte is exact."""
        height, width = person.shape
        near = np.zeros_like(person) if fringe is None else fringe
        return cls((0, 0, width, height), np.dstack([person, near]), plate)

    def covers(self, x: F32, y: F32) -> F32:
        """(h, w, 2) person and loose hair at (h, w) positions in the frame."""
        return sample(self.cover, *self._on_grid(x, y))

    @property
    def is_coarse(self) -> bool:
        """Whether the layer has fewer cells than its part of the frame has pixels."""
        return bool(self.cover.shape[1] < self.box[2] - self.box[0])

    def _on_grid(self, x: F32, y: F32) -> tuple[F32, F32]:
        left, top, right, bottom = self.box
        height, width = self.cover.shape[:2]
        if (right - left, bottom - top) == (width, height) and not (left or top):
            return x, y
        return on_grid(x, left, right, width), on_grid(y, top, bottom, height)

    def person(self, size: tuple[int, int]) -> F32:
        """(H, W) matte of the person in a frame of a width and height."""
        return spread(self.cover[..., 0], self.box, size)

    def plate_at(self, own: NDArray[Any], hidden: F32, x: F32, y: F32) -> F32:
        """(h, w, C) the frame without the person at (h, w) positions in it.

        Args:
            own: (h, w, C) what the frame shows there.
            hidden: (h, w) where loose hair may be there, see ``covers``.
            x: positions.
            y: positions.
        """
        if not isinstance(self.plate, SoftFill):
            return sample(self.plate, x, y).astype(np.float32)
        left, top, right, bottom = self.box
        height, width = self.plate.colors.shape[:2]
        fill = sample(self.plate.colors, on_grid(x, left, right, width), on_grid(y, top, bottom, height))
        plate = toward(own, fill, hidden)
        return plate if own.dtype.kind != "f" else np.where(np.isfinite(own), plate, fill)

    def whole_plate(self, source: Frame) -> NDArray[Any]:
        """(H, W, C) the frame without the person, of its type."""
        if not isinstance(self.plate, SoftFill):
            return self.plate
        left, top, right, bottom = self.box
        part, size = (slice(top, bottom), slice(left, right)), (right - left, bottom - top)
        fill = enlarge(self.plate.colors, *size).reshape(size[1], size[0], -1)
        pixels = source.pixels.copy()
        if pixels.dtype.kind != "f":
            fill = np.clip(np.rint(fill), 0, np.iinfo(pixels.dtype).max)
        hidden = enlarge(np.ascontiguousarray(self.cover[..., 1]), *size)
        pixels[part] = laid(fill.astype(pixels.dtype), pixels[part], hidden)
        return pixels


class Layers(AbstractContextManager["Layers"], Protocol):
    """Gives the layer of every frame."""

    @property
    def memory(self) -> int:
        """Frames of a video before one that have a say in its layer."""
        ...

    def at(self, frame: Frame, face: Face | None, number: int) -> Layer | None:
        """The layer of a source frame; None where no person is known.

        Args:
            frame: of the source.
            face: that is animated; None where it is lost.
            number: of the frame in the source, for mattes and plates of the user; never goes back.
        """
        ...


def moved_person(layer: Layer, source: Frame, animation: Animation | None) -> F32:
    """(H, W) matte of the person in the result."""
    moved = layer.person(source.pixels.shape[1::-1])
    if animation is not None:
        left, top, right, bottom = animation.region
        x = np.arange(left, right, dtype=np.float32)[None, :] + animation.region_flow[..., 0]
        y = np.arange(top, bottom, dtype=np.float32)[:, None] + animation.region_flow[..., 1]
        covers = layer.covers(np.ascontiguousarray(x), np.ascontiguousarray(y))
        moved[top:bottom, left:right] = covers[..., 0]
    return moved


def over_plate(animation: Animation, source: Frame, layer: Layer) -> Animation:
    """The animation with its person over a background that stays.

    Where neither the source nor the result shows the person or the fringe, the source's bits come back, and the
    animation's matte and flow are 0. Where the result shows the plate, or person and plate mixed, the matte is below 1.

    Args:
        animation: as the engine drew it; its pixels are written to.
        source: the frame it was made of.
        layer: of that frame.
    """
    left, top, right, bottom = animation.region
    background, edges = _areas(animation, layer)
    places = np.flatnonzero(edges)
    if not len(places) and not background.any():
        return animation
    kept = ~background
    matte, flow = only(animation.region_matte, kept), only(animation.region_flow, kept)
    put(source.pixels[top:bottom, left:right], background, animation.pixels[top:bottom, left:right])
    weights, pixels = matte.reshape(-1), animation.pixels.reshape(-1, animation.pixels.shape[2])
    for start in range(0, len(places), _TOGETHER):
        some = _Places.of(places[start : start + _TOGETHER], animation)
        pixels[some.in_frame], is_free = _exchanged(some, animation, source, layer)
        old = weights.take(some.in_region)
        weights[some.in_region] = np.where(is_free, np.minimum(old, NOT_FROM_SOURCE), old)
    return replace(animation, region_matte=matte, region_flow=flow)


@dataclass(frozen=True)
class _Places:
    """(h, w) pixels of a region that are looked at together, one or the other of them again and again."""

    in_region: NDArray[np.intp]
    """Index in the region, row by row."""
    in_frame: NDArray[np.intp]
    """Index in the frame."""
    x: F32
    """Position in the frame."""
    y: F32

    @classmethod
    def of(cls, found: NDArray[np.intp], animation: Animation) -> _Places:
        """The pixels of (N,) indices in the region."""
        left, top, right, _ = animation.region
        places = np.resize(found, (-(-len(found) // _ROW), _ROW))
        rows = places // (right - left)
        columns = places - rows * (right - left) + left
        in_frame = (rows + top) * animation.pixels.shape[1] + columns
        return cls(places, in_frame, columns.astype(np.float32), (rows + top).astype(np.float32))


def _exchanged(
    places: _Places, animation: Animation, source: Frame, layer: Layer
) -> tuple[NDArray[Any], Mask]:
    """Some (h, w, C) pixels with the background that belongs there, and where they may differ from those drawn.

    See the formula; where only background is shown, it is that, and what came along besides where hair may be.
    """
    flow_x, flow_y = planes(animation.region_flow.reshape(-1, 2).take(places.in_region, axis=0))
    came_x, came_y = places.x + flow_x, places.y + flow_y
    moved, hair = planes(layer.covers(came_x, came_y))
    drawn, own = (
        one.reshape(-1, one.shape[2]).take(places.in_frame, axis=0)
        for one in (animation.pixels, source.pixels)
    )
    hidden = np.ascontiguousarray(layer.covers(places.x, places.y)[..., 1])
    here = layer.plate_at(own, hidden, places.x, places.y)
    there = layer.plate_at(drawn, hair, came_x, came_y)
    shown = exchanged(drawn, here, there, moved, np.minimum(hair * _HAIR, np.float32(1)))
    is_free = (moved < 1) & is_moved(flow_x, flow_y, _MOVED_PX)
    return changed(drawn, shown, is_free), is_free


def _areas(animation: Animation, layer: Layer) -> tuple[Mask, Mask]:
    """(h, w) of the region: where neither source nor result shows person or fringe, and where edges may be.

    What a coarse layer shows is as coarse, so that every fourth pixel and its neighbors say enough.
    """
    left, top, right, bottom = animation.region
    step = _STEP if layer.is_coarse else 1
    x = np.arange(left, right, step, dtype=np.float32)[None, :]
    y = np.arange(top, bottom, step, dtype=np.float32)[:, None]
    flow = animation.region_flow[::step, ::step]
    came = layer.covers(x + flow[..., 0], y + flow[..., 1])
    was = layer.covers(*(np.ascontiguousarray(np.broadcast_to(at, flow.shape[:2])) for at in (x, y)))
    is_shown = is_any(came, was)
    is_free = (came[..., 0] < 1) & is_moved(flow[..., 0], flow[..., 1], _MOVED_PX)
    if step > 1:
        is_shown, is_free = widened(is_shown, 1), widened(is_free, 1)
    size = right - left, bottom - top
    return blocks(~is_shown, step, size), blocks(is_shown & is_free, step, size)
