"""Opens films and says what is known of them before they are decoded."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from lp_core.errors import EmptyVideo, MediaError, SettingError, TruncatedMedia, UnreadableMedia
from lp_core.frame import ClipInfo, ColorTags
from lp_core.media.codec_tag import codec_tag
from lp_core.media.color_tags import MATRICES, PRIMARIES, RGB_MATRIX, TRANSFERS, UNSPECIFIED, complete_tags
from lp_core.media.conform import constant_rate, is_even
from lp_core.media.failures import check_readable, read_failure
from lp_core.media.orientation import UPRIGHT, from_display_matrix, swaps_axes
from lp_core.timing import FrameRate, Timecode

_FALLBACK_RATE = Fraction(25)  # a film of one frame may state none
_PEEKED = 300  # packets looked at where the container has no index
_REORDERED = 16  # the last ones of these may wait for others: H.264 and HEVC reorder by 16 at most


@dataclass(frozen=True)
class Timing:
    """When the pictures of a film are shown."""

    rate: Fraction
    """Constant rate they are delivered at."""
    stored_count: int | None
    """Pictures the container's index lists; None when it has no complete one."""
    delivered_count: int | None
    """Frames at the constant rate; off by one at most where the rate varies; None when nothing tells."""
    end_s: Fraction | None
    """Time at which the video track ends by its own account; None when it does not tell."""
    note: str | None
    """What was decided about the rate, when there was something to decide."""


