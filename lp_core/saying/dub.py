"""Subtitles spoken in time over a filmed face, whose mouth follows: dubbing."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lp_core.assemble import assemble
from lp_core.engines.registry import MakeEngine, make_engine
from lp_core.errors import SettingError
from lp_core.job import RenderJob
from lp_core.leftovers import temporary_folder
from lp_core.media.open import check_output, open_source
from lp_core.media.speech_sheet import SpeechSheet, speech_file
from lp_core.render.report import Listener, Summary
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.voices.base import FASTEST, SLOWEST, Delivery, TextVoice, Utterance, unmarked
from lp_core.speech.voices.cache import SpeechCache, default_cache
from lp_core.speech.voices.registry import open_voice
from lp_core.speech.voices.script import Piece
from lp_core.speech.voices.speaking import SpokenTimes, sheet_of, spoken_piece
from lp_core.speech.voices.text import read_text

FASTEST_FIT, SLOWEST_FIT = 1.4, 0.9
"""Speeds within which speech is fitted to its time, where nothing else is said."""
_GAP_S = 0.08
"""Silence before the next cue."""
_TRIES = 3
_CLOSE = 1.03
"""A duration within 3 % of its time fits."""
_TIMES = re.compile(
    r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->\s*(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})(?:\s.*)?"
)
_TAG = re.compile(r"<[^>\n]*>|\{\\[^}\n]*\}")
_MOST_CUES = 20_000


@dataclass(frozen=True)
class Cue:
    """A subtitle."""

    start_s: float
    """Seconds."""
    end_s: float
    """Seconds."""
    text: str
    """Without markup."""


@dataclass(frozen=True)
class DubJob:
    """A video whose face is to speak subtitles."""

    film: str
    """Video of a face."""
    subtitles: str
    """SRT or WebVTT file."""
    output: str
    """Video that is written."""
    voice: str = ""
    """Name of the voice; empty: the default for the language."""
    delivery: Delivery = field(default_factory=Delivery)
    """Language and seed; its speed multiplies the fitted one."""
    fastest: float = FASTEST_FIT
    """How fast speech may get, 1..2."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Of the render."""

    def __post_init__(self) -> None:
        if not 1.0 <= self.fastest <= FASTEST:
            raise SettingError(f"fastest = {self.fastest:g} is out of range; give 1 to {FASTEST:g}.")


def dub(
    job: DubJob,
    listener: Listener | None = None,
    make: MakeEngine = make_engine,
    voice: TextVoice | None = None,
    cache: SpeechCache | None = None,
) -> Summary:
    """Speaks the subtitles in time and lets the face follow.

    Args:
        job: what is to be dubbed.
        listener: takes progress.
        make: gives the engine.
        voice: who speaks; None: the one that the job names.
        cache: of sentences; None: this user's.

    Raises:
        LpError: the subtitles, the voice or the render fails; no output is left behind.
    """
    check_output(job.output, job.settings.output.overwrite, job.settings.output.codec)
    cues = read_cues(Path(job.subtitles))
    with open_source(job.film) as source:
        info = source.info
    if info.is_still or info.frame_count is None:
        raise SettingError(
            f"{job.film} is not a video with a known length; give a filmed face, or use lpsuite say."
        )
    length_s = float(info.rate.time_s(info.frame_count))
    speaker = voice or open_voice(job.voice, job.delivery.language)
    with temporary_folder() as folder:
        path = Path(folder) / "dub.wav"
        notes = speak_cues(cues, length_s, speaker, job, path, cache or default_cache())
        settings = with_values(job.settings, {"lipsync": True})
        render = assemble(RenderJob(job.film, str(path), job.output, settings), make=make)
        summary = render.run(listener)
    return replace(summary, notes=(*notes, *summary.notes))


