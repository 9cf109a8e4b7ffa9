"""What the ear hears in a sound: logarithmic mel bands, loudness and pitch, each 10 ms."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

RATE = 16000
"""Samples per second of all sound that is analyzed."""
TICK = 160
"""Samples per tick: 10 ms."""
TICKS_PER_S = RATE // TICK
BANDS = 32
QUIET_DB = -80.0
"""Loudness of silence, decibels below full scale."""
_WINDOW, _BINS = 400, 512
_BAND_RANGE_HZ = (60.0, 7600.0)
_PITCH_HZ = (60.0, 400.0)
_PITCH_WINDOW = 640
_VOICED = 0.4
"""Least autocorrelation of a voiced window."""


def tick_count(samples: int) -> int:
    """Ticks of a sound of so many samples."""
    return samples // TICK


def mel_bands(samples: F32) -> F32:
    """(ticks, 32) natural logarithm of the power in mel bands.

    Args:
        samples: (n,) mono, 16 kHz, -1..1.

    Convention:
        Tick ``i`` is centered at sample ``160 * i``; what is outside the sound is silence.
    """
    count = tick_count(len(samples))
    padded = np.pad(samples, (_WINDOW // 2, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: count * TICK : TICK]
    power = np.abs(np.fft.rfft(frames * _hann(), _BINS)).astype(np.float32) ** 2
    result: F32 = np.log(power @ _filters() + np.float32(1e-7))
    return result


def loudness_db(samples: F32) -> F32:
    """(ticks,) root mean square over 40 ms in decibels below full scale, at least QUIET_DB."""
    count = tick_count(len(samples))
    square = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = np.clip(np.arange(count) * TICK - 2 * TICK, 0, len(samples))
    end = np.clip(start + 4 * TICK, 1, len(samples))
    mean = (square[end] - square[start]) / np.maximum(end - start, 1)
    result: F32 = np.maximum(10 * np.log10(mean + 1e-12), QUIET_DB).astype(np.float32)
    return result


def pitch_hz(samples: F32) -> F32:
    """(ticks,) fundamental frequency by autocorrelation over 40 ms; 0 where the sound is not voiced."""
    count = tick_count(len(samples))
    found = np.zeros(count, np.float32)
    padded = np.pad(samples, (_PITCH_WINDOW // 2, _PITCH_WINDOW))
    views = np.lib.stride_tricks.sliding_window_view(padded, _PITCH_WINDOW)[: count * TICK : 2 * TICK]
    low, high = round(RATE / _PITCH_HZ[1]), round(RATE / _PITCH_HZ[0])
    for first in range(0, len(views), 1000):
        frames = views[first : first + 1000]
        frames = frames - frames.mean(axis=1, keepdims=True)
        spectrum = np.abs(np.fft.rfft(frames, 2 * _PITCH_WINDOW)) ** 2
        correlation = np.fft.irfft(spectrum)[:, : high + 1]
        lags = correlation[:, low:] / (correlation[:, :1] + 1e-9)
        best = lags.argmax(axis=1)
        is_voiced = (lags[np.arange(len(best)), best] > _VOICED) & (correlation[:, 0] > 1e-3)
        pitch = np.where(is_voiced, RATE / (best + low), 0)
        at = 2 * np.arange(first, first + len(frames))
        found[at] = pitch
        odd = at + 1 < count
        found[at[odd] + 1] = pitch[odd]
    return found


@lru_cache(maxsize=1)
def _hann() -> F32:
    return np.hanning(_WINDOW).astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> F32:
    """(257, 32) triangles, evenly spaced in mel."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in _BAND_RANGE_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.arange(_BINS // 2 + 1) * RATE / _BINS
    bands = []
    for (left, middle), (_, right) in pairwise(pairwise(edges)):
        rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)
        bands.append(np.clip(np.minimum(rising, falling), 0, None))
    return np.stack(bands, axis=1).astype(np.float32)
