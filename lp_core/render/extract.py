"""A performance stored as a motion file: the first pass of a render, kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from lp_core.engines.base import Engine
from lp_core.geometry.dense_codec import pack
from lp_core.motion.files.lpmotion import MotionWriter
from lp_core.motion.files.lpmotion_header import DenseFacts
from lp_core.motion.landmarks.motion import landmarks_from_motion
from lp_core.motion.timeline import MotionTimeline
from lp_core.render.edges import BLOCK, QUEUE_DEPTH, FilmedFace, StoredMotion
from lp_core.render.inputs import NOT_WATCHED, InputWatch
from lp_core.render.pipeline import ReadAhead
from lp_core.render.read_performance import record_motion
from lp_core.render.report import Listener, Meter, Summary, numbered
from lp_core.render.source_frames import dense_reference
from lp_core.settings import MotionSettings


@dataclass(frozen=True)
class Extraction:
    """One extraction with every edge handed in; ``run`` may be called once."""

    engine: Engine
    """The engine whose rig is stored."""
    driving: FilmedFace
    """The performance."""
    output: str
    """Motion file that is written."""
    open_writer: Callable[[], MotionWriter]
    """Opens it."""
    notes: tuple[str, ...] = ()
    """Sentences for the summary that were known before."""
    inputs: InputWatch = NOT_WATCHED
    """The files that the motion is made of."""
    dense_reference: MotionSettings | None = None
    """How the reference frame is chosen that dense motion leads to; None: no dense motion is stored."""
    clock: Callable[[], float] = time.perf_counter

    def run(self, listener: Listener | None = None) -> Summary:
        """Reads the whole performance; the file is under its name only when this returns.

        Raises:
            LpError: whatever a part has to say; nothing is left behind then.
        """
        start = self.clock()
        meter = Meter("analyse", self.driving.info.frame_count, listener, self.clock)
        notes = list(self.notes)
        with self.inputs.guarding(), self.open_writer() as writer:
            lost = record_motion(self.driving, self.engine, writer.append, meter, notes.append)
            if self.dense_reference is not None:
                store_dense(self.driving, writer, self.dense_reference, self.engine.info.uses_shading)
            self.inputs.check()
            writer.commit()
        return Summary(
            output=self.output,
            frames=meter.frame,
            rate=str(self.driving.info.rate),
            engine=self.engine.info.name,
            seconds=round(self.clock() - start, 3),
            audio="none",
            lost_driving_frames=numbered(lost, self.driving.info.first_frame),
            lost_source_frames=(),
            notes=tuple(dict.fromkeys(notes)),
        )


def store_dense(
    film: FilmedFace, writer: MotionWriter, settings: MotionSettings, with_shade: bool = False
) -> None:
    """Adds the dense motion of a video to its motion, all of which the writer has taken.

    Args:
        film: the performance.
        writer: takes the fields.
        settings: how the reference frame is chosen that they lead to.
        with_shade: whether the shade is stored too.

    Raises:
        SettingError: the chosen reference is not in the performance, or shows no face.
    """
    motion = writer.taken()
    reference = MotionTimeline(motion, settings, "hold").reference_index
    neutral = dense_reference(film, reference, motion.rows(reference, reference + 1).frame(0))
    writer.begin_dense(DenseFacts(neutral.size, neutral.grid, reference, 3 if with_shade else 2))
    with film.open() as source, ReadAhead(source, QUEUE_DEPTH, "decode") as frames:
        for frame in islice(frames, len(motion)):
            row = motion.rows(frame.index, frame.index + 1).frame(0)
            field = None
            if row.confidence > 0:
                landmarks = landmarks_from_motion(row, *neutral.size)
                field = neutral.motion(frame.as_rgb8(), landmarks, with_shade)
            writer.append_dense(b"" if field is None else pack(field.planes))


@dataclass(frozen=True)
class TemplateConversion:
    """A stored performance written again in another format; ``run`` may be called once."""

    motion: StoredMotion
    """The performance."""
    output: str
    """Motion file that is written."""
    open_writer: Callable[[], MotionWriter]
    """Opens it."""
    notes: tuple[str, ...] = ()
    """Sentences for the summary that were known before."""
    inputs: InputWatch = NOT_WATCHED
    """The files that the motion is made of."""
    clock: Callable[[], float] = time.perf_counter

    def run(self, listener: Listener | None = None) -> Summary:
        """Copies every frame, unchanged; the file is under its name only when this returns.

        Raises:
            LpError: whatever a part has to say; nothing is left behind then.
        """
        start = self.clock()
        with self.inputs.guarding(), self.motion.open() as motion, self.open_writer() as writer:
            meter = Meter("analyse", len(motion), listener, self.clock)
            for first in range(0, len(motion), BLOCK):
                rows = motion.rows(first, min(first + BLOCK, len(motion)))
                writer.extend(rows)
                for _ in range(len(rows)):
                    meter.step()
            self.inputs.check()
            writer.commit()
            meter.finish()
            rate = str(motion.rate)
        return Summary(
            output=self.output,
            frames=meter.frame,
            rate=rate,
            engine=self.motion.rig,
            seconds=round(self.clock() - start, 3),
            audio="none",
            lost_driving_frames=(),
            lost_source_frames=(),
            notes=self.notes,
        )
