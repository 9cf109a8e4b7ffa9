"""Sentences that were spoken before, kept by content: the same voice, text and delivery are not spoken twice."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lp_core.errors import MALFORMED, LpError
from lp_core.files import ensure_folder, write_whole
from lp_core.speech.phones import Phone
from lp_core.speech.voices.base import Delivery, SpokenWord, TextVoice, Utterance

CACHE_VARIABLE = "LPSUITE_SPEECH_CACHE"
"""Folder of the cache; 'off': nothing is kept."""
MOST_BYTES = 512 << 20
VERSION = 2
_SUFFIX = ".npz"


@dataclass(frozen=True)
class SpeechCache:
    """A folder of sentences."""

    folder: Path | None
    """None: nothing is kept."""
    most_bytes: int = MOST_BYTES
    """Above it, what was not used for longest goes."""

    def speak(self, voice: TextVoice, text: str, delivery: Delivery) -> Utterance:
        """The sentence, spoken now or before.

        Raises:
            LpError: the voice cannot speak it.
        """
        if self.folder is None:
            return voice.speak(text, delivery)
        path = self.folder / (key_of(voice, text, delivery) + _SUFFIX)
        found = _read(path)
        if found is None:
            found = voice.speak(text, delivery)
            with suppress(LpError):  # a cache that cannot be written does not keep the voice from speaking
                ensure_folder(self.folder, mode=0o700)
                write_whole(path, _packed(found), durable=False, private=True)
        return found

    def trim(self) -> None:
        """Removes what was not used for longest, until the rest is small enough."""
        if self.folder is None or not self.folder.is_dir():
            return
        found = []
        for path in self.folder.glob("*" + _SUFFIX):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.most_bytes:
                return
            with suppress(OSError):
                path.unlink()
            total -= size


def default_cache() -> SpeechCache:
    """This user's cache."""
    named = os.environ.get(CACHE_VARIABLE, "").strip()
    if named == "off":
        return SpeechCache(None)
    if named:
        return SpeechCache(Path(named).expanduser())
    from platformdirs import user_cache_path

    return SpeechCache(user_cache_path("lpsuite", appauthor=False) / "speech")


def key_of(voice: TextVoice, text: str, delivery: Delivery) -> str:
    """The name of a sentence: a hash of everything that its sound depends on."""
    values = [
        VERSION, voice.info.id, voice.info.fingerprint, text, delivery.language, delivery.speed, delivery.seed,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _packed(spoken: Utterance) -> bytes:
    buffer = io.BytesIO()
    times = {
        "phones": [[phone.name, phone.start_s, phone.end_s] for phone in spoken.phones],
        "words": [[word.text, word.start_s, word.end_s] for word in spoken.words],
    }
    np.savez(
        buffer,
        samples=np.round(np.clip(spoken.samples, -1, 1) * 32767).astype("<i2"),
        rate=np.int64(spoken.rate),
        times=np.frombuffer(json.dumps(times).encode(), np.uint8),
    )
    return buffer.getvalue()


def _read(path: Path) -> Utterance | None:
    """What was kept; None where there is nothing, or it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            samples = stored["samples"].astype(np.float32) / np.float32(32767)
            rate, times = int(stored["rate"]), json.loads(bytes(stored["times"]))
        phones = tuple(Phone(name, start, end) for name, start, end in times["phones"])
        words = tuple(SpokenWord(text, start, end) for text, start, end in times["words"])
        path.touch()
    except (OSError, zipfile.BadZipFile, *MALFORMED):
        return None
    return Utterance(samples, rate, phones, words)
