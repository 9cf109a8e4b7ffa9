"""The performance as a render asks for it: by exact time, without gaps, smoothed, in constant memory."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from lp_core.errors import NoFace, SettingError
from lp_core.motion.reference import unrest
from lp_core.motion.sequence import F32, MOTION_ARRAYS, MotionFrame, MotionSequence
from lp_core.motion.smoothing import slerp, smooth_frame, zero_phase_kernel
from lp_core.settings import ON_LOST, MotionSettings
from lp_core.timing import FrameRate

_BLOCK = 256  # frames read at a time
_CONFIDENCE_BLOCK = 65536  # confidences read at a time
_FILLED = np.float32(0.5)  # confidence of a frame that was filled in


class MotionRows(Protocol):
    """Anything that gives rows of a motion: a MotionSequence in memory or a MotionReader on disk."""

    @property
    def rate(self) -> FrameRate:
        """Exact frames per second."""
        ...

    @property
    def rig(self) -> str:
        """Kind of rig, a key of RIGS."""
        ...

    @property
    def origin(self) -> str:
        """Where the motion came from, for the user's eyes."""
        ...

    def __len__(self) -> int: ...

    def rows(self, start: int, stop: int) -> MotionSequence:
        """The frames of a half-open range, 0 <= start < stop <= len."""
        ...

    def column(self, name: str, start: int, stop: int) -> F32:
        """One array's rows of a half-open range: (stop - start, *its shape)."""
        ...


class MotionTimeline:
    """The performance at any time. Holds a few hundred frames of the motion; not thread-safe.

    Lost frames (confidence 0) are dealt with by policy: ``hold`` repeats the last measured frame (at the
    start of the shot the first one), ``interpolate`` goes from the last to the next one, both with a
    confidence between 0 and 1; ``source`` leaves the confidence at 0: a render shows the source there.

    Raises:
        SettingError: the reference frame is outside the motion or lost, or the policy is not known.
        NoFace: the whole motion is lost.
    """

    def __init__(self, motion: MotionRows, settings: MotionSettings, on_lost: str) -> None:
        if on_lost not in ON_LOST:
            raise SettingError(f"on_lost = {on_lost!r} is not known; choose one of: {', '.join(ON_LOST)}.")
        self._motion = motion
        self._on_lost = on_lost
        self._kernel = zero_phase_kernel(settings.smoothing, motion.rate)
        self._lost = _lost_ranges(motion)
        self._lost_starts = [first for first, _ in self._lost]
        if self._lost == [(0, len(motion) - 1)]:
            raise _no_face(motion)
        self._block_at, self._block = 0, self._filled(0, min(_BLOCK, len(motion)))
        self._reference_index = self._find_reference(settings.reference)
        self._reference = self.frame(self._reference_index)

    def __len__(self) -> int:
        return len(self._motion)

    @property
    def rate(self) -> FrameRate:
        """Exact frames per second of the motion."""
        return self._motion.rate

    @property
    def rig(self) -> str:
        """Kind of rig, a key of RIGS."""
        return self._motion.rig

    @property
    def reference(self) -> MotionFrame:
        """The frame that relative motion is relative to, smoothed like every other."""
        return self._reference

    @property
    def reference_index(self) -> int:
        """0-based number of the reference frame."""
        return self._reference_index

    @property
    def lost_frames(self) -> list[tuple[int, int]]:
        """(first, last) of every run of lost frames, both inclusive, in order."""
        return list(self._lost)

    def frame(self, index: int) -> MotionFrame:
        """The performance at its own frames, 0 <= index < len: filled in where lost, and smoothed."""
        radius = len(self._kernel) // 2
        start, stop = max(index - radius, 0), min(index + radius + 1, len(self))
        if start < self._block_at or stop > self._block_at + len(self._block):
            self._block = self._filled(start, min(max(stop, start + _BLOCK), len(self)))
            self._block_at = start
        return smooth_frame(self._block, index - self._block_at, self._kernel)

    def at(self, time_s: Fraction) -> MotionFrame:
        """The performance at an exact time: a frame itself where one starts then, else a mix of two.

        Between a shown frame and one left to the source, the nearer one is taken (the earlier in the middle).

        Args:
            time_s: seconds from the start of the performance; before it the first frame holds, after its end
                the last.
        """
        index, rest = self.place(time_s)
        before = self.frame(index)
        if rest == 0:
            return before
        after = self.frame(index + 1)
        if before.confidence == 0 or after.confidence == 0:
            return before if rest <= Fraction(1, 2) else after
        return between(before, after, float(rest))

    def place(self, time_s: Fraction) -> tuple[int, Fraction]:
        """The frame that is shown at a time, and how far the next one is on its way, 0 <= . < 1."""
        position = min(max(time_s * self.rate.fps, Fraction(0)), Fraction(len(self) - 1))
        index = position.numerator // position.denominator
        return index, position - index

    def _find_reference(self, wanted: str) -> int:
        if wanted in ("auto", "neutral"):
            return neutral_frame(self._motion)  # for "neutral" the engine takes a separate face instead
        index = int(wanted)
        if index >= len(self):
            raise SettingError(
                f"reference = {wanted} is not in the performance; choose auto or 0 to {len(self) - 1}."
            )
        gap = self._gap(index)
        if gap is not None:
            raise SettingError(
                f"reference = {wanted} shows no face, nor do {gap[0]} to {gap[1]}; choose auto or another."
            )
        return index

    def _gap(self, index: int) -> tuple[int, int] | None:
        """The run of lost frames that holds a frame, None when the frame was measured."""
        place = bisect_right(self._lost_starts, index) - 1
        if place < 0 or self._lost[place][1] < index:
            return None
        return self._lost[place]

    def _filled(self, start: int, stop: int) -> MotionSequence:
        """Rows of a half-open range with the policy for lost frames applied."""
        rows = self._motion.rows(start, stop)
        if self._on_lost == "source" or (rows.confidence > 0).all():
            return rows
        arrays: dict[str, Any] = {name: getattr(rows, name).copy() for name in MOTION_ARRAYS}
        ends: dict[tuple[int, int], tuple[MotionFrame, MotionFrame]] = {}
        for index in range(start, stop):
            gap = self._gap(index)
            if gap is None:
                continue
            if gap not in ends:
                ends[gap] = self._ends(*gap)
            frame, after = ends[gap]
            if self._on_lost == "interpolate":
                frame = between(frame, after, (index - gap[0] + 1) / (gap[1] - gap[0] + 2))
            for name in MOTION_ARRAYS[:-1]:
                arrays[name][index - start] = getattr(frame, name)
            arrays["confidence"][index - start] = _FILLED
        return MotionSequence(rows.rate, rows.rig, origin=rows.origin, metadata=rows.metadata, **arrays)

    def _ends(self, first: int, last: int) -> tuple[MotionFrame, MotionFrame]:
        """The measured frames before and after a gap; at an end of the motion both are the one there is."""
        sides = [index for index in (first - 1, last + 1) if 0 <= index < len(self)]
        before, after = (self._motion.rows(index, index + 1).frame(0) for index in (sides[0], sides[-1]))
        return before, after


