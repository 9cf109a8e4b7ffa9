"""Head, lids, brows and gaze of a live speaker: what ``natural`` does, without knowing what comes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lp_core.speech.natural import (
    IDLE,
    NOD_FALL_S,
    NOD_GAP_S,
    NOD_RISE_S,
    SILENT_S,
    SWAY_DEG,
    SWAY_HZ,
    TALKING_RATE,
    TALKING_S,
    WAVES,
    Manner,
)

_CLOSE_S, _CLOSED_S, _OPEN_S = 0.08, 0.04, 0.14
_GAZE_WIDTHS = 0.007
_SETTLE_S = 0.4
_EASE_IN_S = 1.0


@dataclass(frozen=True)
class _Bump:
    """A smooth rise and fall around a time."""

    peak_s: float
    rise_s: float
    hold_s: float
    fall_s: float
    size: float

    def at(self, time_s: float) -> float:
        away = time_s - self.peak_s
        part = 1 + away / self.rise_s if away < 0 else 1 - (away - self.hold_s) / self.fall_s
        part = min(max(part, 0.0), 1.0)
        return self.size * part * part * (3 - 2 * part)

    def is_over(self, time_s: float) -> bool:
        return time_s > self.peak_s + self.hold_s + self.fall_s


class LiveManner:
    """Asked for one moment after the other."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._hertz = self._rng.uniform(*SWAY_HZ, (3, WAVES))
        self._phase = self._rng.uniform(0, 2 * np.pi, (3, WAVES))
        self._direction = 1.0 if self._rng.random() < 0.75 else -1.0
        self._nods: list[_Bump] = []
        self._brows: list[_Bump] = []
        self._blinks: list[_Bump] = []
        self._calm = IDLE
        self._last_s = 0.0
        self._nodded_s = -10.0
        self._blink_s = self._rng.uniform(0.8, 2.5)
        self._look_s = 1.0
        self._gaze = np.zeros(2)
        self._aim = np.zeros(2)

    def nod(self, peak_s: float, height: float) -> None:
        """A stressed syllable is known to come, or is here.

        Args:
            peak_s: its time.
            height: in standard deviations of the loudness.
        """
        if peak_s - self._nodded_s < NOD_GAP_S:
            return
        self._nodded_s = peak_s
        size = self._direction * float(np.clip(height, 1.0, 2.5)) * self._rng.uniform(0.7, 1.1)
        self._nods.append(_Bump(peak_s, NOD_RISE_S, 0.0, NOD_FALL_S, size))
        if height > 1.6:
            self._brows.append(_Bump(peak_s, 0.15, 0.1, 0.3, self._rng.uniform(0.15, 0.35)))

    def at(self, time_s: float, speaking: float, manner: Manner) -> dict[str, float]:
        """Curves as ``natural_motion`` names them; times never go back.

        Args:
            time_s: since the beginning.
            speaking: 0..1.
            manner: how much of everything.
        """
        step_s = max(time_s - self._last_s, 0.0)
        self._last_s = time_s
        goal = IDLE + (1 - IDLE) * speaking
        self._calm += (goal - self._calm) * min(step_s / _SETTLE_S, 1.0)
        ease = min(time_s / _EASE_IN_S, 1.0)
        ease = ease * ease * (3 - 2 * ease)
        waves = np.sin(2 * np.pi * self._hertz * time_s + self._phase).sum(axis=1) * np.sqrt(2 / WAVES)
        angles = waves * SWAY_DEG * self._calm
        angles[0] += sum(nod.at(time_s) for nod in self._nods) * manner.expressiveness
        self._nods = [nod for nod in self._nods if not nod.is_over(time_s)]
        pitch, yaw, roll = (float(angle) * ease * manner.head for angle in angles)
        gaze = self._looked(time_s, step_s, speaking) * ease * min(manner.expressiveness, 1.0)
        brow = sum(bump.at(time_s) for bump in self._brows) * manner.expressiveness * ease
        self._brows = [bump for bump in self._brows if not bump.is_over(time_s)]
        return {
            "pitch": pitch, "yaw": yaw, "roll": roll, "blink": self._blinked(time_s, speaking, manner.blink_rate),
            "brow": brow, "gaze_x": float(gaze[0]), "gaze_y": float(gaze[1]), "smile": 0.0,
        }  # fmt: skip

    def _blinked(self, time_s: float, speaking: float, rate: float) -> float:
        if rate <= 0:
            return 0.0
        if time_s >= self._blink_s:
            self._blinks.append(_Bump(time_s + _CLOSE_S, _CLOSE_S, _CLOSED_S, _OPEN_S, 1.0))
            median = TALKING_S if speaking > 0.5 else SILENT_S
            wait = float(np.exp(self._rng.normal(np.log(median), 0.6))) * TALKING_RATE / rate
            self._blink_s = time_s + max(wait, 0.4)
        closed = max((blink.at(time_s) for blink in self._blinks), default=0.0)
        self._blinks = [blink for blink in self._blinks if not blink.is_over(time_s)]
        return closed

    def _looked(self, time_s: float, step_s: float, speaking: float) -> np.ndarray:
        if time_s >= self._look_s:
            self._look_s = time_s + self._rng.uniform(1.0, 2.0)
            angle = self._rng.uniform(0, 2 * np.pi)
            reach = self._rng.uniform(0.5, 1.0) * _GAZE_WIDTHS * (1 if speaking > 0.5 else 4)
            self._aim = reach * np.array([np.cos(angle), 0.5 * np.sin(angle)])
        self._gaze = self._gaze + (self._aim - self._gaze) * min(step_s / 0.03, 1.0)
        return self._gaze
