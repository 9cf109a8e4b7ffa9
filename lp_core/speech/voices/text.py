"""Text files, and text cut into sentences that a voice speaks one at a time."""

from __future__ import annotations

import re
from pathlib import Path

from lp_core.errors import SettingError
from lp_core.files import check_readable, read_failure

_LARGEST = 1 << 20
LONGEST = 320
"""Characters of a piece that a voice is given at once."""
_END = re.compile(r"(?<=[.!?…])[\"”’»)\]]*\s+(?=\S)|(?<=[。！？])[」』”]*\s*(?=\S)")
_CLAUSE = re.compile(r"(?<=[,;:—–、，；])\s*(?=\S)")
_PARAGRAPH = re.compile(r"\n\s*\n")
_TITLES = re.compile(
    r"mr|mrs|ms|dr|prof|st|sr|jr|vs|no|vol|fig|etc|approx|dept|rev|gen|col|capt|lt|sgt|hr|fr|bzw|z\.b|d\.h|u\.a|m|mme|"
    r"sra|ud|uds|av|[^\W\d_]",
    re.IGNORECASE,
)
"""Words after which a period does not end a sentence; single letters are initials."""


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        SettingError: it is too large, or not in UTF-8.
        UnreadableMedia: it cannot be read.
    """
    check_readable(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise SettingError(f"{path} is larger than {_LARGEST >> 20} MB; split the text.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingError(f"{path} is not text in UTF-8; save it so.") from error
    except OSError as error:
        raise read_failure(path, error) from error


def paragraphs(text: str) -> list[str]:
    """Paragraphs with single spaces; blank lines separate them."""
    return [" ".join(part.split()) for part in _PARAGRAPH.split(text) if part.strip()]


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph, none longer than LONGEST characters.

    A period after a title, an initial or before a lowercase letter does not end a sentence.
    """
    found, start = [], 0
    for match in _END.finditer(paragraph):
        if _is_end(paragraph, match.start(), match.end()):
            found.append(paragraph[start : match.end()].strip())
            start = match.end()
    found.append(paragraph[start:].strip())
    return [piece for sentence in found if sentence for piece in _short(sentence)]


def _is_end(text: str, end: int, following: int) -> bool:
    if text[following].islower():
        return False
    if text[end - 1] != ".":
        return True
    word = text[text.rfind(" ", 0, end) + 1 : end - 1].lstrip("(\"“'‘«")
    return _TITLES.fullmatch(word) is None


def _short(sentence: str) -> list[str]:
    """The sentence in pieces of at most LONGEST characters, cut at commas, else at spaces, else anywhere."""
    if len(sentence) <= LONGEST:
        return [sentence]
    pieces: list[str] = []
    current = ""
    for part in _CLAUSE.split(sentence):
        for word in [part] if len(part) <= LONGEST else _words(part):
            joined = f"{current} {word}" if current else word
            if len(joined) > LONGEST:
                pieces.append(current)
                joined = word
            current = joined
    return [*pieces, current]


def _words(part: str) -> list[str]:
    return [word[first : first + LONGEST] for word in part.split() for first in range(0, len(word), LONGEST)]
