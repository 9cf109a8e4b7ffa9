"""Timecode as EXR and DPX headers pack it (SMPTE ST 12-1, binary coded decimals). Pure."""

from __future__ import annotations

from lp_core.errors import SettingError
from lp_core.timing import FrameRate, Timecode

_DROP = 1 << 6
_PHASE = 1 << 15
"""Field mark: above 30 frames a second two frames share a number, and this marks the second."""


def packed(timecode: Timecode) -> int:
    """The 32-bit word of a timecode; user bits are their own word."""
    hours, minutes, seconds, frames = timecode.face
    word = 0
    if timecode.rate.fps > 30:
        word |= _PHASE if frames % 2 else 0
        frames //= 2
    if timecode.is_drop_frame:
        word |= _DROP
    return word | _bcd(frames) | _bcd(seconds) << 8 | _bcd(minutes) << 16 | _bcd(hours) << 24


def unpacked(word: int, rate: FrameRate) -> Timecode | None:
    """The timecode of a 32-bit word; None where it names none that exists at that rate."""
    word &= 0xFFFFFFFF
    frames = _decimal(word & 0x3F)
    if rate.fps > 30:
        frames = frames * 2 + bool(word & _PHASE)
    seconds, minutes, hours = (
        _decimal(word >> shift & mask) for shift, mask in ((8, 0x7F), (16, 0x7F), (24, 0x3F))
    )
    try:
        return Timecode.of(hours, minutes, seconds, frames, rate, bool(word & _DROP))
    except SettingError:
        return None


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10


def _decimal(bcd: int) -> int:
    return (bcd >> 4) * 10 + (bcd & 0xF)
