"""The codec that a container names for a track, for messages about tracks that nothing can decode."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_MOST_HEADER = 64 << 20  # a larger header is damage


def codec_tag(path: Path, track: int) -> str | None:
    """The four characters by which an MP4, MOV or AVI names a track's codec; None where there are none.

    Args:
        path: the file.
        track: number of the track among all of the file, from 0.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] == b"RIFF" and head[8:] == b"AVI ":
                tags = list(_avi_tags(head + file.read(1 << 16)))
            else:
                tags = list(_mp4_tags(_moov(path)))
    except (OSError, struct.error):
        return None
    if track >= len(tags) or not tags[track].strip(b"\0 "):
        return None
    return "".join(chr(code) if 32 <= code < 127 else f"\\x{code:02x}" for code in tags[track])


def _moov(path: Path) -> bytes:
    length = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= length:
            file.seek(at)
            head = file.read(16)
            size, name = struct.unpack_from(">I4s", head)
            if size == 1:
                size = struct.unpack_from(">Q", head, 8)[0]
            if name == b"moov" and size <= _MOST_HEADER:
                file.seek(at)
                return file.read(size)
            if size < 8:
                return b""
            at += size
    return b""


def _mp4_tags(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The first sample description of each track."""
    at, stop = begin, len(data) if end is None else end
    while at + 8 <= stop:
        size, name = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > stop:
            return
        if name in _CONTAINERS:
            yield from _mp4_tags(data, at + 8, at + size)
        elif name == b"stsd" and size >= 24:
            yield data[at + 20 : at + 24]
        at += size


def _avi_tags(data: bytes) -> Iterator[bytes]:
    """The handler of each stream's header; sound is named by the number in its format."""
    at = data.find(b"strh")
    while at >= 0 and at + 16 <= len(data):
        yield data[at + 12 : at + 16]
        at = data.find(b"strh", at + 4)
