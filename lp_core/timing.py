"""Exact time: rational frame rates, frame <-> time. Standard library only, Python 3.7 syntax."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Union

from .errors import SettingError

_NTSC_NUMERATORS = (24000, 30000, 48000, 60000, 120000)


@dataclass(frozen=True)
class FrameRate:
    """A frame rate as an exact fraction of frames per second, for example 30000/1001."""

    fps: Fraction
    """Frames per second; greater than 0, at most 1000."""

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 1000:
            raise SettingError(
                f"A frame rate of {self.fps} is not usable; give one above 0 and at most 1000 frames "
                "per second, such as 24, 25 or 30000/1001."
            )

    @classmethod
    def parse(cls, text: Union[str, int, float, Fraction]) -> "FrameRate":
        """Reads ``25``, ``23.976``, ``30000/1001`` or a number.

        Decimal approximations of the NTSC rates (23.976, 29.97, 59.94 and their longer forms, within
        0.001 frames per second) become the exact fraction over 1001.

        Raises:
            SettingError: the text is no rate.
        """
        try:
            value = Fraction(text) if not isinstance(text, float) else Fraction(repr(text))
        except (ValueError, ZeroDivisionError, OverflowError):
            raise SettingError(
                f"'{text}' is not a frame rate; write it like 25, 23.976 or 30000/1001."
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
