"""Segments of a video -> one video, by copying packets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from lp_core.errors import MediaError
from lp_core.files import make_folder, move_into_place, remove, remove_folders, temporary_path, write_failure
from lp_core.media.base import SinkSpec
from lp_core.media.video.audio import Sound
from lp_core.media.video.codecs import film_codec
from lp_core.media.video.header import open_film
from lp_core.media.video.writer import open_container


def join_segments(
    segments: Sequence[Path], path: Path, spec: SinkSpec, starts: Sequence[int], total: int
) -> tuple[str, ...]:
    """Writes the video under a temporary name and moves it to its own, replacing what is there.

    Returns:
        Sentences about the sound.

    Args:
        segments: the segments in order.
        path: the video.
        spec: what it has to be; the sound comes from here.
        starts: first frame of each segment in the video.
        total: frames of the video.

    Raises:
        DiskFull, NoWritePermission, MediaError: the video cannot be written, or a segment is damaged.
        UnreadableMedia and others: the sound cannot be read.
    """
    made = make_folder(path)
    temporary = temporary_path(path)
    try:
        with contextlib.ExitStack() as stack:
            container = open_container(temporary, path.suffix.lower(), spec, is_repeatable=True)
            stack.callback(_close, container)
            notes = _copy(container, segments, path, spec, starts, total)
            container.close()
        move_into_place(temporary, path)
    except (av.FFmpegError, OSError, ValueError) as error:
        _remove(temporary, made)
        raise write_failure(path, error) from error
    except BaseException:
        _remove(temporary, made)
        raise
    return notes


def _copy(
    container: OutputContainer,
    segments: Sequence[Path],
    path: Path,
    spec: SinkSpec,
    starts: Sequence[int],
    total: int,
) -> tuple[str, ...]:
    with open_film(segments[0]) as film:
        stream = container.add_stream_from_template(film.streams.video[0], opaque=True)
        stream.time_base = 1 / spec.rate.fps
        # Codecs whose stream has no rate (ProRes, DNxHR) would get no track of timecode in MOV.
        stream.codec_context.framerate = spec.rate.fps
        codec = film_codec(path, spec.codec)
        if codec.tag is not None and path.suffix.lower() != ".mkv":
            stream.codec_context.codec_tag = codec.tag
        if spec.timecode is not None:
            stream.metadata["timecode"] = spec.timecode.text
        sound = None if spec.audio is None else Sound(spec.audio, container, path.suffix.lower())
        with contextlib.ExitStack() as stack:
            if sound is not None:
                stack.callback(sound.close)
            count = 0
            for first, segment in zip(starts, segments, strict=True):
                for packet in _packets(segment, first, spec.rate.fps):
                    packet.stream = stream
                    container.mux(packet)
                    count += 1
                    if sound is not None:
                        sound.write_until(spec.rate.time_s(count))
            if count != total:
                raise MediaError(
                    f"{path} has {count} images in its segments instead of {total}; render again."
                )
            if sound is not None:
                sound.finish(spec.rate.time_s(total))
        return () if sound is None else sound.notes


def _packets(segment: Path, first: int, fps: Fraction) -> Iterator[Packet[VideoStream]]:
    """A segment's packets, their times in frames of the video."""
    with open_film(segment) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.pts is None or packet.time_base is None:
                continue  # the mark of the end
            tick = packet.time_base * fps
            dts = packet.pts if packet.dts is None else packet.dts
            packet.pts, packet.dts = first + round(packet.pts * tick), first + round(dts * tick)
            packet.time_base, packet.duration = 1 / fps, 1
            yield packet


def _close(container: OutputContainer) -> None:
    """Closing writes the trailer, which fails again where the disk is full; the file goes away anyhow."""
    with contextlib.suppress(av.FFmpegError, OSError, ValueError):
        container.close()


def _remove(temporary: Path, made: list[Path]) -> None:
    remove(temporary)
    remove_folders(made)
