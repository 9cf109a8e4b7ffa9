"""Premultiplied and straight alpha, and mixing without fringes.

Convention:
    Colors (..., 4) float32 RGBA, alpha 0..1. Premultiplied: color is already weighted by alpha, so color
    without alpha (a glow) is allowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.frame import AlphaState, Encoding

F32 = NDArray[np.float32]


def premultiply(straight: F32) -> F32:
    """Straight -> premultiplied."""
    return np.concatenate([straight[..., :3] * straight[..., 3:], straight[..., 3:]], axis=-1)


def unpremultiply(premultiplied: F32) -> F32:
    """Premultiplied -> straight; where alpha is 0 the color stays as it is."""
    alpha = premultiplied[..., 3:]
    divisor = np.where(alpha == 0, np.float32(1), alpha)
    return np.concatenate([premultiplied[..., :3] / divisor, alpha], axis=-1)


def mix(
    low: NDArray[Any],
    high: NDArray[Any],
    weight: F32,
    alpha: AlphaState = "straight",
    encoding: Encoding | None = None,
) -> NDArray[Any]:
    """Two images mixed in linear light and premultiplied, so that an edge has neither dark nor bright fringe.

    Args:
        low: (..., 3 or 4), shown where the weight is 0; uint8, uint16 or float32.
        high: the same shape and type, shown where it is 1.
        weight: (...) 0..1.
        alpha: state of both.
        encoding: of both; None: the codes are taken for linear light.

    Returns:
        A new array of the same type; where the weight is exactly 0 or 1, or both are alike, the bits of the
        image shown.
    """
    result = np.where((weight >= 1)[..., None], high, low)
    between = (weight > 0) & (weight < 1) & (low != high).any(axis=-1)
    if not between.any():
        return result
    white = np.float32(1 if low.dtype.kind == "f" else np.iinfo(low.dtype).max)
    a, b = (_to_light(picture[between], white, alpha, encoding) for picture in (low, high))
    share = weight[between][:, None].astype(np.float32)
    mixed = _from_light(a * (1 - share) + b * share, white, alpha, encoding)
    if low.dtype.kind != "f":
        mixed = np.clip(np.rint(mixed), 0, white)
    result[between] = mixed.astype(low.dtype)
    return result


def _to_light(codes: NDArray[Any], white: np.float32, alpha: AlphaState, encoding: Encoding | None) -> F32:
    light = codes.astype(np.float32) / white
    if encoding is not None:
        light[..., :3] = encoding.to_linear(light[..., :3])
    return premultiply(light) if light.shape[-1] == 4 and alpha == "straight" else light


def _from_light(light: F32, white: np.float32, alpha: AlphaState, encoding: Encoding | None) -> F32:
    if light.shape[-1] == 4 and alpha == "straight":
        light = unpremultiply(light)
    if encoding is not None:
        light[..., :3] = encoding.from_linear(light[..., :3])
    return np.asarray(light * white, np.float32)
