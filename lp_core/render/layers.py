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
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Animation
from lp_core.faces.base import Face
from lp_core.frame import Box, Frame
from lp_core.geometry.background import changed, exchanged, is_moved, joined, planes, toward
from lp_core.geometry.fill import laid, widened
from lp_core.geometry.tiles import Tiles
from lp_core.geometry.warp import blocks, clear, enlarge, on_grid, put, sample, spread

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

NOT_FROM_SOURCE = np.float32(0.998)
"""Highest value of the result's matte where the image is not the source through the flow alone: not 1."""
_MOVED_PX = 1 / 64
"""A flow below this leaves a pixel where it is."""
_TOGETHER = 256
"""Tiles that are looked at together: few enough for a processor's cache."""
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

    def shows(self, x: F32, y: F32) -> Mask:
        """(h, w) whether person or loose hair may be at (h, w) positions in the frame."""
        return sample(self._either, *self._on_grid(x, y)) > 0

    def persons(self, x: F32, y: F32) -> F32:
        """(h, w) person at (h, w) positions in the frame."""
        return sample(self._person, *self._on_grid(x, y))

    def plate_at(self, own: F32, x: F32, y: F32) -> tuple[F32, F32]:
        """(C, h, w) the frame without the person at (h, w) positions in it, and (h, w) where loose hair may be there.

        Args:
            own: (C, h, w) what the frame shows there.
            x: positions.
            y: positions.
        """
        at = self._on_grid(x, y)
        if not isinstance(self.plate, SoftFill):
            return planes(sample(self.plate, x, y)), sample(self._fringe, *at)
        ground = planes(sample(self._ground, *at))
        fill, hidden = ground[:-1], ground[-1]
        plate = toward(own, fill, hidden)
        if not np.isfinite(plate).all():
            plate = np.where(np.isfinite(own), plate, fill)
        return plate, hidden

    @cached_property
    def _person(self) -> F32:
        return np.ascontiguousarray(self.cover[..., 0])

    @cached_property
    def _fringe(self) -> F32:
        return np.ascontiguousarray(self.cover[..., 1])

    @cached_property
    def _either(self) -> F32:
        """(h, w) above 0 where person or loose hair may be."""
        return np.maximum(self._person, self._fringe)

    @cached_property
    def _ground(self) -> F32:
        """(h, w, C + 1) what fills the frame, and where: one look finds both."""
        height, width = self.cover.shape[:2]
        colors = self.plate.colors if isinstance(self.plate, SoftFill) else self.plate
        return joined(enlarge(colors, width, height), self._fringe)

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
        moved[top:bottom, left:right] = layer.persons(np.ascontiguousarray(x), np.ascontiguousarray(y))
    return moved


def over_plate(animation: Animation, source: Frame, layer: Layer) -> Animation:
    """The animation with its person over a background that stays.

    Where neither the source nor the result shows the person or the fringe, the source's bits come back, and the
    animation's matte and flow are 0. Where the result shows the plate, or person and plate mixed, the matte is below 1.

    Args:
        animation: as the engine drew it; its arrays are written to.
        source: the frame it was made of.
        layer: of that frame.
    """
    left, top, right, bottom = animation.region
    background, edges, tiles = _areas(animation, layer)
    if not len(tiles) and not background.any():
        return animation
    part, own = (one.pixels[top:bottom, left:right] for one in (animation, source))
    put(own, background, part)
    matte = animation.region_matte
    seen = _Seen.of(tiles, animation, source, edges)
    is_free = np.zeros_like(seen.edges)
    for start in range(0, len(tiles), _TOGETHER):
        run = slice(start, start + _TOGETHER)
        is_free[run], shown = _exchanged(seen.run(run), layer)
        seen.drawn[run] = shown
    tiles.put(seen.drawn, part)
    clear(matte, background)
    clear(animation.region_flow, background)
    old = tiles.taken(matte)
    tiles.put(np.where(is_free, np.minimum(old, NOT_FROM_SOURCE), old), matte)
    return animation


@dataclass(frozen=True)
class _Seen:
    """(n, p) pixels of tiles of a region: copies."""

    x: F32
    """Position in the frame."""
    y: F32
    flow: F32
    """(n, p, 2)."""
    drawn: NDArray[Any]
    """(n, p, C) what the engine drew."""
    own: NDArray[Any]
    """(n, p, C) what the source shows."""
    edges: Mask
    """Where edges may be."""

    @classmethod
    def of(cls, tiles: Tiles, animation: Animation, source: Frame, edges: Mask) -> _Seen:
        left, top, right, bottom = animation.region
        drawn, own = (tiles.taken(one.pixels[top:bottom, left:right]) for one in (animation, source))
        flow = tiles.taken(animation.region_flow)
        return cls(*tiles.positions((left, top)), flow, drawn, own, tiles.taken(edges))

    def run(self, some: slice) -> _Seen:
        """The pixels of some tiles."""
        return _Seen(*(getattr(self, one.name)[some] for one in fields(self)))


def _exchanged(seen: _Seen, layer: Layer) -> tuple[Mask, NDArray[Any]]:
    """Where some (n, p) pixels may differ from those drawn, and they with the background that belongs there.

    See the formula; where only background is shown, it is that, and what came along besides where hair may be.
    """
    flow_x, flow_y = planes(seen.flow)
    came_x, came_y = seen.x + flow_x, seen.y + flow_y
    moved = layer.persons(came_x, came_y)
    drawn, own = planes(seen.drawn), planes(seen.own)
    here, _ = layer.plate_at(own, seen.x, seen.y)
    there, hair = layer.plate_at(drawn, came_x, came_y)
    shown = exchanged(drawn, here, there, moved, np.minimum(hair * _HAIR, np.float32(1)))
    is_free = seen.edges & (moved < 1) & is_moved(flow_x, flow_y, _MOVED_PX)
    return is_free, changed(seen.drawn, shown, is_free)


def _areas(animation: Animation, layer: Layer) -> tuple[Mask, Mask, Tiles]:
    """(h, w) of the region: where neither source nor result shows person or fringe; where edges may be; tiles of those.

    What a coarse layer shows is as coarse, so that every fourth pixel and its neighbors say enough.
    """
    left, top, right, bottom = animation.region
    step = _STEP if layer.is_coarse else 1
    flow_x, flow_y = planes(np.ascontiguousarray(animation.region_flow[::step, ::step]))
    x = np.broadcast_to(np.arange(left, right, step, dtype=np.float32), flow_x.shape)
    y = np.broadcast_to(np.arange(top, bottom, step, dtype=np.float32)[:, None], flow_x.shape)
    came = x + flow_x, y + flow_y
    is_shown = layer.shows(*came) | layer.shows(np.ascontiguousarray(x), np.ascontiguousarray(y))
    is_free = (layer.persons(*came) < 1) & is_moved(flow_x, flow_y, _MOVED_PX)
    if step > 1:
        is_shown, is_free = widened(is_shown, 1), widened(is_free, 1)
    size = right - left, bottom - top
    edges = is_shown & is_free
    return blocks(~is_shown, step, size), blocks(edges, step, size), Tiles.over(edges, step, size)
