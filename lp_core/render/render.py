"""The render: performance -> motion, then source + motion -> pictures, as one streaming pipeline.

Two passes, because smoothing without lag and the choice of a neutral reference need the whole performance::

    pass 1   decode | analyse -> motion file
    pass 2   decode, analyse, prepare the plate |
             decode the driving picture         | animate | encode

A bar is a bounded queue between threads, so memory does not grow with the clip's length.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import DrawRequest, DrivingPicture, Engine, Performance, Portrait, TrialFrame
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.frame import Box, Frame
from lp_core.media.base import SinkSpec
from lp_core.motion.files.lpmotion import MotionReader, MotionWriter
from lp_core.motion.implicit.edit import NO_EDITS, EditCurves
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.timeline import MotionTimeline
from lp_core.render.edges import (
    QUEUE_DEPTH,
    WHOLE,
    FilmedFace,
    Motion,
    RenderTarget,
    Still,
    StoredMotion,
    TimeSlice,
)
from lp_core.render.holdout import Protection, protected
from lp_core.render.passes import DrawnFrame, with_passes
from lp_core.render.performance_sample import DENSITIES, PerformanceSample
from lp_core.render.pipeline import ReadAhead, WriteBehind
from lp_core.render.read_performance import record_motion, sample_stored
from lp_core.render.report import Listener, Meter, Runs, Seal, Summary, numbered, runs_of, sealed
from lp_core.render.retime import conformed_count
from lp_core.render.source_frames import (
    SourceFrame,
    driving_pictures,
    first_driving_picture,
    plate_shots,
    screen_frames,
)
from lp_core.settings import FaceSettings, MotionSettings
from lp_core.timing import FrameRate
from lp_core.version import __version__

Watermarker = Callable[[Frame, NDArray[np.float32], Box], Frame]
"""The frame with a mark inside the matte (h, w, 0..1) of a region."""


@dataclass(frozen=True)
class Render:
    """One render with every edge handed in; ``run`` may be called once."""

    engine: Engine
    """Reads the performance and draws it."""
    source: Still | FilmedFace
    """What is animated."""
    driving: FilmedFace | StoredMotion
    """The performance; its motion is of the engine's rig."""
    target: RenderTarget
    """Where the result goes."""
    motion: MotionSettings
    """Reference and smoothing of the performance."""
    face: FaceSettings
    """What happens where the driving face is lost."""
    trial_analyzer: Callable[[], FaceAnalyzer] | None = None
    """Opens the landmarker that reads trial pictures; None for a render without calibration."""
    calibration: str = "quick"
    """How closely the performance is sampled for it: a key of DENSITIES."""
    notes: tuple[str, ...] = ()
    """Sentences for the summary that were known before the render began."""
    edits: EditCurves = NO_EDITS
    """The user's sliders over the output's frames."""
    protection: Callable[[], Protection] | None = None
    """Opens the matte of what must not be touched."""
    part: TimeSlice = WHOLE
    """Which part of the whole is drawn."""
    mark: Watermarker | None = None
    """Marks each picture inside its matte, after everything else; None leaves them as they are."""
    seal: Seal | None = None
    """Signs the finished result; None leaves it as it is."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds, for rates and the summary."""

    def run(self, listener: Listener | None = None) -> Summary:
        """Renders; the result stands under its final name only when this returns.

        Raises:
            LpError: whatever a part has to say; nothing is left behind then.
        """
        start = self.clock()
        notes = list(self.notes)
        with ExitStack() as stack:
            motion, sample = self._read_motion(stack, listener, notes)
            timeline = MotionTimeline(motion, self.motion, self.face.on_lost)
            drawing = Drawing(self, motion, timeline, notes)
            result = _Pass(drawing, sample).run(stack, listener)
        result = sealed(result, self.seal)
        return replace(result, seconds=round(self.clock() - start, 3))

    def tuned(self, portrait: Portrait, samples: Sequence[TrialFrame], reference: MotionFrame) -> Portrait:
        """The portrait fitted to the performance, where the settings ask for it."""
        if self.trial_analyzer is None or not samples:
            return portrait
        fitted: Portrait = self.engine.tune(portrait, samples, reference, self.trial_analyzer)
        return fitted

    def _read_motion(
        self, stack: ExitStack, listener: Listener | None, notes: list[str]
    ) -> tuple[Motion, PerformanceSample]:
        if isinstance(self.driving, StoredMotion):
            stored = stack.enter_context(self.driving.open())
            return stored, sample_stored(stored, DENSITIES[self.calibration])
        sample = PerformanceSample(DENSITIES[self.calibration])
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lpsuite-"))
        path = Path(folder) / "performance.lpmotion"
        meter = Meter("analyse", self.driving.info.frame_count, listener, self.clock)
        with MotionWriter(path, self.driving.info.rate, self.engine.info.rig, self.driving.name) as writer:
            record_motion(self.driving, self.engine, writer.append, meter, notes.append, sample)
            writer.commit()
        return stack.enter_context(MotionReader(path)), sample


