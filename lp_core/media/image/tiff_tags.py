"""Reads the first directory of a TIFF structure: TIFF files, and the EXIF block of other stills."""

from __future__ import annotations

import struct

WIDTH, HEIGHT = 256, 257
ORIENTATION = 274
BITS_PER_SAMPLE = 258
PHOTOMETRIC = 262
SAMPLES_PER_PIXEL = 277
PLANAR = 284
TILE_WIDTH = 322
EXTRA_SAMPLES = 338
STRIP_OFFSETS, STRIP_COUNTS = 273, 279
TILE_OFFSETS, TILE_COUNTS = 324, 325
ICC_PROFILE = 34675

_EXIF_DIRECTORY, _INTEROPERABILITY = 34665, 40965

PHOTOMETRIC_CMYK = 5
PHOTOMETRIC_LAB = (8, 9, 10)
ASSOCIATED_ALPHA = 1

_SIZES = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q", 13: "I"}
_MOST_VALUES = 1 << 20


class TagError(ValueError):
    """The structure points outside the data or is none."""


def read_tags(data: bytes) -> dict[int, tuple[int, ...]]:
    """Integer tags of the first directory.

    Args:
        data: a TIFF or BigTIFF structure, beginning with II or MM.

    Returns:
        Tag number -> values; tags of other types (text, fractions) are left out.

    Raises:
        TagError: no TIFF structure, or one cut short.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        raise TagError("no TIFF header")
    magic = struct.unpack_from(order + "H", data, 2)[0]
    if magic not in (42, 43):
        raise TagError("no TIFF header")
    try:
        return _read_directory(data, order, is_big=magic == 43)
    except (struct.error, OverflowError) as error:
        raise TagError("the directory is outside the file") from error


def names_adobe_rgb(exif: bytes) -> bool:
    """True where a camera's EXIF block says Adobe RGB: interoperability index R03 (DCF 2.0)."""
    try:
        order = {b"II": "<", b"MM": ">"}[exif[:2]]
        at = read_tags(exif)[_EXIF_DIRECTORY][0]
        at = _read_directory(exif, order, is_big=False, at=at)[_INTEROPERABILITY][0]
        entries = struct.unpack_from(order + "H", exif, at)[0]
        places = range(at + 2, at + 2 + 12 * min(entries, 16), 12)
        return any(
            exif[at : at + 2] in (b"\0\1", b"\1\0") and exif[at + 8 : at + 11] == b"R03" for at in places
        )
    except (KeyError, TagError, struct.error):
        return False


def _read_directory(
    data: bytes, order: str, is_big: bool, at: int | None = None
) -> dict[int, tuple[int, ...]]:
    word, count_word, width = ("Q", "Q", 20) if is_big else ("I", "H", 12)
    if at is None:
        at = int(struct.unpack_from(order + word, data, 8 if is_big else 4)[0])
    entries = struct.unpack_from(order + count_word, data, at)[0]
    at += struct.calcsize(count_word)
    if entries * width > len(data):
        raise TagError("the directory is outside the file")
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(at, at + entries * width, width):
        tag, kind, count = struct.unpack_from(order + "HH" + word, data, entry)
        if kind not in _SIZES or not 0 < count <= _MOST_VALUES:
            continue
        field = entry + 4 + struct.calcsize(word)
        size = count * struct.calcsize(_SIZES[kind])
        place = field if size <= struct.calcsize(word) else struct.unpack_from(order + word, data, field)[0]
        tags[tag] = struct.unpack_from(f"{order}{count}{_SIZES[kind]}", data, place)
    return tags


def size_of(tags: dict[int, tuple[int, ...]]) -> tuple[int, int] | None:
    """(width, height) of the first image; None where the directory does not say."""
    if WIDTH not in tags or HEIGHT not in tags:
        return None
    return tags[WIDTH][0], tags[HEIGHT][0]


def missing_bytes(tags: dict[int, tuple[int, ...]], length: int) -> int:
    """How many bytes of image data lie beyond a file of ``length`` bytes."""
    offsets = tags.get(STRIP_OFFSETS) or tags.get(TILE_OFFSETS) or ()
    counts = tags.get(STRIP_COUNTS) or tags.get(TILE_COUNTS) or ()
    ends = [offset + count for offset, count in zip(offsets, counts, strict=False)]
    return max(max(ends, default=0) - length, 0)


def without_orientation(data: bytes) -> bytes:
    """The same TIFF with its orientation tag set to upright, so that no decoder turns the image."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = struct.unpack_from(order + "H", data, 2)[0] == 43
    word, count_word, width = ("Q", "Q", 20) if is_big else ("I", "H", 12)
    at = struct.unpack_from(order + word, data, 8 if is_big else 4)[0]
    entries = struct.unpack_from(order + count_word, data, at)[0]
    at += struct.calcsize(count_word)
    changed = bytearray(data)
    for entry in range(at, at + entries * width, width):
        if struct.unpack_from(order + "H", data, entry)[0] == ORIENTATION:
            struct.pack_into(order + "H", changed, entry + 4 + struct.calcsize(word), 1)
    return bytes(changed)
