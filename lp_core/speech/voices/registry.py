"""Voices by name.

::

    hibari:heart           embedded, English (extra voice); hibari alone is the same
    espeak:de              espeak-ng, a separate program, more than a hundred languages
    kokoro:/path/ef_dora.bin   Kokoro-82M: a voice's file; kokoro:NAME for those of installed packages
    piper:/path/de.onnx    a voice of Piper's that the user brings
    command:PROGRAM ...    any program that writes a WAV file
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping

from lp_core.errors import SettingError
from lp_core.speech.voices.base import TextVoice, VoiceInfo
from lp_core.speech.voices.hibari import VOICES, hibari_info, open_hibari
from lp_core.speech.voices.kokoro import open_kokoro
from lp_core.speech.voices.piper import open_piper
from lp_core.speech.voices.programs import PROGRAM, open_command, open_espeak, run_program

DEFAULT_VOICE = "hibari:heart"
KINDS: Mapping[str, Callable[[str], TextVoice]] = {
    "hibari": open_hibari, "espeak": open_espeak, "kokoro": open_kokoro, "piper": open_piper, "command": open_command,
}  # fmt: skip
"""Prefix -> opens the voice that follows it."""
REMOTE_KINDS = frozenset({"hibari", "espeak"})
"""Kinds that a client of the worker may name: they neither open files nor run programs of the client's choice."""


def open_voice(name: str, language: str = "") -> TextVoice:
    """The voice of a name.

    Args:
        name: see above; empty: the embedded voice for English, espeak-ng for other languages.
        language: BCP 47 tag of the text; empty: not stated.

    Raises:
        SettingError: there is none.
        MissingDependency, ModelMissing: it is not installed.
    """
    kind, _, rest = (name or default_voice(language)).partition(":")
    if kind not in KINDS:
        raise SettingError(
            f"There is no voice '{name}'; write hibari:heart, espeak:LANGUAGE, kokoro:NAME, piper:FILE.onnx "
            "or command:PROGRAM ..."
        )
    return KINDS[kind](rest)


def default_voice(language: str) -> str:
    """The voice for a language where none is named."""
    if not language or language.lower().partition("-")[0] == "en":
        return DEFAULT_VOICE
    return f"espeak:{language.lower()}"


def installed_voices() -> Iterator[VoiceInfo]:
    """Voices that can be named without a file of the user's, those of hibari first."""
    for name in VOICES:
        yield hibari_info(name)
    if shutil.which(PROGRAM) is None:
        return
    for line in run_program([PROGRAM, "--voices"], "").splitlines()[1:]:
        columns = line.split()
        if len(columns) >= 4:
            gender = {"F": "female", "M": "male"}.get(columns[2].rpartition("/")[2][:1], "")
            title = f"espeak-ng {columns[3].replace('_', ' ')}"
            yield VoiceInfo(
                f"espeak:{columns[1]}", title, columns[1], gender, "GPL-3.0-or-later (separate program)", ""
            )
