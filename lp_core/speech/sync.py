"""Whether a video's sound and mouth belong together, and how far they are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.activity import SPEECH
from lp_core.speech.analysis import Voice
from lp_core.speech.features import TICKS_PER_S
from lp_core.speech.fit import FilmedMouth
from lp_core.speech.mouth_map import OUTPUTS
from lp_core.speech.score import JUDGED, without_drift

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

SEARCH_S = 1.0
"""Offsets that are looked at, in either direction."""
LEAST_SCORE, LEAST_SUM = 0.40, 0.68
"""Sound and mouth belong together from this score, and this sum of score and confidence, on."""
UNSURE_SCORE = 0.30
IN_SYNC_S = 0.06
"""Largest offset of a video that is in sync."""
LEAST_SPEECH_S = 2.0
_STEP_S, _FAR_S = 0.01, 0.25
_LEAST_FRAMES = 20


@dataclass(frozen=True)
class SyncCheck:
    """What a comparison of sound and mouth finds."""

    offset_s: float
    """How late the sound is against the video; negative: it is early."""
    score: float
    """Mean correlation of opening, width and rounding at that offset, -1..1, less where little speech is compared."""
    confidence: float
    """Score less the best score more than 250 ms away."""
    speech_s: float
    """Seconds of speech that show a face."""

    @property
    def belongs(self) -> bool:
        """Whether sound and mouth belong together, at whatever offset."""
        return self.score >= LEAST_SCORE and self.score + self.confidence >= LEAST_SUM

    @property
    def verdict(self) -> str:
        """``in sync``, ``shifted``, ``unsure``, ``not in sync``, or ``too little speech``."""
        if self.speech_s < LEAST_SPEECH_S:
            return "too little speech"
        if self.belongs:
            return "in sync" if abs(self.offset_s) <= IN_SYNC_S else "shifted"
        return "unsure" if self.score >= UNSURE_SCORE else "not in sync"


def compare(predicted: F32, voice: Voice, mouth: FilmedMouth) -> SyncCheck:
    """Compares what a sound predicts with a filmed mouth.

    Args:
        predicted: (ticks, outputs) in any unit.
        voice: of the same sound.
        mouth: the video, on its own clock.
    """
    if not len(predicted):
        return SyncCheck(0.0, 0.0, 0.0, 0.0)
    lags = np.arange(-SEARCH_S, SEARCH_S + _STEP_S / 2, _STEP_S)
    found = [_score(predicted, voice, mouth, lag) for lag in lags]
    frames = np.array([count for _, count in found])
    scores = np.array([score for score, _ in found]) * np.sqrt(frames / max(frames.max(), 1))
    best = int(scores.argmax())
    far = np.abs(lags - lags[best]) > _FAR_S
    at = np.arange(len(predicted)) / TICKS_PER_S
    spoken = np.interp(mouth.times_s + lags[best], at, voice.activity, left=0, right=0) > SPEECH
    return SyncCheck(
        round(float(lags[best]), 3),
        float(scores[best]),
        float(scores[best] - scores[far].max()),
        float(spoken.sum() / mouth.rate),
    )


def _score(predicted: F32, voice: Voice, mouth: FilmedMouth, lag_s: float) -> tuple[float, int]:
    """The mean correlation at a lag, and the frames of speech that it rests on."""
    at = np.arange(len(predicted)) / TICKS_PER_S
    times = mouth.times_s + lag_s
    inside = (times >= 0) & (times <= at[-1])
    spoken = inside & (np.interp(times, at, voice.activity) > SPEECH)
    if spoken.sum() < _LEAST_FRAMES:
        return 0.0, 0
    total = 0.0
    for name in JUDGED:
        ours = without_drift(np.interp(times, at, predicted[:, OUTPUTS.index(name)]), mouth.rate)[spoken]
        theirs = without_drift(mouth.curves[name], mouth.rate)[spoken]
        spread = float(ours.std() * theirs.std())
        total += (
            0.0
            if spread < 1e-12
            else float(((ours - ours.mean()) * (theirs - theirs.mean())).mean() / spread)
        )
    return total / len(JUDGED), int(spoken.sum())
