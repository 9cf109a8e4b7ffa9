"""What a file is by its content: names lie, first bytes do not. Bytes in, words out."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from lp_core.errors import UnknownCodec
from lp_core.media.image import tiff_tags
from lp_core.media.image.animation_header import read_animation

HEAD = 1 << 16
"""Bytes of a file that are looked at, but for animated images."""

_REDUCED, _SUB_IMAGES, _DNG = 254, 330, 50706
_RAW_SUFFIXES = (
    ".cr2",
    ".nef",
    ".nrw",
    ".dng",
    ".arw",
    ".sr2",
    ".srf",
    ".pef",
    ".srw",
    ".3fr",
    ".iiq",
    ".erf",
    ".kdc",
)

_DRAW = "export it as PNG in the size you need"
_EXPORT = "export it as PNG, TIFF or JPEG"
_DEVELOP = "develop it and export it as TIFF or PNG of 16 bits"

_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\0\0\0\x0cJXL ", "a JPEG XL image", _EXPORT),
    (b"\xff\x0a", "a JPEG XL image", _EXPORT),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image", _EXPORT),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", _EXPORT),
    (b"8BPS", "a Photoshop document (PSD)", "flatten it and export it as PNG or TIFF"),
    (b"%PDF", "a PDF document", _DRAW),
    (b"%!PS", "a PostScript document", _DRAW),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document", _DRAW),
    (b"gimp xcf", "a GIMP document (XCF)", "flatten it and export it as PNG or TIFF"),
    (b"#?RADIANCE", "a Radiance HDR image", "convert it to EXR"),
    (b"#?RGBE", "a Radiance HDR image", "convert it to EXR"),
    (b"qoif", "a QOI image", _EXPORT),
    (b"\0\0\1\0", "an icon (ICO)", _EXPORT),
    (b"FUJIFILMCCD-RAW", "a camera raw file (RAF)", _DEVELOP),
    (b"IIRO", "a camera raw file (ORF)", _DEVELOP),
    (b"IIRS", "a camera raw file (ORF)", _DEVELOP),
    (b"MMOR", "a camera raw file (ORF)", _DEVELOP),
    (b"IIU\0", "a camera raw file (RW2)", _DEVELOP),
    (b"FOVb", "a camera raw file (X3F)", _DEVELOP),
)
"""First bytes -> what it is, and what to do instead."""

_BRANDS = (
    (b"crx ", "a camera raw file (CR3)", _DEVELOP),
    (b"avif", "an AVIF image", _EXPORT),
    (b"avis", "an animated AVIF image", "convert it to mp4"),
    *((brand, "an HEIC image", _EXPORT) for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")),
    *((brand, "an HEIF image", _EXPORT) for brand in (b"mif1", b"mif2", b"msf1")),
)
"""Brand in an ISO media file -> what it is, the surest first."""

_STILLS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF87a", b"GIF89a")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def foreign_format(head: bytes, suffix: str = "") -> tuple[str, str] | None:
    """What a file is that is known and not read, and the remedy.

    Args:
        head: its first bytes, up to HEAD.
        suffix: of its name in small letters; separates camera raw files from other TIFFs.

    Returns:
        ('an HEIC image', 'export it as ...'); None for all else.
    """
    for first, what, remedy in _FOREIGN:
        if head.startswith(first):
            return what, remedy
    if head[4:8] == b"ftyp":
        brands = _brands(head)
        return next(((what, remedy) for brand, what, remedy in _BRANDS if brand in brands), None)
    if head[:4] in _TIFF and _is_raw(head, suffix):
        return f"a camera raw file ({_raw_name(head, suffix)})", _DEVELOP
    text = re.sub(rb"<\?xml.*?\?>|<!--.*?-->|<!DOCTYPE.*?>|^\xef\xbb\xbf", b"", head[:4096], flags=re.S)
    return ("a drawing (SVG)", _DRAW) if text.lstrip().startswith(b"<svg") else None


def refuse_foreign(path: Path) -> None:
    """Refuses a file of a known format that is not read.

    Raises:
        UnknownCodec: the message names the format and the remedy.
    """
    with path.open("rb") as file:
        found = foreign_format(file.read(HEAD), path.suffix.lower())
    if found is not None:
        raise UnknownCodec(f"{path} is {found[0]}, which is not read; {found[1]}.")


def kind_of(path: Path) -> str | None:
    """What reads a file, by its content: still, animation, openexr, dpx or video; None where it does not show."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head.startswith(b"\x76\x2f\x31\x01"):
            return "openexr"
        if head[:4] in (b"SDPX", b"XPDS"):
            return "dpx"
        is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
        if is_webp or head.startswith((*_STILLS, *_TIFF)):
            if not (is_webp or head.startswith((b"\x89PNG", b"GIF8"))):
                return "still"
            if head.startswith(b"\x89PNG") and b"acTL" not in head and b"IDAT" in head:
                return "still"  # without reading it all
            return "still" if read_animation(head + file.read()) is None else "animation"
    is_video = head[4:8] == b"ftyp" or head[4:8] in (b"moov", b"mdat", b"wide")
    is_video |= head.startswith(b"\x1a\x45\xdf\xa3") or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
    return "video" if is_video else None


def _brands(head: bytes) -> list[bytes]:
    """Major brand and compatible brands; the major one decides between still and video."""
    size = struct.unpack_from(">I", head)[0]
    compatible = head[16 : min(size, 512)]
    major = head[8:12]
    if major not in (b"mif1", b"mif2", b"msf1"):
        return [major]
    return [major, *(compatible[at : at + 4] for at in range(0, len(compatible), 4))]


def _is_raw(head: bytes, suffix: str) -> bool:
    """True for camera raw files, which are TIFFs whose first image is a thumbnail."""
    if suffix in _RAW_SUFFIXES or head[8:10] == b"CR":
        return True
    try:
        tags = tiff_tags.read_tags(head)
    except tiff_tags.TagError:
        return False
    return _DNG in tags or (_SUB_IMAGES in tags and tags.get(_REDUCED, (0,))[0] & 1 == 1)


def _raw_name(head: bytes, suffix: str) -> str:
    if head[8:10] == b"CR":
        return "CR2"
    return suffix[1:].upper() if suffix in _RAW_SUFFIXES else "DNG, NEF or a relative"
