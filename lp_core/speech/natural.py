"""What a speaker's head, lids, brows and gaze do: from a seed and from what is heard, 100 times a second.

Figures are measured ones where there are: blinks per minute and their shape, sway below 0.5 Hz, nods on stress, a new
posture at pauses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.activity import SPEECH
from lp_core.speech.analysis import Voice
from lp_core.speech.features import TICKS_PER_S
from lp_core.speech.mouth_features import blurred

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

SWAY_DEG = (1.3, 1.8, 0.9)
SWAY_HZ = (0.05, 0.5)
WAVES = 8
IDLE = 0.45
NOD_GAP_S, NOD_RISE_S, NOD_FALL_S = 0.83, 0.18, 0.35
_POSTURE_DEG = (0.0, 3.0, 1.5)
_POSTURE_PAUSE_S, _BREATH_PAUSE_S = 0.25, 0.4
TALKING_RATE, TALKING_S, SILENT_S = 26.0, 2.0, 3.2
_GAZE_PER_DEG = 0.0073
_EASE_IN_S = 1.0


@dataclass(frozen=True)
class Manner:
    """How much of everything."""

    seed: int = 0
    """The same seed gives the same motion."""
    head: float = 1.0
    """Head motion, 0: none."""
    blink_rate: float = TALKING_RATE
    """Blinks per minute while speaking."""
    expressiveness: float = 1.0
    """Brows, gaze and nods."""


def natural_motion(voice: Voice, speaking: F32, manner: Manner) -> dict[str, F32]:
    """Curves ``pitch``, ``yaw``, ``roll`` (degrees), ``blink``, ``brow`` (0..1), ``gaze_x``, ``gaze_y`` (eye widths).

    Args:
        voice: what is heard.
        speaking: (ticks,) 0..1.
        manner: how much of everything.

    Convention:
        Positive pitch lowers the chin, positive yaw turns to the image's right, positive roll tips clockwise.
        All curves are 0 at the first tick.
    """
    count = len(speaking)
    time_s = np.arange(count) / TICKS_PER_S
    rng = np.random.default_rng(manner.seed)
    sway = [_sway(rng, time_s, degrees) for degrees in SWAY_DEG]
    calm = IDLE + (1 - IDLE) * blurred(speaking[:, None], 25.0)[:, 0]
    stress, heights = stressed(voice, speaking)
    nod = _nods(rng, stress, heights, count) * manner.expressiveness
    posture = _posture(rng, voice, count)
    breath = _breaths(rng, voice, count)
    settle = blurred(speaking[:, None], 12.0)[:, 0]
    ease = np.clip(time_s / _EASE_IN_S, 0, 1)
    ease = ease * ease * (3 - 2 * ease)
    angles = [sway[index] * calm + posture[index] * settle for index in range(3)]
    angles[0] += nod + breath
    names = ("pitch", "yaw", "roll")
    curves = {
        name: (angle * ease * manner.head).astype(np.float32)
        for name, angle in zip(names, angles, strict=True)
    }
    gaze = _gaze(rng, voice, count) * min(manner.expressiveness, 1.0)
    curves["blink"] = _blinks(rng, voice, speaking, manner.blink_rate)
    curves["brow"] = (_brows(rng, stress, heights, count) * manner.expressiveness * ease).astype(np.float32)
    curves["gaze_x"], curves["gaze_y"] = ((row * ease).astype(np.float32) for row in gaze)
    return curves


def _sway(rng: np.random.Generator, time_s: F64, degrees: float) -> F64:
    """Slow noise of the given standard deviation, independent of the length of the sound."""
    hertz = rng.uniform(*SWAY_HZ, WAVES)
    phase = rng.uniform(0, 2 * np.pi, WAVES)
    total = np.zeros(len(time_s))
    for frequency, offset in zip(hertz, phase, strict=True):
        total += np.sin(2 * np.pi * frequency * time_s + offset)
    scaled: F64 = total * degrees * np.sqrt(2 / WAVES)
    return scaled


def stressed(voice: Voice, speaking: F32) -> tuple[NDArray[np.intp], F64]:
    """Ticks of stressed syllables and their heights in standard deviations, at most 1.2 a second."""
    spoken = voice.activity > SPEECH
    if spoken.sum() < TICKS_PER_S // 2:
        return np.zeros(0, np.intp), np.zeros(0)
    pitch = np.where(voice.pitch > 0, voice.pitch, np.nan)
    middle = np.nanmedian(pitch[spoken]) if np.isfinite(pitch[spoken]).any() else 1.0
    tone = np.nan_to_num(np.log2(pitch / middle), nan=0.0)
    level = 0.6 * _scored(voice.loudness, spoken) + 0.4 * _scored(np.clip(tone, -1, 1), spoken)
    smooth = blurred(level[:, None], 6.0)[:, 0].astype(np.float64) * speaking
    is_peak = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & (smooth[1:-1] > 0.5)
    at = np.flatnonzero(is_peak) + 1
    kept: list[int] = []
    for tick in at[np.argsort(-smooth[at], kind="stable")]:
        if all(abs(tick - other) >= NOD_GAP_S * TICKS_PER_S for other in _near(kept, tick)):
            kept.append(int(tick))
    ticks = np.array(sorted(kept), np.intp)
    return ticks, smooth[ticks]


def _near(kept: list[int], tick: int) -> list[int]:
    return [other for other in kept if abs(tick - other) < TICKS_PER_S]


def _scored(curve: NDArray[np.floating], spoken: NDArray[np.bool_]) -> F64:
    values = np.asarray(curve, np.float64)
    score: F64 = (values - values[spoken].mean()) / (values[spoken].std() + 1e-6)
    return score


def _nods(rng: np.random.Generator, ticks: NDArray[np.intp], heights: F64, count: int) -> F64:
    """Degrees of pitch: a nod on each stressed syllable, all of one speaker in the same direction."""
    direction = 1.0 if rng.random() < 0.75 else -1.0
    total = np.zeros(count)
    for tick, height in zip(ticks, heights, strict=True):
        size = direction * float(np.clip(height, 1.0, 2.5)) * rng.uniform(0.7, 1.1)
        _add(total, tick, NOD_RISE_S, 0.0, NOD_FALL_S, size)
    return total


def _add(total: F64, peak: int, rise_s: float, hold_s: float, fall_s: float, size: float) -> None:
    """Adds a bump with smooth flanks that reaches its size at ``peak``, in place."""
    at = np.arange(
        max(peak - round(rise_s * TICKS_PER_S), 0),
        min(peak + round((hold_s + fall_s) * TICKS_PER_S) + 1, len(total)),
    )
    away = (at - peak) / TICKS_PER_S
    part = np.where(away < 0, 1 + away / rise_s, np.clip(1 - (away - hold_s) / fall_s, 0, 1))
    part = np.clip(part, 0, 1)
    total[at] += size * part * part * (3 - 2 * part)


def _pauses(voice: Voice, shortest_s: float) -> NDArray[np.intp]:
    """(n, 2) first tick and one past the last of silences of at least so many seconds."""
    silent = np.concatenate([[0], (voice.activity <= SPEECH).view(np.int8), [0]])
    edges = np.flatnonzero(np.diff(silent)).reshape(-1, 2)
    return edges[(edges[:, 1] - edges[:, 0]) >= shortest_s * TICKS_PER_S]


def _posture(rng: np.random.Generator, voice: Voice, count: int) -> list[F64]:
    """Degrees: a new direction of the head at each pause, eased over half a second."""
    targets = [np.zeros(count) for _ in range(3)]
    for start, _ in _pauses(voice, _POSTURE_PAUSE_S):
        for row, degrees in zip(targets, _POSTURE_DEG, strict=True):
            row[start:] = rng.uniform(-degrees, degrees)
    return [blurred(row[:, None], 18.0)[:, 0].astype(np.float64) for row in targets]


def _breaths(rng: np.random.Generator, voice: Voice, count: int) -> F64:
    """Degrees of pitch: the head rises a little before a phrase that follows a longer silence."""
    total = np.zeros(count)
    for _, end in _pauses(voice, _BREATH_PAUSE_S):
        if end < count:
            _add(total, max(int(end) - 10, 0), 0.3, 0.05, 0.5, -rng.uniform(0.5, 1.0))
    return total


def _blinks(rng: np.random.Generator, voice: Voice, speaking: F32, rate: float) -> F32:
    """0 open to 1 closed, both eyes."""
    count = len(speaking)
    total = np.zeros(count)
    if rate <= 0:
        return total.astype(np.float32)
    starts = _pauses(voice, 0.12)[:, 0]
    tick = 0.0
    while True:
        median = TALKING_S if speaking[min(int(tick), count - 1)] > 0.5 else SILENT_S
        wait = float(np.exp(rng.normal(np.log(median), 0.6))) * TALKING_RATE / rate
        is_double = rng.random() < 0.05
        tick += max(wait, 0.4) * TICKS_PER_S
        if tick >= count:
            return np.minimum(total, 1).astype(np.float32)
        at = _pulled(int(tick), starts)
        shape = (rng.uniform(0.07, 0.1), rng.uniform(0.03, 0.05), rng.uniform(0.12, 0.17))
        for each in (at, at + 30) if is_double else (at,):
            _add(total, each + round(shape[0] * TICKS_PER_S), *shape, 1.0)


def _pulled(tick: int, pauses: NDArray[np.intp]) -> int:
    """The start of a pause that is within 200 ms, else the tick itself."""
    if not len(pauses):
        return tick
    nearest = int(pauses[np.abs(pauses - tick).argmin()])
    return nearest if abs(nearest - tick) <= 20 and nearest > 0 else tick


def _brows(rng: np.random.Generator, ticks: NDArray[np.intp], heights: F64, count: int) -> F64:
    """0..1: raised on the strongest third of the stressed syllables."""
    total = np.zeros(count)
    if len(ticks):
        least = np.quantile(heights, 2 / 3)
        for tick, height in zip(ticks, heights, strict=True):
            size = rng.uniform(0.15, 0.35)
            if height >= least:
                _add(total, int(tick), 0.15, 0.1, 0.3, size)
    return total


def _gaze(rng: np.random.Generator, voice: Voice, count: int) -> F64:
    """(2, ticks) eye widths: small saccades around the viewer, away only in pauses."""
    rows = np.zeros((2, count))
    tick = 0
    while True:
        tick += int(rng.uniform(1.0, 2.0) * TICKS_PER_S)
        angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0)
        if tick >= count:
            break
        is_silent = voice.activity[tick : tick + 20].max() <= SPEECH
        reach = (4 * size if is_silent else size) * _GAZE_PER_DEG
        rows[0, tick:] = reach * np.cos(angle)
        rows[1, tick:] = 0.5 * reach * np.sin(angle)
    return blurred(rows.T, 1.5).T.astype(np.float64)


MOODS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happy": {"smile": 0.4, "brow": 0.12},
    "sad": {"smile": -0.2, "brow": 0.25, "pitch": 3.0},
    "serious": {"brow": -0.35, "smile": -0.05},
    "surprised": {"brow": 0.7, "pitch": -1.5},
}
"""Mood -> what it adds to the curves."""


def mood_curves(moods: tuple[tuple[float, str], ...], count: int) -> dict[str, F32]:
    """What the moods add to ``smile``, ``brow`` and ``pitch``, blended over half a second; 0 at the first tick."""
    curves = {}
    for name in ("smile", "brow", "pitch"):
        row = np.zeros(count + 1, np.float32)
        for start_s, mood in moods:
            row[max(round(start_s * TICKS_PER_S), 1) :] = MOODS[mood].get(name, 0.0)
        time = np.arange(count) / 30
        ease = np.clip(time, 0, 1)
        curves[name] = (blurred(row[:count, None], 15.0)[:, 0] * ease).astype(np.float32)
    return curves
