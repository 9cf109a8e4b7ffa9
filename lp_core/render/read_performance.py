"""The first pass: a filmed performance becomes motion, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import islice

import numpy as np

from lp_core.engines.base import Engine
from lp_core.motion.sequence import MotionFrame, frame_shapes
from lp_core.render.edges import BLOCK, FilmedFace, Motion
from lp_core.render.performance_sample import Density, PerformanceSample
from lp_core.render.report import Meter, Runs, runs_of


def record_motion(
    film: FilmedFace,
    engine: Engine,
    write: Callable[[MotionFrame], None],
    meter: Meter,
    hear: Callable[[str], None],
    sample: PerformanceSample | None = None,
) -> Runs:
    """Reads the motion of every frame of a film and hands it to ``write``, in order.

    A frame in which the face is lost repeats the last frame's arrays with confidence 0; before the first
    face it is a neutral filler with confidence 0.

    Args:
        film: the performance.
        engine: reads the motion off a face.
        write: takes the motion of each frame.
        meter: counts the frames.
        hear: takes the sentences the user should see.
        sample: is offered every frame that shows the face.

    Returns:
        The frames in which the face was lost.

    Raises:
        NoFace: no frame shows a face.
        FaceNotThere: faces are there, but not the chosen one.
    """
    lost: list[int] = []
    last = neutral_filler(engine.info.rig)
    with closing(film.followed(hear)) as followed:
        while batch := list(islice(followed, engine.info.batch)):
            read = iter(engine.read_motions([(frame, face) for frame, face in batch if face is not None]))
            for frame, face in batch:
                if face is None:
                    lost.append(frame.index)
                    last = replace(last, confidence=np.float32(0))
                else:
                    last = next(read)
                    if sample is not None:
                        sample.offer(last, frame.as_rgb8(), face.landmarks_frame)
                write(last)
                meter.step()
    meter.finish()
    return runs_of(lost)


def neutral_filler(rig: str) -> MotionFrame:
    """A frame of confidence 0 for the time before a face was seen: no rotation, unit scale, all else 0."""
    return MotionFrame(
        rotation=np.eye(3, dtype=np.float32),
        scale=np.float32(1),
        translation=np.zeros(2, np.float32),
        expression=np.zeros(frame_shapes(rig)["expression"], np.float32),
        eyes=np.zeros(2, np.float32),
        gaze=np.zeros((2, 2), np.float32),
        lips=np.float32(0),
        blendshapes=np.zeros(52, np.float32),
        confidence=np.float32(0),
    )


def sample_stored(motion: Motion, density: Density) -> PerformanceSample:
    """Frames that span a stored performance, without pictures; reads it once, in blocks."""
    sample = PerformanceSample(density)
    for start in range(0, len(motion), BLOCK):
        for frame in motion.rows(start, min(start + BLOCK, len(motion))).frames():
            if frame.confidence > 0:
                sample.offer(frame, None, None)
    return sample
