"""What a still says beside its pixels: kind, orientation, colour, completeness. Bytes in, values out.

Decoders fill in what is missing or complain on the terminal; so damage is looked for here, before they see
the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lp_core.frame import ColorTags
from lp_core.media import tiff_tags
from lp_core.media.color_tags import PRIMARIES, SRGB, TRANSFERS, code_of
from lp_core.media.orientation import UPRIGHT

_PNG = b"\x89PNG\r\n\x1a\n"
_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class StillHeader:
    """A still's own words."""

    kind: str
    """png, jpeg, tiff, webp, bmp, or 'unknown'."""
    orientation: int = UPRIGHT
    """EXIF orientation, 1..8."""
    color: ColorTags = SRGB
    """Colour description; sRGB where the file has none."""
    is_cmyk: bool = False
    """True when the file stores printing inks."""
    has_profile: bool = False
    """True when an ICC profile other than sRGB is embedded."""
    damage: str | None = None
    """What is wrong with the file's structure; None when it is whole."""
    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """A TIFF's tags."""


def read_header(data: bytes) -> StillHeader:
    """Looks at a whole still file."""
    if data.startswith(_PNG):
        return _png(data)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _tiff(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return StillHeader("bmp" if data.startswith(b"BM") else "unknown")


def with_png_color(data: bytes, color: ColorTags) -> bytes:
    """A PNG with its colour description put in: ``sRGB`` for sRGB, else ``cICP`` (PNG, third edition)."""
    if (color.primaries, color.transfer) == (SRGB.primaries, SRGB.transfer):
        chunk = _chunk(b"sRGB", b"\0")
    else:
        codes = code_of(PRIMARIES, color.primaries), code_of(TRANSFERS, color.transfer)
        chunk = _chunk(b"cICP", bytes((*codes, 0, 1)))
    header_end = len(_PNG) + 12 + 13
    return data[:header_end] + chunk + data[header_end:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(data: bytes) -> StillHeader:
    header = StillHeader("png")
    at = len(_PNG)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if at + 12 + length > len(data):
            break
        if zlib.crc32(name + body) != struct.unpack_from(">I", data, at + 8 + length)[0]:
            return replace(header, damage=f"the checksum of its {name.decode('latin-1')} part is wrong")
        if name == b"IEND":
            return header
        header = _png_chunk(header, name, body)
        at += 12 + length
    return replace(header, damage="it ends before its last part")


def _png_chunk(header: StillHeader, name: bytes, body: bytes) -> StillHeader:
    if name == b"eXIf":
        return replace(header, orientation=_orientation(body))
    if name == b"iCCP":
        return replace(header, has_profile=not _is_srgb_png_profile(body))
    if name == b"cICP" and len(body) == 4:
        color = replace(
            header.color,
            primaries=PRIMARIES.get(body[0], "unspecified"),
            transfer=TRANSFERS.get(body[1], "unspecified"),
        )
        return replace(header, color=color)
    return header


def _is_srgb_png_profile(body: bytes) -> bool:
    name, _, packed = body.partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], 1 << 16)
    except zlib.error:
        return b"sRGB" in name
    return b"sRGB" in name or _is_srgb_profile(profile)


def _is_srgb_profile(profile: bytes) -> bool:
    return b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile


def _jpeg(data: bytes) -> StillHeader:
    header = StillHeader("jpeg")
    for marker, body, end in _jpeg_segments(data):
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            header = replace(header, orientation=_orientation(body[6:]))
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and body[12:13] == b"\1":
            header = replace(header, has_profile=not _is_srgb_profile(body[14:]))
        elif marker in _SOF_MARKERS and len(body) > 5:
            header = replace(header, is_cmyk=body[5] == 4)
        elif marker == 0xDA:
            is_whole = data.find(b"\xff\xd9", end) >= 0
            return header if is_whole else replace(header, damage="it ends in the middle of the picture")
    return replace(header, damage="it ends before the picture begins")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        end = at + 2 + max(length, 2)
        if end > len(data):
            return
        yield marker, data[at + 4 : end], end
        at = end


def _tiff(data: bytes) -> StillHeader:
    try:
        tags = tiff_tags.read_tags(data)
    except tiff_tags.TagError as error:
        return StillHeader("tiff", damage=str(error))
    lacking = tiff_tags.missing_bytes(tags, len(data))
    return StillHeader(
        "tiff",
        orientation=_valid(tags.get(tiff_tags.ORIENTATION, (UPRIGHT,))[0]),
        is_cmyk=tags.get(tiff_tags.PHOTOMETRIC) == (tiff_tags.PHOTOMETRIC_CMYK,),
        has_profile=tiff_tags.ICC_PROFILE in tags
        and not _is_srgb_profile(bytes(tags[tiff_tags.ICC_PROFILE])),
        damage=f"its last {lacking} bytes are missing" if lacking else None,
        tags=tags,
    )


def _webp(data: bytes) -> StillHeader:
    stated = 8 + struct.unpack_from("<I", data, 4)[0]
    header = StillHeader("webp", damage="it ends before its stated length" if stated > len(data) else None)
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + length]
        if name == b"EXIF":
            header = replace(header, orientation=_orientation(body.removeprefix(b"Exif\0\0")))
        elif name == b"ICCP":
            header = replace(header, has_profile=not _is_srgb_profile(body))
        at += 8 + length + length % 2
    return header


def _orientation(exif: bytes) -> int:
    """Orientation in an EXIF block; upright where the block is damaged, since it decides nothing else."""
    try:
        return _valid(tiff_tags.read_tags(exif).get(tiff_tags.ORIENTATION, (UPRIGHT,))[0])
    except tiff_tags.TagError:
        return UPRIGHT


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else UPRIGHT
