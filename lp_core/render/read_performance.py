"""The first pass: a performance becomes stored motion, frame by frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import DrivingPicture, Engine, TrialFrame
from lp_core.motion.files.lpmotion import MotionReader, MotionWriter
from lp_core.motion.sequence import MOTION_ARRAYS, MotionFrame, frame_shapes
from lp_core.render.edges import BLOCK, QUEUE_DEPTH, FilmedFace, Motion, StoredMotion
from lp_core.render.halved_watch import gains_by_halves
from lp_core.render.performance_sample import DENSITIES, Density, PerformanceSample
from lp_core.render.pipeline import ReadAhead
from lp_core.render.report import Listener, Meter, Runs, runs_of
from lp_core.render.stored_arrays import load_arrays, save_arrays, write_json
from lp_core.render.watching import PerformanceWatch

if TYPE_CHECKING:
    from lp_core.render.render import Render

MOTION_FILE, SAMPLE_FILE = "performance.lpmotion", "sample.npz"


def record_motion(
    film: FilmedFace,
    engine: Engine,
    write: Callable[[MotionFrame], None],
    meter: Meter,
    report: Callable[[str], None],
    sample: PerformanceSample | None = None,
    watch: PerformanceWatch | None = None,
) -> Runs:
    """Reads the motion of every frame of a video and hands it to ``write``, in order.

    A frame in which the face is lost repeats the last frame's arrays with confidence 0; before the first
    face it is a neutral filler with confidence 0.

    Args:
        film: the performance.
        engine: reads the motion off a face.
        write: takes the motion of each frame.
        meter: counts the frames.
        report: takes the sentences the user should see.
        sample: is offered every frame that shows the face.
        watch: is shown every frame, and writes in place of ``write``.

    Returns:
        The frames in which the face was lost.

    Raises:
        NoFace: no frame shows a face.
        FaceNotThere: faces are there, but not the chosen one.
    """
    lost: list[int] = []
    last = neutral_filler(engine.info.rig)
    sightings = film.followed(report, gains_by_halves(film.info))
    with ReadAhead(sightings, QUEUE_DEPTH, "faces") as followed:
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
                if watch is None:
                    write(last)
                else:
                    watch.take(last, frame, face)
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
    """Frames that span a stored performance, without images; reads it once, in blocks."""
    sample = PerformanceSample(density)
    for start in range(0, len(motion), BLOCK):
        for frame in motion.rows(start, min(start + BLOCK, len(motion))).frames():
            if frame.confidence > 0:
                sample.offer(frame, None, None)
    return sample


def store_performance(render: Render, folder: Path, listener: Listener | None) -> list[str]:
    """Stores the performance and frames that span it in a folder, unless an earlier run did; returns its notes."""
    facts = folder / "performance.json"
    if facts.exists():
        return [str(note) for note in json.loads(facts.read_text(encoding="utf-8"))["notes"]]
    notes: list[str] = []
    path, driving = folder / MOTION_FILE, render.driving
    if isinstance(driving, StoredMotion):
        with driving.open() as motion:
            _copy_motion(motion, path)
    else:
        sample = PerformanceSample(DENSITIES[render.calibration])
        meter = Meter("analyse", driving.info.frame_count, listener, render.clock)
        rig = render.engine.info.rig
        with (
            MotionWriter(path, driving.info.rate, rig, driving.name, overwrite=True) as writer,
            ExitStack() as stack,
        ):
            fronts = render.fronts and stack.enter_context(render.fronts())
            watch = PerformanceWatch(rig, writer.append, render.face.on_lost == "interpolate", fronts)
            record_motion(driving, render.engine, writer.append, meter, notes.append, sample, watch)
            trust, watch_notes = watch.finish()
            writer.commit()
        trust.save(folder)
        notes.extend(watch_notes)
        save_arrays(folder / SAMPLE_FILE, _arrays_of(sample.samples))
    write_json(facts, {"notes": notes})
    return notes


def _copy_motion(motion: Motion, path: Path) -> None:
    with MotionWriter(
        path, motion.rate, motion.rig, motion.origin, motion.metadata, overwrite=True
    ) as writer:
        for first in range(0, len(motion), BLOCK):
            writer.extend(motion.rows(first, min(first + BLOCK, len(motion))))
        copy_dense(motion, writer)
        writer.commit()


def copy_dense(motion: Motion, writer: MotionWriter) -> None:
    """Copies the dense motion of a motion file; others have none."""
    if isinstance(motion, MotionReader) and motion.dense is not None:
        writer.begin_dense(motion.dense)
        for index in range(len(motion)):
            writer.append_dense(motion.dense_bytes(index))


def read_samples(render: Render, folder: Path, motion: Motion) -> list[TrialFrame]:
    """Frames that span the performance, for trials; none for a render without calibration.

    Args:
        render: the render.
        folder: as ``store_performance`` left it.
        motion: the performance.
    """
    if render.trial_analyzer is None or not render.engine.info.calibrates:
        return []
    if isinstance(render.driving, StoredMotion):
        return sample_stored(motion, DENSITIES[render.calibration]).samples
    arrays = load_arrays(folder / SAMPLE_FILE)
    samples = []
    for index in range(len(arrays["scale"])):
        measured = MotionFrame(**{name: arrays[name][index] for name in MOTION_ARRAYS})
        pixels, landmarks = arrays.get(f"pixels{index}"), arrays.get(f"landmarks{index}")
        picture = None if pixels is None or landmarks is None else DrivingPicture(pixels, landmarks)
        samples.append(TrialFrame(measured, picture))
    return samples


def _arrays_of(samples: Sequence[TrialFrame]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        name: np.stack([np.asarray(getattr(sample.motion, name)) for sample in samples])
        if samples
        else np.empty(0)
        for name in MOTION_ARRAYS
    }
    for index, sample in enumerate(samples):
        if sample.driving is not None and sample.driving.pixels is not None:
            arrays[f"pixels{index}"] = sample.driving.pixels
            arrays[f"landmarks{index}"] = sample.driving.landmarks_frame
    return arrays
