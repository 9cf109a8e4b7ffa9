"""Decodes the frames of a video in the order they are shown, and finds out which ones are lost."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction

import av
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from lp_core.media.video.constant_rate import TimedItem
from lp_core.media.video.header import Timing
from lp_core.media.video.packet_times import MAY_JUMP, full_packets

_REORDERED = 16  # H.264 and HEVC hold back that many frames at most
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # the usual decoders leave out WebM's alpha


class TrackDecoder:
    """Frames of a stream in the order they are shown; None in place of each one that could not be decoded.

    Every packet announces a frame; a frame that comes out later than an announced one proves that one lost.
    Packets are numbered in place of their times, because times may be missing, wrong or come twice.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, timing: Timing) -> None:
        self._container, self._stream = container, stream
        self._context = _context(stream)
        self._times, self._end_s = timing.times, timing.end_s
        self._tick = stream.time_base or Fraction(1, 1000)
        self._period = 1 / timing.rate
        self._is_by_order = self._times is not None and self._times.is_by_order
        self._order = self._times.order if self._is_by_order and self._times is not None else []
        self._waiting: list[tuple[int, int]] = []
        self._announced: dict[int, int] = {}
        self._first_key: tuple[int, int] | None = None
        self._last_s = Fraction(0)
        self.dropped: list[int] = []
        """Packets at the beginning whose frames need others from before the file begins."""
        self.count = 0
        """Frames met so far, lost ones included."""
        self.was_cut = False
        """True when reading ended by an error instead of the file's end."""

    def frames(self) -> Iterator[TimedItem[VideoFrame | None]]:
        """Decodes to the end of what can be read."""
        for number, packet in enumerate(self._packets()):
            self._announce(number, packet)
            packet.pts, packet.dts = number, None
            for frame in self._decode(packet):
                yield from self._place(frame)
        for frame in self._decode(None):
            yield from self._place(frame)
        yield from self._lost_before(None)

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        try:
            yield from full_packets(self._container, self._stream)
        except av.FFmpegError:
            self.was_cut = True

    def _decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            return self._context.decode(packet)
        except av.EOFError:
            return []
        except av.FFmpegError:
            return []  # what it lost stays announced

    def _announce(self, number: int, packet: Packet[VideoStream]) -> None:
        if self._times is None:
            tick = None if packet.is_discard else packet.pts
        else:
            tick = self._times.ticks[number] if number < len(self._times.ticks) else None
        if tick is None:
            return
        place = number if self._is_by_order else tick
        if packet.is_keyframe and self._first_key is None:
            self._first_key = place, number
        self._announced[number] = place
        heapq.heappush(self._waiting, (place, number))

    def _place(self, frame: VideoFrame) -> Iterator[TimedItem[VideoFrame | None]]:
        number = frame.pts
        if number is None and self._waiting:
            number = self._waiting[0][1]
        if number is None or number not in self._announced:
            return  # never announced: it is not meant to be shown
        place = self._announced[number], number
        if self._is_by_order:
            lag = _REORDERED if self._stream.codec_context.has_b_frames else 0
            yield from self._lost_before((number - lag, -1))
        else:
            yield from self._lost_before(place)
        del self._announced[number]
        is_good = not frame.is_corrupt
        if is_good or not self._is_leading(place):
            yield self._shown(place, frame if is_good else None)
        else:
            self.dropped.append(number)

    def _lost_before(self, place: tuple[int, int] | None) -> Iterator[TimedItem[VideoFrame | None]]:
        while self._waiting and (place is None or self._waiting[0] < place):
            lost = heapq.heappop(self._waiting)
            if self._announced.pop(lost[1], None) is None:
                continue  # it was shown
            if self._is_leading(lost):
                self.dropped.append(lost[1])
            else:
                yield self._shown(lost, None)

    def _is_leading(self, place: tuple[int, int]) -> bool:
        """True for a frame before the first one that can be decoded without others.

        One that comes before it in the file too is not damage in a recording, which begins anywhere.
        """
        if self.count or self._first_key is None or place >= self._first_key:
            return False
        return place[1] > self._first_key[1] or bool(self._container.format.flags & MAY_JUMP)

    def _shown(self, place: tuple[int, int], frame: VideoFrame | None) -> TimedItem[VideoFrame | None]:
        self.count += 1
        if self._times is None:
            return TimedItem(place[0] * self._tick, self._period, frame)
        number = place[1]
        if self._is_by_order:
            at = self.count - 1 + len(self.dropped)
            number = self._order[at] if at < len(self._order) else number
        entry = self._times.shown(number, self._end_s)
        return TimedItem(entry.time_s, entry.duration_s or self._period, frame)


def _context(stream: VideoStream) -> VideoCodecContext:
    """The stream's own decoder, or one that reads the alpha next to it."""
    own = stream.codec_context
    name = _WITH_ALPHA.get(own.name)
    if name is None or stream.metadata.get("alpha_mode", stream.metadata.get("ALPHA_MODE")) != "1":
        own.thread_type = "AUTO"
        return own
    context = CodecContext.create(name, "r")
    if not isinstance(context, VideoCodecContext):
        return own
    context.color_primaries, context.color_trc = own.color_primaries, own.color_trc
    context.colorspace, context.color_range = own.colorspace, own.color_range
    return context
