"""Exact time: rational rates, frame <-> time, frame ranges, timecode. Standard library only, Python 3.7 syntax."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Iterator, Optional, Tuple, Union

from .errors import SettingError

_NTSC_NUMERATORS = (24000, 30000, 48000, 60000, 120000)
LEAST_FPS = Fraction(1, 1000)
"""Frames per second of the slowest rate; slower ones are errors of a file, and their clips last for years."""
_NUMBER = re.compile(r"\s*[-+]?[0-9]{0,40}(?:\.[0-9]{0,40})?(?:[eE][-+]?[0-9]{1,3})?(?:/[0-9]{1,40})?\s*")
_WHOLE = re.compile("[0-9]{1,9}")
_RANGE = re.compile(r"\s*(-?[0-9]{1,9})(?:\s*-\s*(-?[0-9]{1,9}))?\s*")
_TIMECODE = re.compile(r"\s*([0-9]{2}):([0-9]{2}):([0-9]{2})([:;.,])([0-9]{2,3})\s*")


def exact_number(text: Union[str, int, float]) -> Fraction:
    """A number as it is written, such as ``0.1``, ``-2``, ``1e-3`` or ``30000/1001``.

    Raises:
        ValueError: it is not a number, or so long that it would take the memory of the machine.
    """
    words = str(text) if not isinstance(text, float) else repr(text)
    if len(words) > 100 or _NUMBER.fullmatch(words) is None:
        raise ValueError(f"{words[:40]!r} is not a number")
    try:
        return Fraction(words)
    except ZeroDivisionError:
        raise ValueError(f"{words} divides by zero") from None


def whole_number(text: str) -> Optional[int]:
    """A number of up to nine digits 0 to 9; None for all other texts, such as ``-1`` or a superscript."""
    return int(text) if _WHOLE.fullmatch(text) else None


@dataclass(frozen=True)
class FrameRate:
    """A frame rate as an exact fraction of frames per second, for example 30000/1001."""

    fps: Fraction
    """Frames per second, from 1/1000 to 1000."""

    def __post_init__(self) -> None:
        if not LEAST_FPS <= self.fps <= 1000:
            raise SettingError(
                f"A frame rate of {float(self.fps):.6g} is not usable; give one from 0.001 to 1000 frames "
                "per second, such as 24, 25 or 30000/1001."
            )

    @classmethod
    def parse(cls, text: Union[str, int, float, Fraction]) -> "FrameRate":
        """Reads ``25``, ``23.976``, ``30000/1001`` or a number.

        Decimal approximations of the NTSC rates (23.976, 29.97, 59.94 and their longer forms, within
        0.001 frames per second) become the exact fraction over 1001.

        Raises:
            SettingError: the text is not a rate.
        """
        try:
            value = text if isinstance(text, Fraction) else exact_number(text)
        except ValueError:
            raise SettingError(
                f"'{str(text)[:40]}' is not a frame rate; write it like 25, 23.976 or 30000/1001."
            ) from None
        if value.denominator != 1001:
            for numerator in _NTSC_NUMERATORS:
                exact = Fraction(numerator, 1001)
                if abs(value - exact) < Fraction(1, 1000):
                    return cls(exact)
        return cls(value)

    def time_s(self, frame: int) -> Fraction:
        """Start time of a frame in seconds, counted from frame 0 at time 0; exact."""
        return Fraction(frame) / self.fps

    def frame_at(self, time_s: Fraction) -> int:
        """Index of the frame that is on screen at ``time_s`` seconds (frame k covers [k, k+1)/fps)."""
        return int((Fraction(time_s) * self.fps) // 1)

    def __str__(self) -> str:
        if self.fps.denominator == 1:
            return str(self.fps.numerator)
        return f"{self.fps.numerator}/{self.fps.denominator}"


@dataclass(frozen=True)
class FrameRange:
    """Frame numbers from the first to the last, both included, without gaps."""

    first: int
    """Number of the first frame; may be negative."""
    last: int
    """Number of the last frame; at least ``first``."""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise SettingError(
                f"The frames {self.first} to {self.last} run backwards; write the lower number first, "
                "such as 1001-1100."
            )

    @classmethod
    def parse(cls, text: str) -> "FrameRange":
        """Reads ``1001-1100``, ``1001`` (that one frame) or, with negative numbers, ``-8-100`` and ``-8--2``.

        Raises:
            SettingError: the text is not a range.
        """
        match = _RANGE.fullmatch(text)
        if match is None:
            raise SettingError(f"'{text}' is not a range of frames; write it like 1001-1100.")
        first = int(match.group(1))
        return cls(first, first if match.group(2) is None else int(match.group(2)))

    def with_handles(self, frames: int) -> "FrameRange":
        """The range with so many more frames at either end."""
        return FrameRange(self.first - frames, self.last + frames)

    def within(self, other: "FrameRange") -> bool:
        """True when ``other`` holds all of this range."""
        return other.first <= self.first and self.last <= other.last

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Timecode:
    """An address ``HH:MM:SS:FF`` of a frame, as SMPTE ST 12-1 counts.

    A clock face counts a whole number of frames a second: 24 for 23.976. Drop-frame leaves numbers out (never
    frames), 2 of every minute but each tenth at 29.97 and 4 at 59.94, so that it keeps up with the real clock.
    """

    frame: int
    """Frames since 00:00:00:00; it comes round after 24 hours."""
    rate: FrameRate
    """Frames per second of the images."""
    is_drop_frame: bool = False
    """True: numbers are left out; for 29.97, 59.94 and 119.88 only."""

    def __post_init__(self) -> None:
        if self.is_drop_frame and (self.rate.fps * 1001) % 30000:
            raise SettingError(
                f"Drop-frame timecode does not exist at {self.rate} frames per second, only at 29.97 and its "
                "multiples; write the timecode with ':' throughout."
            )
        object.__setattr__(self, "frame", self.frame % self._day)

    @classmethod
    def parse(cls, text: str, rate: FrameRate) -> "Timecode":
        """Reads ``01:00:00:00``; ``;`` or ``,`` before the frames means drop-frame, as tapes and MOV write it.

        Raises:
            SettingError: the text is not a timecode, or names a number that does not exist at that rate.
        """
        match = _TIMECODE.fullmatch(text)
        if match is None:
            raise SettingError(f"'{text}' is not a timecode; write it like 01:00:00:00.")
        hours, minutes, seconds, frames = (int(match.group(index)) for index in (1, 2, 3, 5))
        return cls.of(hours, minutes, seconds, frames, rate, match.group(4) in ";,")

    @classmethod
    def of(
        cls, hours: int, minutes: int, seconds: int, frames: int, rate: FrameRate, is_drop_frame: bool = False
    ) -> "Timecode":
        """The timecode with that face.

        Raises:
            SettingError: there is no such face at that rate.
        """
        zero = cls(0, rate, is_drop_frame)
        total_minutes = hours * 60 + minutes
        count = (total_minutes * 60 + seconds) * zero._nominal + frames
        count -= zero._dropped * (total_minutes - total_minutes // 10)
        made = cls(count, rate, is_drop_frame)
        if hours > 23 or made.face != (hours, minutes, seconds, frames):
            raise SettingError(
                "The timecode {:02}:{:02}:{:02}{}{:02} does not exist at {} frames per second; correct it.".format(
                    hours, minutes, seconds, ";" if is_drop_frame else ":", frames, rate
                )
            )
        return made

    @property
    def face(self) -> Tuple[int, int, int, int]:
        """(hours, minutes, seconds, frames) as shown."""
        number, drop = self.frame, self._dropped
        if drop:
            ten_minutes = self._nominal * 600 - drop * 9
            tens, rest = divmod(number, ten_minutes)
            number += drop * 9 * tens
            full_minute = self._nominal * 60
            if rest >= full_minute:  # the first minute of ten is whole
                number += drop * (1 + (rest - full_minute) // (full_minute - drop))
        seconds, frames = divmod(number, self._nominal)
        return seconds // 3600, seconds // 60 % 60, seconds % 60, frames

    @property
    def text(self) -> str:
        """``01:00:00:00``, with ``;`` before the frames of a drop-frame one."""
        hours, minutes, seconds, frames = self.face
        mark = ";" if self.is_drop_frame else ":"
        return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}"

    def plus(self, frames: int) -> "Timecode":
        """The timecode so many frames later (earlier when negative), round the clock."""
        return Timecode(self.frame + frames, self.rate, self.is_drop_frame)

    def at_rate(self, rate: FrameRate) -> "Timecode":
        """The same moment of the clock face at another rate: seconds stay, frames within them are scaled."""
        if rate == self.rate:
            return self
        hours, minutes, seconds, frames = self.face
        zero = Timecode(0, rate)
        frames = frames * zero._nominal // self._nominal
        return Timecode(((hours * 60 + minutes) * 60 + seconds) * zero._nominal + frames, rate)

    @property
    def _nominal(self) -> int:
        return int(-(-self.rate.fps // 1))

    @property
    def _dropped(self) -> int:
        """Numbers left out at the head of a minute."""
        return self._nominal // 15 if self.is_drop_frame else 0

    @property
    def _day(self) -> int:
        return self._nominal * 86400 - self._dropped * 9 * 144

    def __str__(self) -> str:
        return self.text
