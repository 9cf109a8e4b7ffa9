"""What a still says in addition to its pixels: kind, orientation, color, completeness. Bytes in, values out.

Decoders fill in what is missing or complain on the terminal; so damage is looked for here, before they see
the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lp_core.color.icc_write import profile_of
from lp_core.frame import ColorTags
from lp_core.media.color_tags import PRIMARIES, SRGB, TRANSFERS, code_of
from lp_core.media.image import tiff_tags
from lp_core.media.orientation import UPRIGHT

_PNG = b"\x89PNG\r\n\x1a\n"
_WIDE = frozenset({"smpte431", "smpte432", "bt2020"})
_MOST_PROFILE = 1 << 24
_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class StillHeader:
    """A still's own words."""

    kind: str
    """png, jpeg, tiff, webp, bmp, gif, or 'unknown'."""
    size: tuple[int, int] | None = None
    """(width, height) as stored, before turning; None where the file does not say."""
    orientation: int = UPRIGHT
    """EXIF orientation, 1..8."""
    color: ColorTags | None = None
    """Color description in words (cICP); None where the file has none."""
    icc: bytes | None = None
    """Embedded color profile."""
    is_srgb: bool = False
    """True when the file says that it is sRGB."""
    is_adobe_rgb: bool = False
    """True when a camera's EXIF block says Adobe RGB."""
    gamma: float | None = None
    """Exponent from light to codes (gAMA), such as 0.45455."""
    chromaticities: tuple[float, ...] | None = None
    """x and y of red, green, blue and white (cHRM)."""
    transparent_gray: int | None = None
    """The gray, in codes of the delivered depth, that is fully transparent (tRNS)."""
    has_alpha: bool = False
    """True when a PNG or WebP says that it has alpha."""
    bit_depth: int = 8
    """Bits of a PNG's channels."""
    is_cmyk: bool = False
    """True when the file stores printing inks."""
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
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return StillHeader("gif", size=_numbers("<HH", data, 6))
    return _bmp(data) if data.startswith(b"BM") else StillHeader("unknown")


def with_png_color(data: bytes, color: ColorTags) -> bytes:
    """A PNG with its color description put in.

    ``sRGB`` for sRGB; else ``cICP`` (PNG, third edition), and a profile for readers that do not know it.
    """
    if _is_srgb(color):
        chunks = _chunk(b"sRGB", b"\0")
    else:
        codes = code_of(PRIMARIES, color.primaries), code_of(TRANSFERS, color.transfer)
        chunks = _chunk(b"cICP", bytes((*codes, 0, 1)))
        profile = wide_profile(color)
        if profile is not None:
            chunks += _chunk(b"iCCP", color.primaries.encode() + b"\0\0" + zlib.compress(profile))
    header_end = len(_PNG) + 12 + 13
    return data[:header_end] + chunks + data[header_end:]


def with_jpeg_color(data: bytes, color: ColorTags) -> bytes:
    """A JPEG with the profile of its colors put in behind its first segment, where they are not BT.709's."""
    profile = wide_profile(color)
    if profile is None:
        return data
    body = b"ICC_PROFILE\0\1\1" + profile
    segment = b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body
    at = 2 + 2 + struct.unpack_from(">H", data, 4)[0] if data[2:4] == b"\xff\xe0" else 2
    return data[:at] + segment + data[at:]


def wide_profile(color: ColorTags) -> bytes | None:
    """The profile without which a reader would show wrong colors: of wide primaries."""
    return profile_of(color.primaries, color.transfer) if color.primaries in _WIDE else None


def _is_srgb(color: ColorTags) -> bool:
    return (color.primaries, color.transfer) == (SRGB.primaries, SRGB.transfer)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(data: bytes) -> StillHeader:
    if len(data) < 33:
        return StillHeader("png", damage="it ends before its last part")
    header = StillHeader(
        "png", size=_numbers(">II", data, 16), bit_depth=data[24], has_alpha=data[25] in (4, 6)
    )
    at = len(_PNG)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if at + 12 + length > len(data):
            break
        if zlib.crc32(name + body) != struct.unpack_from(">I", data, at + 8 + length)[0]:
            return replace(header, damage=f"the checksum of its {name.decode('latin-1')} part is wrong")
        if name == b"IEND":
            return replace(header, transparent_gray=_transparent_gray(data))
        header = _png_chunk(header, name, body)
        at += 12 + length
    return replace(header, damage="it ends before its last part")


