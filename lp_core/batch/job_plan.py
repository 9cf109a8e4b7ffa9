"""One job as a plan of one shot, so that a farm renders it in the steps of a batch: solve -> chunks -> conform."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from lp_core.batch.plan import CHUNK_FRAMES, BatchPlan, Shot
from lp_core.errors import SettingError, UnreadableMedia
from lp_core.job import RenderJob
from lp_core.media.base import ReadOptions
from lp_core.media.frame_pattern import split_range
from lp_core.media.open import open_source
from lp_core.media.render_outputs import can_be_parted
from lp_core.performances import open_driving
from lp_core.render.cast_members import inlined
from lp_core.render.edges import StoredMotion
from lp_core.timing import FrameRate

_ID_LENGTH = 10


def read_job(path: Path) -> RenderJob:
    """Reads a job's file.

    Raises:
        UnreadableMedia: it cannot be read.
        SettingError: it is not a job.
    """
    try:
        return RenderJob.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableMedia(f"{path} cannot be read ({error.strerror}); check the job's file.") from error
    except UnicodeDecodeError as error:
        raise SettingError(
            f"{path} is not a job, because it is not a text in UTF-8; write it again."
        ) from error


def plan_job(job: RenderJob, file: Path, chunk_frames: int = CHUNK_FRAMES) -> BatchPlan:
    """The plan of one job; its folder is that of the job's output.

    Args:
        job: what is rendered.
        file: where the job is written; a farm that copies files copies it too.
        chunk_frames: frames of a chunk.

    Raises:
        SettingError: the job cannot be rendered in chunks.
        LpError: an input cannot be opened.
    """
    if not can_be_parted(job.output, job.settings.output) or job.settings.upscale.upscale is not None:
        raise SettingError(
            f"{job.output} cannot be rendered in chunks, because of --upscale or of passes in files next to it; leave "
            "them out, or render it with lpsuite animate."
        )
    job = replace(job, settings=replace(job.settings, face=inlined(job.settings.face)))
    output = split_range(job.output)[0].resolve()
    is_still, frames, rate = _length(job)
    job = replace(job, output=output.name)
    shot = Shot(
        id=hashlib.sha256(job.to_json().encode()).hexdigest()[:_ID_LENGTH],
        name=output.name,
        words=f"the job {file.name}",
        clips=(),
        job=job,
        is_still=is_still,
        frames=frames,
        fps=str(rate.fps),
        clock_start=0.0,
        clock_rate=float(rate.fps),
        driver_frames=None,
        driver_fps=None,
        driver_start_s="0",
        driver_speed="1",
        is_job=True,
    )
    return BatchPlan(
        timeline=str(file.resolve()),
        output=str(output.parent),
        shots=(shot,),
        chunk_frames=chunk_frames,
        overwrite=job.settings.output.overwrite,
    )


def _length(job: RenderJob) -> tuple[bool, int, FrameRate]:
    """(source is a still, frames of the result, its rate). The last chunk takes what a header did not say."""
    given, output = job.settings.input, job.settings.output
    rate = None if output.fps is None else FrameRate.parse(output.fps)
    options = ReadOptions(
        rate=rate, frames=given.frame_range, missing=given.missing, interlaced=given.interlaced,
        layer=given.layer, view=given.view,
    )  # fmt: skip
    with open_source(job.source, options=options) as source:
        info = source.info
    if not info.is_still and info.frame_count is not None:
        return False, info.frame_count, rate or info.rate
    driving = open_driving(job, rate)
    if isinstance(driving, StoredMotion):
        with driving.open() as motion:
            count, own = len(motion), motion.rate
    else:
        count, own = driving.info.frame_count or 1, driving.info.rate
    if given.frame_range is not None:
        count = min(count, len(given.frame_range))
    return info.is_still, max(count, 1), rate or own
