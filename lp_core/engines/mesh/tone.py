"""Color of a face: light, cast and saturation, and what is borrowed from one face fitted to another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
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
FINEST = 0.42
"""Median absolute difference to a blur of sigma 1 of white noise of standard deviation 1."""
LARGEST_PX = 128
"""Side of what is looked at for grain."""
LEAST_GRAIN, MOST_GRAIN = 0.5, 5.0
"""Grain, 8-bit codes, below which none is added, and beyond which texture is strokes of a brush."""
BLACK_PERCENT, BLACK_SIDE, BLACK_SHARE = 0.5, 64, 0.5
"""The darkest percentage of a face gives its black level; it is read from at most so many rows and
columns, and is at most this share of the skin's light."""
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
    grain: float = 0.0
    """Standard deviation of the finest texture in the middle of the face, 8-bit codes."""
    black: float = 0.0
    """Luma of the darkest of the face, 8-bit codes: well above 0 in a faded photo or a painting."""


def face_tone(frame: Frame, points: NDArray[np.floating[Any]]) -> FaceTone:
    """The tone of a face with (478, 2 or 3) landmarks in pixels."""
    height, width = frame.pixels.shape[:2]
    x = np.clip(np.rint(points[:POINTS, 0]).astype(int), 0, width - 1)
    y = np.clip(np.rint(points[:POINTS, 1]).astype(int), 0, height - 1)
    colors = np.nan_to_num(frame.shown(frame.pixels[y, x, :3])).astype(np.float64) * 255
    skin = np.median(colors[SKIN], axis=0)
    cast = _chroma(skin)
    spread = float(np.abs(_chroma(colors) - cast).mean())
    black = min(_black(frame, x, y), BLACK_SHARE * float(skin @ LUMA))
    return FaceTone(skin, cast, spread, _grain(frame, x, y), black)


def _black(frame: Frame, x: NDArray[np.intp], y: NDArray[np.intp]) -> float:
    """Luma of the darkest between (P,) landmarks; nostrils, lashes and pupils give it."""
    rows, columns = (slice(at.min(), at.max() + 1, max(int(np.ptp(at)) // BLACK_SIDE, 1)) for at in (y, x))
    shown = np.clip(np.nan_to_num(frame.shown(frame.pixels[rows, columns, :3])), 0, 1).astype(np.float64)
    return float(np.percentile(shown @ LUMA, BLACK_PERCENT)) * 255


def _grain(frame: Frame, x: NDArray[np.intp], y: NDArray[np.intp]) -> float:
    """Of the middle of the face at (P,) landmarks; the median looks past what has edges."""
    middle = int(np.median(x)), int(np.median(y))
    half = min(int(np.ptp(x)) // 4, LARGEST_PX // 2) + 2
    rows = slice(max(middle[1] - half, 0), middle[1] + half)
    columns = slice(max(middle[0] - half, 0), middle[0] + half)
    shown = np.clip(np.nan_to_num(frame.shown(frame.pixels[rows, columns, :3])), 0, 1) * np.float32(255)
    luma = (shown @ LUMA.astype(np.float32)).astype(np.float32)
    return float(np.median(np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.0)))) / FINEST


def grained(
    content: NDArray[np.float32], corner: tuple[int, int], tone: FaceTone, other: FaceTone, scale: float
) -> NDArray[np.float32]:
    """What is borrowed from a face, with as much grain as the other: always the same at the same place.

    Args:
        content: (h, w, 3) 8-bit codes.
        corner: (x, y) of its first pixel.
        tone: the face that it is laid into.
        other: the face that it was taken from.
        scale: pixels of the one face per pixel of the other; what is enlarged has lost its grain.
    """
    has = other.grain * min(1.0, 1.0 / max(scale, 1e-3)) ** 2
    missing = float(np.sqrt(max(min(tone.grain, MOST_GRAIN) ** 2 - has**2, 0.0)))
    if missing < LEAST_GRAIN:
        return content
    noise = _noise()
    rows = np.arange(corner[1], corner[1] + content.shape[0]) % len(noise)
    columns = np.arange(corner[0], corner[0] + content.shape[1]) % len(noise)
    grain = noise[np.ix_(rows, columns)] * np.float32(missing)
    return np.asarray(np.clip(content + grain[..., None], 0, 255), np.float32)


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.float32]:
    """(N, N) of standard deviation 1, a little soft as video and sensors are."""
    noise = np.random.default_rng(20).normal(size=(LARGEST_PX, LARGEST_PX)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 0.6, borderType=cv2.BORDER_REFLECT)
    return np.asarray(soft / soft.std(), np.float32)


def toned(content: NDArray[np.floating[Any]], tone: FaceTone, other: FaceTone) -> NDArray[np.float32]:
    """What is borrowed from a face, in the light, black level, cast and saturation of another.

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
    # Skin comes to skin, and black to black.
    level = np.clip(
        (tone.skin @ LUMA - tone.black) / max(float(other.skin @ LUMA - other.black), 1.0), *GAIN_RANGE
    )
    matched = luma + (tone.black - level * other.black) / level
    colored_luma = matched * (1 + cast) + share * (content - luma)
    return np.asarray(np.clip(level * colored_luma, 0, 255), np.float32)


def _chroma(colors: NDArray[np.floating[Any]]) -> F64:
    """(..., 3) color over luma, minus 1; weighted by LUMA it sums to 0."""
    luma = (colors @ LUMA)[..., None]
    chroma: F64 = (colors - luma) / np.maximum(luma, DARKEST)
    return chroma
