"""How many frames a GIF, PNG or WebP has and how long each is shown. Bytes in, values out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_PNG = b"\x89PNG\r\n\x1a\n"
_FASTEST = Fraction(11, 1000)
_USUAL = Fraction(1, 10)  # what browsers and players give frames that ask for less than _FASTEST
_TO_BACKGROUND = 2


@dataclass(frozen=True)
class AnimationHeader:
    """The frames of an animated image, as its structure lists them."""

    durations_s: tuple[Fraction, ...]
    """How long each frame is shown, in seconds, each above 0."""
    clears: bool = False
    """True where frames of a GIF leave a transparent background behind."""


def read_animation(data: bytes) -> AnimationHeader | None:
    """The frames of a whole file; None for other kinds and for a still that merely could be animated.

    Damage ends the list early.
    """
    if data[:6] in (b"GIF87a", b"GIF89a"):
        shown = list(_gif(data))
        delays = [Fraction(delay, 100) for delay, _ in shown]
        clears = any(disposal == _TO_BACKGROUND for _, disposal in shown[:-1])
    elif data.startswith(_PNG):
        delays, clears = list(_png(data)), False
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        delays, clears = list(_webp(data)), False
    else:
        return None
    if len(delays) < 2:
        return None
    return AnimationHeader(tuple(delay if delay >= _FASTEST else _USUAL for delay in delays), clears)


def _gif(data: bytes) -> Iterator[tuple[int, int]]:
    """Hundredths of a second and disposal of each image."""
    at = 13 + _palette(data[10:11])
    delay = disposal = 0
    while at < len(data):
        block = data[at]
        if block == 0x21:
            if data[at + 1 : at + 3] == b"\xf9\4" and at + 6 <= len(data):
                disposal, delay = data[at + 3] >> 2 & 7, struct.unpack_from("<H", data, at + 4)[0]
            at = _behind_blocks(data, at + 2)
        elif block == 0x2C:
            yield delay, disposal
            delay = disposal = 0
            at = _behind_blocks(data, at + 11 + _palette(data[at + 9 : at + 10]))
        elif block == 0:
            at += 1  # some writers pad
        else:
            return


def _palette(packed: bytes) -> int:
    """Bytes of the color table that a packed field announces."""
    return 3 << (packed[0] & 7) + 1 if packed and packed[0] & 0x80 else 0


def _behind_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def _png(data: bytes) -> Iterator[Fraction]:
    at, is_animated = len(_PNG), False
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        is_animated |= name == b"acTL"
        if name == b"IDAT" and not is_animated:
            return
        if name == b"fcTL" and length == 26 and at + 34 <= len(data):
            count, parts = struct.unpack_from(">HH", data, at + 28)
            yield Fraction(count, parts or 100)
        at += 12 + length


def _webp(data: bytes) -> Iterator[Fraction]:
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"ANMF" and at + 24 <= len(data):
            yield Fraction(int.from_bytes(data[at + 20 : at + 23], "little"), 1000)
        at += 8 + length + length % 2
