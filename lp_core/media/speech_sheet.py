"""A WAV file with a speech sheet: what was said when, by which synthetic voice, in a chunk that players skip.

The chunk ``lpsp`` stands behind the samples and holds JSON in UTF-8.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MALFORMED, MediaError, UnreadableMedia
from lp_core.files import replacing
from lp_core.performance_name import is_speech
from lp_core.performance_name import speech_file as speech_name

F32 = NDArray[np.float32]

SCHEMA, VERSION = "lpsuite.speech", 1
_CHUNK = b"lpsp"
_LARGEST = 64 << 20
_MOST_BYTES = (1 << 32) - _LARGEST - 4096
_HEAD = 44

TimedText = tuple[str, float, float]
"""(text, start, end), seconds."""


@dataclass(frozen=True)
class SpeechSheet:
    """What was said."""

    voice: str
    """Name of the synthetic voice."""
    license: str
    """Of the voice."""
    model: str
    """Fingerprint of the voice: SHA-256 of its model, or version of its program."""
    language: str
    """BCP 47 tag; empty: not known."""
    phones: tuple[TimedText, ...] = ()
    """Phone classes in order of time; none where the voice does not report them."""
    words: tuple[TimedText, ...] = ()
    """Words in order of time."""
    sentences: tuple[TimedText, ...] = ()
    """Sentences in order of time, as they were written."""


def synthetic_voice(path: Path) -> dict[str, str] | None:
    """id, license and model of the synthetic voice of a file; None where the file states none.

    Raises:
        UnreadableMedia: what it states is damaged.
    """
    sheet = read_sheet(path)
    return None if sheet is None else {"id": sheet.voice, "license": sheet.license, "model": sheet.model}


def synthetic_voice_of(performances: Iterable[str]) -> dict[str, str] | None:
    """The first synthetic voice among performances, by their names; None where there is none.

    Raises:
        UnreadableMedia: what a file states is damaged.
    """
    found = (synthetic_voice(Path(speech_name(name))) for name in performances if is_speech(name))
    return next((voice for voice in found if voice is not None), None)


class SpeechFile:
    """A WAV file being written, 16 bits, mono."""

    def __init__(self, file: IO[bytes], path: Path, rate: int) -> None:
        """Writes the head; the sizes in it follow in ``finish``."""
        self._file, self._path, self.rate, self._count = file, path, rate, 0
        self._file.write(_head(rate, 0, 0))

    @property
    def seconds(self) -> float:
        """Written so far."""
        return self._count / self.rate

    def write(self, samples: F32) -> None:
        """Appends (n,) samples in -1..1.

        Raises:
            MediaError: the file gets larger than WAV allows.
        """
        if 2 * (self._count + len(samples)) > _MOST_BYTES:
            raise MediaError(f"{self._path} would be larger than WAV allows (4 GB); make it shorter.")
        self._file.write(np.round(np.clip(samples, -1, 1) * np.float32(32767)).astype("<i2").tobytes())
        self._count += len(samples)

    def silence(self, seconds: float) -> None:
        """Appends silence."""
        self.write(np.zeros(round(seconds * self.rate), np.float32))

    def finish(self, sheet: SpeechSheet) -> None:
        """Appends the sheet and completes the head."""
        values = {"schema": SCHEMA, "version": VERSION, **asdict(sheet)}
        content = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
        content += b" " * (len(content) % 2)
        self._file.write(_CHUNK + struct.pack("<I", len(content)) + content)
        size = 2 * self._count
        self._file.seek(0)
        self._file.write(_head(self.rate, size, _HEAD - 8 + size + 8 + len(content)))


def _head(rate: int, size: int, whole: int) -> bytes:
    form = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", whole, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return form + struct.pack("<4sI", b"data", size)


@contextmanager
def speech_file(path: Path, rate: int) -> Iterator[SpeechFile]:
    """A WAV file that is under its name when the block ends; call ``finish`` in it.

    Raises:
        DiskFull, NoWritePermission, MediaError: it cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield SpeechFile(file, path, rate)


def read_sheet(path: Path) -> SpeechSheet | None:
    """The sheet of a WAV file; None where it has none or is not a WAV file.

    Raises:
        UnreadableMedia: the sheet is damaged.
    """
    if path.suffix.lower() != ".wav":
        return None
    try:
        with path.open("rb") as file:
            content = _find(file)
    except (OSError, struct.error):
        return None  # anyone who decodes the sound says what is wrong with the file
    if content is None:
        return None
    try:
        return _sheet(json.loads(content))
    except MALFORMED as error:
        raise UnreadableMedia(
            f"The speech sheet of {path} is damaged ({type(error).__name__}); make the file again with lpsuite say, "
            "or convert it to get rid of the sheet."
        ) from error


def _find(file: IO[bytes]) -> bytes | None:
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    while True:
        entry = file.read(8)
        if len(entry) < 8:
            return None
        name, size = struct.unpack("<4sI", entry)
        if name == _CHUNK:
            return file.read(size) if size <= _LARGEST else None
        file.seek(size + size % 2, 1)


def _sheet(values: Any) -> SpeechSheet:  # noqa: ANN401 - untrusted JSON
    if values["schema"] != SCHEMA or values["version"] != VERSION:
        raise ValueError("another version")
    voice, license_name, model, language = (
        str(values[name])[:400] for name in ("voice", "license", "model", "language")
    )
    phones, words, sentences = (tuple(map(_timed, values[name])) for name in ("phones", "words", "sentences"))
    return SpeechSheet(voice, license_name, model, language, phones, words, sentences)


def _timed(entry: Any) -> TimedText:  # noqa: ANN401 - untrusted JSON
    text, start, end = entry
    start, end = float(start), float(end)
    if not (isinstance(text, str) and 0 <= start <= end < 1e6):
        raise ValueError("times out of order")
    return text, start, end
