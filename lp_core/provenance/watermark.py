"""An invisible mark inside the matte: 32 bits as a faint pattern that stays still in the frame.

The pattern repeats every third, fifth or eighth of the frame's shorter side, by the matte's size, so a resize
changes nothing that the detector must guess and a crop only shifts it. It is a sum of waves of 4 to 16 periods a
repeat: coarse enough for H.264 and for half the size. It changes blue against yellow and leaves the brightness
alone, because that is where the eye sees patterns of this size least and where skin has the least texture. A third
of the waves is always the same and marks where the pattern is, the others bear the code. This is spread spectrum
in the frequency domain (Cox et al. 1997) with the repeated tile of Kalker et al. (1999) for synchronisation.

The pattern is not a secret: anyone who has this program can find the mark and, with effort, remove it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Box, Frame
from lp_core.provenance.watermark_code import CODE_BITS, encode

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

REPEATS = (3, 5, 8)
"""Repeats of the pattern along the frame's shorter side: the fewest whose period fits well into the matte."""
_FITS = 0.9
"""Period over the matte's extent that fits well."""
LOWEST, HIGHEST = 4, 16
"""Periods of the waves in one repeat."""
STRENGTH = 2.5
"""Root mean square of the mark inside the matte, in 8-bit steps: 40.1 dB."""
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Brightness of R, G, B (BT.709)."""
_BLUE = np.array([-0.0778, -0.0778, 1.0], np.float32) / np.float32(0.5808)
"""R, G, B of a step from yellow towards blue: brightness 0, root mean square 1."""
_SEED = 0x1F5EED
_SYNC_SHARE = 3
"""Every third wave marks the place."""
_CALM, _BUSY = 0.6, 1.6
"""The mark in smooth and in busy parts, relative to its mean."""
_ACTIVITY = 6.0
"""Mean deviation from the surroundings, in 8-bit steps, at which a part counts as half busy."""


@dataclass(frozen=True)
class Waves:
    """The waves of the pattern, one half of the plane."""

    x: NDArray[np.int64]
    """(N,) periods along x in one repeat."""
    y: NDArray[np.int64]
    """(N,) periods along y."""
    phase: F64
    """(N,) radians at the frame's top-left corner, for a positive bit."""
    bit: NDArray[np.int64]
    """(N,) code bit that the wave bears; -1 where it marks the place."""


def waves() -> Waves:
    """The waves, always the same."""
    rng = np.random.default_rng(_SEED)
    y, x = np.mgrid[-HIGHEST : HIGHEST + 1, 0 : HIGHEST + 1]
    radius = np.hypot(x, y)
    chosen = (radius >= LOWEST) & (radius <= HIGHEST) & ((x > 0) | (y > 0))
    x, y = x[chosen], y[chosen]
    order = rng.permutation(len(x))
    bit = np.full(len(x), -1)
    bearing = order[np.arange(len(x)) % _SYNC_SHARE != 0]
    bit[bearing] = np.arange(len(bearing)) % CODE_BITS
    return Waves(x, y, rng.uniform(0, 2 * np.pi, len(x)), bit)


def repeats_for(matte: F32, width: int, height: int) -> int:
    """One of REPEATS for a frame, by its own matte alone: chunks of a video know nothing of each other."""
    extent = float(np.sqrt(np.count_nonzero(matte)))
    fitting = (repeats for repeats in REPEATS if min(width, height) / repeats <= _FITS * extent)
    return next(fitting, REPEATS[-1])


def pattern(number: int, width: int, height: int, repeats: int) -> F32:
    """(height, width) the pattern of a number, mean 0, root mean square 1."""
    form, code = waves(), encode(number)
    sign = np.where(form.bit < 0, 1.0, code[form.bit])
    period = min(width, height) / repeats
    table = np.zeros((2 * HIGHEST + 1, HIGHEST + 1), np.complex128)
    table[form.y + HIGHEST, form.x] = sign * np.exp(1j * form.phase)
    along_y = np.exp(2j * np.pi * np.outer(np.arange(height), np.arange(-HIGHEST, HIGHEST + 1)) / period)
    along_x = np.exp(2j * np.pi * np.outer(np.arange(HIGHEST + 1), np.arange(width)) / period)
    whole = (along_y @ table @ along_x).real * np.sqrt(2 / len(sign))
    result: F32 = whole.astype(np.float32)
    return result


