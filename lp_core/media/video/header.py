"""Opens videos and says what is known of them before they are decoded."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from lp_core.errors import EmptyVideo, MediaError, SettingError, TruncatedMedia, UnreadableMedia
from lp_core.files import read_failure
from lp_core.frame import ClipInfo, ColorTags
from lp_core.media.color_tags import MATRICES, PRIMARIES, RGB_MATRIX, TRANSFERS, UNSPECIFIED, complete_tags
from lp_core.media.orientation import UPRIGHT, from_display_matrix, swaps_axes
from lp_core.media.video.codec_tag import codec_tag
from lp_core.media.video.constant_rate import conform, constant_rate, is_even, is_in_step, keeping_rate
from lp_core.media.video.container import open_container
from lp_core.media.video.packet_times import FilmTimes, read_times
from lp_core.timing import FrameRate, Timecode

_FALLBACK_RATE = Fraction(25)  # a video of one frame may state none
_ONE = Fraction(1)  # one tick: whole ticks are much faster to compare than seconds
_SAMPLED = 3000  # frames whose intervals are looked at for the usual rate
_SMALL = 4  # a default track with less than a quarter of the largest one's area is a preview
_PREVIEWS = Disposition.timed_thumbnails | Disposition.still_image


@dataclass(frozen=True)
class Timing:
    """When the frames of a video are shown."""

    rate: Fraction
    """Constant rate they are delivered at."""
    is_even: bool
    """True: each frame is delivered once; False: they are spread over the rate by their times."""
    stored_count: int
    """Frames the file announces."""
    delivered_count: int
    """Frames at the constant rate, exactly, if the file is whole."""
    times: FilmTimes | None
    """Time of each frame; None where the container's index was enough."""
    end_s: Fraction | None = None
    """End of the video track by its header, in seconds of the file's clock; None where it does not say."""
    is_short: bool = False
    """True: the file has less than its header says."""
    notes: tuple[str, ...] = ()
    """What was decided about the rate, when there was something to decide."""


def open_film(path: Path, follows_references: bool = False) -> InputContainer:
    """Opens a video or sound file for reading; see ``open_container``.

    Raises:
        UnreadableMedia, EmptyVideo: see ``check_readable``; or nothing that can be decoded.
        TruncatedMedia: an MP4 or MOV that was cut off before its tables.
    """
    try:
        return open_container(path, follows_references)
    except (av.FFmpegError, OSError, ValueError) as error:
        if _lacks_tables(path):
            raise TruncatedMedia(
                f"{path} was cut off before the tables at its end that say where its images lie; "
                "copy or record it again."
            ) from error
        if isinstance(error, av.ArgumentError):  # what FFmpeg says of a format that it may not open
            raise UnreadableMedia(
                f"{path} is damaged or of a format that is not read; convert it to mp4 or mov."
            ) from error
        raise read_failure(path, error) from error


def video_stream(path: Path, container: InputContainer) -> tuple[VideoStream, str | None]:
    """The main video track of a container, and a sentence about the choice where it was a guess.

    Cover images and thumbnails do not count. Of several tracks the one marked as default is taken, unless it is
    a small preview of another; then the largest.

    Raises:
        EmptyVideo: there is none.
        UnreadableMedia: none has a decoder.
    """
    moving = [
        stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic
    ]
    found = [stream for stream in moving if not stream.disposition & _PREVIEWS] or moving
    if not found:
        raise EmptyVideo(f"{path} has no video track; give a video or an image sequence instead.")
    tracks = [stream for stream in found if stream.codec_context is not None]
    if not tracks:
        raise no_decoder(path, found[0])
    largest = max(tracks, key=_area)
    default = next((stream for stream in tracks if stream.disposition & Disposition.default), tracks[0])
    chosen = default if _area(default) * _SMALL >= _area(largest) else largest
    if len(tracks) == 1:
        return chosen, None
    return chosen, (
        f"{path} has {len(tracks)} video tracks; track {chosen.index} "
        f"({chosen.codec_context.width}x{chosen.codec_context.height}, {chosen.codec_context.name}) is used, the "
        f"{'default' if chosen is default else 'largest'} one."
    )


def no_decoder(path: Path, stream: VideoStream) -> UnreadableMedia:
    """The error to raise where no decoder is available for a track."""
    tag = codec_tag(path, stream.index)
    named = f"the codec '{tag}'" if tag else "its codec"
    return UnreadableMedia(
        f"{path} cannot be decoded, because the media library has no decoder for {named}; convert it to "
        "H.264, ProRes or an image sequence."
    )


def read_timing(path: Path, stream: VideoStream, follows_references: bool = False) -> Timing:
    """Rate and length: from the index of an MP4 or MOV at a constant rate, else from all packets.

    Raises:
        MediaError: a rate above 1000 frames per second.
    """
    tick = stream.time_base or Fraction(1, 1000)
    index = _index_ticks(stream)
    if index:
        fps = _rate(path, index, _stated_rate(stream), tick)
        if is_even(index, _ONE) and is_in_step(index, fps * tick, _ONE):
            return Timing(fps, True, len(index), len(index), None)
    return plan_timing(path, stream, read_times(path, stream.index, follows_references), len(index))


