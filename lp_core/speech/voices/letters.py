"""Phones from the letters that voices of the Kokoro family, Piper and espeak-ng write: IPA with some capitals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lp_core.speech.phones import VOWELS, Phone, phone_of_ipa

_LETTERS = {
    "A": "EY", "I": "AY", "O": "OW", "Q": "OW", "W": "AW", "Y": "OY", "T": "D", "ᵻ": "IH", "ɫ": "L",
    "ʣ": "Z", "ʥ": "JH", "ʦ": "S", "ʨ": "CH", "ʤ": "JH", "ʧ": "CH", "ɬ": "L", "ʔ": "", "ɑ": "AA", "ɚ": "ER",
    "q": "K", "ʉ": "UW", "ɶ": "AA", "ɞ": "ER", "ɱ": "M", "ɭ": "L", "ɳ": "N", "g": "G", "r": "R",
}  # fmt: skip
"""Letter -> phone class, where IPA has another meaning or none."""
STRESS, LENGTH = "ˈˌ", "ː"
_JOINS = {
    "t͡ʃ": "ʧ",
    "d͡ʒ": "ʤ",
    "tʃ": "ʧ",
    "dʒ": "ʤ",
    "eɪ": "A",
    "aɪ": "I",
    "oʊ": "O",
    "əʊ": "Q",
    "aʊ": "W",
    "ɔɪ": "Y",
}
_SHORTEST_GAP_S = 0.08
"""Shorter gaps between phones are not silence."""


def phone_of_letter(letter: str) -> str:
    """The phone class of a letter; empty for marks, punctuation and spaces."""
    return _LETTERS[letter] if letter in _LETTERS else phone_of_ipa(letter)


def letters_of_ipa(ipa: str) -> str:
    """IPA with diphthongs and affricates as the single letters of the Kokoro family."""
    for spelled, letter in _JOINS.items():
        ipa = ipa.replace(spelled, letter)
    return ipa


def timed_phones(letters: str, edges_s: Sequence[float]) -> tuple[Phone, ...]:
    """Phones with times.

    Args:
        letters: one letter for each token of the voice.
        edges_s: start of each letter, and the end of the last, in seconds.

    Stress marks own time, which belongs to the sound that follows; that of a length mark to the sound before.
    """
    return closed_gaps(list(_timed(letters, edges_s)))


def _timed(letters: str, edges_s: Sequence[float]) -> Iterator[Phone]:
    held: Phone | None = None
    begun: float | None = None
    for index, letter in enumerate(letters):
        start, end = max(edges_s[index], 0.0), max(edges_s[index + 1], 0.0)
        if letter in STRESS:
            begun = start if begun is None else begun
            continue
        if letter in LENGTH and held is not None:
            held = Phone(held.name, held.start_s, end)
            continue
        name = phone_of_letter(letter)
        if held is not None:
            yield held
        held = Phone(name, start if begun is None else begun, end) if name and end > start else None
        begun = None
    if held is not None:
        yield held


def closed_gaps(phones: list[Phone]) -> tuple[Phone, ...]:
    """The phones, short gaps between them given to both sides; vowels take all of a gap next to a consonant."""
    for index in range(len(phones) - 1):
        left, right = phones[index], phones[index + 1]
        gap = right.start_s - left.end_s
        if 0 < gap < _SHORTEST_GAP_S:
            share = 0.5
            if (left.name in VOWELS) != (right.name in VOWELS):
                share = 1.0 if left.name in VOWELS else 0.0
            middle = left.end_s + share * gap
            phones[index] = Phone(left.name, left.start_s, middle)
            phones[index + 1] = Phone(right.name, middle, right.end_s)
    return tuple(phones)
