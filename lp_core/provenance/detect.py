"""Finding the invisible mark of ``watermark`` again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lp_core.provenance.watermark import F32, F64, HIGHEST, LUMA, REPEATS, Waves, box_mean, waves
from lp_core.provenance.watermark_code import CODE_BITS, decode, encode

LEAST_SCORE = 6.0
"""Standard deviations by which the waves that mark the place must agree; see docs/provenance.md."""
LEAST_AGREEMENT = 0.75
"""Agreement of the code's waves over what the waves that mark the place let expect."""
MOST_FRAMES = 240
"""Frames looked at: more tell little new."""
_SIDE = 480
"""Pixels of the shorter side that are enough; larger images are reduced by whole numbers."""
_PERIODS = np.geomspace(0.85, 1.20, 101)
"""Period of the pattern over the expected one: 1 unless the frame was cropped or padded."""
_SHIFTS = 64
"""Places tried along each axis of a repeat."""
_STILL = 9.0
"""Variance over time, in squared 8-bit steps, at which a pixel counts as half moving."""


@dataclass(frozen=True)
class WatermarkDetection:
    """What was found."""

    number: int | None
    """The 32 bits; None where there is no mark."""
    score: float
    """How far the waves that mark the place agree, in standard deviations of chance."""
    frames: int
    """Frames looked at."""


def detect(frames: Iterable[NDArray[np.uint8]]) -> WatermarkDetection:
    """Looks for a mark in the frames of a video.

    Args:
        frames: (H, W, 3) RGB, all of one size; the first MOST_FRAMES are read.
    """
    gathered = _Gathered()
    for frame in frames:
        gathered.add(frame)
        if gathered.count == MOST_FRAMES:
            break
    if not gathered.count:
        return WatermarkDetection(None, 0.0, 0)
    form, found = waves(), list[WatermarkDetection]()
    for residual, repeats in product(gathered.residuals(), REPEATS):
        score, agreement = _search(residual, form, min(residual.shape) / repeats)
        number = _number(agreement, form) if score >= LEAST_SCORE else None
        found.append(WatermarkDetection(number, score, gathered.count))
        if number is not None:
            break
    return max(found, key=lambda one: (one.number is not None, one.score))


def _number(agreement: F64, form: Waves) -> int | None:
    """The number that the code's waves bear, if they agree with it as the others do with the place.

    Each wave counts by how well those of its length that mark the place have survived: a codec takes the short
    ones first. A wrong number decoded by chance differs in many bits from what was found and agrees much less.

    Args:
        agreement: (N,) cosine between each wave as found, in its place, and as made for a positive bit.
        form: the waves.
    """
    places, radius = form.bit < 0, np.hypot(form.x, form.y)
    near = np.exp(-0.5 * (radius[:, None] - radius[None, places]) ** 2)
    trust = np.maximum(near @ agreement[places] / near.sum(axis=1), 0.02)[~places]
    soft = np.bincount(form.bit[~places], trust * agreement[~places], CODE_BITS).astype(np.float64)
    number = decode(soft)
    if number is None or encode(number) @ soft < LEAST_AGREEMENT * (trust**2).sum():
        return None
    return number


class _Gathered:
    """Sums over the frames of a video."""

    def __init__(self) -> None:
        self.count = 0
        self._sums = np.zeros((3, 1, 1))  # mark, brightness, its square

    def add(self, frame: NDArray[np.uint8]) -> None:
        """One more frame."""
        small = _reduced(frame)
        luma = small @ LUMA
        blue = small[..., 2] - luma
        radius = round(min(luma.shape) / 24)
        fine = blue - box_mean(blue, radius)
        mark = np.clip(fine / (box_mean(np.abs(fine), radius) + 1), -3, 3)
        self._sums = self._sums + np.stack([mark, luma, luma.astype(np.float64) ** 2])
        self.count += 1

    def residuals(self) -> list[F64]:
        """What stays in place: everywhere, and with weight on what moves, where the mark is."""
        mark, light, square = self._sums / self.count
        variance = np.maximum(square - light**2, 0).astype(np.float32)
        moving = box_mean(variance, 4)
        return [mark] if self.count < 4 else [mark * (moving / (moving + _STILL)), mark]


def _reduced(frame: NDArray[np.uint8]) -> F32:
    factor = max(min(frame.shape[:2]) // _SIDE, 1)
    height, width = (size // factor * factor for size in frame.shape[:2])
    parts = frame[:height, :width].reshape(height // factor, factor, width // factor, factor, 3)
    means: F32 = parts.mean(axis=(1, 3), dtype=np.float32)
    return means


def _search(residual: F64, form: Waves, expected: float) -> tuple[float, F64]:
    """(score, agreement of each wave with a positive bit) of the best place and period near one."""
    best, agreed = 0.0, np.zeros(len(form.bit))
    sync = form.bit < 0
    steps = np.exp(2j * np.pi * np.arange(-HIGHEST, HIGHEST + 1)[:, None] * np.arange(_SHIFTS) / _SHIFTS)
    for ratio in _PERIODS:
        found = _amplitudes(residual, form, expected * ratio) * np.exp(-1j * form.phase)
        found = found / np.maximum(np.abs(found), 1e-12)
        table = np.zeros((2 * HIGHEST + 1, 2 * HIGHEST + 1), np.complex128)
        table[form.y[sync] + HIGHEST, form.x[sync] + HIGHEST] = found[sync]
        fits = (steps.T @ table @ steps).real
        place = np.unravel_index(fits.argmax(), fits.shape)
        score = float(fits[place] / np.sqrt(sync.sum() / 2))
        if score > best:
            turned = found * np.exp(2j * np.pi * (form.y * place[0] + form.x * place[1]) / _SHIFTS)
            best, agreed = score, turned.real
    return best, agreed


def _amplitudes(residual: F64, form: Waves, period: float) -> NDArray[np.complex128]:
    """(N,) complex amplitude of each wave at one period, for any period: a Fourier sum, axis by axis."""
    height, width = residual.shape
    along_x = np.exp(-2j * np.pi * np.outer(np.arange(width), np.arange(HIGHEST + 1)) / period)
    along_y = np.exp(-2j * np.pi * np.outer(np.arange(-HIGHEST, HIGHEST + 1), np.arange(height)) / period)
    table = along_y @ (residual @ along_x)
    amplitudes: NDArray[np.complex128] = table[form.y + HIGHEST, form.x]
    return amplitudes
