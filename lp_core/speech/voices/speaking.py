"""A script spoken into a WAV file with a speech sheet: sentence by sentence, with pauses, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.media.speech_sheet import SpeechFile, SpeechSheet, TimedText, speech_file
from lp_core.speech.voices.base import FASTEST, SLOWEST, Delivery, TextVoice, Utterance, unmarked
from lp_core.speech.voices.cache import SpeechCache
from lp_core.speech.voices.script import Piece

F32 = NDArray[np.float32]

LEAD_S, TAIL_S = 0.3, 0.5
"""Silence before the first word and after the last."""
_EDGE_S = 0.05
"""Silence of the voice's own that stays around a piece."""
_QUIET = 0.003
_RAMP_S = 0.02


@dataclass
class SpokenTimes:
    """What was said when, as it grows."""

    phones: list[TimedText] = field(default_factory=list)
    words: list[TimedText] = field(default_factory=list)
    sentences: list[TimedText] = field(default_factory=list)

    def add(self, spoken: Utterance, text: str, start_s: float) -> None:
        """Takes what was spoken from ``start_s`` on."""
        self.phones += [
            (phone.name, max(phone.start_s, 0.0) + start_s, max(phone.end_s, 0.0) + start_s)
            for phone in spoken.phones
        ]
        self.words += [(word.text, word.start_s + start_s, word.end_s + start_s) for word in spoken.words]
        self.sentences.append((text, start_s, start_s + spoken.seconds))


def speak_script(
    pieces: Sequence[Piece],
    voice: TextVoice,
    delivery: Delivery,
    path: Path,
    cache: SpeechCache,
    step: Callable[[int], None] | None = None,
) -> SpeechSheet:
    """Speaks a script into a WAV file.

    Args:
        pieces: what is said.
        voice: who says it.
        delivery: how.
        path: the file; its folder must exist.
        cache: keeps sentences.
        step: called with the number of pieces that are done.

    Raises:
        LpError: the voice cannot speak it, or the file cannot be written.
    """
    times = SpokenTimes()
    first = next((piece for piece in pieces if piece.text), None)
    if first is None:
        raise SettingError("The text holds nothing to say; give at least one word.")
    rate = spoken_piece(first, voice, delivery, cache).rate
    with speech_file(path, rate) as file:
        file.silence(LEAD_S)
        for number, piece in enumerate(pieces, 1):
            _write(piece, voice, delivery, cache, file, times)
            if step is not None:
                step(number)
        file.silence(TAIL_S)
        sheet = sheet_of(voice, delivery, times.phones, times.words, times.sentences)
        file.finish(sheet)
    cache.trim()
    return sheet


def sheet_of(
    voice: TextVoice,
    delivery: Delivery,
    phones: Sequence[TimedText],
    words: Sequence[TimedText],
    sentences: Sequence[TimedText],
) -> SpeechSheet:
    """The sheet of what a voice has said."""
    info = voice.info
    return SpeechSheet(
        info.id, info.license, info.fingerprint, delivery.language or info.language,
        tuple(phones), tuple(words), tuple(sentences),
    )  # fmt: skip


def _write(
    piece: Piece,
    voice: TextVoice,
    delivery: Delivery,
    cache: SpeechCache,
    file: SpeechFile,
    times: SpokenTimes,
) -> None:
    if piece.text:
        spoken = spoken_piece(piece, voice, delivery, cache)
        if spoken.rate != file.rate:
            raise SettingError(
                f"The voice {voice.info.id} changed its sample rate within a text; use another voice."
            )
        times.add(spoken, unmarked(piece.text), file.seconds)
        file.write(spoken.samples)
    file.silence(piece.pause_s)


def spoken_piece(piece: Piece, voice: TextVoice, delivery: Delivery, cache: SpeechCache) -> Utterance:
    """A piece, spoken: silence around it cut, words louder or softer as asked for.

    Raises:
        LpError: the voice cannot speak it.
    """
    speed = min(max(delivery.speed * piece.speed, SLOWEST), FASTEST)
    spoken = cache.speak(voice, piece.text, replace(delivery, speed=speed))
    return _trimmed(_emphasized(spoken, piece))


def _emphasized(spoken: Utterance, piece: Piece) -> Utterance:
    if not piece.gains or not spoken.words:
        return spoken
    share = len(spoken.words) / max(len(piece.text.split()), 1)
    curve = np.ones(len(spoken.samples), np.float32)
    for first, stop, gain in piece.gains:
        inside = spoken.words[int(first * share) : max(int(stop * share), int(first * share) + 1)]
        if inside:
            curve[int(inside[0].start_s * spoken.rate) : int(inside[-1].end_s * spoken.rate)] = gain
    width = max(int(_RAMP_S * spoken.rate), 1)
    smooth = np.convolve(np.pad(curve, width, mode="edge"), np.ones(width) / width, "same")[width:-width]
    return replace(spoken, samples=np.clip(spoken.samples * smooth, -1, 1).astype(np.float32))


def _trimmed(spoken: Utterance) -> Utterance:
    """The utterance without most of the silence around it."""
    loud = np.flatnonzero(np.abs(spoken.samples) > _QUIET)
    if not len(loud):
        return spoken
    edge = int(_EDGE_S * spoken.rate)
    first, stop = max(int(loud[0]) - edge, 0), int(loud[-1]) + edge
    moved = first / spoken.rate
    end_s = (min(stop, len(spoken.samples)) - first) / spoken.rate
    return Utterance(
        spoken.samples[first:stop],
        spoken.rate,
        tuple(
            replace(phone, start_s=min(phone.start_s - moved, end_s), end_s=min(phone.end_s - moved, end_s))
            for phone in spoken.phones
            if phone.end_s > moved
        ),
        tuple(
            replace(
                word,
                start_s=min(max(word.start_s - moved, 0.0), end_s),
                end_s=min(max(word.end_s - moved, 0.0), end_s),
            )
            for word in spoken.words
        ),
    )
