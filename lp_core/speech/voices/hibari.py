"""The embedded English voice: hibari, 24 kHz, with the duration of every phone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError, missing_extra
from lp_core.models.store import default_store, locate
from lp_core.speech.voices.base import MARKED, Delivery, SpokenWord, Utterance, VoiceInfo
from lp_core.speech.voices.letters import LENGTH, STRESS, letters_of_ipa, phone_of_letter, timed_phones
from lp_core.speech.voices.onnx import EXTRA, open_session

F32 = NDArray[np.float32]

RATE = 24000
FRAME_S = 0.025
"""Seconds per unit of a duration."""
LATE_S = 0.06
"""Boundaries of the durations come later than those one hears, by so much (median of 108 phones)."""
VOICES = {
    "heart": ("American English, female", "en-US", "female"),
    "kore": ("American English, female", "en-US", "female"),
    "fenrir": ("American English, male", "en-US", "male"),
    "emma": ("British English, female", "en-GB", "female"),
    "fable": ("British English, male", "en-GB", "male"),
}
"""Voice -> title, language, gender. The first one comes with the package."""
_DURATIONS = "/Clip_output_0"
_OUTPUTS = 6
_MOST_LETTERS = 500


@dataclass(frozen=True)
class HibariVoice:
    """A voice of hibari."""

    info: VoiceInfo
    """What is known of it."""
    name: str
    """A key of VOICES."""

    def speak(self, text: str, delivery: Delivery) -> Utterance:
        """Speaks a sentence; see the contract."""
        parts = _parts(self.name)
        letters, words = parts.reader.letters(text)
        if not letters:
            return Utterance(np.zeros(0, np.float32), RATE)
        ids = np.array([[0, *(parts.reader.vocabulary[letter] for letter in letters), 0]], np.int64)
        found = parts.session.run(None, {"ids": ids, "speed": np.array([delivery.speed], np.float32)})
        spectra = (array[0] for array in found[:_OUTPUTS])
        samples: F32 = parts.synth(*spectra, np.random.default_rng(delivery.seed)).astype(np.float32)
        edges = (
            np.concatenate([[0.0], np.cumsum(found[-1].reshape(-1).astype(np.float64))]) * FRAME_S - LATE_S
        )
        inside = edges[1:-1].tolist()
        return Utterance(
            np.clip(samples, -1, 1), RATE, timed_phones(letters, inside), _timed_words(words, inside)
        )


@dataclass(frozen=True)
class _Reader:
    """What turns a text into letters of pronunciation."""

    g2p: Any
    vocabulary: dict[str, int]
    normalize: Any

    def letters(self, text: str) -> tuple[str, list[tuple[str, int, int]]]:
        """The letters of a text, and its words: (text, first letter, one past the last)."""
        marked = MARKED.sub(lambda match: f"[{match[1]}](/{letters_of_ipa(match[2])}/)", text)
        tokens = self.g2p.phonemize_tokens(self.g2p.tokenize(self._normal(marked)))
        letters, words, begun = "", [], 0
        spoken = ""
        for token in tokens:
            kept = "".join(sign for sign in token.phonemes or "" if sign in self.vocabulary)
            letters, spoken = letters + kept, spoken + token.text
            if token.whitespace or token is tokens[-1]:
                words.append((spoken, begun, len(letters)))
                letters, spoken = letters + " ", ""
                begun = len(letters)
        return letters.rstrip()[:_MOST_LETTERS], words

    def _normal(self, text: str) -> str:
        """Numbers, dates and units in words; what has a pronunciation stays as it is."""
        pieces, start = [], 0
        for match in MARKED.finditer(text):
            pieces += [self.normalize(text[start : match.start()]), match[0]]
            start = match.end()
        joined = " ".join(piece for piece in [*pieces, self.normalize(text[start:])] if piece)
        return re.sub(r" ([,.;:!?])", r"\1", joined)


@dataclass(frozen=True)
class _Parts:
    """What is loaded once for a voice."""

    session: Any
    reader: _Reader
    synth: Any


@lru_cache(maxsize=2)
def _reader(is_british: bool) -> _Reader:
    try:
        tts, g2p = import_module("hibari.tts"), import_module("hibari.g2p")
        normalize = import_module("hibari.g2p.normalize").normalize
    except ImportError as error:
        raise missing_extra("The voice hibari", EXTRA) from error
    vocabulary: dict[str, int] = json.loads(Path(tts.ASSETS, "vocab.json").read_text(encoding="utf-8"))
    return _Reader(g2p.G2P(british=is_british), vocabulary, normalize)


@lru_cache(maxsize=2)
def _parts(name: str) -> _Parts:
    reader = _reader(VOICES[name][1] == "en-GB")
    session = open_session(locate(f"hibari-{name}"), _DURATIONS)
    return _Parts(session, reader, import_module("hibari.tts").dsp.synth)


def english_phones(sentence: str, is_british: bool = False) -> list[str]:
    """The phones of an English sentence, members of PHONES.

    Raises:
        MissingDependency: the package hibari is not installed.
    """
    letters, _ = _reader(is_british).letters(sentence)
    return [name for letter in letters if letter not in STRESS + LENGTH and (name := phone_of_letter(letter))]


def _timed_words(words: list[tuple[str, int, int]], edges_s: list[float]) -> tuple[SpokenWord, ...]:
    last = len(edges_s) - 1
    return tuple(
        SpokenWord(text, max(edges_s[min(first, last)], 0.0), max(edges_s[min(end, last)], 0.0))
        for text, first, end in words
        if end > first
    )


def open_hibari(name: str) -> HibariVoice:
    """A voice of hibari by its name; empty: the one that comes with the package.

    Raises:
        SettingError: there is none of that name.
        MissingDependency: the package is not installed.
        ModelMissing: this voice has not been fetched.
    """
    name = name or next(iter(VOICES))
    if name not in VOICES:
        raise SettingError(f"hibari has no voice '{name}'; choose one of {', '.join(VOICES)}.")
    _parts(name)
    return HibariVoice(hibari_info(name), name)


def hibari_info(name: str) -> VoiceInfo:
    """What is known of a voice of hibari."""
    title, language, gender = VOICES[name]
    model, files = default_store().catalog.find(f"hibari-{name}")
    return VoiceInfo(
        f"hibari:{name}", f"hibari {name}: {title}", language, gender, model.license, files[0].sha256
    )
