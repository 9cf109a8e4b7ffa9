"""A text that a voice says, as phones: English by the embedded reader, other languages by espeak-ng."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from lp_core.errors import SettingError
from lp_core.speech.phones import Phone
from lp_core.speech.voices.hibari import english_phones
from lp_core.speech.voices.programs import check_language, ipa_words
from lp_core.speech.voices.text import paragraphs, read_text, sentences

FOUND, ENOUGH = 0.1, 0.5
"""A phone of this probability counts as found; this share of them must be."""


def transcript_phones(path: Path, language: str) -> tuple[str, ...]:
    """The phones of a text file, members of PHONES, in the order in which they are said.

    Args:
        path: UTF-8 text.
        language: such as en-us or de.

    Raises:
        SettingError: the file is not text in UTF-8, or holds no words, or espeak-ng does not speak the language.
        UnreadableMedia: the file cannot be read.
        MissingDependency: the program espeak-ng is not installed.
    """
    text = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in read_text(path))
    is_english = language.lower().partition("-")[0] == "en" and find_spec("hibari") is not None
    if not is_english:
        check_language(language)
    names: list[str] = []
    for sentence in (sentence for paragraph in paragraphs(text) for sentence in sentences(paragraph)):
        if is_english:
            names += english_phones(sentence, language.lower() == "en-gb")
        else:
            names += [name for word in ipa_words(sentence, language) for name in word]
    if not names:
        raise SettingError(f"{path} holds no words; write down what the voice says.")
    return tuple(names)


def check_match(phones: tuple[Phone, ...], count: int, text: Path, sound: Path) -> None:
    """Refuses an alignment of which too little is found in the sound; ``count`` phones were looked for.

    Raises:
        SettingError: the voice says something else.
    """
    found = sum(phone.strength > FOUND for phone in phones)
    if found < ENOUGH * count:
        raise SettingError(
            f"{sound} does not say what {text} holds: {100 * found // count} % of its sounds were found; "
            "correct the text, or the language (--transcript-language)."
        )
