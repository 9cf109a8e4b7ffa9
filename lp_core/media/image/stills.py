"""PNG, TIFF, JPEG, WebP, GIF and BMP: pixels with their full depth, orientation and alpha."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.errors import EmptyVideo, MediaError, TruncatedMedia, UnknownCodec, UnreadableMedia
from lp_core.files import check_readable, read_failure, refuse_existing, write_whole
from lp_core.frame import ClipInfo, ColorTags, Frame, Pixels
from lp_core.media.base import AS_STORED, ReadOptions
from lp_core.media.bounds import check_bytes, check_size
from lp_core.media.color_tags import SRGB
from lp_core.media.frame_pattern import WRITABLE_STILLS
from lp_core.media.image import tiff_tags
from lp_core.media.image.animation_header import read_animation
from lp_core.media.image.headers import StillHeader, read_header, with_jpeg_color, with_png_color
from lp_core.media.image.pillow_frames import decoded_frames
from lp_core.media.image.profile_tables import srgb_by_tables, srgb_from_inks
from lp_core.media.image.still_color import StillColor, color_of, refuse_deep_tables, to_srgb
from lp_core.media.kinds import kind_of, refuse_foreign
from lp_core.media.orientation import turn_upright
from lp_core.media.video.container import open_image
from lp_core.timing import FrameRate

DEFAULT_RATE = FrameRate(Fraction(24))
"""Rate of what carries none: stills and image sequences."""

_NOT_STILLS = {
    "openexr": "its content is OpenEXR; let its name end in .exr",
    "dpx": "its content is DPX; let its name end in .dpx",
    "video": "its content is video; let its name end in .mp4 or .mov",
}

JPEG_QUALITY = 95  # no visible loss; 100 doubles the size for nothing


def read_image(path: str | Path) -> tuple[Frame, ClipInfo]:
    """Reads a still.

    Returns:
        The image, (H, W, 3) RGB or (H, W, 4) RGBA straight alpha, uint8, uint16 or float32 as stored,
        turned upright; and what is known of it. Gray becomes RGB. Colors keep their numbers where tags can name
        them (sRGB, Display P3, BT.2020, ...), else a profile converts them to sRGB; CMYK without a profile
        becomes RGB by the plain formula. The notes say what was converted.

    Raises:
        UnreadableMedia: missing, forbidden, a folder, empty, or nothing that can be decoded.
        UnknownCodec: a format that is not read, such as HEIC.
        TruncatedMedia: the file ends too early or a checksum is wrong.
    """
    path = Path(path)
    try:
        check_readable(path)
        check_bytes(path, path.stat().st_size)
        data = path.read_bytes()
    except EmptyVideo as error:
        raise UnreadableMedia(str(error)) from error
    except OSError as error:
        raise read_failure(path, error) from error
    refuse_foreign(path)
    header, animation = read_header(data), read_animation(data)
    if header.damage:
        raise TruncatedMedia(f"{path} is damaged: {header.damage}; copy or export it again.")
    if header.size is not None:
        check_size(path, *header.size)
    color = color_of(path, header)
    stored, notes = _in_words(path, data, header, color)
    if animation is not None:
        notes += (f"{path} holds {len(animation.durations_s)} frames; only the first is used here.",)
    pixels = turn_upright(stored, header.orientation)
    height, width, channels = pixels.shape
    check_size(path, width, height)  # a decoder may read another size than the header's
    info = ClipInfo(
        width=width,
        height=height,
        rate=DEFAULT_RATE,
        frame_count=1,
        bit_depth=pixels.dtype.itemsize * 8,
        has_alpha=channels == 4,
        is_still=True,
        color=color.tags,
        notes=notes,
    )
    return Frame(pixels, 0, Fraction(0)), info


def write_image(path: str | Path, pixels: Pixels, color: ColorTags = SRGB, overwrite: bool = True) -> None:
    """Writes a still to a temporary file and renames it.

    Args:
        path: ends in .png (uint8 or uint16, with or without alpha), .jpg or .jpeg (uint8 RGB).
        pixels: (H, W, 3) RGB or (H, W, 4) RGBA straight alpha, uint8 or uint16.
        color: description written into the file.
        overwrite: False: refuse to replace a file.

    Raises:
        UnknownCodec: another suffix.
        OutputExists: the file is there and ``overwrite`` is False.
        DiskFull, NoWritePermission, MediaError: it cannot be written.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    write_whole(path, encode_image(path, pixels, color))


