"""Finding the invisible mark of ``watermark`` again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.provenance.codeword import CODE_BITS, decode, encode
from lp_core.provenance.watermark import F32, F64, HIGHEST, REPEATS, Waves, box_mean, waves

LEAST_SCORE = 6.0
"""Standard deviations by which the waves that tell the place must agree; see docs/provenance.md."""
LEAST_AGREEMENT = 0.75
"""Mean agreement of the code's waves over that of the waves that tell the place."""
MOST_FRAMES = 240
"""Frames looked at: more tell little new."""
_SIDE = 360
"""Pixels of the shorter side that are enough; larger pictures are reduced by whole numbers."""
_PERIODS = np.geomspace(0.80, 1.30, 131)
"""Period of the pattern over the expected one: 1 unless the frame was cropped or padded."""
_SHIFTS = 64
"""Places tried along each axis of a repeat."""
_STILL = 9.0
"""Variance over time, in squared 8-bit steps, at which a pixel counts as half moving."""


@dataclass(frozen=True)
class Detection:
    """What was found."""

    number: int | None
    """The 32 bits; None where there is no mark."""
    score: float
    """How far the waves that tell the place agree, in standard deviations of chance."""
    frames: int
    """Frames looked at."""


def detect(frames: Iterable[NDArray[np.uint8]]) -> Detection:
    """Looks for a mark in the frames of a film.

    Args:
        frames: (H, W, 3) RGB, all of one size; the first MOST_FRAMES are read.
    """
    gathered = _Gathered()
    for frame in frames:
        gathered.add(frame)
        if gathered.count == MOST_FRAMES:
            break
    if not gathered.count:
        return Detection(None, 0.0, 0)
    form, best = waves(), Detection(None, 0.0, gathered.count)
    for residual in gathered.residuals():
        score, soft = _search(residual, form)
        number = _number(score, soft, form) if score >= LEAST_SCORE else None
        if number is not None or (best.number is None and score > best.score):
            best = Detection(number, score, gathered.count)
        if number is not None:
            break
    return best


def _number(score: float, soft: F64, form: Waves) -> int | None:
    """The number of the soft bits, if its code agrees with them as the place does with its waves.

    A wrong number decoded by chance differs in many bits from what was found, so its agreement is much less.
    """
    number = decode(soft)
    if number is None:
        return None
    place_waves = int((form.bit < 0).sum())
    expected = score * np.sqrt(place_waves / 2) / place_waves
    agreement = float(encode(number) @ soft) / (len(form.bit) - place_waves)
    return number if agreement >= LEAST_AGREEMENT * expected else None


class _Gathered:
    """Sums over the frames of a film."""

    def __init__(self) -> None:
        self.count = 0
        self._mark: F64 | None = None
        self._light: F64 | None = None
        self._square: F64 | None = None

    def add(self, frame: NDArray[np.uint8]) -> None:
        """One more frame."""
        luma = _reduced(frame)
        radius = round(min(luma.shape) / REPEATS / 8)
        fine = luma - box_mean(luma, radius)
        mark = fine / (box_mean(np.abs(fine), radius) + 2)
        mark = np.clip(mark, -3, 3)
        if self._mark is None:
            self._mark, self._light, self._square = (np.zeros(luma.shape) for _ in range(3))
        self._mark += mark
        self._light += luma
        self._square += luma.astype(np.float64) ** 2
        self.count += 1

    def residuals(self) -> list[F64]:
        """What stays in place: everywhere, and with weight on what moves, where the mark is."""
        mark = self._mark / self.count
        variance = self._square / self.count - (self._light / self.count) ** 2
        moving = box_mean(np.maximum(variance, 0).astype(np.float32), 4)
        return [mark] if self.count < 4 else [mark * (moving / (moving + _STILL)), mark]


def _reduced(frame: NDArray[np.uint8]) -> F32:
    luma = frame.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    factor = max(min(luma.shape) // _SIDE, 1)
    height, width = (size // factor * factor for size in luma.shape)
    parts = luma[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return parts.mean(axis=(1, 3), dtype=np.float32)


def _search(residual: F64, form: Waves) -> tuple[float, F64]:
    """(score, soft bits) of the best period and place."""
    best, soft = 0.0, np.zeros(CODE_BITS)
    sync = form.bit < 0
    steps = np.exp(2j * np.pi * np.arange(-HIGHEST, HIGHEST + 1)[:, None] * np.arange(_SHIFTS) / _SHIFTS)
    for ratio in _PERIODS:
        period = min(residual.shape) / REPEATS * ratio
        found = _amplitudes(residual, form, period) * np.exp(-1j * form.phase)
        found = found / np.maximum(np.abs(found), 1e-12)
        table = np.zeros((2 * HIGHEST + 1, 2 * HIGHEST + 1), np.complex128)
        table[form.y[sync] + HIGHEST, form.x[sync] + HIGHEST] = found[sync]
        agreement = (steps.T @ table @ steps).real
        place = np.unravel_index(agreement.argmax(), agreement.shape)
        score = float(agreement[place] / np.sqrt(sync.sum() / 2))
        if score > best:
            turned = found * np.exp(2j * np.pi * (form.y * place[0] + form.x * place[1]) / _SHIFTS)
            bearing = ~sync
            soft = np.bincount(form.bit[bearing], turned.real[bearing], CODE_BITS)
            best = score
    return best, soft


def _amplitudes(residual: F64, form: Waves, period: float) -> NDArray[np.complex128]:
    """(N,) complex amplitude of each wave at one period, for any period: a Fourier sum, axis by axis."""
    height, width = residual.shape
    along_x = np.exp(-2j * np.pi * np.outer(np.arange(width), np.arange(HIGHEST + 1)) / period)
    along_y = np.exp(-2j * np.pi * np.outer(np.arange(-HIGHEST, HIGHEST + 1), np.arange(height)) / period)
    table = along_y @ (residual @ along_x)
    amplitudes: NDArray[np.complex128] = table[form.y + HIGHEST, form.x]
    return amplitudes
