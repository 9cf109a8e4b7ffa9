"""Layers for a compositor: the head with its alpha, the plate without it, and what is in front of both.

``head`` over ``clean`` in linear light is the beauty; with ``occlusion`` what is in front is the beauty's already.

Convention:
    (H, W, C) float32 in the frame's own encoding, 1.0 = white; ``head`` is premultiplied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Frame

F32 = NDArray[np.float32]


def unit_colors(frame: Frame, pixels: NDArray[Any]) -> F32:
    """(H, W, 3) colors of a frame's pixels, 1.0 = white."""
    return np.asarray(pixels[..., :3].astype(np.float32) / np.float32(frame.white), np.float32)


def head_layer(frame: Frame, plate: NDArray[Any], person: F32) -> F32:
    """(H, W, 4) the person of a frame alone: what the plate shows through its edges is taken out.

    Args:
        frame: the result.
        plate: (H, W, C) the same without the person, of its type.
        person: (H, W) matte of the person in the result, 0..1.
    """
    alpha = person[..., None]
    colors = unit_colors(frame, frame.pixels)
    edge = (person > 0) & (person < 1)
    if edge.any():
        to_light, to_codes = (
            (lambda rgb: rgb, lambda rgb: rgb)
            if frame.encoding is None
            else (frame.encoding.to_linear, frame.encoding.from_linear)
        )
        share = person[edge][:, None]
        shown, behind = (to_light(one[edge]) for one in (colors, unit_colors(frame, plate)))
        light = np.maximum((shown - (1 - share) * behind) / share, 0)
        colors[edge] = to_codes(np.asarray(light, np.float32))
    return np.concatenate([np.where(alpha > 0, colors * alpha, 0), alpha], axis=2).astype(np.float32)
