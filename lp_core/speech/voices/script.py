"""What is to be said: text or an SSML subset, as pieces with pauses.

SSML elements: ``speak``, ``p``, ``s``, ``break`` (time, strength), ``emphasis`` (level), ``prosody`` (rate),
``sub`` (alias), ``phoneme`` (alphabet ipa, ph). Other elements are read through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from lp_core.errors import SettingError
from lp_core.speech.voices.base import FASTEST, SLOWEST
from lp_core.speech.voices.text import paragraphs, sentences

LONGEST_TEXT = 200_000
"""Characters of one script."""
LONGEST_PAUSE_S = 30.0
SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S = 0.25, 0.5
_DEEPEST = 24
_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
_RATES = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.2, "x-fast": 1.5}
_GAINS = {"strong": 1.5, "moderate": 1.25, "reduced": 0.7, "none": 1.0}
_TIME = re.compile(r"\s*\+?([0-9]+(?:\.[0-9]+)?)\s*(ms|s)\s*")
_PERCENT = re.compile(r"\s*([+-]?)([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*")


@dataclass(frozen=True)
class Piece:
    """A sentence, or a part of one, that is spoken in one go."""

    text: str
    """Plain text; words may be marked with their pronunciation."""
    speed: float = 1.0
    """Multiplies the speed of the delivery."""
    gains: tuple[tuple[int, int, float], ...] = ()
    """(first word, one past the last, gain): words that are louder or softer; words are what spaces separate."""
    pause_s: float = 0.0
    """Silence after it."""


@dataclass(frozen=True)
class _Run:
    """A run of text under the same attributes, or a pause."""

    text: str
    speed: float
    gain: float
    pause_s: float | None = None
    is_break: bool = False


def read_script(text: str) -> tuple[Piece, ...]:
    """Text or SSML as pieces.

    Args:
        text: SSML where it begins with ``<speak``; plain text otherwise.

    Raises:
        SettingError: it is empty, too long, or no well-formed SSML.
    """
    if len(text) > LONGEST_TEXT:
        raise SettingError(
            f"The text has {len(text)} characters and may have {LONGEST_TEXT}; split it into several."
        )
    runs = list(_ssml(text)) if text.lstrip().startswith("<speak") else _plain(text)
    pieces = _pieces(runs)
    if not any(any(sign.isalnum() for sign in piece.text) for piece in pieces):
        raise SettingError("The text holds nothing to say; give at least one word.")
    return pieces


def _plain(text: str) -> list[_Run]:
    clean = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)
    runs: list[_Run] = []
    for paragraph in paragraphs(clean):
        runs += [_Run(paragraph, 1.0, 1.0), _Run("", 1.0, 1.0, PARAGRAPH_PAUSE_S)]
    return runs


def _ssml(text: str) -> Iterator[_Run]:
    if "<!" in text:
        raise SettingError("The SSML holds a declaration or a comment (<!), which is not read; leave it out.")
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314 - no declarations, so no entities
    except (ElementTree.ParseError, ValueError) as error:
        raise SettingError(f"The SSML is not well-formed ({error}); check its tags.") from error
    yield from _walk(root, 1.0, 1.0, 0)


def _walk(node: ElementTree.Element, speed: float, gain: float, depth: int) -> Iterator[_Run]:
    if depth > _DEEPEST:
        raise SettingError(f"The SSML is nested more than {_DEEPEST} deep; make it flatter.")
    name = node.tag.rpartition("}")[2]
    if name == "break":
        yield _Run("", speed, gain, _pause(node), is_break=True)
        return
    if name in ("sub", "phoneme"):
        yield _Run(_replaced(name, node), speed, gain)
        return
    if name == "prosody":
        speed *= _rate(node.get("rate", "medium"))
    if name == "emphasis":
        gain *= _GAINS.get(node.get("level", "moderate"), 1.0)
    if node.text:
        yield _Run(node.text, speed, gain)
    for child in node:
        yield from _walk(child, speed, gain, depth + 1)
        if child.tail:
            yield _Run(child.tail, speed, gain)
    if name in ("p", "s"):
        yield _Run("", speed, gain, PARAGRAPH_PAUSE_S if name == "p" else SENTENCE_PAUSE_S)


def _replaced(name: str, node: ElementTree.Element) -> str:
    inside = " ".join("".join(node.itertext()).split())
    if name == "sub":
        return node.get("alias", inside)
    phones = node.get("ph", "").strip()
    is_usable = node.get("alphabet", "ipa") == "ipa" and phones and not set(phones) & set(")\n")
    return f"[{inside}](/{phones}/)" if is_usable and inside and "]" not in inside else inside


def _pause(node: ElementTree.Element) -> float:
    stated = node.get("time")
    if stated is None:
        return _STRENGTHS.get(node.get("strength", "medium"), _STRENGTHS["medium"])
    match = _TIME.fullmatch(stated)
    if match is None:
        raise SettingError(f'<break time="{stated}"/> is not understood; write 500ms or 1.5s.')
    return min(float(match[1]) / (1000 if match[2] == "ms" else 1), LONGEST_PAUSE_S)


def _rate(text: str) -> float:
    if text in _RATES:
        return _RATES[text]
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise SettingError(f'<prosody rate="{text}"> is not understood; write slow, fast, 80% or +10%.')
    value = float(match[2]) / (100 if match[3] else 1)
    if match[1]:
        value = 1 + (value if match[1] == "+" else -value)
    return min(max(value, SLOWEST), FASTEST)


def _pieces(runs: Sequence[_Run]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    waiting: list[_Run] = []
    for run in [*runs, _Run("", 1.0, 1.0, 0.0)]:
        if waiting and (run.pause_s is not None or run.speed != waiting[-1].speed):
            pieces += _spoken(waiting)
            waiting = []
        if run.pause_s is None:
            if run.text.strip():
                waiting.append(run)
        elif pieces:
            pieces[-1] = _with_pause(pieces[-1], run)
        elif run.is_break:
            pieces.append(Piece("", pause_s=run.pause_s))
    if pieces and pieces[-1].pause_s in (SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S):  # nothing follows
        pieces[-1] = replace(pieces[-1], pause_s=0.0)
    return tuple(pieces)


def _with_pause(piece: Piece, run: _Run) -> Piece:
    """Breaks add up; the pause of a sentence or paragraph is the least there is."""
    given = run.pause_s or 0.0
    pause = min(piece.pause_s + given, LONGEST_PAUSE_S) if run.is_break else max(piece.pause_s, given)
    return Piece(piece.text, piece.speed, piece.gains, pause)


def _spoken(runs: Sequence[_Run]) -> list[Piece]:
    """Runs of one speed as sentences, with the gain of each word."""
    gains = [run.gain for run in runs for _ in run.text.split()]
    whole = " ".join(" ".join(run.text.split()) for run in runs)
    found: list[Piece] = []
    first = 0
    texts = [text for paragraph in paragraphs(whole) for text in sentences(paragraph)]
    for text in texts:
        count = len(text.split())
        found.append(Piece(text, runs[0].speed, _grouped(gains[first : first + count]), SENTENCE_PAUSE_S))
        first += count
    if found:
        is_whole = found[-1].text.rstrip('"”’»)]')[-1:] in ".!?…。！？"
        last = found[-1]
        found[-1] = Piece(last.text, last.speed, last.gains, SENTENCE_PAUSE_S if is_whole else 0.0)
    return found


def _grouped(gains: Sequence[float]) -> tuple[tuple[int, int, float], ...]:
    groups: list[tuple[int, int, float]] = []
    for index, gain in enumerate(gains):
        if gain == 1.0:
            continue
        if groups and groups[-1][1] == index and groups[-1][2] == gain:
            groups[-1] = (groups[-1][0], index + 1, gain)
        else:
            groups.append((index, index + 1, gain))
    return tuple(groups)
