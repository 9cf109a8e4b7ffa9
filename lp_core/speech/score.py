"""How well curves from a sound agree with a filmed mouth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.activity import SPEECH
from lp_core.speech.analysis import Voice
from lp_core.speech.features import TICKS_PER_S
from lp_core.speech.fit import FilmedMouth
from lp_core.speech.mouth_features import blurred
from lp_core.speech.mouth_map import OUTPUTS

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

SLOW_S = 0.5
"""Width of the running mean that is taken off both curves."""
NEAR_S = 0.08
"""Lags in which the best agreement is looked for."""
JUDGED = ("open", "width", "round")


def without_drift(curve: NDArray[np.floating], rate: float) -> F64:
    """(n,) a curve without its slow part."""
    values = np.asarray(curve, np.float64)
    result: F64 = values - blurred(values[:, None], SLOW_S * rate)[:, 0]
    return result


def agreement(predicted: F32, voice: Voice, mouth: FilmedMouth) -> Mapping[str, float]:
    """Correlation of opening, width and rounding while there is speech, at the best lag within 80 ms each.

    Args:
        predicted: (ticks, outputs) in any unit.
        voice: of the same sound.
        mouth: the video.
    """
    lags = np.arange(-NEAR_S, NEAR_S + 0.001, 0.01)
    return {
        name: max(correlation(predicted[:, OUTPUTS.index(name)], voice, mouth, name, lag) for lag in lags)
        for name in JUDGED
    }


def correlation(curve: F32, voice: Voice, mouth: FilmedMouth, name: str, lag_s: float) -> float:
    """Pearson's r of a curve, read ``lag_s`` later, and a filmed one, both without drift, while there is speech."""
    at = np.arange(len(curve)) / TICKS_PER_S
    times = mouth.times_s + lag_s
    spoken = np.interp(mouth.times_s, at, voice.activity, left=0, right=0) > SPEECH
    if spoken.sum() < 10:
        return 0.0
    ours = without_drift(np.interp(times, at, curve), mouth.rate)[spoken]
    theirs = without_drift(mouth.curves[name], mouth.rate)[spoken]
    if ours.std() < 1e-9 or theirs.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(ours, theirs)[0, 1])
