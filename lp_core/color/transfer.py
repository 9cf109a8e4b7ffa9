"""Transfer curves between linear light and codes, as pure functions on arrays, and the shaper.

Convention:
    Arrays of any shape, float32 in and out; 1.0 is white. Every curve goes on below 0 as its mirror image and
    above 1 by its own formula, so that nothing is cut off; infinity and NaN stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Curve = Callable[[F32], F32]

WHITE_NITS = 203.0
"""Luminance of white in HDR videos (ITU-R BT.2408)."""
HLG_PEAK_NITS = 1000.0
HLG_GAMMA = 1.2
"""System gamma of HLG on a screen of HLG_PEAK_NITS (ITU-R BT.2100)."""

_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073


@dataclass(frozen=True)
class Transfer:
    """A curve and its inverse."""

    to_linear: Curve
    """Codes to linear light."""
    from_linear: Curve
    """Linear light to codes."""
    is_display: bool
    """True where codes look right on an ordinary screen as they are."""


def _mirrored(curve: Callable[[F64], F64], values: F32) -> F32:
    """The curve on magnitudes, signs kept; computed in float64, so that half floats come back to the bit."""
    with np.errstate(all="ignore"):  # infinity and NaN pass through
        wide = np.asarray(values, np.float64)
        return np.copysign(curve(np.abs(wide)), wide).astype(np.float32)


def _srgb_decode(x: F64) -> F64:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _srgb_encode(x: F64) -> F64:
    return np.where(x <= 0.04045 / 12.92, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def _power(exponent: float, x: F64) -> F64:
    raised: F64 = x**exponent
    return raised


def _pq_decode(x: F64) -> F64:
    root = np.minimum(x, 1.0) ** (1 / _PQ_M2)  # beyond 1 the formula has a pole
    nits = 10000 * (np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)) ** (1 / _PQ_M1)
    linear: F64 = nits / WHITE_NITS
    return np.where(np.isnan(x), x, linear)


def _pq_encode(x: F64) -> F64:
    powered = np.minimum(x * WHITE_NITS / 10000, 1.0) ** _PQ_M1
    code: F64 = ((_PQ_C1 + _PQ_C2 * powered) / (1 + _PQ_C3 * powered)) ** _PQ_M2
    return np.where(x == 0, 0.0, code)


def _hlg_decode(x: F64) -> F64:
    scene = np.where(x <= 0.5, x * x / 3, (np.exp((x - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    linear: F64 = scene**HLG_GAMMA * (HLG_PEAK_NITS / WHITE_NITS)
    return linear


def _hlg_encode(x: F64) -> F64:
    scene = (x * (WHITE_NITS / HLG_PEAK_NITS)) ** (1 / HLG_GAMMA)
    high = _HLG_A * np.log(np.maximum(12 * scene - _HLG_B, 1e-12)) + _HLG_C
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def _transfer(
    decode: Callable[[F64], F64], encode: Callable[[F64], F64], is_display: bool = True
) -> Transfer:
    return Transfer(partial(_mirrored, decode), partial(_mirrored, encode), is_display)


def _gamma(exponent: float) -> Transfer:
    return _transfer(partial(_power, exponent), partial(_power, 1 / exponent))


def _as_it_is(values: F32) -> F32:
    return np.asarray(values, np.float32)


LINEAR = Transfer(_as_it_is, _as_it_is, is_display=False)
SRGB = _transfer(_srgb_decode, _srgb_encode)
"""Also the shaper: what networks see of linear light, and the way back."""
BT1886 = _gamma(2.4)
"""How screens show videos that are tagged as BT.709 and its relatives."""

TRANSFERS: Mapping[str, Transfer] = {
    "linear": LINEAR,
    "iec61966-2-1": SRGB,
    **dict.fromkeys(
        ("bt709", "smpte170m", "smpte240m", "bt2020-10", "bt2020-12", "iec61966-2-4", "bt1361e"), BT1886
    ),
    "gamma22": _gamma(2.2),
    "gamma28": _gamma(2.8),
    "smpte428": _gamma(2.6),
    "smpte2084": _transfer(_pq_decode, _pq_encode, is_display=False),
    "arib-std-b67": _transfer(_hlg_decode, _hlg_encode, is_display=False),
}
"""H.273's words for a transfer characteristic -> curve. Others are taken for sRGB."""


def transfer_of(word: str) -> Transfer:
    """The curve of a transfer characteristic; sRGB for one without a table entry."""
    return TRANSFERS.get(word, SRGB)


def shaped8(linear: F32) -> NDArray[np.uint8]:
    """Linear light through the shaper in 8 bits, NaN as black; by a table over half floats: for whole images."""
    with np.errstate(over="ignore"):
        index = np.ascontiguousarray(linear, np.float32).astype(np.float16).view(np.uint16)
    return np.take(_table8(), index)


@cache
def _table8() -> NDArray[np.uint8]:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    shaped = np.nan_to_num(SRGB.from_linear(halves), posinf=1.0, neginf=0.0)
    return np.rint(np.clip(shaped, 0.0, 1.0) * 255).astype(np.uint8)
