"""Phones: the recognizer's tokens, the classes that the mouth knows, and phones with times from CTC peaks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

ROW_S = 0.02
"""Seconds per row of the recognizer."""
PEAK_LATE_S = 0.045
"""A peak of the recognizer is this much later than the middle of its phone."""
LONGEST_BEFORE_S, LONGEST_AFTER_S = 0.09, 0.12
"""How far a phone reaches at most from its middle."""
BLANK, WORD = "<blank>", "<wb>"

PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW",
    "B", "P", "M", "F", "V", "TH", "DH", "T", "D", "N", "L", "S", "Z", "SH", "ZH", "CH", "JH",
    "K", "G", "NG", "HH", "R", "W", "Y",
)  # fmt: skip
"""Classes of phones by what the mouth does, with the names of ARPAbet; vowels first."""
VOWELS = frozenset(PHONES[:15])
CLOSURES = frozenset(("B", "P", "M"))
"""Phones for which the lips close."""
OPEN_VOWELS = frozenset(("AA", "AE", "AY", "AW", "EH"))

_SPELLINGS = (
    ("AA", "ɑ ɒ a à ã ä å ʌ̃ wa ja"), ("AE", "æ"), ("AH", "ʌ ə ɐ ɨ ɘ ᵊ ɵ wʌ jʌ ɯ ɰ ɯi"),
    ("AO", "ɔ"), ("AW", "aʊ"), ("AY", "aɪ"), ("EH", "ɛ e ẽ eə œ je we"), ("ER", "ɝ ɚ ɜ"), ("EY", "eɪ"),
    ("IH", "ɪ ɪə ʏ"), ("IY", "i ì ĩ ǐ wi"), ("OW", "oʊ o õ ɤ ø jo"), ("OY", "ɔɪ"), ("UH", "ʊ ʉ"), ("UW", "u ũ y ju"),
    ("B", "b ɓ β ʙ"), ("P", "p pʰ p͈ ɸ"), ("M", "m"), ("F", "f"), ("V", "v ʋ ɱ"),
    ("TH", "θ"), ("DH", "ð"), ("T", "t tʰ t͈ ʈ"), ("D", "d ɖ ɗ ɾ ɽ ɟ"), ("N", "n ɲ ñ ɴ"), ("L", "l ɫ ʎ ɮ"),
    ("S", "s s͈"), ("Z", "z ẑ"), ("SH", "ʃ ʂ ɕ ç"), ("ZH", "ʒ ʐ ʑ ʝ"), ("CH", "t͡ʃ t͡ɕ t͡ɕʰ t͡ɕ͈"), ("JH", "d͡ʒ"),
    ("K", "k kʰ k͈ c x χ"), ("G", "g ɡ ɣ"), ("NG", "ŋ"), ("HH", "h ɦ ħ"), ("R", "r ɹ ɻ ʀ ʁ"), ("W", "w ɥ"), ("Y", "j"),
)  # fmt: skip

_OF_IPA: Mapping[str, str] = MappingProxyType(
    {spelling: name for name, spellings in _SPELLINGS for spelling in spellings.split()}
)


def phone_of_ipa(sound: str) -> str:
    """The class of a sound in IPA; empty where it has none."""
    return _OF_IPA.get(sound, "")


@dataclass(frozen=True)
class Phone:
    """A phone that was heard."""

    name: str
    """One of PHONES."""
    start_s: float
    """Seconds."""
    end_s: float
    """Seconds."""
    strength: float = 1.0
    """Probability at its peak, 0..1."""

    @property
    def middle_s(self) -> float:
        """Seconds."""
        return (self.start_s + self.end_s) / 2


@lru_cache(maxsize=1)
def tokens() -> tuple[str, ...]:
    """The recognizer's tokens in the order of its output."""
    text = files("lp_core.speech").joinpath("tokens.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))


@lru_cache(maxsize=1)
def token_classes() -> NDArray[np.intp]:
    """(tokens,) the phone of each token as an index into PHONES; -1 for tone, length and other marks."""
    index = {name: number for number, name in enumerate(PHONES)}
    return np.array([index.get(_OF_IPA.get(token, ""), -1) for token in tokens()], np.intp)


@lru_cache(maxsize=1)
def _class_matrix() -> F32:
    classes = token_classes()
    matrix = np.zeros((len(classes), len(PHONES)), np.float32)
    used = classes >= 0
    matrix[np.flatnonzero(used), classes[used]] = 1
    return matrix


def phone_probabilities(log_probabilities: F32) -> F32:
    """(rows, phones): probability of each class, blanks and marks left out."""
    result: F32 = np.exp(log_probabilities) @ _class_matrix()
    return result


def peaks(log_probabilities: F32) -> Iterator[tuple[int, int, float]]:
    """The (row, class, probability) of each phone that the recognizer reports, in order of time."""
    best = log_probabilities.argmax(axis=1)
    classes = token_classes()
    row = 0
    while row < len(best):
        end = row + 1
        while end < len(best) and best[end] == best[row]:
            end += 1
        if classes[best[row]] >= 0:
            inside = log_probabilities[row:end, best[row]]
            top = row + int(inside.argmax())
            yield top, int(classes[best[row]]), float(np.exp(inside.max()))
        row = end


def phones_from_peaks(found: list[tuple[float, int, float]]) -> list[Phone]:
    """Phones with times.

    Args:
        found: (time of the peak in seconds, class, probability), in order of time.
    """
    middles = np.array([time_s for time_s, _, _ in found]) - PEAK_LATE_S
    half = np.diff(middles) / 2
    before = np.minimum(np.concatenate([[np.inf], half]), LONGEST_BEFORE_S) if len(found) else middles
    after = np.minimum(np.concatenate([half, [np.inf]]), LONGEST_AFTER_S) if len(found) else middles
    return [
        Phone(PHONES[kind], float(middle - left), float(middle + right), strength)
        for (_, kind, strength), middle, left, right in zip(found, middles, before, after, strict=True)
    ]
