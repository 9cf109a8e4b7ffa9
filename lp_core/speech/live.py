"""A voice while it is spoken: the mouth a fixed time after the sound, from what has been heard until then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.activity import SPEECH, VoiceDetector
from lp_core.speech.analysis import at_ticks_of_rows
from lp_core.speech.features import QUIET_DB, RATE, TICK, TICKS_PER_S, loudness_db, mel_bands
from lp_core.speech.live_manner import LiveManner
from lp_core.speech.motion import close_lips, mouth_curves
from lp_core.speech.mouth_features import blurred, mouth_features, phone_states
from lp_core.speech.mouth_map import MouthMap
from lp_core.speech.natural import Manner
from lp_core.speech.phones import PHONES, ROW_S, Phone, peaks, phone_probabilities, phones_from_peaks

F32 = NDArray[np.float32]

WINDOW_S = 1.6
"""Sound that the recognizer hears at a time."""
_KEPT = 6 * TICKS_PER_S
"""Ticks that are remembered: loudness is measured over them."""
_SHOWN = 90
"""Ticks before the moment that its features need."""
_EDGE_S = 0.03
"""A phone that peaks this near the end of the sound may still change."""
_FRESH_S = 0.5
"""Phones of an older reading say nothing of now."""
_ATTACK_S, _RELEASE_S = 0.08, 0.25
_STRESSED = 0.5


@dataclass(frozen=True)
class WindowReading:
    """What the recognizer heard in a window."""

    first: int
    """Tick of its first row."""
    phones: tuple[Phone, ...]
    """In order of time, seconds since the beginning."""
    probabilities: F32
    """(ticks, phones)."""


class LiveVoice:
    """Takes sound block by block and says what the face does; not thread-safe but for ``read``."""

    def __init__(self, mouth_map: MouthMap, spectral_map: MouthMap, seed: int = 0) -> None:
        """Begins.

        Args:
            mouth_map: predicts the mouth from phones and spectrum.
            spectral_map: the same from the spectrum alone.
            seed: of head, blinks and gaze.
        """
        self._map, self._spectral = mouth_map, spectral_map
        self._detector = VoiceDetector()
        self._natural = LiveManner(seed)
        self._samples = np.zeros(0, np.float32)
        self._before = 0
        self._bands = np.zeros((0, 32), np.float32)
        self._loudness = np.zeros(0, np.float32)
        self._probabilities: list[float] = []
        self._dropped = 0
        self._heard: WindowReading | None = None
        self._speaking, self._asked_s = 0.0, 0.0
        self._stressed_tick = -1

    @property
    def ticks(self) -> int:
        """Ticks that have been heard."""
        return (self._before + len(self._samples)) // TICK

    @property
    def level_db(self) -> float:
        """Loudness of the last tenth of a second, decibels below full scale."""
        recent = self._loudness[-10:]
        return float(recent.max()) if len(recent) else QUIET_DB

    def feed(self, samples: F32) -> None:
        """Takes the next samples: (n,) mono, 16 kHz, -1..1."""
        known = self.ticks
        self._samples = np.concatenate([self._samples, samples])
        self._probabilities += self._detector.push(samples)
        count = self.ticks - known
        if count <= 0:
            return
        first = max(known - 4 - self._before // TICK, 0)
        recent = self._samples[first * TICK : (self.ticks - self._before // TICK) * TICK]
        self._bands = np.concatenate([self._bands, mel_bands(recent)[-count:]])
        self._loudness = np.concatenate([self._loudness, loudness_db(recent)[-count:]])
        self._forget()

    def window(self) -> tuple[int, F32]:
        """The first tick and the samples of what the recognizer should hear now."""
        count = min(int(WINDOW_S * RATE), len(self._samples)) // TICK * TICK
        end = len(self._samples) // TICK * TICK
        return (self._before + end - count) // TICK, self._samples[end - count : end].copy()

    def hear(self, reading: WindowReading | None) -> None:
        """Takes the newest reading; None: the recognizer is not used."""
        self._heard = reading

    def face(self, tick: int, manner: Manner, mouth_strength: float) -> Mapping[str, float]:
        """The curves at a tick that has been heard, as ``SpeechMotion`` names them; ticks never go back.

        Args:
            tick: of the moment that is drawn.
            manner: how much of head, blinks and brows.
            mouth_strength: multiplies the mouth's motion.
        """
        time_s = tick / TICKS_PER_S
        speaking = self._spoken(tick, time_s)
        self._stress(tick)
        values = self._natural.at(time_s, speaking, manner)
        values.update(self._mouth(tick, speaking * min(time_s / 0.1, 1.0), mouth_strength))
        values["speaking"] = speaking
        return values

    def _forget(self) -> None:
        surplus = len(self._bands) - _KEPT
        if surplus > TICKS_PER_S:
            self._bands, self._loudness = self._bands[surplus:], self._loudness[surplus:]
            self._samples = self._samples[surplus * TICK :]
            self._before += surplus * TICK
            old = int(self._before / RATE / self._detector.window_s) - self._dropped
            self._probabilities = self._probabilities[old:]
            self._dropped += old

    def _activity(self, first: int, stop: int) -> F32:
        """(stop - first,) probability of speech at ticks."""
        if not self._probabilities:
            return np.zeros(stop - first, np.float32)
        window_s = self._detector.window_s
        centers = (np.arange(len(self._probabilities)) + self._dropped + 0.5) * window_s
        at = np.arange(first, stop) / TICKS_PER_S
        return np.interp(at, centers, self._probabilities).astype(np.float32)

    def _spoken(self, tick: int, time_s: float) -> float:
        """0..1: whether the speaker talks about now, with soft edges."""
        around = self._activity(tick - 25, min(tick + 16, self.ticks))
        goal = 1.0 if len(around) and float(around.max()) > SPEECH else 0.0
        step_s = max(time_s - self._asked_s, 0.0)
        self._asked_s = time_s
        pace = _ATTACK_S if goal else _RELEASE_S
        change = np.clip(goal - self._speaking, -step_s / pace, step_s / pace)
        self._speaking += float(change)
        return self._speaking

    def _stress(self, tick: int) -> None:
        """Lets the head nod on the loudest syllables among what is known ahead."""
        first = self._before // TICK
        at = tick + int(0.1 * TICKS_PER_S) - first
        if at - 12 < 0 or at + 5 > len(self._loudness) or at + first <= self._stressed_tick:
            return
        smooth = blurred(self._loudness[at - 12 : at + 5, None], 4.0)[:, 0]
        if not (smooth[11] < smooth[12] >= smooth[13]) or self._speaking < 0.5:
            return
        recent = self._loudness[max(at - 300, 0) : at]
        height = float((smooth[12] - recent.mean()) / (recent.std() + 1e-6))
        if height > _STRESSED:
            self._stressed_tick = at + first
            self._natural.nod((at + first) / TICKS_PER_S, height)

    def _mouth(self, tick: int, active: float, strength: float) -> dict[str, float]:
        first = max(tick - _SHOWN, self._before // TICK)
        stop = max(self.ticks, tick + 1)
        rows = self._bands[first - self._before // TICK :]
        count = stop - first
        if not len(rows):
            rows = np.full((1, 32), np.log(1e-7), np.float32)
        rows = np.pad(rows, ((0, count - len(rows)), (0, 0)), mode="edge") if len(rows) < count else rows
        energy = self._bands.mean(axis=1)
        quiet, loud = np.percentile(energy, [10, 95]) if len(energy) else (0.0, 0.0)
        phones, probabilities = self._phones(first, count)
        states = phone_states(phones, first / TICKS_PER_S, count)
        is_read = self._heard is not None
        features = mouth_features(states, probabilities, rows, float(quiet), float(loud))
        chosen = self._map if is_read else self._spectral
        here = slice(tick - first, tick - first + 1)
        curves = mouth_curves(
            chosen.deviations(features[here]), chosen, np.full(1, active, np.float32), strength
        )
        close_lips(curves, phones, tick / TICKS_PER_S)
        return {name: float(curve[0]) for name, curve in curves.items()}

    def _phones(self, first: int, count: int) -> tuple[list[Phone], F32]:
        """Phones that are spoken about ticks, and (count, phones) probabilities."""
        probabilities = np.zeros((count, len(PHONES)), np.float32)
        heard = self._heard
        if heard is None or self.ticks / TICKS_PER_S - (heard.first / TICKS_PER_S + WINDOW_S) > _FRESH_S:
            return [], probabilities
        skip = first - heard.first
        part = heard.probabilities[max(skip, 0) :][:count]
        at = max(-skip, 0)
        probabilities[at : at + len(part)] = part[: max(count - at, 0)]
        return [phone for phone in heard.phones if self._is_voiced(phone)], probabilities

    def _is_voiced(self, phone: Phone) -> bool:
        middle = round(phone.middle_s * TICKS_PER_S)
        around = self._activity(middle - 10, middle + 11)
        return float(around.max()) > SPEECH


def read_window(first: int, log_probabilities: F32, ticks: int) -> WindowReading:
    """What the recognizer's rows say of a window.

    Args:
        first: tick of the first row.
        log_probabilities: (rows, tokens).
        ticks: length of the window.
    """
    first_s = first / TICKS_PER_S
    last = len(log_probabilities) - round(_EDGE_S / ROW_S)
    found = [
        (first_s + row * ROW_S, kind, strength)
        for row, kind, strength in peaks(log_probabilities)
        if row < last
    ]
    rows = at_ticks_of_rows(phone_probabilities(log_probabilities), ticks)
    return WindowReading(first, tuple(phones_from_peaks(found)), rows)
