"""Names of performances, parsed in one place for the command line, batches, live streams and host programs.

::

    demo:nod                  a built-in motion
    talk.lpmotion, TALK.PKL   a stored motion; the case of the suffix does not matter
    camera:0                  a camera (live streams)
    microphone, microphone:2  a microphone: the system's default, or one by its number or name (live streams)
    push                      frames that the client sends (live streams)
    clip:NAME, track:NAME     a clip or track of the same timeline (batches)
    talk.wav, TALK.MP3        a voice
    speech:FILE               the voice in a video or any other file
    anything else             a video, an image, a sequence or the address of a stream

Standard library only, Python 3.7 syntax: host programs load this file.
"""

from pathlib import Path
from typing import Callable, NamedTuple

BUILTIN, STORED, CAMERA, PUSH, CLIP, TRACK, MEDIA, SPEECH, MICROPHONE = (
    "demo",
    "motion",
    "camera",
    "push",
    "clip",
    "track",
    "media",
    "speech",
    "microphone",
)
"""Kinds of performances."""
_PREFIXED = (BUILTIN, CAMERA, CLIP, TRACK, SPEECH, MICROPHONE)
BUILTIN_PREFIX = BUILTIN + ":"
BUILTIN_MOTIONS = ("expressive", "blink", "nod", "still")
"""Names of the built-in motions, without ``demo:``."""
MOTION_SUFFIX, TEMPLATE_SUFFIX = ".lpmotion", ".pkl"
MOTION_FORMATS = {MOTION_SUFFIX: "lpmotion", TEMPLATE_SUFFIX: "liveportrait-pkl"}
"""Suffix of a motion file, lowercase, and its format."""
SPEECH_PREFIX = SPEECH + ":"
SOUND_SUFFIXES = frozenset(
    (
        ".wav",
        ".mp3",
        ".flac",
        ".aac",
        ".m4a",
        ".ogg",
        ".oga",
        ".opus",
        ".aif",
        ".aiff",
        ".wma",
        ".caf",
        ".ac3",
        ".amr",
    )
)
"""Suffixes of sound files, lowercase."""


class PerformanceName(NamedTuple):
    """A parsed name."""

    kind: str
    """BUILTIN, STORED, CAMERA, PUSH, CLIP, TRACK, MEDIA, SPEECH or MICROPHONE."""
    name: str
    """What follows the prefix; the whole text where there is none."""

    @property
    def is_motion(self) -> bool:
        """True: it is a motion, with no frames to look at."""
        return self.kind in (BUILTIN, STORED)


def parse(text: str) -> PerformanceName:
    """Parses the name of a performance; every text has a kind."""
    if text == PUSH:
        return PerformanceName(PUSH, text)
    if text == MICROPHONE:
        return PerformanceName(MICROPHONE, "")
    prefix, colon, rest = text.partition(":")
    if colon and prefix in _PREFIXED:
        return PerformanceName(prefix, rest)
    if Path(text).suffix.lower() in SOUND_SUFFIXES:
        return PerformanceName(SPEECH, text)
    return PerformanceName(STORED if motion_suffix(text) else MEDIA, text)


def motion_suffix(name: str) -> str:
    """The suffix of a motion file in lowercase, a key of MOTION_FORMATS; empty for other files."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in MOTION_FORMATS else ""


def is_builtin(text: str) -> bool:
    """True: the name of a built-in motion."""
    return parse(text).kind == BUILTIN


def is_motion(text: str) -> bool:
    """True: a built-in or stored motion, with no frames to look at."""
    return parse(text).is_motion


def is_speech(text: str) -> bool:
    """True: a voice, which moves the face as speech does."""
    return parse(text).kind == SPEECH


def with_file(text: str, change: Callable[[str], str]) -> str:
    """The name with another file: ``change`` is given the file's name; a built-in motion stays as it is."""
    kind, name = parse(text)
    if kind in (BUILTIN, PUSH, CAMERA, MICROPHONE):
        return text
    if kind == SPEECH and text.startswith(SPEECH_PREFIX):
        return SPEECH_PREFIX + change(name)
    return change(text)


def speech_file(text: str) -> str:
    """The file that holds a voice; the name itself where it is not a voice."""
    return parse(text).name if is_speech(text) else text


def voice_name(file: str) -> str:
    """The name of the voice in a file, whatever its suffix."""
    return file if is_speech(file) else SPEECH_PREFIX + file
