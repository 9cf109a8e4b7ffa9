"""The person as a layer over the background: the background stays where the head moves, and shows where it has been.

Convention:
    Person mattes are (H, W) float32 on the source frame, 1 = person, 0 = background. Plates are frames of the source's
    shape, type and color state without the person.

Formula:
    An engine gives ``E(x) = S(x + f)``, the source through its flow ``f``: background bends with the head. With the
    matte ``a = A(x + f)`` of the moved person and the plate ``P``, a source pixel is ``F a + P (1 - a)``. Exchanging
    the background that came along for the one that belongs there gives ``E(x) + (1 - a) (P(x) - P(x + f))``, edges
    and hair included.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Animation
from lp_core.faces.base import Face
from lp_core.frame import Frame
from lp_core.geometry.warp import sample

F32 = NDArray[np.float32]

NOT_FROM_SOURCE = np.float32(0.998)
"""Highest value of the result's matte where the image is not the source through the flow alone: not 1."""
_MOVED_PX = 1 / 64
"""A flow below this leaves a pixel where it is."""


@dataclass(frozen=True)
class Layer:
    """What is known of a source frame besides its pixels."""

    person: F32
    """(H, W) matte of the person."""
    plate: NDArray[Any]
    """(H, W, C) the frame without the person, of its type and color state."""


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


def moved_person(layer: Layer, animation: Animation | None) -> F32:
    """(H, W) matte of the person in the result."""
    if animation is None:
        return layer.person
    left, top, right, bottom = animation.region
    moved = layer.person.copy()
    moved[top:bottom, left:right] = sample(layer.person, *_maps(animation))
    return moved


def over_plate(animation: Animation, source: Frame, layer: Layer) -> Animation:
    """The animation with its person over a background that stays.

    Where neither the source nor the result shows the person, the source's bits come back, and the animation's matte and
    flow are 0. Where the result shows the plate, or person and plate mixed, the matte is below 1.

    Args:
        animation: as the engine drew it.
        source: the frame it was made of.
        layer: of that frame.
    """
    left, top, right, bottom = animation.region
    part = slice(top, bottom), slice(left, right)
    maps = _maps(animation)
    moved = sample(layer.person, *maps)
    is_free = (moved < 1) & (np.abs(animation.region_flow).max(axis=-1) > _MOVED_PX)
    if not is_free.any():
        return animation
    pixels = animation.pixels.copy()
    pixels[part] = _exchanged(
        pixels[part], layer.plate, part, maps, np.where(is_free, 1 - moved, np.float32(0))
    )
    is_background = is_free & (moved == 0) & (layer.person[part] == 0)
    pixels[part][is_background] = source.pixels[part][is_background]
    matte = np.where(is_free, np.minimum(animation.region_matte, NOT_FROM_SOURCE), animation.region_matte)
    return replace(
        animation,
        pixels=pixels,
        region_matte=np.where(is_background, np.float32(0), matte),
        region_flow=np.where(is_background[..., None], np.float32(0), animation.region_flow),
    )


def _exchanged(
    drawn: NDArray[Any], plate: NDArray[Any], part: tuple[slice, slice], maps: tuple[F32, F32], weight: F32
) -> NDArray[Any]:
    """The region with the background that came along exchanged by (h, w) weight; see the formula above."""
    rows, columns = (np.flatnonzero(weight.any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    here = plate[part][box].astype(np.float32)
    there = sample(plate, *(np.ascontiguousarray(positions[box]) for positions in maps)).astype(np.float32)
    share = weight[box][..., None]
    mixed = drawn[box].astype(np.float32) + share * (here - there)
    mixed = np.where(share == 1, here, mixed)
    if drawn.dtype.kind != "f":
        mixed = np.clip(np.rint(mixed), 0, np.iinfo(drawn.dtype).max)
    result = drawn.copy()
    result[box] = np.where(share > 0, mixed.astype(drawn.dtype), drawn[box])
    return result


def _maps(animation: Animation) -> tuple[F32, F32]:
    """Positions (x), (y) in the source of every pixel of the region."""
    left, top, right, bottom = animation.region
    x = np.arange(left, right, dtype=np.float32)[None, :] + animation.region_flow[..., 0]
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + animation.region_flow[..., 1]
    return np.ascontiguousarray(x), np.ascontiguousarray(y)
