"""Drawing frames: the source and the performance at each frame, the engine, holdout and watermark."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain, islice, repeat

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Animation, DrawRequest, DrivingPicture, Engine, Helpers
from lp_core.frame import Box, Frame
from lp_core.media.base import SinkSpec
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.motion.implicit.edit import EditCurves
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.timeline import MotionTimeline
from lp_core.render.calm_corrections import CalmCorrections
from lp_core.render.edges import (
    QUEUE_DEPTH,
    FilmedFace,
    Motion,
    RenderTarget,
    Still,
    StoredMotion,
    TimeSlice,
)
from lp_core.render.fronts import Fronts
from lp_core.render.holdout import Protection, protected
from lp_core.render.layers import Layer, Layers, over_plate
from lp_core.render.passes import DrawnFrame
from lp_core.render.pipeline import ReadAhead
from lp_core.render.report import Runs, Summary, numbered, runs_of, runs_text
from lp_core.render.retime import conformed_count
from lp_core.render.source_frames import (
    SourceFrame,
    dense_reference,
    driving_pictures,
    first_driving_picture,
    screen_frames,
    stored_pictures,
    stored_rows,
    with_dense_motion,
)
from lp_core.render.watching import Trust
from lp_core.timing import FrameRate
from lp_core.version import __version__

_log = logging.getLogger(__name__)

Watermarker = Callable[[Frame, NDArray[np.float32], Box], Frame]
"""The frame with a mark inside the matte (h, w, 0..1) of a region."""


@dataclass(frozen=True)
class Drawing:
    """What one frame of the result needs besides its source: the performance, and how it is applied."""

    engine: Engine
    """Draws."""
    source: Still | FilmedFace
    """What is animated."""
    driving: FilmedFace | StoredMotion
    """The performance."""
    target: RenderTarget
    """Where the result goes."""
    part: TimeSlice
    """Which part of the whole is drawn."""
    edits: EditCurves
    """The user's sliders over the output's frames."""
    protection: Callable[[], Protection] | None
    """Opens the matte of what must not be touched."""
    fronts: Callable[[], Fronts] | None
    """Opens what finds things in front of the face; None: nobody looks."""
    layers: Callable[[], Layers] | None
    """Opens what keeps the background still; None: it is left to the engine."""
    mark: Watermarker | None
    """Marks each frame inside its matte."""
    motion: Motion
    """The performance as it was measured."""
    trust: Trust
    """How far each frame of the performance can be trusted."""
    fade_below: float
    """Trust below which the result fades to the source; 0: never."""
    timeline: MotionTimeline
    """The performance without gaps, smoothed."""
    calm: CalmCorrections
    """What the tuning adds, averaged."""
    notes: list[str]
    """Sentences for the summary; grows."""
    helpers: Helpers | None = None
    """Draws in other processes; None: the engine draws in this one."""
    remarks: dict[str, dict[int, None]] = field(default_factory=dict)
    """What the engine said of single frames -> indices of those frames; grows."""

    @property
    def rate(self) -> FrameRate:
        """Rate of the result."""
        source = self.source
        return self.target.rate or (source.info.rate if isinstance(source, FilmedFace) else self.motion.rate)

    @property
    def _pixels_alone(self) -> bool:
        """Whether nothing but the pixels of what is drawn is used."""
        output = self.target.settings
        uses = (self.protection, self.fronts, self.layers, self.mark, output.pass_names, self.fade_below > 0)
        return output.alpha != "matte" and not any(uses)

    def count(self, source_frames: int | None) -> int | None:
        """Frames of the result; None where a filmed source does not say its length.

        Args:
            source_frames: number of frames of a filmed source, where it is known.
        """
        source = self.source
        if isinstance(source, Still):
            if self.part.length is not None:
                return self.part.length
            return conformed_count(len(self.motion), self.motion.rate, self.rate)
        if source_frames is None:
            return None
        return conformed_count(source_frames, source.info.rate, self.rate)

    def spec(self) -> SinkSpec:
        """What the sink must know."""
        info = self.engine.info
        comment = ", ".join(filter(None, (f"LP Suite {__version__}", f"{info.name} engine", info.label)))
        return self.target.spec(self.source.info, self.rate, comment)

    def drivers(self, stack: ExitStack, start: int = 0) -> Iterator[DrivingPicture | None]:
        """The driving image of every output frame from ``start`` on, without end; None where there is none."""
        driving, info = self.driving, self.engine.info
        if isinstance(driving, StoredMotion):
            return self._stored_drivers(stack, start)
        if not info.uses_driving_picture:
            return repeat(None)
        frames = stack.enter_context(ReadAhead(screen_frames(driving, self.rate), QUEUE_DEPTH, "driving"))
        before = self._frames_before()
        first = None
        if before < 0 or self.motion.frame(0).confidence == 0:
            first = first_driving_picture(driving, self.motion)
        pictures = driving_pictures(frames, self.motion, first)
        shown = islice(chain(repeat(first, -before), islice(pictures, max(before, 0), None)), start, None)
        if not info.uses_dense_motion or len(self.motion) == 1:
            return shown
        neutral = self.timeline.reference_index
        reference = partial(dense_reference, driving, neutral, self.motion.frame(neutral))
        dense = with_dense_motion(shown, reference, info.uses_shading)
        return stack.enter_context(ReadAhead(dense, QUEUE_DEPTH, "flow"))

    def _frames_before(self) -> int:
        """Output frames of the performance before the first that is drawn; negative where frames precede it."""
        return int(self.part.performance_s * self.rate.fps)

    def _stored_drivers(self, stack: ExitStack, start: int) -> Iterator[DrivingPicture | None]:
        """The dense motion that a motion file keeps, at every output frame; None where it keeps none."""
        motion = self.motion
        if (
            not isinstance(motion, MotionReader)
            or motion.dense is None
            or not self.engine.info.uses_dense_motion
        ):
            return repeat(None)
        if motion.dense.reference != self.timeline.reference_index:
            self.notes.append(
                f"The motion's dense motion leads to frame {motion.dense.reference}, and the reference is frame "
                f"{self.timeline.reference_index}: hair, neck and shoulders follow the head alone. Use --reference "
                f"{motion.dense.reference}, or extract the motion with --reference {self.timeline.reference_index}."
            )
            return repeat(None)
        stored = stack.enter_context(MotionReader(motion.path))  # another thread reads it
        before, rows = self._frames_before(), stored_rows(stored, self.rate)
        first = next(rows)
        ahead = chain(repeat(first, -before), islice(chain([first], rows), max(before, 0), None))
        pictures = stored_pictures(stored, islice(ahead, start, None))
        return stack.enter_context(ReadAhead(pictures, QUEUE_DEPTH, "flow"))

    def drawn(
        self,
        pairs: Iterable[tuple[SourceFrame, DrivingPicture | None]],
        lost: dict[int, None],
        first: int = 0,
    ) -> Iterator[DrawnFrame]:
        """Frame after frame of the result with what the engine says of it.

        Args:
            pairs: source and driving image of every frame.
            lost: takes the indices of source frames without the face.
            first: index of the first frame.
        """
        is_still = isinstance(self.source, Still)
        with ExitStack() as stack:
            matte = self.protection and stack.enter_context(self.protection())
            layers = stack.enter_context(self.layers()) if self.layers and is_still else None
            for shot, drawn in self.draw(enumerate(pairs, first)):
                if shot.portrait is None:
                    lost[shot.frame.index] = None
                number = drawn.frame.index if is_still else shot.frame.index
                layer = layers.at(shot.frame, shot.face, number) if layers else shot.layer
                if layer:
                    drawn = _layered(drawn, shot.frame, layer)  # noqa: PLW2901
                held = matte.at(number) if matte else self._front(shot, drawn.frame.index)
                if held is not None:
                    drawn = protected(drawn, shot.frame, held)  # noqa: PLW2901
                yield self._marked(self._faded(drawn, shot.frame))

    def _performance_index(self, index: int) -> int:
        """Frame of the performance that a frame of the result shows."""
        return int(max(self.part.performance_s + self.rate.time_s(index), Fraction(0)) * self.motion.rate.fps)

    def _faded(self, drawn: DrawnFrame, source: Frame) -> DrawnFrame:
        """With what is known of the performance's trust, and faded to the source where it is low."""
        values, cause = self.trust.at(self._performance_index(drawn.frame.index))
        told = replace(drawn, trust=values, cause=cause)
        if self.fade_below <= 0 or drawn.animation is None:
            return told
        share = self.trust.fade(self._performance_index(drawn.frame.index), self.fade_below)
        if share >= 1:
            return told
        everything = np.full(drawn.frame.pixels.shape[:2], 1 - share, np.float32)
        return replace(protected(told, source, everything), held=told.held)

    def _front(self, shot: SourceFrame, index: int) -> NDArray[np.float32] | None:
        """What is in front of the face in a frame of the result; notes what the summary must say of it."""
        if shot.front is None:
            return None
        self._remark(shot.front.note, index)
        return shot.front.matte

    def _remark(self, note: str, index: int) -> None:
        if note:
            _log.warning("frame %d: %s", index, note)
            self.remarks.setdefault(note, {})[index] = None

    def draw(
        self, numbered: Iterable[tuple[int, tuple[SourceFrame, DrivingPicture | None]]]
    ) -> Iterator[tuple[SourceFrame, DrawnFrame]]:
        """Source and frame of the result, for (index, (source, driving image)) each; reads ahead by some frames."""
        waiting: deque[tuple[int, SourceFrame, float]] = deque()

        def acts() -> Iterator[DrawRequest | None]:
            for index, (shot, driver) in numbered:
                act, confidence = self._act(shot, driver, self.rate.time_s(index))
                waiting.append((index, shot, confidence))
                yield act

        draw = self.helpers.draw if self.helpers is not None else in_batches
        is_film = isinstance(self.source, FilmedFace)
        for animation in draw(self.engine, acts(), self.timeline.reference):
            index, shot, confidence = waiting.popleft()
            pixels = shot.frame.pixels if animation is None else animation.pixels
            if animation is not None:
                self._remark(animation.note, index)
            frame = replace(shot.frame, pixels=pixels, index=index, time_s=self.rate.time_s(index))
            yield shot, DrawnFrame(frame, animation, confidence, shot.frame if is_film else None)

    def _act(
        self, shot: SourceFrame, driver: DrivingPicture | None, time_s: Fraction
    ) -> tuple[DrawRequest | None, float]:
        """What is asked of the engine (None: nothing, the source passes through), and the confidence."""
        if shot.portrait is None:
            return None, 0.0
        part = self.part
        shown_s = max(part.performance_s + time_s, Fraction(0))
        motion = self.timeline.at(shown_s)
        if motion.confidence <= 0:
            return None, float(motion.confidence)
        edit = self.edits.at(float(max(part.start_s + time_s, Fraction(0)) * self.rate.fps))
        at = self._performance_index(int(time_s * self.rate.fps))
        if driver is not None and self.trust.is_covered(at, "mouth"):
            driver = replace(driver, is_mouth_covered=True)
        slow = self.calm.at(shot.portrait, shown_s)
        act = DrawRequest(shot.portrait, motion, driver, edit, self._pixels_alone, slow)
        return act, float(motion.confidence)

    def _marked(self, drawn: DrawnFrame) -> DrawnFrame:
        """With the invisible mark, where one is wanted; what is protected stays out of the matte already."""
        mark, animation = self.mark, drawn.animation
        if mark is None or animation is None:
            return drawn
        return replace(drawn, frame=mark(drawn.frame, animation.region_matte, animation.region))

    def _curve(self, frames: int) -> tuple[float, ...]:
        """The lowest trust in the face over the result, in at most CURVE_POINTS equal parts."""
        count = min(frames, CURVE_POINTS)
        lows = [
            min(
                float(self.trust.at(self._performance_index(index))[0].min())
                for index in range(frames * part // count, frames * (part + 1) // count)
            )
            for part in range(count)
        ]
        return tuple(round(low, 3) for low in lows)

    def summary(self, frames: int, lost_source: Runs) -> Summary:
        """What the whole amounts to; its time is not known here."""
        rate = self.rate
        held = frames + self._frames_before() - conformed_count(len(self.motion), self.motion.rate, rate)
        if held > 0 and len(self.motion) > 1:
            self.notes.append(
                f"The performance ends {held} frames before the source; its last motion is held."
            )
        self.notes.extend(
            f"In {len(frames_of)} frames ({runs_text(runs_of(frames_of))}) {remark}."
            for remark, frames_of in self.remarks.items()
        )
        return Summary(
            output=self.target.name,
            frames=frames,
            rate=str(rate),
            engine=self.engine.info.name,
            seconds=0.0,
            audio=self.target.audio,
            lost_driving_frames=numbered(self.timeline.lost_frames, _first_number(self.driving)),
            lost_source_frames=numbered(lost_source, _first_number(self.source)),
            notes=tuple(dict.fromkeys(self.notes)),
            confidence=self._curve(frames),
        )


def in_batches(
    engine: Engine, acts: Iterable[DrawRequest | None], reference: MotionFrame
) -> Iterator[Animation | None]:
    """The frames that are asked for, in order, drawn by an engine; None where nothing is asked for."""
    asked = iter(acts)
    while batch := list(islice(asked, engine.info.batch)):
        wanted = [act for act in batch if act is not None]
        drawn = iter(engine.animate_all(wanted, reference) if wanted else ())
        for act in batch:
            yield None if act is None else next(drawn)


CURVE_POINTS = 240
"""Points of the summary's curve of trust, at most."""


def _layered(drawn: DrawnFrame, source: Frame, layer: Layer) -> DrawnFrame:
    if drawn.animation is None:
        return replace(drawn, layer=layer)
    shown = over_plate(drawn.animation, source, layer)
    return replace(drawn, frame=replace(drawn.frame, pixels=shown.pixels), animation=shown, layer=layer)


def _first_number(clip: Still | FilmedFace | StoredMotion) -> int | None:
    return clip.info.first_frame if isinstance(clip, FilmedFace) else None
