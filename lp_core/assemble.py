"""RenderJob -> Render: the only module that joins concrete parts.

Everything that can be checked without decoding a clip is checked here, before the costly work begins: the output
can be written, codec and engine are there, the files open, the chosen face of a still exists, the motion fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import MappingProxyType

from lp_core.clips import by_points, filmed_face, still_of
from lp_core.color.management import ColorManagement
from lp_core.engines.base import Engine
from lp_core.engines.effective_settings import check_abilities, run_of, suited
from lp_core.engines.registry import (
    EngineChoice,
    MakeEngine,
    choose_engine,
    make_engine,
    open_engine,
    published_model,
    with_model,
)
from lp_core.errors import MotionMismatch, SettingError
from lp_core.finishing.finish import PLAIN, Finish, finished
from lp_core.job import RenderJob
from lp_core.layering.layers import open_fronts, open_holdout, open_layers
from lp_core.media import render_outputs
from lp_core.media.base import OpenSink, ReadOptions
from lp_core.media.frame_pattern import files_of
from lp_core.media.input_files import input_files
from lp_core.media.open import check_output, open_parts
from lp_core.media.resumable import start_over
from lp_core.media.speech_sheet import synthetic_voice_of
from lp_core.media.transforms import converted_to
from lp_core.media.video.audio_plan import usable_sound
from lp_core.motion.files.lpmotion import MotionWriter
from lp_core.motion.files.template_pkl import RIG as TEMPLATE_RIG
from lp_core.motion.files.template_writer import PklWriter
from lp_core.motion.implicit.edit import make_curves
from lp_core.performance_name import (
    MOTION_FORMATS,
    TEMPLATE_SUFFIX,
    is_motion,
    is_speech,
    motion_suffix,
)
from lp_core.performances import (
    helpers_of,
    in_rig,
    open_driving,
    rate_of,
    read_options,
    stored_motion,
    trial_analyzer,
)
from lp_core.provenance.open_watermark import open_marker
from lp_core.provenance.signing import OtherFace, Signer, open_sealer
from lp_core.render.cast_members import CastMember, cast_of, member_job
from lp_core.render.edges import FilmedFace, RenderTarget, Still, StoredMotion, TimeSlice
from lp_core.render.extract import Extraction, TemplateConversion
from lp_core.render.inputs import InputWatch
from lp_core.render.render import Render
from lp_core.settings import FaceSettings, RenderSettings
from lp_core.settings.reach import RunFacts, unused_notes
from lp_core.speech.check import plate_note
from lp_core.spoken import SpeechExtraction, assemble_speech
from lp_core.timing import FrameRate, Timecode
from lp_core.upscaling import upscaling, with_face_upscale


def assemble(
    job: RenderJob, resumes: bool = False, make: MakeEngine = make_engine, finish: Finish = PLAIN
) -> Render:
    """Opens and checks everything a job names.

    Args:
        job: what is asked for.
        resumes: the output may be there in part already: an earlier run of this job began it.
        make: gives the engine; anyone who keeps engines warm has its own.
        finish: cut, background and captions.

    Raises:
        LpError: something the job names cannot be used; nothing has been written.
    """
    members = cast_of(job.settings.face, job.driving)
    if members and not finish.is_plain:
        raise SettingError(
            "Several faces cannot be framed or captioned in one go; leave out --face and --cast."
        )
    if members:
        return _assemble_cast(job, members, resumes, make)
    alone = _assemble_one(job, resumes, make, finish)
    return replace(alone, helpers=helpers_of(alone.engine, alone.source, alone.driving, alone.part))


def _assemble_one(job: RenderJob, resumes: bool, make: MakeEngine, finish: Finish = PLAIN) -> Render:
    """The render of a single face."""
    settings = job.settings
    inputs = InputWatch.of(input_files((job.source, job.driving, *finish.files), settings))
    check_output(job.output, resumes or settings.output.overwrite, settings.output.codec)
    rate = None if settings.output.fps is None else FrameRate.parse(settings.output.fps)
    if is_motion(job.source) or is_speech(job.source):
        raise SettingError(
            f"{job.source} is a motion or a voice, no image; give the portrait first, then the performance."
        )
    driving = open_driving(job, rate)
    color = ColorManagement(settings.color)
    options = read_options(settings.input, rate, settings.input.frame_range)
    source = finished(_source(job.source, settings, options, color), finish)
    notes = list(source.info.notes)
    part = _part(job, source, driving, rate)
    edits = make_curves(settings.sliders.edit, settings.sliders.edit_file)
    name, note = choose_engine(settings)
    is_picture = isinstance(driving, FilmedFace) and driving.info.is_still
    rig = getattr(driving, "rig", None)
    settings, chosen = with_model(settings, name, isinstance(source, FilmedFace), rig)
    settings, told = suited(settings, name, job.driving, is_picture)
    facts = run_of(job, name, source.info, getattr(driving, "info", None), settings.engine.model)
    notes.extend((*told, *unused_notes(job.settings, facts)))
    if settings.speech.lipsync:
        notes.extend(_lipsync_notes(job.source, source))
    choice = EngineChoice(with_face_upscale(make(name, settings), settings), note)
    check_abilities(choice.engine, settings, edits.curves)
    if isinstance(driving, StoredMotion):
        driving = in_rig(driving, choice.engine, settings, rate, source)
    notes.extend((*chosen, *choice.notes))
    transforms = [*upscaling(settings), *finish.transforms()]
    conversion = render_outputs.output_conversion(job, color, source.info)
    if conversion is not None:
        notes.append(conversion.note)
        transforms.append(converted_to(conversion))
    open_output = render_outputs.output_opener(job, transforms, resumes)
    passes = render_outputs.pass_outputs(job.output, settings.output)
    return Render(
        choice.engine,
        source,
        driving,
        _target(job, source, driving, rate, part, notes, open_output, resumes),
        settings.motion,
        settings.face,
        trial_analyzer=trial_analyzer(settings, driving),
        calibration=settings.mesh.calibration,
        notes=tuple(notes),
        edits=edits,
        protection=open_holdout(settings.input.holdout, source.info, options),
        fronts=open_fronts(settings.input.holdout),
        layers=open_layers(name, settings, source.info, options),
        part=part,
        mark=open_marker(settings.provenance.watermark),
        seal=_sealer(job, choice.engine, isinstance(source, FilmedFace), passes),
        inputs=inputs,
        measure=partial(plate_note, Path(job.source), source.info.rate)
        if settings.speech.lipsync and source.info.has_audio
        else None,
    )


def _lipsync_notes(name: str, source: Still | FilmedFace) -> tuple[str, ...]:
    """What is to be said of a source whose mouth a voice replaces; refuses a single image."""
    if isinstance(source, Still):
        raise SettingError(
            f"{name} is a single image, and --lipsync replaces the mouth of a video; leave it out."
        )
    if source.info.has_audio:
        return ()
    return (f"{name} has no sound, so its own lip-sync was not measured.",)


def _sealer(job: RenderJob, engine: Engine, is_plate: bool, passes: tuple[str, ...]) -> Signer:
    """What signs the result; a synthetic voice is named."""
    return replace(
        open_sealer(job, engine.info, is_plate, files_of, passes), voice=synthetic_voice_of([job.driving])
    )


def _assemble_cast(
    job: RenderJob, members: tuple[CastMember, ...], resumes: bool, make: MakeEngine
) -> Render:
    """A render for every face; the first one's performance gives length, rate and sound of the result."""
    renders = [_assemble_one(member_job(job, member), resumes, make) for member in members]
    first = renders[0]
    is_film = isinstance(first.source, FilmedFace)
    rate = first.target.rate or (first.source.info.rate if is_film else rate_of(first.driving))
    others = [replace(render, target=replace(render.target, rate=rate)) for render in renders[1:]]
    stamps = {name: stamp for render in renders for name, stamp in render.inputs.stamps.items()}
    cast_files = InputWatch.of([] if job.settings.face.cast is None else [Path(job.settings.face.cast)])
    return replace(
        first,
        notes=(*dict.fromkeys(note for render in renders for note in render.notes), *_silent_voices(renders)),
        inputs=InputWatch(MappingProxyType({**stamps, **cast_files.stamps})),
        seal=_cast_sealer(job, members, renders),
        others=tuple(others),
        names=tuple(member.name for member in members),
    )