@dataclass(frozen=True)
class Marker:
    """Marks the frames of one result; all of them have one size."""

    number: int
    """0 to 2**32 - 1."""
    width: int
    """Of the frames, in pixels."""
    height: int
    """Of the frames, in pixels."""

    @cached_property
    def _patterns(self) -> dict[int, F32]:
        return {}

    def _pattern(self, repeats: int) -> F32:
        if repeats not in self._patterns:
            self._patterns[repeats] = pattern(self.number, self.width, self.height, repeats)
        return self._patterns[repeats]

    def __call__(self, frame: Frame, matte: F32, region: Box) -> Frame:
        """The frame with the mark inside the matte; outside it every pixel stays.

        Args:
            frame: (H, W, 3 or 4) of any of the frame's types; float32 is taken for scene-linear.
            matte: (h, w) of the region, 0..1.
            region: where the matte is.
        """
        left, top, right, bottom = region
        if right <= left or bottom <= top or not matte.any():
            return frame
        pixels = frame.pixels.copy()
        part = pixels[top:bottom, left:right, :3]
        whole = self._pattern(repeats_for(matte, self.width, self.height))
        mark = whole[top:bottom, left:right] * _form(part, matte)
        mark *= STRENGTH / max(float(np.sqrt(np.mean(mark[matte > 0] ** 2))), 1e-6)
        part[...] = _added(part, mark[..., None] * _BLUE)
        return replace(frame, pixels=pixels)


def box_mean(values: F32, radius: int) -> F32:
    """(H, W) means over squares of 2 * radius + 1 pixels, cut off at the edges."""
    for axis in (0, 1):
        size = values.shape[axis]
        sums = np.concatenate([np.zeros_like(values.take([0], axis)), values.cumsum(axis, np.float64)], axis)
        low = np.maximum(np.arange(size) - radius, 0)
        high = np.minimum(np.arange(size) + radius + 1, size)
        count = (high - low).reshape((-1, 1) if axis == 0 else (1, -1))
        values = ((sums.take(high, axis) - sums.take(low, axis)) / count).astype(np.float32)
    return values


def _form(part: NDArray[Any], matte: F32) -> F32:
    """(h, w) relative amplitude: less where the image is smooth, none outside the matte."""
    luma: F32 = _as_codes(part) @ LUMA
    activity = box_mean(np.abs(luma - box_mean(luma, 3)), 6)
    return np.asarray((_CALM + (_BUSY - _CALM) * activity / (activity + _ACTIVITY)) * matte, np.float32)


def _as_codes(part: NDArray[Any]) -> F32:
    if part.dtype == np.uint8:
        return part.astype(np.float32)
    if part.dtype == np.uint16:
        return part.astype(np.float32) / np.float32(257)
    return np.asarray(np.clip(np.nan_to_num(part), 0, 1) ** (1 / 2.2) * 255, np.float32)


def _added(part: NDArray[Any], mark: F32) -> NDArray[Any]:
    """The pixels with a mark in 8-bit steps; whole numbers are rounded once, light keeps its sign and range."""
    if np.issubdtype(part.dtype, np.integer):
        top = np.iinfo(part.dtype).max
        step = np.float32(top / 255)
        return np.asarray(np.clip(np.rint(part.astype(np.float32) + mark * step), 0, top), part.dtype)
    slope = 2.2 * np.clip(part, 0, 1) ** (1.2 / 2.2)  # of the display curve: the same step to the eye
    return np.asarray(part + slope * mark / np.float32(255), part.dtype)
