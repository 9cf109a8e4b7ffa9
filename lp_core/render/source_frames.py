"""What the second pass draws with: source and driving picture of every output frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import repeat

from lp_core.engines.base import DrivingPicture, Engine, Portrait
from lp_core.frame import Frame
from lp_core.motion.landmarks.motion import landmarks_from_motion
from lp_core.motion.sequence import MotionFrame
from lp_core.render.edges import BLOCK, FilmedFace, Motion
from lp_core.render.retime import at_rate
from lp_core.timing import FrameRate


@dataclass(frozen=True)
class SourceFrame:
    """The source at one output frame."""

    frame: Frame
    """The source picture."""
    portrait: Portrait | None
    """The same, prepared; None where the face is lost: the picture passes through untouched."""


def plate_shots(
    plate: FilmedFace,
    engine: Engine,
    rate: FrameRate,
    tune: Callable[[Portrait], Portrait],
    hear: Callable[[str], None],
) -> Iterator[SourceFrame]:
    """Every frame of a filmed source at the output rate, followed and prepared.

    Args:
        plate: the filmed source.
        engine: prepares each frame.
        rate: output rate.
        tune: fits the first portrait to the performance; later frames take its tuning over.
        hear: takes the sentences the user should see, after the last frame.

    Raises:
        NoFace: no frame shows a face.
        FaceNotThere: faces are there, but not the chosen one.
    """
    last: SourceFrame | None = None
    model: Portrait | None = None
    with closing(plate.followed(hear)) as followed:
        for frame, face in at_rate(followed, plate.info.rate, rate):
            if last is None or last.frame is not frame:
                portrait = None if face is None else engine.prepare(frame, face, model)
                if portrait is not None and model is None:
                    portrait = model = tune(portrait)
                last = SourceFrame(frame, portrait)
            yield last


def screen_frames(film: FilmedFace, rate: FrameRate) -> Iterator[Frame]:
    """The film's frames at the output rate, without end: the last one stays on screen."""
    with film.open() as source:
        for frame in at_rate(source, film.info.rate, rate):  # noqa: B007 - the last frame is used below
            yield frame
    yield from repeat(frame)


def first_driving_picture(film: FilmedFace, motion: Motion) -> DrivingPicture:
    """The picture in which the face is first seen; ``motion`` is the film's, and shows a face somewhere."""
    seen = next(index for index in range(len(motion)) if motion.frame(index).confidence > 0)
    with film.open() as source:
        frame = next(frame for frame in source if frame.index == seen)
    return _driving_picture(frame, motion.frame(seen))


def driving_pictures(
    frames: Iterable[Frame], motion: Motion, first: DrivingPicture | None = None
) -> Iterator[DrivingPicture | None]:
    """The driving picture that goes with each screen frame; where the face is lost the last one stays.

    Its landmarks come from the motion as it was measured, before any smoothing: they must lie on the
    picture's pixels. ``first`` before the face is first seen.
    """
    last = first
    seen, start, block = -1, 0, motion.rows(0, min(BLOCK, len(motion)))
    for frame in frames:
        if frame.index != seen:
            seen = frame.index
            if seen >= start + len(block):
                start, block = seen, motion.rows(seen, min(seen + BLOCK, len(motion)))
            row = block.frame(seen - start)
            if row.confidence > 0:
                last = _driving_picture(frame, row)
        yield last


def _driving_picture(frame: Frame, motion: MotionFrame) -> DrivingPicture:
    height, width = frame.pixels.shape[:2]
    return DrivingPicture(frame.as_rgb8(), landmarks_from_motion(motion, width, height))
