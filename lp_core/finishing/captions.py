"""Captions: cut from what is said, drawn on frames, or written next to a video as SRT or WebVTT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lp_core.errors import SettingError
from lp_core.files import write_whole
from lp_core.media.speech_sheet import SpeechSheet, TimedText

F32 = NDArray[np.float32]

LINE = 42
"""Characters of a line."""
_LINES = 2
_HOLD_S = 0.3
"""How long a caption stays after its last word, where nothing follows."""
_SIZE, _BOTTOM = 0.045, 0.05
SUFFIXES = (".srt", ".vtt")


@dataclass(frozen=True)
class Caption:
    """Text with its time."""

    text: str
    """One or two lines."""
    start_s: float
    """Seconds."""
    end_s: float
    """Seconds."""


def captions_of(sheet: SpeechSheet) -> tuple[Caption, ...]:
    """Captions of at most two lines of 42 characters; parts of a sentence change with its words."""
    found: list[Caption] = []
    for sentence in sheet.sentences:
        found += _captions(sentence, [word for word in sheet.words if sentence[1] <= word[1] < sentence[2]])
    kept = []
    for index, item in enumerate(found):
        limit = found[index + 1].start_s if index + 1 < len(found) else item.end_s + _HOLD_S
        kept.append(Caption(item.text, item.start_s, min(item.end_s + _HOLD_S, limit)))
    return tuple(kept)


def _captions(sentence: TimedText, words: Sequence[TimedText]) -> list[Caption]:
    text, start, end = sentence
    blocks = _blocks(_lines(text))
    total = sum(len(block) for block in blocks)
    edges, passed = [start], 0
    for block in blocks[:-1]:
        passed += len(block)
        edges.append(_moment(start, end, passed / total, words))
    edges.append(end)
    return [Caption(block, edges[index], edges[index + 1]) for index, block in enumerate(blocks)]


def _moment(start: float, end: float, share: float, words: Sequence[TimedText]) -> float:
    """The start of the word nearest to a share of the sentence."""
    guess = start + share * (end - start)
    starts = [word[1] for word in words if start < word[1] < end]
    return min(starts, key=lambda moment: abs(moment - guess)) if starts else guess


def _lines(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) > LINE and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def _blocks(lines: Sequence[str]) -> list[str]:
    return ["\n".join(lines[first : first + _LINES]) for first in range(0, len(lines), _LINES)]


def caption_layer(text: str, width: int, height: int) -> tuple[F32, int]:
    """The rows of a frame that a caption covers: ((rows, width, 4) straight RGBA 0..1, first row)."""
    size = max(round(_SIZE * height), 10)
    font = ImageFont.load_default(size)
    band = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(band)
    while size > 8 and draw.multiline_textbbox((0, 0), text, font=font)[2] > 0.94 * width:
        size -= 1
        font = ImageFont.load_default(size)
    place = (width / 2, height * (1 - _BOTTOM))
    edge = max(size // 10, 1)
    draw.multiline_text(
        place,
        text,
        (255, 255, 255, 255),
        font,
        "md",
        align="center",
        stroke_width=edge,
        stroke_fill=(0, 0, 0, 255),
    )
    pixels = np.asarray(band, np.float32) / np.float32(255)
    rows = np.flatnonzero(pixels[..., 3].any(axis=1))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (height - 1, height)
    return pixels[top:bottom], top


def write_captions(captions: Sequence[Caption], path: Path) -> None:
    """Writes SRT or WebVTT, by the file's suffix.

    Raises:
        SettingError: the suffix is another one.
        DiskFull, NoWritePermission, MediaError: the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise SettingError(f"{path} cannot hold subtitles; let its name end in {' or '.join(SUFFIXES)}.")
    is_srt = suffix == ".srt"
    blocks = [] if is_srt else ["WEBVTT\n"]
    for number, item in enumerate(captions, 1):
        times = " --> ".join(_stamp(moment, "," if is_srt else ".") for moment in (item.start_s, item.end_s))
        text = item.text if is_srt else item.text.replace("&", "&amp;").replace("<", "&lt;")
        blocks.append(f"{number}\n{times}\n{text}\n")
    write_whole(path, "\n".join(blocks))


def _stamp(moment: float, point: str) -> str:
    whole = max(round(moment * 1000), 0)
    return f"{whole // 3600000:02}:{whole // 60000 % 60:02}:{whole // 1000 % 60:02}{point}{whole % 1000:03}"
