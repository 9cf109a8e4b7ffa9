"""A planned shot -> what renders it: the assembled job, its performance trimmed, retimed and placed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from lp_core.assemble import assemble, assemble_extraction
from lp_core.batch.plan import BatchPlan, Shot
from lp_core.clips import filmed_face
from lp_core.engines.base import Engine
from lp_core.engines.registry import MakeEngine, make_engine
from lp_core.errors import SettingError
from lp_core.files import ensure_folder
from lp_core.job import RenderJob
from lp_core.media.base import ReadOptions
from lp_core.media.open import open_source
from lp_core.motion.files.lpmotion import MotionReader, MotionWriter
from lp_core.motion.sequence import MOTION_ARRAYS, MotionSequence
from lp_core.performance_name import is_motion, is_speech
from lp_core.render.cast_members import CastMember, cast_of
from lp_core.render.edges import FilmedFace, Motion, StoredMotion, TimeSlice
from lp_core.render.extract import Extraction
from lp_core.render.render import Render
from lp_core.render.report import Listener
from lp_core.settings import RenderSettings
from lp_core.timing import FrameRange, FrameRate

BACKWARDS = "driver.lpmotion"
"""Performance of a shot that plays it backwards: no video is read from its end."""


def assemble_shot(
    plan: BatchPlan, shot: Shot, resumes: bool, device: str | None = None, make: MakeEngine = make_engine
) -> Render:
    """Opens and checks everything of a shot.

    Args:
        plan: holds the shot.
        shot: the shot.
        resumes: its output may be there already, because the batch made it.
        device: where the networks run; None: as the settings say.
        make: gives the engine.

    Raises:
        LpError: something cannot be used.
    """
    job = shot.render_job(plan.folder)  # its settings as they were given, so that notes name only those
    render = assemble(_lenient(job, shot), resumes, make if device is None else _on(device, make))
    if resumes:
        target = replace(render.target, settings=replace(render.target.settings, overwrite=True))
        render = replace(render, target=target)
    if shot.is_job:
        return render
    work = plan.work(shot)
    members = cast_of(job.settings.face, "")
    if not members:
        return _placed(render, shot, _performance(render, job, shot, work), shot.driver_start_s)
    faces = [
        _placed(one, shot, _beside(one, job, shot, member), shot.beside_start_s)
        if member.driving
        else _placed(one, shot, _performance(one, job, shot, work), shot.driver_start_s)
        for one, member in zip((render, *render.others), members, strict=True)
    ]
    return replace(faces[0], others=tuple(faces[1:]))


def _beside(render: Render, job: RenderJob, shot: Shot, member: CastMember) -> _Placed:
    """A face's own performance: it begins with the clip and keeps the pace of the timeline.

    Raises:
        SettingError: the clip plays backwards.
    """
    speed, start_s = Fraction(shot.beside_speed), Fraction(shot.beside_start_s)
    if speed <= 0:
        raise SettingError(
            f"{shot.words} plays backwards, which a face's own performance cannot; let it follow the mark's driver."
        )
    driving = render.driving
    if isinstance(driving, StoredMotion):
        return _stored(driving, start_s, speed)
    film = _film(replace(job, driving=member.driving), replace(shot, driver_frames=None, driver_fps=None))
    if film.info.is_still:
        return _Placed(film, Fraction(0), False)
    return _Placed(_faster(film, speed), start_s / speed, speed == 1)


def _lenient(job: RenderJob, shot: Shot) -> RenderJob:
    """The job as it opens a performance that may lack images, where its source may not: that is checked here."""
    given = job.settings.input
    if given.missing != "error" or not shot.driver_missing:
        return job
    options = ReadOptions(frames=given.frame_range, interlaced=given.interlaced, references=given.references)
    with open_source(job.source, options=options):
        pass
    settings = replace(job.settings, input=replace(given, missing=shot.driver_missing))
    return replace(job, settings=settings)


def _on(device: str, make: MakeEngine) -> MakeEngine:
    """Makes engines on a device that the run chose in place of the settings'."""

    def make_there(name: str, settings: RenderSettings) -> Engine:
        return make(name, replace(settings, engine=replace(settings.engine, device=device)))

    return make_there


@dataclass(frozen=True)
class _Placed:
    driving: FilmedFace | StoredMotion
    start_s: Fraction
    """Time at the shot's first frame, by the driving's own claim."""
    is_in_step: bool
    """True: it runs at its own speed, so its sound fits."""