def _silent_voices(renders: Sequence[Render]) -> list[str]:
    """What is to be said where faces of a cast speak with voices that the result does not carry."""
    voices = {render.driving.sound for render in renders if isinstance(render.driving, StoredMotion)} - {None}
    carried = renders[0].target.audio_path
    names = sorted(path.name for path in voices - {carried} if path is not None)
    if carried is None or not names:
        return []
    return [f"The result carries the sound of {carried.name} alone; mix {', '.join(names)} to it."]


def _cast_sealer(job: RenderJob, members: Sequence[CastMember], renders: Sequence[Render]) -> Signer:
    """What signs a cast: every performance and every engine is named."""
    first = renders[0]
    also = [
        OtherFace(member.driving, render.engine.info.name, render.engine.info.model)
        for member, render in zip(members[1:], renders[1:], strict=True)
    ]
    passes = render_outputs.pass_outputs(job.output, job.settings.output)
    named = replace(job, driving=members[0].driving)
    is_film = isinstance(first.source, FilmedFace)
    signer = open_sealer(named, first.engine.info, is_film, files_of, passes, also)
    return replace(signer, voice=synthetic_voice_of([member.driving for member in members]))


def _part(
    job: RenderJob, source: Still | FilmedFace, driving: FilmedFace | StoredMotion, rate: FrameRate | None
) -> TimeSlice:
    """The part of the whole that the frames asked for are."""
    wanted, ahead = job.settings.input.frame_range, job.settings.input.driving_offset
    if isinstance(source, FilmedFace):
        pace = source.info.rate
        return TimeSlice(pace.time_s(source.info.frames_before), ahead_s=pace.time_s(ahead))
    rate = rate or rate_of(driving)
    if wanted is None:
        return TimeSlice(ahead_s=rate.time_s(ahead))
    first = _first_number(driving)
    if wanted.first < first:
        raise SettingError(f"{job.driving} begins with frame {first}, not {wanted.first}; give later frames.")
    return TimeSlice(rate.time_s(wanted.first - first), len(wanted), rate.time_s(ahead))


