"""What each codec of a video can hold and how it is encoded: data only, no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lp_core.errors import MediaError, UnknownCodec

CONTAINERS: Mapping[str, str] = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""File suffix of a video -> muxer."""


@dataclass(frozen=True)
class FilmCodec:
    """One codec of a video."""

    encoder: str
    """Name in the media library."""
    suffixes: tuple[str, ...]
    """Containers that hold it and that editing programs open."""
    formats: Mapping[tuple[int, bool], str]
    """(bits of the frames, alpha wanted) -> stored pixel format; no entry with alpha: it cannot be kept."""
    odd_format: str | None = None
    """Stored pixel format for an odd width or height; None: the usual one holds any size."""
    smallest_px: int = 1
    """Least width and height it is used for."""
    is_rgb: bool = False
    """True when RGB is stored as it is."""
    holds_full_range: bool = True
    """False when the format knows video range only."""
    has_quality: bool = False
    """True when the constant rate factor applies."""
    tag: str | None = None
    """Codec tag in mp4 and mov, where the library's own choice does not play everywhere."""
    thread_type: str = "FRAME"
    """FRAME or SLICE: which kind of threads encodes faster."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the encoder."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the process that the encoder reads when it starts; those that are set stay."""
    needs_even: bool = False
    """True when width and height must be even and no other format takes odd ones."""


def _opaque(stored: str) -> Mapping[tuple[int, bool], str]:
    return {(8, False): stored, (16, False): stored}


CODECS: Mapping[str, FilmCodec] = {
    "h264": FilmCodec(
        encoder="libx264",
        suffixes=(".mp4", ".mov", ".mkv"),
        formats={(8, False): "yuv420p", (16, False): "yuv420p"},
        odd_format="yuv444p",
        has_quality=True,
        # Measured at 1080p, crf 18, 2 cores, color conversion included: superfast 21 ms and 27 kB a frame,
        # veryfast 34 ms and 10 kB. Macroblock-tree rate control is what makes the difference in size;
        # switched on with a short look-ahead, superfast stays at 21 ms and comes down to 11 kB at the same
        # PSNR.
        options={"preset": "superfast", "x264-params": "mbtree=1:rc-lookahead=10"},
    ),
    "hevc": FilmCodec(
        encoder="libx265",
        suffixes=(".mp4", ".mov", ".mkv"),
        formats={(8, False): "yuv420p10le", (16, False): "yuv420p10le"},
        odd_format="yuv444p10le",
        smallest_px=64,  # below, x265's adaptive quantisation writes outside its memory and the process dies
        has_quality=True,
        tag="hvc1",  # QuickTime and iOS do not play hev1
        # Slower presets cost 1.5 to 3 times as much for a few per cent of size; log-level, because x265
        # writes to stderr by itself.
        options={"preset": "superfast", "x265-params": "log-level=none"},
    ),
    "av1": FilmCodec(
        encoder="libsvtav1",
        suffixes=(".mp4", ".mkv"),
        formats=_opaque("yuv420p10le"),
        smallest_px=64,
        needs_even=True,
        has_quality=True,
        options={"preset": "8"},
        environment={"SVT_LOG": "1"},  # otherwise it logs to stderr, and no option stops it
    ),
    "prores422hq": FilmCodec(
        encoder="prores_ks",
        suffixes=(".mov",),
        formats=_opaque("yuv422p10le"),
        holds_full_range=False,
        thread_type="SLICE",
        options={"profile": "hq", "vendor": "apl0"},
    ),
    "dnxhr-hqx": FilmCodec(
        encoder="dnxhd",
        suffixes=(".mov",),
        formats=_opaque("yuv422p10le"),
        smallest_px=256,
        needs_even=True,
        holds_full_range=False,
        thread_type="SLICE",
        options={"profile": "dnxhr_hqx"},
    ),
    "dnxhr-444": FilmCodec(
        encoder="dnxhd",
        suffixes=(".mov",),
        formats=_opaque("yuv444p10le"),
        smallest_px=256,
        needs_even=True,
        holds_full_range=False,
        thread_type="SLICE",
        options={"profile": "dnxhr_444"},
    ),
    "prores4444": FilmCodec(
        encoder="prores_ks",
        suffixes=(".mov",),
        formats={
            (8, False): "yuv444p10le",
            (16, False): "yuv444p10le",
            (8, True): "yuva444p10le",
            (16, True): "yuva444p10le",
        },
        holds_full_range=False,
        thread_type="SLICE",  # it has no frame threads: 198 ms a 1080p frame instead of 306
        options={"profile": "4444", "alpha_bits": "16", "vendor": "apl0"},
    ),
    "ffv1": FilmCodec(
        encoder="ffv1",
        suffixes=(".mkv",),
        formats={(8, False): "bgr0", (16, False): "gbrp16le", (8, True): "bgra", (16, True): "gbrap16le"},
        is_rgb=True,
        thread_type="SLICE",
        # Every frame for itself, with checksums: what archives ask for, and an editing program can jump
        # anywhere.
        options={"level": "3", "g": "1", "slices": "4", "slicecrc": "1", "coder": "1"},
    ),
}