def _performance(render: Render, job: RenderJob, shot: Shot, work: Path) -> _Placed:
    speed, start_s = Fraction(shot.driver_speed), Fraction(shot.driver_start_s)
    driving = render.driving
    if isinstance(driving, StoredMotion):
        return _stored(driving, start_s, speed)
    film = _film(job, shot)
    if film.info.is_still:
        return _Placed(film, Fraction(0), False)
    begin_s = Fraction(film.info.frames_before) / film.info.rate.fps
    if speed < 0:
        reader = StoredMotion(film.name, render.engine.info.rig, lambda: MotionReader(work / BACKWARDS))
        return _stored(reader, start_s - begin_s, speed)
    at = (start_s - begin_s) / speed
    return _Placed(_faster(film, speed), at, speed == 1)


def _film(job: RenderJob, shot: Shot) -> FilmedFace:
    """The driving video, no more of it than is needed."""
    given = job.settings.input
    frames = None if shot.driver_frames is None else FrameRange(*shot.driver_frames)
    options = ReadOptions(
        rate=None if shot.driver_fps is None else FrameRate(Fraction(shot.driver_fps)),
        frames=frames,
        missing=shot.driver_missing or given.missing,
        interlaced=given.interlaced,
        references=given.references,
    )
    face = job.settings.face
    return filmed_face(job.driving, face.driving_face, options, people=face.people)


def _faster(film: FilmedFace, speed: Fraction) -> FilmedFace:
    """The video with another claim of its rate; its frames are the same."""
    if speed == 1:
        return film
    rate = FrameRate(film.info.rate.fps * speed)
    return replace(film, info=replace(film.info, rate=rate))


def _stored(driving: StoredMotion, start_s: Fraction, speed: Fraction) -> _Placed:
    if speed == 1:
        return _Placed(driving, start_s, driving.sound is not None)
    with driving.open() as motion:
        last_s = (len(motion) - 1) / motion.rate.fps
    if speed > 0:
        return _Placed(_retimed(driving, speed), start_s / speed, False)
    return _Placed(_retimed(driving, speed), (last_s - start_s) / -speed, False)


def _retimed(driving: StoredMotion, speed: Fraction) -> StoredMotion:
    @contextmanager
    def opened() -> Iterator[Motion]:
        with driving.open() as motion:
            yield _in_memory(motion, speed)

    return replace(driving, open=opened)


def _in_memory(motion: Motion, speed: Fraction) -> MotionSequence:
    """The motion at another speed; a performance's numbers are few (a minute is some hundred kilobytes)."""
    rows = motion.rows(0, len(motion))
    step = -1 if speed < 0 else 1
    arrays: dict[str, Any] = {name: getattr(rows, name)[::step].copy() for name in MOTION_ARRAYS}
    extras = {name: array[::step].copy() for name, array in rows.extras.items()}
    return replace(rows, rate=FrameRate(rows.rate.fps * abs(speed)), extras=extras, **arrays)


def store_backwards(
    plan: BatchPlan, shot: Shot, render_device: str | None, listener: Listener | None
) -> None:
    """Extracts the performance of a shot that plays it backwards; nothing where there is none, or it is there."""
    job = shot.render_job(plan.folder, render_device)
    path = plan.work(shot) / BACKWARDS
    if Fraction(shot.driver_speed) >= 0 or is_motion(job.driving) or is_speech(job.driving) or path.exists():
        return
    ensure_folder(path.parent)
    settings = replace(job.settings, output=replace(job.settings.output, strict=False))  # those of a render
    extraction = assemble_extraction(job.driving, str(path), settings)
    if isinstance(extraction, Extraction):
        film = _film(job, shot)
        writer = partial(
            MotionWriter, path, film.info.rate, extraction.engine.info.rig, film.name, overwrite=True
        )
        replace(extraction, driving=film, open_writer=writer).run(listener)


def _placed(render: Render, shot: Shot, placed: _Placed, sound_s: str) -> Render:
    """The render with its performance next to the shot; ``sound_s``: where in its sound the first frame is."""
    begin_s = render.part.start_s
    part = TimeSlice(begin_s, shot.frames if shot.is_still else None, placed.start_s - begin_s)
    target = render.target
    notes = render.notes
    if target.audio == "driving" and target.audio_path is not None:
        if placed.is_in_step and Fraction(sound_s) >= 0:
            target = replace(target, start_s=Fraction(sound_s))
        else:
            why = "does not run at its own speed" if not placed.is_in_step else "begins after the frames do"
            target = replace(target, audio_path=None)
            notes = (
                *notes,
                f"The performance {why}, so the result is silent; the timeline's own sound stays.",
            )
    if shot.is_still:
        target = replace(target, first_number=max(round(shot.clock_start), 0), timecode=None)
    return replace(render, driving=placed.driving, part=part, target=target, notes=notes)