def neutral_frame(motion: MotionRows) -> int:
    """0-based number of the most neutral frame, found in one pass in constant memory.

    How frames are judged is in ``lp_core.motion.reference``. Scores are rounded, so that the last bit of
    another machine's arithmetic does not choose another frame.

    Raises:
        NoFace: every frame is lost.
    """
    best, best_score = -1, np.inf
    for start in range(0, len(motion), _BLOCK):
        stop = min(start + _BLOCK, len(motion))
        margin = max(start - 1, 0)  # the neighbors' movement counts
        scores = unrest(motion.rows(margin, min(stop + 1, len(motion))))[start - margin : stop - margin]
        rounded = np.round(scores, 6)
        index = int(np.argmin(rounded))
        if rounded[index] < best_score:
            best, best_score = start + index, float(rounded[index])
    if best < 0:
        raise _no_face(motion)
    return best


def _no_face(motion: MotionRows) -> NoFace:
    name = motion.origin or "the motion"
    return NoFace(f"No frame of {name} shows a face; choose another performance.")


def between(first: MotionFrame, second: MotionFrame, fraction: float) -> MotionFrame:
    """The performance at 0..1 of the way from one frame to another: linear, but the rotation by slerp."""
    mixed: dict[str, Any] = {
        name: np.float32((1.0 - fraction) * getattr(first, name) + fraction * getattr(second, name))
        for name in MOTION_ARRAYS
        if name != "rotation"
    }
    rotation = slerp(first.rotation, second.rotation, fraction).astype(np.float32)
    return MotionFrame(rotation=rotation, **mixed)


def _lost_ranges(motion: MotionRows) -> list[tuple[int, int]]:
    """(first, last) of every run of frames with confidence 0; reads confidences alone."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(motion), _CONFIDENCE_BLOCK):
        is_lost = motion.column("confidence", start, min(start + _CONFIDENCE_BLOCK, len(motion))) == 0
        changes = np.flatnonzero(np.diff(np.concatenate([[False], is_lost, [False]]).astype(np.int8)))
        for first, after in (changes.reshape(-1, 2) + start).tolist():
            if found and found[-1][1] == first - 1:
                found[-1] = (found[-1][0], after - 1)
            else:
                found.append((first, after - 1))
    return found
