"""Color of a face: light, cast and saturation, and what is borrowed from one face fitted to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Frame

SKIN = np.array([205, 425, 50, 280, 199, 200, 164, 2])
"""Cheeks, chin and upper lip: where skin color is compared."""
POINTS = 468
"""Landmarks of the skin; the rest are those of the irises."""
LUMA = np.array([0.2126, 0.7152, 0.0722])
GAIN_RANGE = (0.45, 1.8)
"""Limits of the change of light."""
TINT = 0.35
"""Part of the change of cast that what is borrowed takes on: teeth are not skin."""
MOST_SATURATED = 1.25
"""Limit of the change of saturation."""
DARKEST = 16.0
"""Luma below which color says nothing, 8-bit codes."""

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class FaceTone:
    """Light and color of a face, from the 8-bit codes that are shown."""

    skin: F64
    """(3,) skin color around the mouth."""
    cast: F64
    """(3,) its color over its luma, minus 1: 0 for gray."""
    spread: float
    """Mean distance of the face's colors from the cast, in units of the luma: about 0 in a monochrome image."""


def face_tone(frame: Frame, points: NDArray[np.floating[Any]]) -> FaceTone:
    """The tone of a face with (478, 2 or 3) landmarks in pixels."""
    height, width = frame.pixels.shape[:2]
    x = np.clip(np.rint(points[:POINTS, 0]).astype(int), 0, width - 1)
    y = np.clip(np.rint(points[:POINTS, 1]).astype(int), 0, height - 1)
    colors = np.nan_to_num(frame.shown(frame.pixels[y, x, :3])).astype(np.float64) * 255
    skin = np.median(colors[SKIN], axis=0)
    cast = _chroma(skin)
    return FaceTone(skin, cast, float(np.abs(_chroma(colors) - cast).mean()))


def toned(content: NDArray[np.floating[Any]], tone: FaceTone, other: FaceTone) -> NDArray[np.float32]:
    """What is borrowed from a face, in the light, cast and saturation of another.

    Args:
        content: (..., 3) 8-bit codes.
        tone: the face that it is laid into.
        other: the face that it was taken from.

    Returns:
        (..., 3) 8-bit codes; gray where ``tone`` is gray, in its one hue where it is monochrome.
    """
    luma = (content @ LUMA)[..., None]
    share = min(tone.spread / max(other.spread, 1e-3), MOST_SATURATED)
    colored = min(share, 1.0)
    part = TINT * colored + (1 - colored)
    cast = part * (tone.cast - share * other.cast)
    level = np.clip(tone.skin @ LUMA / max(float(other.skin @ LUMA), 1.0), *GAIN_RANGE)
    return np.asarray(np.clip(level * (luma + share * (content - luma) + cast * luma), 0, 255), np.float32)


def _chroma(colors: NDArray[np.floating[Any]]) -> F64:
    """(..., 3) color over luma, minus 1; weighted by LUMA it sums to 0."""
    luma = (colors @ LUMA)[..., None]
    chroma: F64 = (colors - luma) / np.maximum(luma, DARKEST)
    return chroma
