"""Joins the package ``upscale`` with sources and sinks; nothing else in lp_core names it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from lp_core.color.management import ColorManagement
from lp_core.engines.base import Engine
from lp_core.errors import MissingDependency, SettingError, missing_extra
from lp_core.media.base import ReadOptions
from lp_core.media.input_files import input_files
from lp_core.media.interpret import InterpretedSource
from lp_core.media.open import check_output, open_sink, open_source
from lp_core.media.render_outputs import input_kind, output_kind
from lp_core.media.transforms import FrameStage, MakeTransform, TransformedSink, resized
from lp_core.media.video.audio_plan import usable_sound
from lp_core.render.edges import RenderTarget
from lp_core.render.inputs import InputWatch
from lp_core.render.stage_run import StageRun
from lp_core.settings import RenderSettings
from lp_core.settings.reach import RunFacts, unused_notes
from lp_core.timing import FrameRate
from lp_core.version import __version__

DEFAULT_MODEL = "x4plus"


def upscale_stage(settings: RenderSettings) -> FrameStage:
    """The stage that the settings ask for.

    Raises:
        ModelMissing, ModelDamaged, MissingDependency, SettingError: it cannot be made.
    """
    stages = _stages()
    stage: FrameStage = stages.UpscaleStage(
        stages.make_upscaler(settings.upscale, settings.engine), settings.upscale
    )
    return stage


def _stages() -> ModuleType:
    """``upscale.stage``, imported on use."""
    try:
        return import_module("upscale.stage")
    except ImportError as error:
        if isinstance(error, MissingDependency):
            raise
        raise missing_extra("Upscaling", "upscale") from error


def with_face_upscale(engine: Engine, settings: RenderSettings) -> Engine:
    """The engine, enlarging its crop where the settings ask for it; unchanged where they do not.

    Raises:
        SettingError: the engine has no crop, or a size is asked for too.
        ModelMissing, ModelDamaged, MissingDependency: the network cannot be had.
    """
    if settings.upscale.upscale is None or settings.upscale.upscale_region != "face":
        return engine
    if settings.upscale.upscale_scale or settings.upscale.upscale_height:
        raise SettingError("upscale_region = face keeps the frame's size; leave scale and height out.")
    if not engine.info.has_crop:
        return engine.with_enlarger(lambda crop: crop)  # says why not
    stages = _stages()
    upscaler = stages.make_upscaler(settings.upscale, settings.engine)
    return engine.with_enlarger(stages.CropEnlarger(upscaler, settings.upscale))


def upscaling(settings: RenderSettings) -> list[MakeTransform]:
    """The upscaling of whole frames that the settings ask for; empty: none."""
    if settings.upscale.upscale is None or settings.upscale.upscale_region == "face":
        return []
    return [resized(upscale_stage(settings))]


def assemble_upscale(source: str, output: str, settings: RenderSettings) -> StageRun:
    """Opens and checks everything that ``lpsuite upscale`` names.

    Raises:
        LpError: something cannot be used; nothing has been written.
    """
    if settings.upscale.upscale is None:
        raise SettingError("No model is named; choose one, such as x4plus.")
    if settings.upscale.upscale_region == "face":
        raise SettingError(
            "upscale_region = face concerns a drawn face; leave it out to make a whole video larger."
        )
    inputs = InputWatch.of(input_files([source], settings))
    check_output(output, settings.output.overwrite, settings.output.codec)
    rate = None if settings.output.fps is None else FrameRate.parse(settings.output.fps)
    given = settings.input
    options = ReadOptions(
        rate=rate, missing=given.missing, interlaced=given.interlaced, references=given.references
    )
    open_clip = partial(open_source, source, options=options)
    with open_clip() as clip:
        info = clip.info
    encoding = ColorManagement(settings.color).encoding(info, is_source=True)
    notes = unused_notes(
        settings, RunFacts("upscale", source=input_kind(source, info), output=output_kind(output))
    )
    sound: Path | None = None
    about_sound: tuple[str, ...] = ()
    if settings.output.audio != "none" and info.has_audio:
        sound, about_sound = usable_sound(Path(source), output, Fraction(0))
    target = RenderTarget(
        name=output,
        open=partial(open_sink, output),
        rate=rate,
        settings=replace(settings.output, audio="source"),
        audio_path=sound,
    )
    spec = target.spec(info, info.rate, f"LP Suite {__version__}, upscaled with {settings.upscale.upscale}")
    transforms = upscaling(settings)
    return StageRun(
        open_source=lambda: InterpretedSource(open_clip(), encoding),
        open_sink=lambda: TransformedSink(Path(output), spec, transforms, open_sink),
        rate=info.rate,
        name=str(settings.upscale.upscale),
        output=output,
        frame_count=info.frame_count,
        audio=target.audio,
        notes=(*info.notes, *about_sound, *notes),
        inputs=inputs,
    )
