"""Stages between a render and its output: frame in, frame out, possibly of another size."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from lp_core.frame import Frame, Windows
from lp_core.media.base import FrameSink, FrameSource, SinkSpec
from lp_core.render.edges import QUEUE_DEPTH
from lp_core.render.pipeline import ReadAhead, WriteBehind
from lp_core.render.report import Listener, Meter, Summary


class FrameStage(Protocol):
    """Turns frames into others; is handed every frame of one film in order."""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of its results."""
        ...

    def apply(self, frame: Frame) -> Frame:
        """The frame, changed."""
        ...


class StagedSink:
    """A sink before which a stage is applied."""

    def __init__(self, open_sink: Callable[[SinkSpec], FrameSink], stage: FrameStage, spec: SinkSpec) -> None:
        """Opens the sink for the stage's results.

        Args:
            open_sink: opens what the results are written to.
            stage: applied to every frame.
            spec: of the frames that will be handed over.
        """
        self._stage = stage
        self._sink = open_sink(staged_spec(spec, stage))

    @property
    def notes(self) -> tuple[str, ...]:
        """The sink's."""
        return self._sink.notes

    def write(self, frame: Frame) -> None:
        """Applies the stage and writes the result."""
        self._sink.write(self._stage.apply(frame))

    def commit(self) -> None:
        """Finishes the output."""
        self._sink.commit()

    def abort(self) -> None:
        """Removes what was written."""
        self._sink.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sink.__exit__(kind, error, trace)


def staged_spec(spec: SinkSpec, stage: FrameStage) -> SinkSpec:
    """What the sink of a stage's results must be told; windows become the whole frame where the size changes."""
    width, height = stage.size(spec.width, spec.height)
    is_same = (width, height) == (spec.width, spec.height)
    windows: Windows | None = spec.windows if is_same else None
    return replace(spec, width=width, height=height, windows=windows)


@dataclass(frozen=True)
class StageRun:
    """A clip through a stage into a file, with every edge handed in; ``run`` may be called once."""

    open_source: Callable[[], AbstractContextManager[FrameSource]]
    """Opens what is read."""
    open_sink: Callable[[SinkSpec], FrameSink]
    """Opens what is written."""
    spec: SinkSpec
    """Of the frames before the stage."""
    stage: FrameStage
    name: str
    """Of the stage, for the summary."""
    output: str
    frame_count: int | None
    audio: str
    """Whose sound goes along: source or none."""
    notes: tuple[str, ...] = ()
    clock: Callable[[], float] = time.perf_counter

    def run(self, listener: Listener | None = None) -> Summary:
        """Reads, changes and writes every frame; the result stands under its final name only when this returns.

        Raises:
            LpError: whatever a part has to say; nothing is left behind then.
        """
        start = self.clock()
        notes = list(self.notes)
        meter = Meter("upscale", self.frame_count, listener, self.clock)
        with (
            self.open_source() as source,
            StagedSink(self.open_sink, self.stage, self.spec) as sink,
            ReadAhead(source, QUEUE_DEPTH, "source") as frames,
            WriteBehind(sink.write, 1, "upscale") as writer,
        ):
            for index, frame in enumerate(frames):
                writer.put(replace(frame, index=index, time_s=Fraction(index) / self.spec.rate.fps))
                meter.step()
            writer.finish()
            sink.commit()
            meter.finish()
            notes.extend((*source.notes, *sink.notes))
        return Summary(
            output=self.output,
            frames=meter.frame,
            rate=str(self.spec.rate),
            engine=self.name,
            seconds=round(self.clock() - start, 3),
            audio=self.audio,
            lost_driving_frames=(),
            lost_source_frames=(),
            notes=tuple(dict.fromkeys(notes)),
        )