def read_cues(path: Path) -> tuple[Cue, ...]:
    """The subtitles of an SRT or WebVTT file, in order of time.

    Raises:
        SettingError: it holds none, or too many.
        UnreadableMedia: it cannot be read.
    """
    found: list[Cue] = []
    for block in re.split(r"\n\s*\n", read_text(path).replace("\r\n", "\n").replace("\r", "\n")):
        lines = [line for line in block.split("\n") if line.strip()]
        at = next((index for index, line in enumerate(lines[:2]) if _TIMES.fullmatch(line.strip())), None)
        if at is None:
            continue
        match = _TIMES.fullmatch(lines[at].strip())
        text = " ".join(html.unescape(_TAG.sub("", line)).strip() for line in lines[at + 1 :]).strip()
        if match is None or not any(sign.isalnum() for sign in text):
            continue
        start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        if end > start:
            found.append(Cue(start, end, text))
    if not 0 < len(found) <= _MOST_CUES:
        raise SettingError(
            f"{path} holds {len(found)} subtitles; give an SRT or WebVTT file with 1 to {_MOST_CUES}."
        )
    return tuple(sorted(found, key=lambda cue: cue.start_s))


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, rest = parts
    fraction = float(f"0.{rest}") if rest else 0.0
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0) + fraction


def speak_cues(
    cues: Sequence[Cue], length_s: float, voice: TextVoice, job: DubJob, path: Path, cache: SpeechCache
) -> list[str]:
    """Speaks the cues into a WAV file, each from its own time on; returns sentences about those that do not fit.

    Raises:
        LpError: the voice cannot speak, or the file cannot be written.
    """
    inside = [cue for cue in cues if cue.start_s < length_s]
    notes = []
    if len(inside) < len(cues):
        notes.append(
            f"{len(cues) - len(inside)} subtitles begin after the end of the video and are left out."
        )
    if not inside:
        raise SettingError(f"No subtitle of {job.subtitles} begins within the video ({length_s:.1f} s).")
    times, late, widest = SpokenTimes(), [], 0.0
    rate = spoken_piece(Piece(inside[0].text), voice, job.delivery, cache).rate
    with speech_file(path, rate) as file:
        for index, cue in enumerate(inside):
            following = inside[index + 1].start_s if index + 1 < len(inside) else length_s
            room_s = max(cue.end_s, following - _GAP_S) - cue.start_s
            spoken = fitted(cue, room_s, voice, job, cache)
            file.silence(max(cue.start_s - file.seconds, 0.0))
            delay = file.seconds - cue.start_s
            if delay > 0.2:
                late.append(index + 1)
                widest = max(widest, delay)
            times.add(spoken, unmarked(cue.text), file.seconds)
            file.write(spoken.samples)
        file.silence(max(length_s - file.seconds, 0.0))
        file.finish(_sheet(voice, job, times))
    if late:
        numbers = ", ".join(map(str, late[:8]))
        notes.append(
            f"{len(late)} subtitles are spoken late, by {widest:.1f} s at most ({numbers}): those before do not fit "
            f"at {job.fastest:g} times the usual speed; shorten them, or raise --fastest."
        )
    return notes


def fitted(cue: Cue, room_s: float, voice: TextVoice, job: DubJob, cache: SpeechCache) -> Utterance:
    """A cue, spoken so that it fits its room where the limits of the speed allow it.

    Args:
        cue: what is said.
        room_s: seconds until the next cue.
        voice: who says it.
        job: has the limits.
        cache: of sentences.
    """
    speed = 1.0
    spoken = spoken_piece(Piece(cue.text), voice, job.delivery, cache)
    wanted_s = cue.end_s - cue.start_s
    for _ in range(_TRIES):
        goal_s = min(max(spoken.seconds, wanted_s), room_s) if spoken.seconds < wanted_s else room_s
        if spoken.seconds <= room_s and (spoken.seconds >= 0.8 * wanted_s or speed <= SLOWEST_FIT):
            break
        ratio = spoken.seconds / max(goal_s, 0.05)
        changed = min(max(speed * ratio * (_CLOSE if ratio > 1 else 1.0), SLOWEST_FIT), job.fastest)
        if abs(changed - speed) < 0.01:
            break
        speed = changed
        rate = min(max(speed, SLOWEST), FASTEST)
        spoken = spoken_piece(Piece(cue.text, rate), voice, job.delivery, cache)
    return spoken


def _sheet(voice: TextVoice, job: DubJob, times: SpokenTimes) -> SpeechSheet:
    return sheet_of(voice, job.delivery, times.phones, times.words, times.sentences)
