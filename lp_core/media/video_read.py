"""Films, decoded as a stream at a constant rate."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from lp_core.errors import EmptyVideo, MediaError, TruncatedMedia, UnreadableMedia
from lp_core.files import read_failure
from lp_core.frame import ClipInfo, Frame, Pixels
from lp_core.media.base import AS_STORED, ReadOptions
from lp_core.media.conform import Shown, conform, hold_over_gaps
from lp_core.media.fields import check_fields, deinterlaced
from lp_core.media.film_header import Timing, describe, open_film, read_timing, video_stream
from lp_core.media.pixel_graph import ToRgb
from lp_core.media.sequence import name_runs

_HIDES_PICTURES = ("vp8",)  # its packets may hold pictures that are never shown: a missing one is no damage


class VideoSource:
    """A film's pictures at a constant rate, decoded as they are asked for; it can be iterated once.

    Opening decodes one picture, because only a picture tells format, colour and rotation for certain.

    A picture that cannot be decoded is replaced by the one before it, so that no later frame changes its
    number; ``damaged_frames`` tells which. A film that ends before its header says delivers all that is there
    and then raises TruncatedMedia, which says after how many frames: a render can decide to keep what it has.

    Raises:
        UnreadableMedia: missing, forbidden, a folder, or nothing that can be decoded.
        EmptyVideo: no video track, or one without a picture.
        TruncatedMedia: the file was cut off before the tables that say where its pictures lie.
    """

    def __init__(self, path: str | Path, options: ReadOptions = AS_STORED) -> None:
        self._path = Path(path)
        self._container = open_film(self._path)
        try:
            self._stream = video_stream(self._path, self._container)
            self._stream.thread_type = "AUTO"
            self._timing = read_timing(self._path, self._container, self._stream)
            self._decoder = _Decoder(self._container, self._stream, self._timing)
            pictures = hold_over_gaps(self._decoder.pictures())
            first = self._first(pictures)
            check_fields(self._path, first.item[0], options.interlaced)
            self._info, orientation = describe(
                self._path, self._container, self._stream, first.item[0], self._timing
            )
        except BaseException:
            self._container.close()
            raise
        self._pictures: Iterator[Shown[tuple[VideoFrame, bool]]] = itertools.chain([first], pictures)
        if options.interlaced == "frame" and first.item[0].interlaced_frame:
            self._pictures = deinterlaced(self._pictures)
        size = first.item[0].width, first.item[0].height
        self._to_rgb = ToRgb(size, self._info.bit_depth, self._info.has_alpha, self._info.color, orientation)
        self._damaged: list[int] = []
        self._repeated = 0
        self._skipped = 0
        self._is_open = True

    @property
    def info(self) -> ClipInfo:
        """What is known of the clip."""
        return self._info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Indices delivered so far that repeat a neighbour because their own picture could not be decoded."""
        return tuple(self._damaged)

    @property
    def notes(self) -> tuple[str, ...]:
        """``info.notes`` and what came up while reading."""
        found = list(self._info.notes)
        if self._damaged:
            found.append(
                f"{self._path} has {len(self._damaged)} damaged frames, in whose place the one before was "
                f"used: {name_runs(self._damaged)}."
            )
        if self._repeated or self._skipped:
            found.append(
                f"{self._path} was conformed to {self._info.rate} frames per second: {self._repeated} frames "
                f"were repeated, {self._skipped} left out."
            )
        return tuple(found)

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames.

        Raises:
            TruncatedMedia: after the last frame, when the file holds fewer than its header says.
            MediaError: the source is closed or was read before.
        """
        rate = self._info.rate
        count = 0
        try:
            for count, (pixels, is_damaged) in enumerate(self._conformed(), start=1):
                if is_damaged:
                    self._damaged.append(count - 1)
                yield Frame(pixels, count - 1, rate.time_s(count - 1))
        except (av.FFmpegError, ValueError) as error:
            raise read_failure(self._path, error) from error
        self._check_complete(count)

    def close(self) -> None:
        """Releases the file; may be called twice."""
        self._is_open = False
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _first(self, pictures: Iterator[Shown[tuple[VideoFrame, bool]]]) -> Shown[tuple[VideoFrame, bool]]:
        first = next(pictures, None)
        if first is not None:
            return first
        if self._decoder.count:
            raise UnreadableMedia(
                f"{self._path} holds {self._decoder.count} pictures, none of which can be decoded; "
                "copy or convert it again."
            )
        raise EmptyVideo(f"{self._path} has a video track without a picture; record or export it again.")

    def _conformed(self) -> Iterator[tuple[Pixels, bool]]:
        """Pixels and whether they stand in for a damaged picture; converted only when shown, repeats once."""
        if not self._is_open:
            raise MediaError(f"{self._path} was read or closed already; open it again to read it once more.")
        shown: tuple[VideoFrame, bool] | None = None
        drawn: VideoFrame | None = None
        pixels: Pixels | None = None
        delivered = 0
        for item in conform(self._pictures, self._timing.rate):
            if item is shown:
                self._repeated += 1
            else:
                delivered += 1
            shown = item
            picture, is_damaged = item
            if pixels is None or picture is not drawn:
                pixels, drawn = self._to_rgb(picture), picture
            yield pixels, is_damaged
        self._skipped = self._decoder.count - delivered
        self._is_open = False

    def _check_complete(self, delivered: int) -> None:
        stored, end = self._timing.stored_count, self._timing.end_s
        lacks_pictures = stored is not None and self._decoder.count < stored
        lacks_time = end is not None and self._decoder.end_s + 2 / self._timing.rate < end
        if lacks_pictures or lacks_time or self._decoder.was_cut:
            expected = f" of {self._info.frame_count}" if self._info.frame_count else ""
            raise TruncatedMedia(
                f"{self._path} ends early, after {delivered}{expected} frames; copy or record it again, "
                "or use it cut to that length."
            )


class _Decoder:
    """Pictures of a stream in the order they are shown; None in place of each one that could not be decoded.

    Every packet announces a picture by its presentation time; a picture that comes out later than an
    announced one proves that one lost.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, timing: Timing) -> None:
        self._container, self._stream = container, stream
        self._tick = stream.time_base or Fraction(1, 1000)
        self._period = 1 / timing.rate
        self._stated_end_s = timing.end_s
        self._announces = stream.codec_context.name not in _HIDES_PICTURES
        self._announced: list[int] = []
        self.count = 0
        """Pictures met so far, lost ones included."""
        self.end_s = Fraction(0)
        """Time at which the last picture met so far ends."""
        self.was_cut = False
        """True when reading ended by an error instead of the file's end."""

    def pictures(self) -> Iterator[Shown[VideoFrame | None]]:
        """Decodes to the end of what can be read."""
        for packet in self._packets():
            if self._announces and packet is not None and packet.pts is not None and not packet.is_discard:
                heapq.heappush(self._announced, packet.pts)
            for frame in self._decode(packet):
                yield from self._place(frame)
        yield from self._lost_before(None)

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError:
            self.was_cut = True
            yield None  # flushes the decoder

    def _decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            return self._stream.decode(packet)
        except av.FFmpegError:
            return []  # what it lost stays announced

    def _place(self, frame: VideoFrame) -> Iterator[Shown[VideoFrame | None]]:
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is None:
            yield self._shown(self.end_s, frame)
            return
        yield from self._lost_before(pts)
        if self._announced and self._announced[0] == pts:
            heapq.heappop(self._announced)
        yield self._shown(pts * self._tick, frame)

    def _lost_before(self, pts: int | None) -> Iterator[Shown[VideoFrame | None]]:
        while self._announced and (pts is None or self._announced[0] < pts):
            yield self._shown(heapq.heappop(self._announced) * self._tick, None)

    def _shown(self, time_s: Fraction, frame: VideoFrame | None) -> Shown[VideoFrame | None]:
        duration = frame.duration * self._tick if frame is not None and frame.duration else self._period
        if self._stated_end_s is not None and self._stated_end_s > time_s:
            # MP4 keeps durations in coding order: at an uneven rate the last picture may bear another one's.
            duration = min(duration, self._stated_end_s - time_s)
        self.count += 1
        self.end_s = time_s + duration
        is_good = frame is not None and not frame.is_corrupt
        return Shown(time_s, duration, frame if is_good else None)
