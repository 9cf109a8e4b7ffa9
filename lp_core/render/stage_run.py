"""A clip through a stage into a file, without a render."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction

from lp_core.media.base import FrameSink, FrameSource
from lp_core.render.edges import QUEUE_DEPTH
from lp_core.render.inputs import NOT_WATCHED, InputWatch
from lp_core.render.pipeline import ReadAhead, WriteBehind
from lp_core.render.report import Listener, Meter, Summary
from lp_core.timing import FrameRate


@dataclass(frozen=True)
class StageRun:
    """A clip through a stage into a file, with every edge handed in; ``run`` may be called once."""

    open_source: Callable[[], AbstractContextManager[FrameSource]]
    """Opens what is read."""
    open_sink: Callable[[], FrameSink]
    """Opens what is written; the stage is applied to every frame there."""
    rate: FrameRate
    """Rate of the clip."""
    name: str
    """Of the stage, for the summary."""
    output: str
    frame_count: int | None
    audio: str
    """Whose audio the result carries: source or none."""
    notes: tuple[str, ...] = ()
    inputs: InputWatch = NOT_WATCHED
    """The files that the result is made of."""
    clock: Callable[[], float] = time.perf_counter

    def run(self, listener: Listener | None = None) -> Summary:
        """Reads, changes and writes every frame; the result has its final name only when this returns.

        Raises:
            LpError: the clip cannot be read or written; no partial output is left.
        """
        start = self.clock()
        notes = list(self.notes)
        meter = Meter("upscale", self.frame_count, listener, self.clock)
        with (
            self.inputs.guarding(),
            self.open_source() as source,
            self.open_sink() as sink,
            ReadAhead(source, QUEUE_DEPTH, "source") as frames,
            WriteBehind(sink.write, 1, "upscale") as writer,
        ):
            for index, frame in enumerate(frames):
                writer.put(replace(frame, index=index, time_s=Fraction(index) / self.rate.fps))
                meter.step()
            writer.finish()
            self.inputs.check()
            sink.commit()
            meter.finish()
            notes.extend((*source.notes, *sink.notes))
        return Summary(
            output=self.output,
            frames=meter.frame,
            rate=str(self.rate),
            engine=self.name,
            seconds=round(self.clock() - start, 3),
            audio=self.audio,
            lost_driving_frames=(),
            lost_source_frames=(),
            notes=tuple(dict.fromkeys(notes)),
        )
