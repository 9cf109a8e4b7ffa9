"""Exact time between a timeline and its media; pure arithmetic on fractions.

A clip's source range begins at the true position in its media and lasts as long as it does on the timeline. At
speed s it shows s times as much of the media; backwards when s is negative, beginning at the far end.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from lp_core.errors import SettingError
from lp_core.timing import LEAST_FPS, exact_number

_NTSC = (24000, 30000, 48000, 60000, 120000)
ONE = Fraction(1)


def exact_rate(rate: float) -> Fraction:
    """Frames per second as they are meant: 29.97 and its longer forms are 30000/1001.

    Raises:
        SettingError: it is not a rate.
    """
    value = exact(rate)
    if value < LEAST_FPS:
        raise SettingError(f"The timeline holds a rate of {rate} frames per second; correct it.")
    if value.denominator != 1:
        for numerator in _NTSC:
            ntsc = Fraction(numerator, 1001)
            if abs(value - ntsc) < Fraction(1, 1000):
                return ntsc
    return value


def exact(number: float) -> Fraction:
    """A number as it is written, such as 0.1 = 1/10."""
    return exact_number(float(number))


@dataclass(frozen=True)
class ClipRange:
    """What a clip shows of its media, in seconds of the media's own clock."""

    start_s: Fraction
    """First moment shown (of backwards clips the last)."""
    duration_s: Fraction
    """How long the clip lasts on the timeline."""
    speed: Fraction = ONE
    """Media seconds a timeline second; 0: one frame stands still."""

    @property
    def media_s(self) -> Fraction:
        """How much of the media is shown."""
        return self.duration_s * abs(self.speed)

    def time_on_timeline(self, media_s: Fraction, frame_s: Fraction) -> Fraction:
        """Timeline seconds after the clip's head at which a frame of the media comes to be seen; 0 for a freeze.

        Args:
            media_s: when the frame begins in the media.
            frame_s: how long it lasts there; backwards, a frame is entered at its end.
        """
        if self.speed == 0:
            return Fraction(0)
        if self.speed < 0:
            return (self.start_s + self.media_s - media_s - frame_s) / -self.speed
        return (media_s - self.start_s) / self.speed


@dataclass(frozen=True)
class Frames:
    """Frames of a media, counted from its first."""

    first: int
    count: int

    @property
    def stop(self) -> int:
        """The frame after the last."""
        return self.first + self.count


def needed_frames(
    span: ClipRange, origin_s: Fraction, fps: Fraction, before_s: Fraction, after_s: Fraction, handles: int
) -> Frames:
    """The frames of a media that a clip needs; they may lie outside of it.

    Args:
        span: what it shows.
        origin_s: time of the media's first frame.
        fps: the media's rate.
        before_s: timeline seconds a transition reaches beyond the clip's head.
        after_s: the same for its tail.
        handles: frames to add at either end.
    """
    if span.speed < 0:
        before_s, after_s = after_s, before_s
    reach = abs(span.speed)
    start = (span.start_s - origin_s - before_s * reach) * fps
    end = (span.start_s - origin_s + span.media_s + after_s * reach) * fps
    first = _whole(start, start.__floor__())
    stop = max(_whole(end, end.__ceil__()), first + 1)
    return Frames(first - handles, stop - first + 2 * handles)


def whole_frames(frames: Fraction) -> int:
    """The whole frames in a length; within 1/1000 of the next one counts as that one."""
    return _whole(frames, frames.__floor__())


def _whole(frame: Fraction, other: int) -> int:
    """The whole frame that programs which reckon in floats mean, within 1/1000; else the other one."""
    whole = round(frame)
    return whole if abs(frame - whole) < Fraction(1, 1000) else other


def clamped(frames: Frames, available: int | None) -> Frames | None:
    """The frames that are there; None when there are none.

    Args:
        frames: those wanted.
        available: frames of the media; None: not known, so only the beginning is looked at.
    """
    first = max(frames.first, 0)
    stop = frames.stop if available is None else min(frames.stop, available)
    return Frames(first, stop - first) if stop > first else None


@dataclass(frozen=True)
class PerformanceRange:
    """How a performance runs next to the frames of a shot."""

    start_s: Fraction
    """Time within the performance at the shot's first frame."""
    speed: Fraction
    """PerformanceRange seconds a second of the shot's own frames."""


def performance_beside(
    span: ClipRange, first_s: Fraction, frame_s: Fraction, driver_in_s: Fraction, driver_speed: Fraction
) -> PerformanceRange:
    """How a performance that begins with a clip runs next to the frames of that clip's media.

    Args:
        span: of the clip.
        first_s: media time of the first frame that is rendered.
        frame_s: how long a frame of the media lasts.
        driver_in_s: time within the performance at the clip's head.
        driver_speed: performance seconds a timeline second.
    """
    head = span.time_on_timeline(first_s, frame_s)
    start_s = driver_in_s + head * driver_speed
    speed = ONE if span.speed == 0 or driver_speed == 0 else driver_speed / span.speed
    return PerformanceRange(start_s, speed)
