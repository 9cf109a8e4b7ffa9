"""Containers that hold no media but name other files: playlists, manifests, reference movies.

A media library that follows such a name reads files, or addresses, that nobody checked. So a file is looked at before
the library opens it. Bytes in, words out; nothing is followed here.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lp_core.errors import UnreadableMedia
from lp_core.files import read_failure

_HEAD = 1 << 16
_MOST_BOXES = 4096
"""Boxes and packets of a container that are looked at; real files need far fewer before their media begins."""
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (rb"#EXTM3U", "an HLS or M3U playlist"),
    (rb"ffconcat\s+version", "a concat script"),
    (rb"file\s+['\"\S]", "a concat script"),
    (rb"\[playlist\]", "a PLS playlist"),
    (rb"\[Reference\]", "an ASF reference file"),
    (rb"v=0\s*[\r\n]+[a-z]=", "an SDP session"),
    (rb"(?:<[?!][^>]*>\s*)*<MPD[\s>]", "a DASH manifest"),
    (rb"(?:<[?!][^>]*>\s*)*<SmoothStreamingMedia[\s>]", "a Smooth Streaming manifest"),
    (rb"(?:<[?!][^>]*>\s*)*<(?:\w+:)?(?:CompositionPlaylist|AssetMap|PackingList)[\s>]", "an IMF or DCP playlist"),
    (rb"(?:<[?!][^>]*>\s*)*<(?:asx|smil|playlist)[\s>]", "a playlist"),
    (rb"rtsptext|RTSPtext", "an RTSP reference file"),
)  # fmt: skip
"""How a text begins -> what it is."""
_BOXES_INSIDE = frozenset({b"moov", b"trak", b"mdia", b"minf", b"dinf"})
_IS_INSIDE_THIS_FILE = 1
_MXF_PARTITION = bytes.fromhex("060e2b34020501010d01020101")
_MXF_LOCATORS = tuple(bytes.fromhex(f"060e2b34025301010d0101010101{number}00") for number in ("32", "33"))
_MXF_ESSENCE = (bytes.fromhex("060e2b34010201"), bytes.fromhex("0d010301"))


def reference_kind(path: Path) -> str | None:
    """What a file is that names its media in other files; None for all others.

    Args:
        path: a readable regular file.

    Returns:
        The subject of a sentence, such as 'an HLS or M3U playlist'.

    Raises:
        UnreadableMedia: the file system fails.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
            for beginning, what in _TEXTS:
                if re.match(beginning, text, re.IGNORECASE):
                    return what
            if head[4:8] in (b"ftyp", b"moov", b"wide", b"free", b"skip", b"mdat"):
                return _movie(file)
            if _MXF_PARTITION in head:
                file.seek(head.index(_MXF_PARTITION))
                return _mxf(file)
    except OSError as error:
        raise read_failure(path, error) from error
    return None


def refuse_references(path: Path) -> None:
    """Refuses a container that names its media in other files.

    Raises:
        UnreadableMedia: the message says what the file is and what to do.
    """
    what = reference_kind(path)
    if what is not None:
        raise UnreadableMedia(
            f"{path} is {what}, which names its media in other files; give the video itself, or --references follow "
            "if you trust the file."
        )


def _movie(file: BinaryIO) -> str | None:
    """MP4 and MOV: data references that lead out of the file, and reference movies."""
    end = os.fstat(file.fileno()).st_size
    for name, begin, stop in _boxes(file, 0, end):
        if name == b"rmra":
            return "a QuickTime reference movie"
        if name == b"dref":
            file.seek(begin)
            if _leads_out(file.read(min(stop - begin, _HEAD))):
                return "a QuickTime movie with external media"
    return None


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, first byte of its content, end) of the boxes that matter, those inside others included."""
    waiting, seen = [(begin, end)], 0
    while waiting and seen < _MOST_BOXES:
        at, stop = waiting.pop()
        while at + 8 <= stop and seen < _MOST_BOXES:
            seen += 1
            file.seek(at)
            head = file.read(16)
            if len(head) < 8:
                break
            size, name = struct.unpack_from(">I4s", head)
            content = at + 8
            if size == 1 and len(head) == 16:
                size, content = struct.unpack_from(">Q", head, 8)[0], at + 16
            size = size or stop - at
            if size < content - at:
                break
            finish = min(at + size, stop)
            yield name, content, finish
            if name in _BOXES_INSIDE:
                waiting.append((content, finish))
            at += size


def _leads_out(body: bytes) -> bool:
    """True where an entry of a data reference box is not this file itself."""
    if len(body) < 8:
        return False
    count = struct.unpack_from(">I", body, 4)[0]
    at = 8
    for _ in range(min(count, _MOST_BOXES)):
        if at + 12 > len(body):
            return False
        size, _name, flags = struct.unpack_from(">I4sI", body, at)
        if not flags & _IS_INSIDE_THIS_FILE and size > 12:
            return True
        at += max(size, 12)
    return False


def _mxf(file: BinaryIO) -> str | None:
    """MXF: locators, and not one packet of essence. Files that hold their essence may name their origin too."""
    has_locator, end = False, os.fstat(file.fileno()).st_size
    for _ in range(_MOST_BOXES):
        head = file.read(25)
        if len(head) < 17:
            break
        size, length_bytes = _ber(head[16:])
        key = head[:16]
        if key.startswith(_MXF_ESSENCE[0]) and key[8:12] == _MXF_ESSENCE[1]:
            return None
        has_locator |= key in _MXF_LOCATORS
        at = file.tell() - len(head) + 16 + length_bytes + size
        if at > end:
            break
        file.seek(at)
    return "an MXF file with external essence" if has_locator else None


def _ber(data: bytes) -> tuple[int, int]:
    """(value, bytes it takes) of a length as KLV writes it."""
    first = data[0]
    if first < 0x80:
        return first, 1
    count = first & 0x7F
    return int.from_bytes(data[1 : 1 + count], "big"), 1 + count