def _first_number(driving: FilmedFace | StoredMotion) -> int:
    return (driving.info.first_frame or 0) if isinstance(driving, FilmedFace) else 0


def assemble_extraction(
    driving: str, output: str, settings: RenderSettings
) -> Extraction | TemplateConversion | SpeechExtraction:
    """Opens and checks what an extraction names; a stored motion is converted to the other format.

    Args:
        driving: video, image, stored motion or voice.
        output: motion file; its suffix, a key of MOTION_FORMATS (of a voice: of FORMATS), is its format.
        settings: of the reading.

    Raises:
        LpError: something cannot be used; nothing has been written.
    """
    if is_speech(driving):
        return assemble_speech(driving, output, settings)
    suffix = motion_suffix(output)
    if not suffix:
        raise SettingError(
            f"{output} is not a motion file's name; let it end in {' or '.join(MOTION_FORMATS)}."
        )
    inputs = InputWatch.of(input_files([driving], settings))
    if is_motion(driving):
        return _conversion(driving, output, settings, inputs)
    options = read_options(settings.input, None, is_source=False)
    film = filmed_face(driving, settings.face.driving_face, options, people=settings.face.people)
    choice = open_engine(settings)
    rig = choice.engine.info.rig
    _check_format(driving, suffix, rig)
    writer = PklWriter if suffix == TEMPLATE_SUFFIX else MotionWriter
    person = {} if film.face == FaceSettings().driving_face else {"face": film.face}
    open_writer = partial(
        writer, output, film.info.rate, rig, Path(driving).name, person, overwrite=settings.output.overwrite
    )
    notes = (
        *film.info.notes,
        *choice.notes,
        *unused_notes(settings, RunFacts("extract", choice.engine.info.name, driving="video")),
    )
    with open_writer():  # whether the file can be written is known before the video is read
        pass
    has_dense = suffix != TEMPLATE_SUFFIX and choice.engine.info.uses_dense_motion and not film.info.is_still
    dense = settings.motion if has_dense else None
    return Extraction(choice.engine, film, output, open_writer, notes, inputs, dense)


