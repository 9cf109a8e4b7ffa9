"""From a sound to phones, voice activity, loudness, pitch and the mouth's deviations, 100 times a second.

The sound is read twice: once for voice, loudness and pitch, once for phones and mouth, in segments that are cut at
the quietest moments. Memory does not grow with the sound but for the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.activity import SPEECH, VoiceDetector, at_ticks
from lp_core.speech.features import (
    TICK,
    TICKS_PER_S,
    loudness_db,
    mel_bands,
    pitch_hz,
    tick_count,
)
from lp_core.speech.mouth_features import blurred, mouth_features, phone_states
from lp_core.speech.mouth_map import OUTPUTS, MouthMap
from lp_core.speech.phones import ROW_S, Phone, peaks, phone_probabilities, phones_from_peaks
from lp_core.speech.recognizer import Recognizer
from lp_core.speech.sound import MonoSound

F32 = NDArray[np.float32]

SHORTEST, LONGEST = 6 * TICKS_PER_S, 12 * TICKS_PER_S
"""Ticks of a segment."""
CONTEXT = TICKS_PER_S
"""Ticks before and after a segment that are analyzed with it."""


@dataclass(frozen=True)
class Voice:
    """What the first reading finds, a row per tick of 10 ms."""

    activity: F32
    """(ticks,) probability of speech."""
    loudness: F32
    """(ticks,) decibels below full scale."""
    pitch: F32
    """(ticks,) Hz; 0: not voiced."""
    energy: F32
    """(ticks,) mean of the mel bands."""

    @property
    def range(self) -> tuple[float, float]:
        """Quiet and loud: 10th and 95th percentile of the energy."""
        if not len(self.energy):
            return 0.0, 0.0
        quiet, loud = np.percentile(self.energy, [10, 95])
        return float(quiet), float(loud)

    @property
    def has_speech(self) -> bool:
        """Whether anything counts as speech."""
        return bool((self.activity > SPEECH).any())


@dataclass(frozen=True)
class HeardPiece:
    """A piece of the sound with its context, and what the recognizer makes of it."""

    first: int
    """First tick of samples and rows."""
    start: int
    """First tick that counts."""
    stop: int
    """One past the last tick that counts."""
    samples: F32
    """(n,) mono, 16 kHz."""
    rows: F32
    """(rows, tokens) log-probabilities, a row each 20 ms."""


@dataclass(frozen=True)
class Segment:
    """A piece of the sound with its context, as the recognizer heard it."""

    first: int
    """First tick of the arrays."""
    start: int
    """First tick that counts."""
    stop: int
    """One past the last tick that counts."""
    states: F32
    """(ticks, states)."""
    probabilities: F32
    """(ticks, phones)."""
    bands: F32
    """(ticks, 32)."""
    phones: tuple[Phone, ...]
    """Phones whose middle is in the part that counts."""

    def features(self, quiet: float, loud: float) -> F32:
        """(stop - start, FEATURES) of the part that counts."""
        rows = mouth_features(self.states, self.probabilities, self.bands, quiet, loud)
        return rows[self.start - self.first : self.stop - self.first]


@dataclass(frozen=True)
class HeardSpeech:
    """Everything heard."""

    voice: Voice
    """Voice, loudness and pitch."""
    phones: tuple[Phone, ...]
    """In order of time."""
    mouth: F32
    """(ticks, outputs) deviations from the mean in standard deviations, as the map predicts them."""

    @property
    def ticks(self) -> int:
        """Length in ticks."""
        return len(self.mouth)


def listen(sound: MonoSound) -> Voice:
    """The first reading: voice, loudness and pitch.

    Raises:
        MissingDependency: the voice detector is not installed.
    """
    detector = VoiceDetector()
    probabilities: list[float] = []
    for block in sound.blocks():
        probabilities += detector.push(block)
    probabilities += detector.finish()
    return Voice(at_ticks(probabilities, detector.window_s, sound.ticks), *levels(sound))


def levels(sound: MonoSound) -> tuple[F32, F32, F32]:
    """Loudness, pitch and energy, each (ticks,), see ``Voice``."""
    parts: list[tuple[F32, F32, F32]] = []
    for start in range(0, sound.ticks, 30 * TICKS_PER_S):
        stop = min(start + 30 * TICKS_PER_S, sound.ticks)
        padded = sound.part((start - 4) * TICK, (stop + 4) * TICK)
        inside = slice(4, 4 + stop - start)
        parts.append(
            (
                loudness_db(padded)[inside],
                pitch_hz(padded)[inside],
                mel_bands(padded)[inside].mean(axis=1),
            )
        )
    empty = np.zeros(0, np.float32)
    loudness, pitch, energy = (
        np.concatenate([empty, *(part[index] for part in parts)]).astype(np.float32) for index in range(3)
    )
    return loudness, pitch, energy


def cuts(voice: Voice) -> list[int]:
    """Ticks at which the sound is cut: 0, the quietest moment of each 6 to 12 s, and the end."""
    total = len(voice.energy)
    smooth = blurred(voice.energy[:, None], 5.0)[:, 0]
    found = [0]
    while total - found[-1] > LONGEST:
        low = found[-1] + SHORTEST
        found.append(low + int(smooth[low : found[-1] + LONGEST].argmin()))
    return [*found, total] if total else found


def pieces(sound: MonoSound, voice: Voice, recognizer: Recognizer) -> Iterator[HeardPiece]:
    """The sound in pieces of 6 to 12 s, each with a second of context on both sides."""
    edges = cuts(voice)
    for start, stop in zip(edges, edges[1:], strict=False):
        first, last = max(start - CONTEXT, 0), min(stop + CONTEXT, len(voice.energy))
        samples = sound.part(first * TICK, last * TICK)
        yield HeardPiece(first, start, stop, samples, recognizer.log_probabilities(samples))


def segments(sound: MonoSound, voice: Voice, recognizer: Recognizer) -> Iterator[Segment]:
    """The second reading: what the recognizer hears, piece by piece."""
    for piece in pieces(sound, voice, recognizer):
        ticks = tick_count(len(piece.samples))
        first_s = piece.first / TICKS_PER_S
        found = phones_from_peaks(
            [(first_s + row * ROW_S, kind, strength) for row, kind, strength in peaks(piece.rows)]
        )
        spoken = [phone for phone in found if _is_spoken(phone, voice)]
        start_s, stop_s = piece.start / TICKS_PER_S, piece.stop / TICKS_PER_S
        yield Segment(
            piece.first,
            piece.start,
            piece.stop,
            phone_states(spoken, first_s, ticks),
            at_ticks_of_rows(phone_probabilities(piece.rows), ticks),
            mel_bands(piece.samples),
            tuple(phone for phone in spoken if start_s <= phone.middle_s < stop_s),
        )


def analyze(
    sound: MonoSound, recognizer: Recognizer, mouth_map: MouthMap, step: Callable[[float], None] | None = None
) -> HeardSpeech:
    """Everything that is heard in a sound.

    Args:
        sound: the sound.
        recognizer: of phones.
        mouth_map: predicts the mouth.
        step: called with the share that is done, 0..1.
    """
    voice = listen(sound)
    mouth = np.zeros((sound.ticks, len(OUTPUTS)), np.float32)
    phones: list[Phone] = []
    if voice.has_speech:
        quiet, loud = voice.range
        for segment in segments(sound, voice, recognizer):
            mouth[segment.start : segment.stop] = mouth_map.deviations(segment.features(quiet, loud))
            phones += segment.phones
            if step is not None:
                step(segment.stop / max(sound.ticks, 1))
    return HeardSpeech(voice, tuple(phones), mouth)


def _is_spoken(phone: Phone, voice: Voice) -> bool:
    """Whether the voice detector hears speech about the phone: music gives phones, too."""
    middle = round(phone.middle_s * TICKS_PER_S)
    around = voice.activity[max(middle - 10, 0) : middle + 11]
    return bool(len(around)) and float(around.max()) > SPEECH


def at_ticks_of_rows(rows: F32, ticks: int) -> F32:
    """(ticks, columns) rows of 20 ms at ticks of 10 ms."""
    if not len(rows):
        return np.zeros((ticks, rows.shape[1]), np.float32)
    doubled = np.repeat(rows, 2, axis=0)
    doubled[1:-1:2] = (rows[:-1] + rows[1:]) / 2
    fitted = doubled[:ticks]
    return np.pad(fitted, ((0, ticks - len(fitted)), (0, 0)), mode="edge")


def speaking(voice: Voice) -> F32:
    """(ticks,) 1 while the speaker talks or pauses shortly, 0 in long silence, with soft edges.

    The mouth prepares 160 ms before the voice and settles 300 ms after it; pauses up to 0.6 s belong to speech.
    """
    before, after, bridge = 16, 30, 60
    is_voiced = voice.activity > SPEECH
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_voiced.view(np.int8), [0]]))).reshape(-1, 2)
    active = np.zeros(len(is_voiced), np.float32)
    last = -bridge - 1
    for start, stop in edges:
        begin = last if start - last <= bridge else max(start - before, 0)
        active[begin : stop + after // 2] = 1
        last = stop
    return blurred(active[:, None], 5.0)[:, 0]