COPYABLE_SOUND: Mapping[str, frozenset[str]] = {
    ".mp4": frozenset({"aac", "mp3", "ac3", "eac3", "alac"}),
    ".mov": frozenset(
        {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le"}
    ),
    ".mkv": frozenset(
        {"aac", "mp3", "ac3", "eac3", "alac", "opus", "vorbis", "flac", "pcm_s16le", "pcm_s24le", "pcm_s32le"}
    ),
}
"""Sound that goes into a container as it is; mp4 takes opus and flac too, but few editors read them there."""

ENCODED_SOUND: Mapping[str, str] = {".mp4": "aac", ".mov": "pcm_s24le", ".mkv": "flac"}
"""What other sound is encoded to: lossless where the container's users can open it."""


def film_codec(path: Path, name: str) -> FilmCodec:
    """The codec by that name, when the path's container holds it.

    Raises:
        UnknownCodec: unknown name or container, or the two do not go together.
    """
    codec = CODECS.get(name)
    if codec is None:
        raise UnknownCodec(
            f"{path} cannot be written: '{name}' is not a known codec; choose {', '.join(CODECS)}."
        )
    suffix = path.suffix.lower()
    if suffix not in CONTAINERS:
        raise UnknownCodec(
            f"{path} has a type that cannot be written; use {', '.join(CONTAINERS)}, or an image sequence "
            "such as out.%04d.png."
        )
    if suffix not in codec.suffixes:
        raise UnknownCodec(f"{path} cannot hold {name}; name the output {' or '.join(codec.suffixes)}.")
    return codec


def check_size(path: Path, name: str, width: int, height: int) -> None:
    """Raises MediaError when an image is too small for a codec."""
    least = CODECS[name].smallest_px
    if min(width, height) < least:
        raise MediaError(
            f"{path} cannot be written: {width}x{height} is too small for {name}, which needs {least} pixels "
            "each way; choose another codec."
        )
    if CODECS[name].needs_even and (width % 2 or height % 2):
        raise MediaError(
            f"{path} cannot be written: {name} needs an even width and height, not {width}x{height}; crop or "
            "pad the source by a pixel, or choose h264, hevc or prores4444."
        )


def stored_format(codec: FilmCodec, width: int, height: int, bit_depth: int, has_alpha: bool) -> str:
    """Pixel format that frames are stored in: alpha where the codec has it, odd sizes in 4:4:4."""
    usual = codec.formats.get((bit_depth, has_alpha)) or codec.formats[bit_depth, False]
    if codec.odd_format is not None and (width % 2 or height % 2):
        return codec.odd_format
    return usual
