"""Opens what a job names as a performance: a video, an image, a stored or built-in motion, or a voice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from lp_core.clips import filmed_face
from lp_core.engines.base import Engine, Helpers
from lp_core.engines.helping.helpers import LEAST_FRAMES, helpers_for
from lp_core.errors import MotionMismatch, SettingError
from lp_core.faces.base import FaceAnalyzer
from lp_core.faces.open import open_analyzer
from lp_core.job import RenderJob
from lp_core.media.base import ReadOptions
from lp_core.motion.builtin import CODED_RIGS, builtin_motion
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.motion.files.template_pkl import read_pkl, to_sequence
from lp_core.motion.sequence import RIGS
from lp_core.performance_name import (
    TEMPLATE_SUFFIX,
    is_builtin,
    is_motion,
    is_speech,
    motion_suffix,
    parse,
    speech_file,
)
from lp_core.render.edges import FilmedFace, Still, StoredMotion, TimeSlice
from lp_core.settings import InputSettings, RenderSettings
from lp_core.speech.performance import DEFAULT_RATE, check_rig, check_voice, first_rig, open_spoken
from lp_core.timing import FrameRange, FrameRate


def read_options(
    given: InputSettings, rate: FrameRate | None, frames: FrameRange | None = None, is_source: bool = True
) -> ReadOptions:
    """How a clip is read; layer and view concern the source alone."""
    return ReadOptions(
        rate=rate,
        frames=frames,
        missing=given.missing,
        layer=given.layer if is_source else None,
        view=given.view if is_source else None,
        interlaced=given.interlaced,
        references=given.references,
    )


def rate_of(driving: FilmedFace | StoredMotion) -> FrameRate:
    """Frames per second of a performance."""
    if isinstance(driving, FilmedFace):
        return driving.info.rate
    with driving.open() as motion:
        return motion.rate


def open_driving(job: RenderJob, rate: FrameRate | None) -> FilmedFace | StoredMotion:
    """What a job names as its performance, checked.

    Args:
        job: the render.
        rate: frames per second of the output; None: the performance's own.

    Raises:
        LpError: it cannot be used.
    """
    name, settings = job.driving, job.settings
    is_voice = is_speech(name)
    if not is_motion(name) and not is_voice:
        options = read_options(settings.input, rate, is_source=False)
        return filmed_face(name, settings.face.driving_face, options, people=settings.face.people)
    if settings.mesh.mouth == "driving":
        raise SettingError(f"{name} holds no image to take the mouth from; use --mouth drawn or auto.")
    if is_voice:
        check_voice(Path(speech_file(name)), settings.speech)
        return _spoken(name, settings, rate or DEFAULT_RATE, first_rig(settings.speech))
    if is_builtin(name):
        motion = builtin_motion(parse(name).name, rate=rate)
        return StoredMotion(name, motion.rig, lambda: nullcontext(motion))
    return stored_motion(name)


def _spoken(name: str, settings: RenderSettings, rate: FrameRate, rig: str) -> StoredMotion:
    """A voice as a performance; SettingError where its driver does not know the rig."""
    check_rig(settings.speech, rig)
    path = Path(speech_file(name))
    return StoredMotion(name, rig, lambda: open_spoken(path, settings, rate, rig), path, is_voice=True)


def stored_motion(name: str) -> StoredMotion:
    """A motion file or a template, checked; raises BadMotionFile."""
    if motion_suffix(name) == TEMPLATE_SUFFIX:
        sequence = to_sequence(read_pkl(Path(name)), Path(name).name)
        return StoredMotion(name, sequence.rig, lambda: nullcontext(sequence))
    with MotionReader(name) as reader:
        rig, is_voice = reader.rig, reader.metadata.get("driver") == "speech"
    return StoredMotion(name, rig, partial(MotionReader, name), is_voice=is_voice)


def in_rig(
    driving: StoredMotion,
    engine: Engine,
    settings: RenderSettings,
    rate: FrameRate | None,
    source: Still | FilmedFace,
) -> StoredMotion:
    """A built-in motion or a voice in the engine's rig; any other motion as it is, if it fits.

    Args:
        driving: the performance.
        engine: that draws.
        settings: of the render.
        rate: frames per second of the output; None: not stated.
        source: what is animated; the rate of a video counts for a voice.

    Raises:
        MotionMismatch: the engine cannot play it.
    """
    rig = engine.info.rig
    if driving.rig != rig and rig not in CODED_RIGS and (is_speech(driving.name) or is_builtin(driving.name)):
        raise MotionMismatch(
            f"{driving.name} is made by code, which does not know the rig {rig}; give a video or motion extracted "
            "with the same --model."
        )
    if is_speech(driving.name):
        own = source.info.rate if isinstance(source, FilmedFace) else DEFAULT_RATE
        return _spoken(driving.name, settings, rate or own, rig)
    if driving.rig == rig:
        return driving
    if motion_suffix(driving.name) == TEMPLATE_SUFFIX and RIGS.get(rig) == RIGS[driving.rig]:
        with driving.open() as motion:  # a template does not say which networks it is for
            relabeled = replace(motion.rows(0, len(motion)), rig=rig)
        return StoredMotion(driving.name, rig, lambda: nullcontext(relabeled))
    if is_builtin(driving.name):
        motion = builtin_motion(parse(driving.name).name, rate, rig)
        return StoredMotion(driving.name, rig, lambda: nullcontext(motion))
    raise MotionMismatch(
        f"{driving.name} holds motion of the rig {driving.rig}, but the {engine.info.name} engine plays "
        f"{rig}; choose the engine it was extracted for, or extract it again with this one."
    )


def trial_analyzer(
    settings: RenderSettings, driving: FilmedFace | StoredMotion
) -> Callable[[], FaceAnalyzer] | None:
    """Opens what reads trial images as the performance was read; None where no trials are made.

    A voice's curves are those of filmed mouths that were read image by image. No model reads a face whose points were
    set by hand.
    """
    if settings.mesh.calibration == "off" or settings.face.points is not None:
        return None
    is_voice = isinstance(driving, StoredMotion) and driving.is_voice
    return partial(open_analyzer, is_video=not is_voice)


def helpers_of(
    engine: Engine, source: Still | FilmedFace, driving: FilmedFace | StoredMotion, part: TimeSlice
) -> Helpers | None:
    """Processes that draw a long performance of a still; None where the render draws alone."""
    if not engine.info.is_portable or isinstance(source, FilmedFace):
        return None
    pixels, size = source.frame.pixels, 0
    if isinstance(driving, FilmedFace):
        frames, size = driving.info.frame_count or LEAST_FRAMES, driving.info.width * driving.info.height
    else:
        with driving.open() as motion:
            frames = len(motion)
    if (part.length or frames) < LEAST_FRAMES:
        return None
    return helpers_for(pixels.shape[0] * pixels.shape[1], pixels.nbytes, size)