def check_still(path: Path, bit_depth: int, has_alpha: bool) -> None:
    """Refuses what a kind of still cannot hold.

    Raises:
        UnknownCodec: the suffix is not one of WRITABLE_STILLS.
        MediaError: JPEG with alpha or more than 8 bits.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITABLE_STILLS:
        raise UnknownCodec(
            f"{path} has a type that cannot be written; use one of {', '.join(WRITABLE_STILLS)}."
        )
    if suffix != ".png" and (bit_depth > 8 or has_alpha):
        raise MediaError(f"{path} cannot hold alpha or more than 8 bits; write png.")


def encode_image(path: Path, pixels: Pixels, color: ColorTags) -> bytes:
    """A still's file content for the kind that ``path`` names; see ``write_image``."""
    if pixels.dtype not in (np.uint8, np.uint16):
        raise MediaError(f"{path} cannot hold pixels of type {pixels.dtype}; write 8 or 16 bits.")
    check_still(path, pixels.dtype.itemsize * 8, pixels.shape[2] == 4)
    suffix = path.suffix.lower()
    is_jpeg = suffix != ".png"
    order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    options = (
        [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
        if is_jpeg
        else []
    )
    try:
        _, data = cv2.imencode(suffix, cv2.cvtColor(pixels, order), options)
    except cv2.error as error:
        raise MediaError(f"{path} cannot be written ({error.err}); try another size or type.") from error
    encoded: bytes = data.tobytes()
    return with_jpeg_color(encoded, color) if is_jpeg else with_png_color(encoded, color)


class StillSource(ClosesOnExit):
    """A still as a clip of one frame."""

    def __init__(self, path: str | Path, options: ReadOptions = AS_STORED) -> None:
        """Reads the still; nothing in ``options`` concerns it."""
        del options
        self._frame, self._info = read_image(path)

    @property
    def info(self) -> ClipInfo:
        """What is known of the still."""
        return self._info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Always empty: a damaged still is refused when it is opened."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of ``info``."""
        return self._info.notes

    def __iter__(self) -> Iterator[Frame]:
        """Yields the one frame."""
        yield self._frame

    def close(self) -> None:
        """Nothing is open."""


def _in_words(
    path: Path, data: bytes, header: StillHeader, color: StillColor
) -> tuple[Pixels, tuple[str, ...]]:
    """RGB or RGBA that ``color.tags`` describe, not turned, and what the user should know."""
    notes = [color.note] if color.note else []
    profile, icc = color.profile, header.icc
    if profile is not None and icc is not None and profile.space == "CMYK":
        if header.tags.get(tiff_tags.BITS_PER_SAMPLE, (8,))[0] > 8:
            raise _undecodable(path, "CMYK of 16 bits is not supported")
        notes.append(f"{path} was converted to sRGB from CMYK by its color profile '{profile.name}'.")
        return srgb_from_inks(path, data, icc), tuple(notes)
    pixels = _straight_rgb(_decode(path, data, header), header)
    if header.is_cmyk:
        notes.append(f"{path} is stored as CMYK; it was converted to RGB without a printing profile.")
    if profile is not None and profile.is_simple:
        pixels, note = to_srgb(path, pixels, profile)
        notes.append(note)
    elif profile is not None and icc is not None:
        refuse_deep_tables(path, profile, pixels.dtype.itemsize * 8)
        pixels = srgb_by_tables(path, pixels, icc)
        notes.append(f"{path} was converted to sRGB from its color profile '{profile.name}'.")
    return pixels, tuple(notes)


def _decode(path: Path, data: bytes, header: StillHeader) -> NDArray[Any]:
    """(H, W), (H, W, 3) RGB or (H, W, 4) RGBA as stored, not turned."""
    if header.kind == "unknown":
        raise _undecodable(path, _NOT_STILLS.get(kind_of(path) or "", "its content is not an image"))
    if header.kind == "gif" or (header.kind == "webp" and b"ANMF" in data):
        return _first_frame(path, data)
    if header.kind == "tiff":
        if _is_beyond_opencv(header):
            return _decode_tiff_by_av(path, data, header)
        data = tiff_tags.without_orientation(data)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _undecodable(path, error.err) from error
    if pixels is None:
        raise _undecodable(path, f"{header.kind} data that does not decode")
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise _undecodable(path, f"pixels of type {pixels.dtype}")
    return np.asarray(pixels)


def _first_frame(path: Path, data: bytes) -> Pixels:
    """RGBA where anything is transparent, else RGB: GIF does not say whether it is."""
    rgba = next(decoded_frames(path, data))
    return rgba if (rgba[..., 3] < 255).any() else np.ascontiguousarray(rgba[..., :3])


def _is_beyond_opencv(header: StillHeader) -> bool:
    """OpenCV's TIFF reader multiplies 8-bit colors by alpha, drops gray's alpha, takes CMYK for RGBA."""
    samples = header.tags.get(tiff_tags.SAMPLES_PER_PIXEL, (1,))[0]
    bits = header.tags.get(tiff_tags.BITS_PER_SAMPLE, (1,))[0]
    is_planar = header.tags.get(tiff_tags.PLANAR, (1,))[0] == 2
    return header.is_cmyk or samples == 2 or (samples == 4 and bits == 8) or (is_planar and bits == 16)


def _decode_tiff_by_av(path: Path, data: bytes, header: StillHeader) -> NDArray[Any]:
    if tiff_tags.TILE_WIDTH in header.tags:
        raise _undecodable(path, "a tiled TIFF of this kind is not supported; save it without tiles")
    is_deep = header.tags.get(tiff_tags.BITS_PER_SAMPLE, (8,))[0] > 8
    has_alpha = tiff_tags.EXTRA_SAMPLES in header.tags
    try:
        with open_image(data, "tiff_pipe") as container:
            frame = next(container.decode(video=0))
            wanted = ("rgba64le" if is_deep else "rgba") if has_alpha else ("rgb48le" if is_deep else "rgb24")
            if header.is_cmyk and is_deep:
                raise _undecodable(path, "CMYK of 16 bits is not supported")
            pixels = frame.to_ndarray(format=wanted, src_color_range=2, dst_color_range=2)
    except (av.FFmpegError, StopIteration, ValueError) as error:
        raise _undecodable(path, str(error)) from error
    return np.ascontiguousarray(pixels)


def _straight_rgb(pixels: NDArray[Any], header: StillHeader) -> Pixels:
    """Gray -> RGB, with alpha where one gray is transparent; a TIFF's premultiplied colors -> straight."""
    if pixels.ndim == 2:
        gray = np.repeat(pixels[..., None], 3, axis=2)
        if header.transparent_gray is None:
            return gray
        opaque = (pixels != header.transparent_gray) * np.iinfo(pixels.dtype).max
        return np.dstack([gray, opaque.astype(pixels.dtype)])
    extra = header.tags.get(tiff_tags.EXTRA_SAMPLES, (0,))[0]
    if pixels.shape[2] == 4 and extra == tiff_tags.ASSOCIATED_ALPHA:
        return _unpremultiply(pixels)
    return pixels


def _unpremultiply(pixels: NDArray[Any]) -> Pixels:
    top = 1.0 if pixels.dtype == np.float32 else float(np.iinfo(pixels.dtype).max)
    alpha = pixels[..., 3:].astype(np.float64) / top
    color = np.divide(pixels[..., :3], alpha, out=np.zeros(pixels[..., :3].shape), where=alpha > 0)
    if pixels.dtype != np.float32:
        color = np.rint(np.clip(color, 0, top))
    return np.concatenate([color.astype(pixels.dtype), pixels[..., 3:]], axis=2)


def _undecodable(path: Path, reason: str) -> UnreadableMedia:
    return UnreadableMedia(
        f"{path} cannot be decoded ({reason.strip()}); save it again as PNG, TIFF or JPEG."
    )
