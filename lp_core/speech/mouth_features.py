"""The features that the mouth map weighs: phones, silence, token probabilities and mel bands around a tick."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.features import BANDS, TICKS_PER_S
from lp_core.speech.phones import PHONES, Phone

F32 = NDArray[np.float32]

SILENCES = ("pause", "onset", "rest")
"""Silence up to 0.6 s, the last 0.2 s before speech, longer silence."""
STATES = len(PHONES) + len(SILENCES)
_PAUSE_TICKS, _ONSET_TICKS = 60, 20
_SHARP, _MIDDLE, _BROAD = 4.5, 6.0, 8.0
"""Widths of the Gaussians over the phones' states, in ticks."""
_BESIDE = (-8, 8)
_LATER = (0, 4, 8)
_AROUND = (-24, -16, -8, -4, 0, 4, 8, 16, 24)
FEATURES = STATES * (2 + len(_BESIDE)) + len(PHONES) * len(_LATER) + BANDS * len(_AROUND)
"""Numbers per tick."""
ROUNDING = slice(STATES, 2 * STATES)
"""The features that rounding depends on."""
SPECTRUM = slice(FEATURES - BANDS * len(_AROUND), FEATURES)
"""The features that depend on mel bands alone."""
LEAST_RANGE = 4.0
"""Natural logarithm of the least range between quiet and loud that mel bands are measured by."""


def phone_states(phones: Sequence[Phone], first_s: float, ticks: int) -> F32:
    """(ticks, STATES) 1 for the phone or the kind of silence at each tick.

    Args:
        phones: in order of time.
        first_s: time of the first tick in seconds.
        ticks: how many.
    """
    states = np.zeros((ticks, STATES), np.float32)
    index = {name: number for number, name in enumerate(PHONES)}
    for phone in phones:
        start, end = (
            min(max(int(np.ceil((at - first_s) * TICKS_PER_S - 1e-6)), 0), ticks)
            for at in (phone.start_s, phone.end_s)
        )
        states[start:end, index[phone.name]] = 1
    is_silent = ~states.any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_silent.view(np.int8), [0]])))
    for start, end in edges.reshape(-1, 2):
        kind = 0 if end - start < _PAUSE_TICKS else 2
        states[start:end, len(PHONES) + kind] = 1
        if end < ticks:
            onset = max(start, end - _ONSET_TICKS)
            states[onset:end, len(PHONES) :] = (0, 1, 0)
    return states


def mouth_features(states: F32, probabilities: F32, bands: F32, quiet: float, loud: float) -> F32:
    """(ticks, FEATURES) what the map weighs.

    Args:
        states: (ticks, STATES) of ``phone_states``.
        probabilities: (ticks, phones) probability of each phone class.
        bands: (ticks, 32) mel bands.
        quiet: mean of the bands at the sound's 10th percentile.
        loud: the same at its 95th percentile.
    """
    scaled = (bands - loud) / max(loud - quiet, LEAST_RANGE)
    middle = blurred(states, _MIDDLE)
    heard = blurred(probabilities, 3.0) * 8
    mel = blurred(scaled, 3.0)
    parts = [blurred(states, _SHARP) * 5, blurred(states, _BROAD) * 3]
    parts += [_moved(middle, step) * 4 for step in _BESIDE]
    parts += [_moved(heard, step) for step in _LATER]
    parts += [_moved(mel, step) for step in _AROUND]
    return np.concatenate(parts, axis=1).astype(np.float32)


def blurred(rows: NDArray[np.floating], sigma: float) -> F32:
    """Each column of (n, k) rows under a Gaussian of ``sigma`` rows; the ends are continued by reflection."""
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    if not len(rows):
        return rows.astype(np.float32)
    padded = np.pad(rows.astype(np.float32), ((reach, reach), (0, 0)), mode="symmetric")
    total = np.zeros(rows.shape, np.float32)
    for index, weight in enumerate(kernel):
        total += weight * padded[index : index + len(rows)]
    return total


def _moved(rows: F32, step: int) -> F32:
    """The rows ``step`` ticks later, the ends held."""
    at = np.clip(np.arange(len(rows)) + step, 0, len(rows) - 1)
    return rows[at]
