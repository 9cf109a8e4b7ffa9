"""Fitting the mouth map on filmed speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.speech.analysis import Voice, listen, segments
from lp_core.speech.features import TICKS_PER_S
from lp_core.speech.mouth_features import FEATURES, ROUNDING, SPECTRUM
from lp_core.speech.mouth_map import OUTPUTS, ROUNDED, MouthMap
from lp_core.speech.recognizer import Recognizer
from lp_core.speech.sound import MonoSound

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

PENALTY, PENALTY_ROUND = 400.0, 100.0
"""Weight of the ridge for the outputs, and for those that depend on phones alone."""
LEAST_FRAMES = 25
_PAIRED = ("mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthStretch", "mouthSmile")


@dataclass(frozen=True)
class FilmedMouth:
    """What a video shows of a mouth, on the clock of its sound."""

    times_s: F64
    """(n,) time of each frame in seconds of the sound: the sound's lateness is added already."""
    curves: Mapping[str, F32]
    """(n,) a curve for each of OUTPUTS."""

    @property
    def rate(self) -> float:
        """Frames per second."""
        return float(1 / np.median(np.diff(self.times_s)))


@dataclass(frozen=True)
class Speaker:
    """One filmed speaker."""

    name: str
    """File name, for messages."""
    voice: Voice
    """The first reading of the sound."""
    features: F32
    """(ticks, FEATURES)."""
    mouth: FilmedMouth
    """The video."""

    @property
    def predictors(self) -> F64:
        """(n, FEATURES) features at the frames' times."""
        ticks = np.clip(self.mouth.times_s * TICKS_PER_S, 0, len(self.features) - 1)
        low = np.floor(ticks).astype(int)
        part = (ticks - low)[:, None]
        after = np.minimum(low + 1, len(self.features) - 1)
        rows = self.features[low] * (1 - part) + self.features[after] * part
        return np.asarray(rows, np.float64)

    @property
    def targets(self) -> F64:
        """(n, outputs) curves in standard deviations from their means."""
        values = np.stack([self.mouth.curves[name] for name in OUTPUTS], axis=1).astype(np.float64)
        result: F64 = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-6)
        return result

    @property
    def is_inside(self) -> NDArray[np.bool_]:
        """(n,) frames that the sound covers."""
        last_s = (len(self.features) - 1) / TICKS_PER_S
        return (self.mouth.times_s >= 0) & (self.mouth.times_s <= last_s)


def curves_from_blendshapes(
    geometry: Mapping[str, F32], shapes: NDArray[np.floating], names: Sequence[str]
) -> dict[str, F32]:
    """The curves of OUTPUTS.

    Args:
        geometry: (n,) arrays ``open``, ``width`` and ``round``.
        shapes: (n, k) blendshapes.
        names: (k,) their names.
    """
    index = {name: number for number, name in enumerate(names)}
    curves = {name: np.asarray(geometry[name], np.float32) for name in ("open", "width", "round")}
    for name in OUTPUTS[3:]:
        sides = (f"{name}Left", f"{name}Right") if name in _PAIRED else (name,)
        columns = [np.asarray(shapes[:, index[side]], np.float32) for side in sides]
        curves[name] = np.mean(columns, axis=0).astype(np.float32)
    return curves


def speaker_of(name: str, sound: MonoSound, mouth: FilmedMouth, recognizer: Recognizer) -> Speaker:
    """Analyzes a speaker's sound.

    Raises:
        SettingError: nothing in it is speech, or too few frames show the mouth.
    """
    voice = listen(sound)
    if not voice.has_speech:
        raise SettingError(f"{name} has no speech to learn from; leave it out.")
    if len(mouth.times_s) < LEAST_FRAMES:
        raise SettingError(f"{name} shows a mouth in {len(mouth.times_s)} frames only; leave it out.")
    quiet, loud = voice.range
    rows = [segment.features(quiet, loud) for segment in segments(sound, voice, recognizer)]
    return Speaker(name, voice, np.concatenate(rows), mouth)


def fit_map(speakers: Sequence[Speaker]) -> MouthMap:
    """Ridge regression over all speakers' frames.

    Raises:
        SettingError: there is no speaker.
    """
    if not speakers:
        raise SettingError("A mouth map needs at least one speaker; give clips that show a person talking.")
    rows = np.concatenate([each.predictors[each.is_inside] for each in speakers])
    wanted = np.concatenate([each.targets[each.is_inside] for each in speakers])
    weights: NDArray[Any] = np.zeros((FEATURES, len(OUTPUTS)))
    rounded = np.array([name in ROUNDED for name in OUTPUTS])
    weights[:, ~rounded] = _ridge(rows, wanted[:, ~rounded], PENALTY)
    weights[ROUNDING, rounded] = _ridge(rows[:, ROUNDING], wanted[:, rounded], PENALTY_ROUND)
    weights = weights.astype(np.float16).astype(np.float64)
    mean, spread = (
        np.median([[_unit(each.mouth.curves[name], what) for name in OUTPUTS] for each in speakers], axis=0)
        for what in ("mean", "std")
    )
    bias = np.asarray(wanted.mean(axis=0) - rows.mean(axis=0) @ weights)
    return MouthMap(
        weights.astype(np.float32),
        bias.astype(np.float32),
        np.asarray(mean, np.float32),
        np.asarray(spread, np.float32),
        len(speakers),
    )


def fit_spectral_map(speakers: Sequence[Speaker]) -> MouthMap:
    """The same from mel bands alone.

    Raises:
        SettingError: there is no speaker.
    """
    whole = fit_map(speakers)
    rows = np.concatenate([each.predictors[each.is_inside] for each in speakers])[:, SPECTRUM]
    wanted = np.concatenate([each.targets[each.is_inside] for each in speakers])
    weights = np.zeros_like(whole.weights)
    weights[SPECTRUM] = _ridge(rows, wanted, PENALTY).astype(np.float16)
    bias = wanted.mean(axis=0) - rows.mean(axis=0) @ weights[SPECTRUM]
    return replace(whole, weights=weights, bias=bias.astype(np.float32))


def _ridge(rows: F64, wanted: F64, penalty: float) -> F64:
    square = rows.T @ rows + penalty * np.eye(rows.shape[1])
    solved: F64 = np.linalg.solve(square, rows.T @ wanted).astype(np.float64)
    return solved


def _unit(curve: F32, what: str) -> float:
    return float(curve.mean() if what == "mean" else curve.std())
