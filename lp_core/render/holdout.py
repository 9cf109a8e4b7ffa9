"""What a matte protects stays the source's: mixed in linear light, without fringes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.color.alpha import mix
from lp_core.frame import Frame
from lp_core.render.passes import DrawnFrame

F32 = NDArray[np.float32]


class Protection(AbstractContextManager["Protection"], Protocol):
    """Gives the matte of every frame."""

    def at(self, index: int) -> F32:
        """(H, W) 0..1, 1 = protected, of a frame of the source; indices never go back."""
        ...


def protected(drawn: DrawnFrame, source: Frame, matte: F32) -> DrawnFrame:
    """The drawn image with the source where the matte is.

    Where it is 1 the source's bits come back; matte and flow of the animation follow, so that passes stay true:
    a flow has no halves, so it is 0 where the matte is above one half.

    Args:
        drawn: the image as the engine drew it.
        source: the frame it was made of.
        matte: (H, W) 0..1.
    """
    animation = drawn.animation
    if animation is None or not matte.any():
        return drawn
    left, top, right, bottom = animation.region
    part = slice(top, bottom), slice(left, right)
    kept = matte[part]
    pixels = source.pixels.copy()  # the engine may have drawn from a frame without what is held
    pixels[part] = mix(drawn.frame.pixels[part], pixels[part], kept, source.alpha, source.encoding)
    shown = replace(
        animation,
        pixels=pixels,
        region_matte=animation.region_matte * (1 - kept),
        region_flow=np.where((kept > 0.5)[..., None], np.float32(0), animation.region_flow),
    )
    return replace(drawn, frame=replace(drawn.frame, pixels=pixels), animation=shown, held=matte)
