"""What a render reports while it runs and when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

Phase = Literal["prepare", "speak", "analyse", "calibrate", "render", "upscale", "join"]
"""The keys of ``lp_core.link.messages.PHASES``, which holds their labels."""
Runs = tuple[tuple[int, int], ...]
"""Frames as (first, last) of every unbroken run, both inclusive, in order."""

_REPORT_EVERY_S = 0.1
"""Progress is reported at most ten times a second: a host program draws it, nobody reads faster."""


@dataclass(frozen=True)
class Progress:
    """How far a phase has come."""

    phase: Phase
    """prepare: begins; analyse: reads the performance; calibrate: tries; render: draws; join: makes a video whole."""
    frame: int
    """Frames done in this phase."""
    total: int | None
    """Frames this phase will do; None when the container does not say."""
    fps: float
    """Frames a second since the phase began."""
    eta_s: float | None
    """Seconds left in this phase; None when the total is not known."""

    def as_json(self) -> dict[str, Any]:
        """The event as plain values, with its type."""
        return {"type": "progress", **asdict(self)}


@dataclass(frozen=True)
class Summary:
    """What a finished render or extraction amounts to."""

    output: str
    """Where the result is."""
    frames: int
    """Frames written."""
    rate: str
    """Frames per second as an exact fraction."""
    engine: str
    """Engine that drew, or whose rig was extracted."""
    seconds: float
    """Wall-clock time of the whole work."""
    audio: str
    """Whose sound is next to the image: driving, source or none."""
    lost_driving_frames: Runs
    """Frames of the performance in which the face was not found, by the numbers they bear in its clip."""
    lost_source_frames: Runs
    """The same of a source that is a video or sequence; these frames pass through unchanged."""
    notes: tuple[str, ...]
    """Sentences the user should see."""
    confidence: tuple[float, ...] = ()
    """How far the performance can be trusted over the result, 0..1: the lowest of face, eyes and mouth in each of at
    most 240 equal parts."""
    signature: str = "off"
    """What became of signing the result: signed, off, no_key (none is set up) or failed."""

    def as_json(self) -> dict[str, Any]:
        """The summary as plain values, with its type."""
        return {"type": "summary", **asdict(self)}

    def sentence(self) -> str:
        """The summary in one line."""
        rate = self.frames / self.seconds if self.seconds > 0 else 0.0
        text = f"{self.output}: {_frames(self.frames)} at {self.rate} fps, {self.engine} engine, "
        text += f"{self.seconds:.1f} s ({rate:.1f} frames/s)"
        if self.audio != "none":
            text += f", sound of the {self.audio} clip"
        for whose, lost in (("driving", self.lost_driving_frames), ("source", self.lost_source_frames)):
            if lost:
                count = sum(end - start + 1 for start, end in lost)
                text += f"; {whose} face lost in {_frames(count)}: {runs_text(lost)}"
        return text + "."


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


Listener = Callable[[Progress], None]
"""Takes progress; called from the thread that runs the render."""


class SealVerdict(Protocol):
    """What became of signing a result."""

    @property
    def state(self) -> str:
        """The summary's ``signature``."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the summary."""
        ...


Seal = Callable[[str, int, str], SealVerdict]
"""Signs a finished result (name, frames, rate); the last step, after which nothing may touch it."""


def sealed(summary: Summary, seal: Seal | None) -> Summary:
    """The summary of the result after it was signed, where a seal is at hand."""
    if seal is None:
        return summary
    verdict = seal(summary.output, summary.frames, summary.rate)
    return replace(summary, signature=verdict.state, notes=(*summary.notes, *verdict.notes))


def runs_of(frames: Iterable[int]) -> Runs:
    """Ascending frame numbers as runs."""
    runs: list[tuple[int, int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return tuple(runs)


def numbered(runs: Iterable[tuple[int, int]], first: int | None) -> Runs:
    """Runs of indices as runs of the clip's own numbers; ``first`` is that of its first frame, None: 0."""
    begin = first or 0
    return tuple((start + begin, end + begin) for start, end in runs)


def runs_text(runs: Runs, limit: int = 8) -> str:
    """Runs as ``3-7, 12``; beyond ``limit`` of them only how many more there are."""
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in runs[:limit]]
    if len(runs) > limit:
        shown.append(f"and {len(runs) - limit} more runs")
    return ", ".join(shown)


class Meter:
    """Counts the frames of one phase and calls a listener now and then; the clock is handed in."""

    def __init__(
        self,
        phase: Phase,
        total: int | None,
        listener: Listener | None,
        clock: Callable[[], float],
        done: int = 0,
    ) -> None:
        """Begins to count.

        Args:
            phase: what is counted.
            total: frames of the phase; None: not known.
            listener: is called now and then.
            clock: seconds.
            done: frames that an earlier run did.
        """
        self._phase: Phase = phase
        self._total = total
        self._listener = listener
        self._clock = clock
        self._start = clock()
        self._told = self._start - _REPORT_EVERY_S
        self._done = done
        self.frame = done

    def step(self) -> None:
        """One more frame is done."""
        self.frame += 1
        if self._listener is not None and self._clock() - self._told >= _REPORT_EVERY_S:
            self._tell(self._total)

    def finish(self) -> None:
        """The phase is over: reports the final count, which is the total now."""
        self._tell(self.frame)

    def _tell(self, total: int | None) -> None:
        if self._listener is None:
            return
        self._told = self._clock()
        elapsed = self._told - self._start
        fps = (self.frame - self._done) / elapsed if elapsed > 0 else 0.0
        eta = max(total - self.frame, 0) / fps if total is not None and fps > 0 else None
        self._listener(
            Progress(self._phase, self.frame, total, round(fps, 2), eta if eta is None else round(eta, 2))
        )