@dataclass(frozen=True)
class Drawing:
    """What one frame of the result needs besides its source: the performance, and how it is laid on."""

    render: Render
    motion: Motion
    """The performance as it was measured."""
    timeline: MotionTimeline
    """The performance without gaps, smoothed."""
    notes: list[str]
    """Sentences for the summary; grows."""

    @property
    def rate(self) -> FrameRate:
        """Rate of the result."""
        source = self.render.source
        return self.render.target.rate or (
            source.info.rate if isinstance(source, FilmedFace) else self.motion.rate
        )

    def count(self, source_frames: int | None) -> int | None:
        """Frames of the result; None where a filmed source does not tell its length.

        Args:
            source_frames: number of frames of a filmed source, where it is known.
        """
        source = self.render.source
        if isinstance(source, Still):
            if self.render.part.length is not None:
                return self.render.part.length
            return conformed_count(len(self.motion), self.motion.rate, self.rate)
        if source_frames is None:
            return None
        return conformed_count(source_frames, source.info.rate, self.rate)

    def surveyed(self, plate: Iterable[tuple[Frame, Face | None]]) -> Mapping[str, NDArray[Any]]:
        """What the engine finds in a filmed source before its first picture; arrays for ``with_tuning``.

        Args:
            plate: every frame with the face that is animated; not read where nothing is looked for.
        """
        source, start_s = self.render.source, self.render.part.performance_s
        if not (isinstance(source, FilmedFace) and self.render.engine.info.surveys_plates):
            return {}
        rate, timeline = source.info.rate, self.timeline
        performance = Performance(
            lambda frame: timeline.at(max(start_s + rate.time_s(frame.index), Fraction(0))),
            timeline.reference,
            len(timeline),
        )
        return self.render.engine.survey(plate, performance)

    def spec(self) -> SinkSpec:
        """What the sink must be told."""
        info = self.render.engine.info
        comment = ", ".join(filter(None, (f"LP Suite {__version__}", f"{info.name} engine", info.label)))
        return self.render.target.spec(self.render.source.info, self.rate, comment)

    def drivers(self, stack: ExitStack) -> Iterator[DrivingPicture | None]:
        """The driving picture of every output frame, without end; None where there is none."""
        driving = self.render.driving
        if isinstance(driving, StoredMotion) or not self.render.engine.info.uses_driving_picture:
            return repeat(None)
        frames = stack.enter_context(ReadAhead(screen_frames(driving, self.rate), QUEUE_DEPTH, "driving"))
        before = int(self.render.part.performance_s * self.rate.fps)
        first = None
        if before < 0 or self.motion.frame(0).confidence == 0:
            first = first_driving_picture(driving, self.motion)
        pictures = driving_pictures(frames, self.motion, first)
        return chain(repeat(first, -before), islice(pictures, max(before, 0), None))

    def drawn(
        self,
        pairs: Iterable[tuple[SourceFrame, DrivingPicture | None]],
        lost: dict[int, None],
        first: int = 0,
    ) -> Iterator[DrawnFrame]:
        """Frame after frame of the result with what the engine says of it.

        Args:
            pairs: source and driving picture of every frame.
            lost: takes the indices of source frames without the face.
            first: index of the first frame.
        """
        is_still = isinstance(self.render.source, Still)
        with ExitStack() as stack:
            matte = self.render.protection and stack.enter_context(self.render.protection())
            numbered = enumerate(pairs, first)
            while batch := list(islice(numbered, self.render.engine.info.batch)):
                shots = [shot for _, (shot, _) in batch]
                lost.update({shot.frame.index: None for shot in shots if shot.portrait is None})
                for shot, drawn in zip(shots, self.draw(batch), strict=True):
                    if matte:
                        number = drawn.frame.index if is_still else shot.frame.index
                        drawn = protected(drawn, shot.frame, matte.at(number))
                    yield self._marked(drawn)

    def draw(
        self, batch: Sequence[tuple[int, tuple[SourceFrame, DrivingPicture | None]]]
    ) -> Iterator[DrawnFrame]:
        """Some frames of the result, drawn together: (index, (source, driving picture)) each."""
        asked = [self._act(shot, driver, self.rate.time_s(index)) for index, (shot, driver) in batch]
        acts = [act for act, _ in asked if act is not None]
        engine = self.render.engine
        animations = iter(engine.animate_all(acts, self.timeline.reference) if acts else ())
        is_film = isinstance(self.render.source, FilmedFace)
        for (index, (shot, _)), (act, confidence) in zip(batch, asked, strict=True):
            animation = None if act is None else next(animations)
            pixels = shot.frame.pixels if animation is None else animation.pixels
            frame = replace(shot.frame, pixels=pixels, index=index, time_s=self.rate.time_s(index))
            yield DrawnFrame(frame, animation, confidence, shot.frame if is_film else None)

    def _act(
        self, shot: SourceFrame, driver: DrivingPicture | None, time_s: Fraction
    ) -> tuple[DrawRequest | None, float]:
        """What is asked of the engine (None: nothing, the source passes through), and the confidence."""
        if shot.portrait is None:
            return None, 0.0
        part = self.render.part
        motion = self.timeline.at(max(part.performance_s + time_s, Fraction(0)))
        if motion.confidence <= 0:
            return None, float(motion.confidence)
        edit = self.render.edits.at(float(max(part.start_s + time_s, Fraction(0)) * self.rate.fps))
        return DrawRequest(shot.portrait, motion, driver, edit), float(motion.confidence)

    def _marked(self, drawn: DrawnFrame) -> DrawnFrame:
        """With the invisible mark, where one is wanted; what is protected stays out of the matte already."""
        mark, animation = self.render.mark, drawn.animation
        if mark is None or animation is None:
            return drawn
        return replace(drawn, frame=mark(drawn.frame, animation.region_matte, animation.region))

    def summary(self, frames: int, lost_source: Runs) -> Summary:
        """What the whole amounts to; its time is not known here."""
        render, rate = self.render, self.rate
        held = (
            frames
            + int(render.part.performance_s * rate.fps)
            - conformed_count(len(self.motion), self.motion.rate, rate)
        )
        if held > 0 and len(self.motion) > 1:
            self.notes.append(
                f"The performance ends {held} frames before the source; its last motion is held."
            )
        return Summary(
            output=render.target.name,
            frames=frames,
            rate=str(rate),
            engine=render.engine.info.name,
            seconds=0.0,
            audio=render.target.audio,
            lost_driving_frames=numbered(self.timeline.lost_frames, _first_number(render.driving)),
            lost_source_frames=numbered(lost_source, _first_number(render.source)),
            notes=tuple(dict.fromkeys(self.notes)),
        )


