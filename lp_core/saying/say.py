"""Says a script: text to speech, then the portrait with that speech; several scenes are joined by copying packets."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lp_core.assemble import assemble
from lp_core.engines.registry import MakeEngine, make_engine
from lp_core.errors import SettingError
from lp_core.files import check_folder, refuse_existing, replacing
from lp_core.finishing.captions import captions_of, write_captions
from lp_core.finishing.finish import Finish
from lp_core.job import RenderJob
from lp_core.leftovers import temporary_folder
from lp_core.media.open import check_output
from lp_core.media.speech_sheet import SpeechSheet
from lp_core.render.render import Render
from lp_core.render.report import Listener, Meter, Summary
from lp_core.saying.joined import join_scenes
from lp_core.saying.scenes import ScriptScene, with_emotion
from lp_core.saying.timeline import write_timeline
from lp_core.settings import RenderSettings
from lp_core.speech.voices.base import Delivery, TextVoice
from lp_core.speech.voices.cache import SpeechCache, default_cache
from lp_core.speech.voices.registry import open_voice
from lp_core.speech.voices.script import read_script
from lp_core.speech.voices.speaking import speak_script

OpenVoice = Callable[[str, str], TextVoice]
"""Opens a voice by name and language."""


@dataclass(frozen=True)
class SayJob:
    """A script that is to be said; nothing of it has been opened."""

    scenes: tuple[ScriptScene, ...]
    """In order; at least one."""
    output: str
    """Video that is written."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Of every scene."""
    finish: Finish = field(default_factory=Finish)
    """Cut and background."""
    seed: int = 0
    """The same number gives the same result."""
    subtitles: str = ""
    """``.srt`` or ``.vtt`` file to write; empty: none."""
    burned: bool = False
    """True: captions are drawn on the frames."""
    timeline: str = ""
    """``.otio`` file to write; empty: none."""
    sound: str = ""
    """WAV file to keep the speech in; empty: none."""

    @property
    def is_joined(self) -> bool:
        """Whether the video is put together: of several scenes, or with music under one."""
        return len(self.scenes) > 1 or any(scene.music for scene in self.scenes)


@dataclass(frozen=True)
class SaySummary:
    """What came out."""

    render: Summary
    """Of the video."""
    sheets: tuple[SpeechSheet, ...]
    """What was said, scene by scene, in seconds of the scene."""
    starts_s: tuple[float, ...] = (0.0,)
    """Where each scene begins in the video."""


def say(
    job: SayJob,
    listener: Listener | None = None,
    make: MakeEngine = make_engine,
    open_named: OpenVoice = open_voice,
    cache: SpeechCache | None = None,
) -> SaySummary:
    """Speaks the scenes and renders them.

    Args:
        job: what is to be said.
        listener: takes progress.
        make: gives the engine.
        open_named: opens a voice by name and language.
        cache: of sentences; None: this user's.

    Raises:
        LpError: a voice, a file or the render fails; no output is left behind.
    """
    began = time.perf_counter()
    _check(job)
    starts: tuple[float, ...] = (0.0,)
    with temporary_folder() as folder:
        spoken = [
            speak_scene(scene, job.seed, Path(folder) / f"speech{number}.wav", open_named, cache, listener)
            for number, scene in enumerate(job.scenes, 1)
        ]
        if job.is_joined:
            summary, starts = join_scenes(job, spoken, Path(folder), listener, make, scene_render)
        else:
            render = scene_render(job, 0, spoken[0], job.output, make)
            summary = render.run(listener)
        if job.sound:
            with replacing(Path(job.sound)) as temporary:
                shutil.copyfile(spoken[0].path, temporary)
    sheets = tuple(item.sheet for item in spoken)
    _beside(job, summary, sheets, starts)
    return SaySummary(replace(summary, seconds=round(time.perf_counter() - began, 3)), sheets, starts)


@dataclass(frozen=True)
class SpokenScene:
    """A scene's speech."""

    path: Path
    """WAV file with a sheet."""
    sheet: SpeechSheet
    """What is said when."""


def speak_scene(
    scene: ScriptScene,
    seed: int,
    path: Path,
    open_named: OpenVoice = open_voice,
    cache: SpeechCache | None = None,
    listener: Listener | None = None,
) -> SpokenScene:
    """Speaks one scene into a WAV file.

    Raises:
        LpError: the voice cannot speak it.
    """
    pieces = list(read_script(scene.text))
    if scene.pause:
        pieces[-1] = replace(pieces[-1], pause_s=scene.pause)
    voice = open_named(scene.voice, scene.language)
    meter = Meter("speak", len(pieces), listener, time.perf_counter)
    delivery = Delivery(scene.language, scene.speed, seed)
    sheet = speak_script(
        pieces, voice, delivery, path, cache or default_cache(), lambda _number: meter.step()
    )
    if listener is not None:
        meter.finish()
    return SpokenScene(path, sheet)


def scene_render(
    job: SayJob, index: int, spoken: SpokenScene, output: str, make: MakeEngine, resumes: bool = False
) -> Render:
    """The render of one scene.

    Raises:
        LpError: something it names cannot be used; nothing has been written.
    """
    scene = job.scenes[index]
    settings = replace(job.settings, speech=with_emotion(job.settings.speech, scene, job.seed))
    finish = replace(job.finish, captions=captions_of(spoken.sheet)) if job.burned else job.finish
    named = RenderJob(scene.portrait, str(spoken.path), output, settings)
    return assemble(named, resumes, make, finish)


def _check(job: SayJob) -> None:
    """Refuses outputs that cannot be written before anything is spoken."""
    if not job.scenes:
        raise SettingError("There is no scene to say; give at least one.")
    overwrite = job.settings.output.overwrite
    check_output(job.output, overwrite, job.settings.output.codec)
    if job.sound and len(job.scenes) > 1:
        raise SettingError("The speech of several scenes has no single file; leave out --sound.")
    for name in (job.subtitles, job.timeline, job.sound):
        if name:
            check_folder(Path(name))
            refuse_existing(Path(name), overwrite)
    if job.subtitles and Path(job.subtitles).suffix.lower() not in (".srt", ".vtt"):
        raise SettingError(f"{job.subtitles} cannot hold subtitles; let its name end in .srt or .vtt.")


def _beside(job: SayJob, summary: Summary, sheets: Sequence[SpeechSheet], starts: Sequence[float]) -> None:
    """Writes what goes next to the video."""
    if job.subtitles:
        captions = [
            replace(item, start_s=item.start_s + start, end_s=item.end_s + start)
            for sheet, start in zip(sheets, starts, strict=True)
            for item in captions_of(sheet)
        ]
        write_captions(captions, Path(job.subtitles))
    if job.timeline:
        write_timeline(Path(job.timeline), job.output, summary, job.scenes, starts)