def _png_chunk(header: StillHeader, name: bytes, body: bytes) -> StillHeader:
    found: dict[str, object] = {}
    if name == b"eXIf":
        found["orientation"] = _orientation(body)
    elif name == b"iCCP":
        found["icc"] = _unpacked(body)
    elif name == b"sRGB":
        found["is_srgb"] = True
    elif name == b"tRNS":
        found["has_alpha"] = True
    elif name == b"gAMA" and len(body) == 4:
        found["gamma"] = struct.unpack(">I", body)[0] / 100_000 or None
    elif name == b"cHRM" and len(body) == 32:
        white_x, white_y, *primaries = (number / 100_000 for number in struct.unpack(">8I", body))
        found["chromaticities"] = (*primaries, white_x, white_y)
    elif name == b"cICP" and len(body) == 4:
        words = PRIMARIES.get(body[0], "unspecified"), TRANSFERS.get(body[1], "unspecified")
        found["color"] = replace(SRGB, primaries=words[0], transfer=words[1])
    return replace(header, **found)  # type: ignore[arg-type]


def _transparent_gray(data: bytes) -> int | None:
    """The gray that a PNG names as transparent, in codes of 8 or 16 bits."""
    depth, color_type = data[24], data[25]
    at = data.find(b"tRNS", 33, max(data.find(b"IDAT", 33), 33))
    if color_type != 0 or at < 0 or data[at - 4 : at] != b"\0\0\0\2":
        return None
    code: int = struct.unpack_from(">H", data, at + 4)[0]
    return code if depth == 16 else code * 255 // ((1 << depth) - 1)


def _unpacked(body: bytes) -> bytes:
    """The profile of an iCCP chunk; what cannot be unpacked is handed on as it is and found damaged."""
    _, _, packed = body.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(packed[1:], _MOST_PROFILE)
    except zlib.error:
        return packed


def _jpeg(data: bytes) -> StillHeader:
    header = StillHeader("jpeg")
    profile: dict[int, bytes] = {}
    for marker, body, end in _jpeg_segments(data):
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            header = replace(
                header,
                orientation=_orientation(body[6:]),
                is_adobe_rgb=tiff_tags.names_adobe_rgb(body[6:]),
            )
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
            profile[body[12]] = body[14:]
            header = replace(header, icc=b"".join(part for _, part in sorted(profile.items())))
        elif marker in _SOF_MARKERS and len(body) > 5:
            size = struct.unpack_from(">HH", body, 1)[::-1]
            header = replace(header, size=max(size, header.size or (0, 0)), is_cmyk=body[5] == 4)
        elif marker == 0xDA:
            is_whole = data.find(b"\xff\xd9", end) >= 0
            return header if is_whole else replace(header, damage="it ends in the middle of the image")
    return replace(header, damage="it ends before the image begins")


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
        size=tiff_tags.size_of(tags),
        orientation=_valid(tags.get(tiff_tags.ORIENTATION, (UPRIGHT,))[0]),
        is_cmyk=tags.get(tiff_tags.PHOTOMETRIC) == (tiff_tags.PHOTOMETRIC_CMYK,),
        icc=bytes(value & 255 for value in tags[tiff_tags.ICC_PROFILE])
        if tiff_tags.ICC_PROFILE in tags
        else None,
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
            header = replace(header, icc=body)
        elif name == b"VP8X":
            header = replace(header, has_alpha=bool(body[:1] and body[0] & 0x10))
        size = _webp_size(name, body)
        if size is not None and header.size is None:  # the canvas comes before its images
            header = replace(header, size=size)
        at += 8 + length + length % 2
    return header


def _webp_size(name: bytes, body: bytes) -> tuple[int, int] | None:
    """The size that a part of a WebP states; None where it states none."""
    if name == b"VP8X" and len(body) >= 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8 " and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _bmp(data: bytes) -> StillHeader:
    is_old = data[14:18] == b"\x0c\0\0\0"
    size = _numbers("<HH" if is_old else "<ii", data, 18)
    return StillHeader("bmp", size=None if size is None else (abs(size[0]), abs(size[1])))


def _numbers(form: str, data: bytes, at: int) -> tuple[int, int] | None:
    """Two numbers at a place of the file; None where it is shorter."""
    if len(data) < at + struct.calcsize(form):
        return None
    first, second = struct.unpack_from(form, data, at)
    return int(first), int(second)


def _orientation(exif: bytes) -> int:
    """Orientation in an EXIF block; upright where the block is damaged, since it decides nothing else."""
    try:
        return _valid(tiff_tags.read_tags(exif).get(tiff_tags.ORIENTATION, (UPRIGHT,))[0])
    except tiff_tags.TagError:
        return UPRIGHT


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else UPRIGHT
