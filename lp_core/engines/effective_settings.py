"""Settings as an engine and a performance need them, and the sentences that inform the user of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lp_core.engines.base import Engine
from lp_core.engines.registry import published_model
from lp_core.errors import SettingError
from lp_core.frame import ClipInfo
from lp_core.job import RenderJob
from lp_core.media.render_outputs import input_kind, output_kind
from lp_core.performance_name import is_speech
from lp_core.settings import MotionSettings, RenderSettings
from lp_core.settings.reach import RunFacts


def suited(
    settings: RenderSettings, engine: str, driving: str, is_picture: bool
) -> tuple[RenderSettings, list[str]]:
    """The settings that are rendered with, and what is to be said of the changes.

    Args:
        settings: as given.
        engine: name of the engine that draws.
        driving: name of the performance.
        is_picture: True: the performance is a single image.
    """
    notes: list[str] = []
    if is_speech(driving):
        settings = replace(settings, motion=replace(settings.motion, smoothing=0.0))
        if settings.speech.lipsync and settings.liveportrait.official_compat and engine == "liveportrait":
            raise SettingError(
                "--official-compat gives the published pipeline's numbers, which know no lip-sync; use one of them."
            )
        if settings.speech.lipsync:
            settings = replace(
                settings, motion=replace(settings.motion, region="lips", motion="relative", reference="0")
            )
        elif settings.motion.reference == "auto":
            settings = replace(settings, motion=replace(settings.motion, reference="0"))
    elif settings.speech.lipsync:
        settings = replace(settings, speech=replace(settings.speech, lipsync=False))
    if engine == "liveportrait" and not published_model(settings.engine.model).rig.gives_pose:
        return _expression_alone(settings, is_picture, driving, notes), notes
    if is_picture and settings.motion.motion == "relative":
        settings = _by_picture(settings, engine, notes, driving)
    if engine == "liveportrait" and settings.liveportrait.official_compat:
        settings = _officially(settings, notes)
    return settings, notes


def run_of(
    job: RenderJob, engine: str, source: ClipInfo, driving: ClipInfo | None, model: str = ""
) -> RunFacts:
    """What decides which settings of a job have an effect.

    Args:
        job: the render.
        engine: name of the engine that draws.
        source: of what is animated.
        driving: of the performance; None: it is a stored motion or a voice.
        model: published model that draws, for the liveportrait engine.
    """
    return RunFacts(
        "animate",
        engine,
        source=input_kind(job.source, source),
        driving=_performance_kind(job.driving, driving),
        output=output_kind(job.output),
        model=model,
        has_layers=output_kind(job.source) == "exr",
    )


def _performance_kind(name: str, info: ClipInfo | None) -> str:
    if is_speech(name):
        return "speech"
    return "motion" if info is None else input_kind(name, info)


def _by_picture(settings: RenderSettings, engine: str, notes: list[str], driving: str) -> RenderSettings:
    """Settings of relative motion by a lone image, which has no other frame to compare itself with."""
    if engine == "liveportrait":
        notes.append(f"{driving} is a single image, so it is compared with a neutral face.")
        return replace(settings, motion=replace(settings.motion, reference="neutral"))
    notes.append(f"{driving} is a single image, so it drives as it is (--motion absolute).")
    return replace(settings, motion=replace(settings.motion, motion="absolute"))


def _expression_alone(
    settings: RenderSettings, is_picture: bool, driving: str, notes: list[str]
) -> RenderSettings:
    """Settings of a model that takes the expression alone: its own mode says whether there is a reference."""
    mode = settings.liveportrait.recast
    if is_picture and mode == "enhancement":
        notes.append(f"{driving} is a single image, so its expression replaces the filmed one.")
        mode = "replacement"
    motion = "absolute" if mode == "replacement" else "relative"
    return replace(
        settings,
        motion=replace(settings.motion, motion=motion),
        liveportrait=replace(settings.liveportrait, recast=mode),
    )


def _officially(settings: RenderSettings, notes: list[str]) -> RenderSettings:
    """The published pipeline compares with frame 0 and smooths nothing but filmed sources, by its own filter."""
    motion = settings.motion
    if motion.reference == "auto":
        notes.append("With --official-compat the performance is compared with its frame 0.")
        motion = replace(motion, reference="0")
    if motion.smoothing > 0:
        if motion.smoothing == MotionSettings().smoothing:  # one that was given is reported by name
            notes.append(
                "With --official-compat --smoothing is not used; filmed sources have the published filter."
            )
        motion = replace(motion, smoothing=0.0)
    return replace(settings, motion=motion)


def check_abilities(engine: Engine, settings: RenderSettings, sliders: Iterable[str]) -> None:
    """Refuses what an engine cannot do.

    Args:
        engine: draws.
        settings: of the render.
        sliders: names of the sliders that are used.

    Raises:
        SettingError: a slider or a pass that the engine does not have.
    """
    unknown = [name for name in sliders if name not in engine.info.sliders]
    if unknown:
        raise SettingError(
            f"The {engine.info.name} engine cannot do the slider '{unknown[0]}'; it can do: "
            f"{', '.join(engine.info.sliders)}."
        )
    if "crop" in settings.output.pass_names and not engine.info.has_crop:
        raise SettingError(
            f"The {engine.info.name} engine draws into the frame itself and has no pass 'crop'; leave it out."
        )