def plan_timing(path: Path, stream: VideoStream, times: FilmTimes, indexed: int = 0) -> Timing:
    """Rate and length by the times of all frames.

    Args:
        path: for messages.
        stream: the video track.
        times: of its packets.
        indexed: frames its index lists; 0 without a complete one.
    """
    average = _stated_rate(stream) if times.has_clock else 1 / times.tick_s
    if not stream.average_rate and len(times.order) == 1 and times.durations[times.order[0]]:
        average = 1 / (times.durations[times.order[0]] * times.tick_s)
    return _planned(path, times, average, _stated_end(stream), indexed)


@lru_cache(maxsize=8)
def _planned(
    path: Path, times: FilmTimes, average: Fraction | None, end: Fraction | None, indexed: int
) -> Timing:
    order, tick = times.order, times.tick_s
    ticks = [times.ticks[index] or 0 for index in order]
    usual = _rate(path, ticks[:_SAMPLED], average, tick)
    notes: list[str] = []
    if not times.has_clock:
        notes.append(f"{path} holds no times; it is read at {FrameRate(usual)} frames per second.")
    if is_even(ticks, _ONE) and is_in_step(ticks, usual * tick, _ONE) and len(set(ticks)) == len(ticks):
        timing = Timing(usual, True, len(order), len(order), times, end)
    else:
        shown = [times.shown(index, end) for index in order]
        fps = keeping_rate([entry.time_s for entry in shown], usual)
        notes.append(
            f"{path} has a variable frame rate; it is delivered at a constant {FrameRate(fps)} frames per second, "
            "which keeps every frame."
        )
        count = sum(1 for _ in conform(shown, fps, keeps_all=True))
        timing = Timing(fps, False, len(order), count, times, end)
    if times.joins_s:
        notes.append(
            f"The clock of {path} jumps {len(times.joins_s)} times, as in joined files; what follows a jump is shown "
            "without a gap."
        )
    return _compared(replace(timing, notes=tuple(notes)), times, indexed)


def _compared(timing: Timing, times: FilmTimes, indexed: int) -> Timing:
    """The timing, marked as short where the header says that there should be more."""
    if timing.stored_count < indexed:
        return replace(timing, is_short=True, delivered_count=max(indexed, timing.delivered_count))
    if indexed or timing.end_s is None or not timing.stored_count:
        return timing
    order = times.order
    first, last = times.shown(order[0]), times.shown(order[-1], timing.end_s)
    if last.time_s + (last.duration_s or 1 / timing.rate) + 2 / timing.rate < timing.end_s:
        whole = int((timing.end_s - first.time_s) * timing.rate + Fraction(1, 2))
        return replace(timing, is_short=True, delivered_count=whole)
    return timing


def _rate(path: Path, ticks: Sequence[int], average: Fraction | None, tick: Fraction) -> Fraction:
    fps = constant_rate(ticks, average, tick, tick) or _FALLBACK_RATE
    if not 0 < fps <= 1000:
        raise MediaError(f"{path} states {float(fps):g} frames per second; convert it to at most 1000.")
    return fps


def _stated_rate(stream: VideoStream) -> Fraction | None:
    """The average rate; the nominal one where they agree but for the rounding of times."""
    average, nominal = stream.average_rate, stream.guessed_rate
    if not average or (nominal and abs(nominal - average) < average / 500):
        return nominal
    return average


def _area(stream: VideoStream) -> int:
    return (stream.codec_context.width or 0) * (stream.codec_context.height or 0)


def describe(
    path: Path, container: InputContainer, stream: VideoStream, first: VideoFrame, timing: Timing
) -> tuple[ClipInfo, int]:
    """What is known of a video once its first image is decoded, and its orientation as in EXIF, 1..8."""
    told = _told_tags(stream, first)
    tags, guess = complete_tags(told, first.width, first.height)
    orientation = _orientation(first)
    notes = list(timing.notes)
    if guess:
        notes.append(f"{path} does not say all of its colors; it is read with {guess}.")
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
    """Timecode of the first image: of a track or tag next to it; None where there is none, or no valid one."""
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


def _index_ticks(stream: VideoStream) -> list[int]:
    """Decoding times, in ticks, of all frames of an MP4 or MOV; empty without a complete index. Reads nothing."""
    if "mp4" not in stream.container.format.name.split(","):
        return []
    if not 0 < stream.frames <= len(stream.index_entries):
        return []
    return sorted(entry.timestamp for entry in stream.index_entries if not entry.is_discard)


def _stated_end(stream: VideoStream) -> Fraction | None:
    """End of the video track by its own words, in seconds of the file's clock.

    Matroska keeps it as a tag ``00:00:03.120000000``; MP4 and MOV in the track's header. What the library
    estimates for other containers may be the length of the sound.
    """
    kind = stream.container.format.name
    if "mp4" in kind and stream.frames and stream.duration:
        return ((stream.start_time or 0) + stream.duration) * (stream.time_base or Fraction(1, 1000))
    if "matroska" not in kind:
        return None
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