def _conversion(
    driving: str, output: str, settings: RenderSettings, inputs: InputWatch
) -> TemplateConversion:
    suffix = motion_suffix(output)
    if motion_suffix(driving) == suffix:
        raise SettingError(
            f"{driving} is a motion already; give a video or an image to extract it from, or an output in "
            "the other format to convert it."
        )
    stored, notes = stored_motion(driving), tuple(unused_notes(settings, RunFacts("convert")))
    _check_format(driving, suffix, stored.rig)
    writer = PklWriter if suffix == TEMPLATE_SUFFIX else MotionWriter
    with stored.open() as motion:
        open_writer = partial(
            writer,
            output,
            motion.rate,
            motion.rig,
            motion.origin,
            motion.metadata,
            overwrite=settings.output.overwrite,
        )
    with open_writer():
        pass
    return TemplateConversion(stored, output, open_writer, notes, inputs)


def _check_format(driving: str, suffix: str, rig: str) -> None:
    if suffix == TEMPLATE_SUFFIX and rig != TEMPLATE_RIG:
        raise MotionMismatch(
            f"{driving} gives motion of the rig {rig}, and a template (.pkl) holds {TEMPLATE_RIG} alone; "
            "extract the driving clip with --engine liveportrait."
        )


def _target(
    job: RenderJob,
    source: Still | FilmedFace,
    driving: FilmedFace | StoredMotion,
    rate: FrameRate | None,
    part: TimeSlice,
    notes: list[str],
    open_output: OpenSink,
    resumes: bool,
) -> RenderTarget:
    output = job.settings.output
    number, timecode = _numbering(job, source, driving, part)
    path: Path | None = None
    start_s = part.start_s if output.audio == "source" else part.performance_s
    if output.audio == "source":
        path = Path(job.source) if source.info.has_audio else None
    elif output.audio == "driving" and isinstance(driving, FilmedFace):
        path = Path(job.driving) if driving.info.has_audio else None
    elif output.audio == "driving" and isinstance(driving, StoredMotion):
        path = driving.sound
    if path is None and output.audio == "source":
        notes.append(f"{job.source} has no sound, so the result is silent.")
    if path is not None and start_s < 0:
        notes.append("The frames begin before the clip does, so the result is silent.")
        path = None
    if path is not None:
        path, said = usable_sound(path, job.output, start_s)
        notes.extend(said)
    has_parts = render_outputs.can_be_parted(job.output, output) and job.settings.upscale.upscale is None
    if resumes and not has_parts:  # it is begun again, over what the earlier run left
        output = replace(output, overwrite=True)
    return RenderTarget(
        name=job.output,
        open=partial(open_output, Path(job.output)),
        open_parts=partial(open_parts, job.output, open_output) if has_parts else None,
        discard_parts=start_over,
        open_log=render_outputs.log_opener(job.output, output.pass_names),
        rate=rate,
        settings=output,
        audio_path=path,
        first_number=number,
        timecode=timecode,
        start_s=max(start_s, Fraction(0)),
    )


def _numbering(
    job: RenderJob, source: Still | FilmedFace, driving: FilmedFace | StoredMotion, part: TimeSlice
) -> tuple[int | None, Timecode | None]:
    """Number and timecode of the first output frame: the filmed source's own, else the performance's."""
    wanted = job.settings.input.frame_range
    if isinstance(source, FilmedFace):
        return source.info.first_frame, source.info.timecode
    if isinstance(driving, StoredMotion):
        return (None if wanted is None else wanted.first), source.info.timecode
    number = driving.info.first_frame if wanted is None else wanted.first
    stamp = driving.info.timecode
    return number, None if stamp is None else stamp.plus(driving.info.rate.frame_at(part.performance_s))


def _source(
    name: str, settings: RenderSettings, options: ReadOptions, color: ColorManagement
) -> Still | FilmedFace:
    given = settings.face
    face = given.source_face if given.points is None else "largest"  # points say where the face is
    film = filmed_face(name, face, options, color, is_source=True, people=given.people)
    if given.points is not None:
        film = by_points(film, given.points)
    if not film.info.is_still:
        return film
    return still_of(film, given, published_model(settings.engine.model).is_of_animals)
