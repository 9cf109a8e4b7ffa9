"""Several faces of one source: each drawn by a separate render from the untouched source, then laid together.

So a face of a cast looks as it does in a separate render. Where two faces meet, the larger one is taken for the
nearer and covers the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lp_core.color.alpha import mix
from lp_core.engines.base import Animation, Shading
from lp_core.frame import Box, united
from lp_core.render.passes import DrawnFrame, face_size

F32 = NDArray[np.float32]


def laid_together(casts: Sequence[Iterable[DrawnFrame]], names: Sequence[str]) -> Iterator[DrawnFrame]:
    """Frame after frame of the result.

    Args:
        casts: the frames of each face's render, of the same source frames; the first one's number of frames counts.
        names: of the faces, in that order; they name the layers of their mattes.
    """
    for drawn in zip(*casts, strict=False):
        yield together(drawn, names)


def together(drawn: Sequence[DrawnFrame], names: Sequence[str]) -> DrawnFrame:
    """One frame that shows every face as its own render drew it.

    Args:
        drawn: the same frame of the source with one face animated each.
        names: of the faces.

    Returns:
        The frame; its matte and flow are those of all faces, its confidence is the lowest.
    """
    # What the engine drew, with what came after it: the mark.
    shown = [one.animation and replace(one.animation, pixels=one.frame.pixels) for one in drawn]
    held = [one.held for one in drawn if one.held is not None]
    first = replace(
        drawn[0],
        confidence=min(one.confidence for one in drawn),
        faces=tuple(zip(names, shown, strict=True)),
        held=np.maximum.reduce(held) if held else None,
    )
    farthest_first = sorted((animation for animation in shown if animation is not None), key=face_size)
    if not farthest_first:
        return first
    whole = farthest_first[0]
    for nearer in farthest_first[1:]:
        whole = _over(whole, nearer, first)
    return replace(first, frame=replace(first.frame, pixels=whole.pixels), animation=whole)


def _over(far: Animation, near: Animation, like: DrawnFrame) -> Animation:
    """The nearer face over the farther one; alone, each has the bits of a separate render."""
    region = united(far.region, near.region)
    far_matte, near_matte = _part(far, far.region_matte, region), _part(near, near.region_matte, region)
    seen_far = far_matte * (1 - near_matte)
    share = np.divide(near_matte, near_matte + seen_far, out=np.zeros_like(near_matte), where=near_matte > 0)
    left, top, right, bottom = region
    part = slice(top, bottom), slice(left, right)
    pixels = far.pixels.copy()
    pixels[part] = mix(far.pixels[part], near.pixels[part], share, like.frame.alpha, like.frame.encoding)
    flows = _part(far, far.region_flow, region), _part(near, near.region_flow, region)
    return replace(
        far,
        pixels=pixels,
        region=region,
        region_matte=np.maximum(far_matte, near_matte),
        region_flow=np.where((share > 0.5)[..., None], flows[1], flows[0]),
        crop=None,
        shading=_shading_over(far, near, share, region),
    )


def _shading_over(far: Animation, near: Animation, share: F32, region: Box) -> Shading | None:
    if far.shading is None and near.shading is None:
        return None
    factors = [
        1 + _part_of(one.shading.region, one.shading.factor - 1, region) if one.shading else np.float32(1)
        for one in (far, near)
    ]
    return Shading(region, np.asarray(factors[0] + share * (factors[1] - factors[0]), np.float32))


def _part(animation: Animation, values: F32, region: Box) -> F32:
    """A region's values within a larger region, 0 around them."""
    return _part_of(animation.region, values, region)


def _part_of(own: Box, values: F32, region: Box) -> F32:
    left, top, right, bottom = own
    whole = np.zeros((region[3] - region[1], region[2] - region[0], *values.shape[2:]), np.float32)
    whole[top - region[1] : bottom - region[1], left - region[0] : right - region[0]] = values
    return whole