def _first_number(clip: Still | FilmedFace | StoredMotion) -> int | None:
    return clip.info.first_frame if isinstance(clip, FilmedFace) else None


@dataclass(frozen=True)
class _Pass:
    """The second pass of a render in one go."""

    drawing: Drawing
    sample: PerformanceSample
    """Frames that span the performance."""

    def run(self, stack: ExitStack, listener: Listener | None) -> Summary:
        """Draws and writes every output frame."""
        drawing, render = self.drawing, self.drawing.render
        total = drawing.count(render.source.info.frame_count)
        spec = drawing.spec()
        sink = stack.enter_context(render.target.open(spec))
        log = None if render.target.open_log is None else stack.enter_context(render.target.open_log(spec))
        drivers = drawing.drivers(stack)
        shots = self._shots(stack, total)
        meter = Meter("render", total, listener, render.clock)
        lost: dict[int, None] = {}
        drawn = drawing.drawn(zip(shots, drivers, strict=False), lost)
        with WriteBehind(sink.write, QUEUE_DEPTH, "encode") as writer:
            for frame in with_passes(drawn, render.target.settings.pass_names, render.source.info, log):
                writer.put(frame)
                meter.step()
            writer.finish()
        sink.commit()
        if log is not None:
            log.commit()
        meter.finish()
        drawing.notes.extend(sink.notes)
        return drawing.summary(meter.frame, runs_of(lost))

    def _shots(self, stack: ExitStack, total: int | None) -> Iterator[SourceFrame]:
        drawing, render = self.drawing, self.drawing.render
        if isinstance(render.source, Still):
            frame = render.source.frame
            shot = SourceFrame(frame, self._tune(render.engine.prepare(frame, render.source.face)))
            return iter(repeat(shot) if total is None else repeat(shot, total))
        with closing(render.source.followed(lambda _: None)) as plate:
            plan = drawing.surveyed(plate)

        def tune(portrait: Portrait) -> Portrait:
            tuned = self._tune(portrait)
            if not plan:
                return tuned
            planned: Portrait = render.engine.with_tuning(tuned, {**render.engine.tuning_of(tuned), **plan})
            return planned

        shots = plate_shots(render.source, render.engine, drawing.rate, tune, drawing.notes.append)
        return stack.enter_context(ReadAhead(shots, QUEUE_DEPTH, "source"))

    def _tune(self, portrait: Portrait) -> Portrait:
        return self.drawing.render.tuned(portrait, self.sample.samples, self.drawing.timeline.reference)