def open_film(path: Path) -> InputContainer:
    """Opens a film or sound file for reading.

    Raises:
        UnreadableMedia, EmptyVideo: see ``check_readable``; or nothing that can be decoded.
        TruncatedMedia: an MP4 or MOV that was cut off before its tables.
    """
    check_readable(path)
    try:
        return av.open(str(path), "r", metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        if _lacks_tables(path):
            raise TruncatedMedia(
                f"{path} was cut off before the tables at its end that say where its pictures lie; "
                "copy or record it again."
            ) from error
        raise read_failure(path, error) from error


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The first moving picture of a container; cover pictures do not count.

    Raises:
        EmptyVideo: there is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            require_decoder(path, stream)
            return stream
    raise EmptyVideo(f"{path} has no video track; give a video or an image sequence instead.")


def require_decoder(path: Path, stream: VideoStream) -> None:
    """Raises UnreadableMedia when the library cannot decode a track."""
    if cast("object | None", stream.codec_context) is None:  # the library's types do not say so
        tag = codec_tag(path, stream.index)
        named = f"the codec '{tag}'" if tag else "its codec"
        raise UnreadableMedia(
            f"{path} cannot be decoded, because the media library has no decoder for {named}; convert it to "
            "H.264, ProRes or an image sequence."
        )


def read_timing(path: Path, container: InputContainer, stream: VideoStream) -> Timing:
    """Rate and length from the container's index, or from the first packets where it has none."""
    tick = stream.time_base or Fraction(1, 1000)
    times, is_whole = _index_times(stream, tick), True
    if not times:
        times, is_whole = _peeked_times(path, tick), False
    fps = constant_rate(times, stream.average_rate, tick) or _FALLBACK_RATE
    if not 0 < fps <= 1000:
        raise MediaError(f"{path} states {float(fps):g} frames per second; convert it to at most 1000.")
    even = is_even(times, tick)
    note = None
    if not even:
        note = (
            f"{path} has a variable frame rate; it is delivered at a constant {FrameRate(fps)} frames per "
            "second by nearest presentation time."
        )
    stored = len(times) if is_whole else None
    end = _stated_end(stream, tick)
    delivered = stored
    if end is not None and (stored is None or not even):
        delivered = max(int((end - (stream.start_time or 0) * tick) * fps + Fraction(1, 2)), 1)
    return Timing(fps, stored, delivered, end, note)


def describe(
    path: Path, container: InputContainer, stream: VideoStream, first: VideoFrame, timing: Timing
) -> tuple[ClipInfo, int]:
    """What is known of a film once its first picture is decoded, and its orientation as in EXIF, 1..8."""
    told = _told_tags(stream, first)
    tags, guess = complete_tags(told, first.width, first.height)
    orientation = _orientation(first)
    notes = [timing.note] if timing.note else []
    if guess:
        notes.append(f"{path} does not say all of its colours; it is read with {guess}.")
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    if aspect != 1:
        notes.append(f"{path} has pixels that are not square ({aspect}); they are used as they are stored.")
    width, height = first.width, first.height
    if swaps_axes(orientation):
        width, height, aspect = height, width, 1 / aspect
    components = first.format.components
    info = ClipInfo(
        width=width,
        height=height,
        rate=FrameRate(timing.rate),
        frame_count=timing.delivered_count,
        bit_depth=16 if max(component.bits for component in components) > 8 else 8,
        has_alpha=any(component.is_alpha for component in components),
        has_audio=bool(container.streams.audio),
        color=tags,
        timecode=_timecode(container, stream, FrameRate(timing.rate)),
        pixel_aspect=aspect,
        notes=tuple(notes),
    )
    return info, orientation


def _timecode(container: InputContainer, stream: VideoStream, rate: FrameRate) -> Timecode | None:
    """Timecode of the first picture: of a track or tag beside it; None where there is none, or no valid one."""
    beside = (other.metadata for other in container.streams if other is not stream)
    for words in (stream.metadata, container.metadata, *beside):
        text = words.get("timecode") or words.get("TIMECODE")
        if text:
            try:
                return Timecode.parse(text, rate)
            except SettingError:
                return None
    return None


def _told_tags(stream: VideoStream, frame: VideoFrame) -> ColorTags:
    name = frame.format.name
    is_rgb = frame.format.is_rgb or frame.format.has_palette
    is_full = frame.color_range == 2 or name.startswith("yuvj") or is_rgb
    if frame.color_range == 0 and stream.codec_context.name == "mjpeg":
        is_full = True  # JPEG knows no other
    return ColorTags(
        primaries=PRIMARIES.get(frame.color_primaries, UNSPECIFIED),
        transfer=TRANSFERS.get(frame.color_trc, UNSPECIFIED),
        matrix=RGB_MATRIX if is_rgb else MATRICES.get(frame.colorspace, UNSPECIFIED),
        is_full_range=is_full,
    )


def _orientation(frame: VideoFrame) -> int:
    try:
        data = bytes(frame.side_data[SideDataType.DISPLAYMATRIX])  # type: ignore[typeddict-item]
    except KeyError:
        return UPRIGHT
    return from_display_matrix(struct.unpack("=9i", data[:36]))


def _index_times(stream: VideoStream, tick: Fraction) -> list[Fraction]:
    """Decoding times of all pictures; empty without a complete index. Cheap: nothing is read."""
    if not 0 < stream.frames <= len(stream.index_entries):
        return []
    return sorted(entry.timestamp * tick for entry in stream.index_entries if not entry.is_discard)


def _peeked_times(path: Path, tick: Fraction) -> list[Fraction]:
    """Presentation times of the first pictures; opened once more, so that nothing has to be rewound."""
    try:
        with open_film(path) as container:
            packets = itertools.islice(container.demux(video_stream(path, container)), _PEEKED)
            times = sorted(packet.pts * tick for packet in packets if packet.pts is not None)
    except av.FFmpegError:
        return []  # the decoder will meet the same damage and report it
    return times if len(times) < _PEEKED else times[:-_REORDERED]


def _stated_end(stream: VideoStream, tick: Fraction) -> Fraction | None:
    """End of the video track by its own words, in the file's clock.

    Matroska keeps it as a tag ``00:00:03.120000000``; MP4 and MOV in the track's header. What the library
    estimates for other containers may be the length of the sound.
    """
    if stream.frames and stream.duration:
        return ((stream.start_time or 0) + stream.duration) * tick
    try:
        hours, minutes, seconds = stream.metadata.get("DURATION", "").split(":")
        return Fraction(hours) * 3600 + Fraction(minutes) * 60 + Fraction(seconds)
    except ValueError:
        return None


def _lacks_tables(path: Path) -> bool:
    """True for an MP4 or MOV in which no 'moov' box is complete."""
    length = path.stat().st_size
    with path.open("rb") as file:
        at, is_family = 0, False
        while at + 8 <= length:
            file.seek(at)
            head = file.read(16)
            size, name = struct.unpack_from(">I4s", head)
            if size == 1 and len(head) == 16:
                size = struct.unpack_from(">Q", head, 8)[0]
            is_family |= name in (b"ftyp", b"mdat", b"wide")
            if not is_family or (name == b"moov" and at + size <= length):
                return False
            if size < 8:
                return is_family
            at += size
    return is_family
