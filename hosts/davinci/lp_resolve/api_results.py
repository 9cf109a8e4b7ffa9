"""What Resolve answers, checked: it fails with None or False and without a word, so each answer is looked at."""

from __future__ import annotations

from typing import Any, TypeVar

from lp_core.errors import LpError, SettingError
from lp_core.timing import FrameRate, Timecode

T = TypeVar("T")


class ResolveRefused(LpError):
    """Resolve did not do what it was asked for."""

    wire_code = "resolve"


def given(answer: T | None, what: str, hint: str = "try again") -> T:
    """The answer, where there is one.

    Args:
        answer: what a call returned.
        what: what it was to give, for the message.
        hint: what to do next.

    Raises:
        ResolveRefused: it is None or False.
    """
    if answer is None or answer is False:
        raise ResolveRefused(f"Resolve gave no {what}; {hint}.")
    return answer


def done(answer: Any, what: str, hint: str = "try again") -> None:  # noqa: ANN401 - whatever a call returned
    """Raises ResolveRefused where a call did not say that it worked."""
    if not answer:
        raise ResolveRefused(f"Resolve did not {what}; {hint}.")


def number(text: Any) -> float:  # noqa: ANN401 - text or number, as it comes
    """A number that Resolve shows, whatever the language's decimal sign: ``23.976``, ``29,97 DF``.

    Raises:
        ResolveRefused: it is none.
    """
    words = str(text).replace(",", ".").split()
    try:
        return float(words[0])
    except (IndexError, ValueError):
        raise ResolveRefused(
            f"Resolve shows {text!r} where a number is expected; say it in an issue."
        ) from None


def rate_of(text: Any) -> FrameRate:  # noqa: ANN401 - text or number, as it comes
    """A frame rate that Resolve shows, exact: 23.976 is 24000/1001."""
    value = number(text)
    return FrameRate.parse(int(value) if value == int(value) else value)


def is_drop_frame(text: Any) -> bool:  # noqa: ANN401 - text or number, as it comes
    """Whether a timeline's rate says drop-frame: ``29.97 DF``."""
    return str(text).upper().split()[-1:] == ["DF"]


def frame_of(timecode: str, rate: FrameRate, drop: bool) -> int:
    """Absolute frame of a timecode; whether numbers are left out the timeline says, not the sign before the frames.

    Raises:
        ResolveRefused: it is not a timecode.
    """
    for sign in ";.,":
        timecode = timecode.replace(sign, ":")
    try:
        hours, minutes, seconds, frames = (int(word) for word in timecode.split(":"))
        return Timecode.of(hours, minutes, seconds, frames, rate, drop).frame
    except (ValueError, SettingError) as error:
        raise ResolveRefused(f"Resolve shows the timecode {timecode!r}, which is none; {error}") from None
