"""What the second pass draws with: source and driving image of every output frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, repeat
from math import ceil

from lp_core.engines.base import DrivingPicture, Engine, Portrait, Tuning
from lp_core.faces.base import Face
from lp_core.frame import Frame
from lp_core.geometry.dense_field import DenseField, DenseReference
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.motion.landmarks.motion import landmarks_from_motion
from lp_core.motion.sequence import MotionFrame
from lp_core.render.edges import BLOCK, FilmedFace, Motion
from lp_core.render.fronts import Front, Fronts
from lp_core.render.layers import Layer, Layers
from lp_core.render.retime import at_rate
from lp_core.timing import FrameRate


@dataclass(frozen=True)
class SourceFrame:
    """The source at one output frame."""

    frame: Frame
    """The source image."""
    portrait: Portrait | None
    """The same, prepared; None where the face is lost: the image passes through untouched."""
    face: Face | None = None
    """The face that is animated; None where it is lost."""
    front: Front | None = None
    """What is in front of the face; None: nobody looked."""
    layer: Layer | None = None
    """Person and background; None: not known, or found where it is drawn."""


def filmed_source(
    followed: Iterable[tuple[Frame, Face | None]],
    source_rate: FrameRate,
    rate: FrameRate,
    engine: Engine,
    tuning_for: Callable[[Frame, Face], Tuning],
    first: int = 0,
    fronts: Fronts | None = None,
    layers: Layers | None = None,
) -> Iterator[SourceFrame]:
    """A filmed source at every output frame, prepared.

    Args:
        followed: every frame of the source with the face that is animated, None where it is lost.
        source_rate: rate of those frames.
        rate: output rate.
        engine: prepares each frame.
        tuning_for: the tuning of all frames, asked for once with the first frame that shows the face.
        first: output frame to begin with; nothing is prepared before it.
        fronts: finds what is in front of the face; None: nobody looks.
        layers: finds person and background; None: nobody looks.

    Raises:
        NoFace: no frame shows a face.
        FaceNotThere: faces are there, but not the chosen one.
    """
    last: SourceFrame | None = None
    tuning: Tuning | None = None
    memory = max((looks.memory + 1 for looks in (fronts, layers) if looks is not None), default=0)
    start = max(first - ceil(memory * rate.fps / source_rate.fps), 0)
    seen, front, layer = None, None, None
    for number, (frame, face) in enumerate(islice(at_rate(followed, source_rate, rate), start, None), start):
        if seen is not frame:
            seen = frame
            front = None if fronts is None else fronts.at(frame, face)
            layer = None if layers is None else layers.at(frame, face, frame.index)
        if number < first:
            continue
        if last is None or last.frame is not frame:
            portrait: Portrait | None = None
            if face is not None:
                tuning = tuning_for(frame, face) if tuning is None else tuning
                portrait = engine.prepare(front.behind if front else frame, face, tuning)
            last = SourceFrame(frame, portrait, face, front, layer)
        yield last


def still_source(
    frame: Frame, face: Face, engine: Engine, tuning: Tuning, fronts: Fronts | None
) -> SourceFrame:
    """A still, prepared.

    Args:
        frame: the image.
        face: that is animated.
        engine: prepares it.
        tuning: of the portrait.
        fronts: finds what is in front of the face; None: nobody looks.
    """
    front = None if fronts is None else fronts.at(frame, face)
    return SourceFrame(frame, engine.prepare(front.behind if front else frame, face, tuning), face, front)


def screen_frames(film: FilmedFace, rate: FrameRate) -> Iterator[Frame]:
    """The video's frames at the output rate, without end: the last one stays on screen."""
    with film.open() as source:
        for frame in at_rate(source, film.info.rate, rate):  # noqa: B007 - the last frame is used below
            yield frame
    yield from repeat(frame)


def first_driving_picture(film: FilmedFace, motion: Motion) -> DrivingPicture:
    """The image in which the face is first seen; ``motion`` is the video's, and shows a face somewhere."""
    seen = next(index for index in range(len(motion)) if motion.frame(index).confidence > 0)
    with film.open() as source:
        frame = next(frame for frame in source if frame.index == seen)
    return _driving_picture(frame, motion.frame(seen))


def driving_pictures(
    frames: Iterable[Frame], motion: Motion, first: DrivingPicture | None = None
) -> Iterator[DrivingPicture | None]:
    """The driving image that goes with each screen frame; where the face is lost the last one stays.

    Its landmarks come from the motion as it was measured, before any smoothing: they must are on the
    image's pixels. ``first`` before the face is first seen.
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


def dense_reference(film: FilmedFace, index: int, motion: MotionFrame) -> DenseReference:
    """The reference of a video's dense motion.

    Args:
        film: the driving video.
        index: number of its reference frame.
        motion: of that frame, as it was measured.
    """
    with film.open() as source:
        pixels = next(islice(source, index, None)).as_rgb8()
    return DenseReference.of(pixels, landmarks_from_motion(motion, pixels.shape[1], pixels.shape[0]))


def with_dense_motion(
    pictures: Iterable[DrivingPicture | None],
    open_reference: Callable[[], DenseReference],
    with_shade: bool = False,
) -> Iterator[DrivingPicture | None]:
    """Driving images with their dense motion; each depends on its own frame and the reference frame alone.

    Args:
        pictures: in order; the same one again where a frame stays on screen.
        open_reference: gives the reference frame they are compared with.
        with_shade: whether the shade is wanted too.
    """
    neutral = open_reference()
    last: tuple[DrivingPicture, DrivingPicture] | None = None
    for picture in pictures:
        if picture is None or picture.pixels is None:
            yield picture
            continue
        if last is None or last[0] is not picture:
            motion = neutral.motion(picture.pixels, picture.landmarks_frame, with_shade)
            last = picture, replace(picture, dense=motion)
        yield last[1]


def stored_rows(motion: MotionReader, rate: FrameRate) -> Iterator[int]:
    """Number of the frame whose dense motion goes with each output frame, without end.

    Where a frame has none the last one that had stays; before the first that has, that one.

    Args:
        motion: has dense motion.
        rate: output rate.
    """
    last = next((index for index in range(len(motion)) if motion.dense_bytes(index)), 0)
    seen = -1
    for index in at_rate(range(len(motion)), motion.rate, rate):
        if index != seen:
            seen, last = index, index if motion.dense_bytes(index) else last
        yield last
    yield from repeat(last)


def stored_pictures(motion: MotionReader, rows: Iterable[int]) -> Iterator[DrivingPicture | None]:
    """The dense motion that a motion file keeps of some frames, as driving images without images."""
    shown, last = -1, None
    for index in rows:
        if index != shown:
            shown, last = index, _stored_picture(motion, index)
        yield last


def _stored_picture(motion: MotionReader, index: int) -> DrivingPicture | None:
    """The dense motion that a motion file keeps of one frame; None where it has none."""
    field = motion.dense_field(index)
    if field is None or motion.dense is None:
        return None
    landmarks = landmarks_from_motion(motion.frame(index), *motion.dense.size)
    return DrivingPicture(None, landmarks, DenseField.of_planes(field, landmarks, motion.dense.size))


def _driving_picture(frame: Frame, motion: MotionFrame) -> DrivingPicture:
    height, width = frame.pixels.shape[:2]
    return DrivingPicture(frame.as_rgb8(), landmarks_from_motion(motion, width, height))
