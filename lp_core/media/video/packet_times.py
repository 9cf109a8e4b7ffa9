"""When the frames of a video are shown: its packets, read through once without decoding them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from lp_core.media.video.constant_rate import TimedItem
from lp_core.media.video.container import open_container

MAY_JUMP = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: recordings begin anywhere, and parts may be joined, each with its own clock."""

_NO_TIMES = 0x0080  # AVFMT_NOTIMESTAMPS: a bare stream
_CLOCK = 1 << 33  # ticks after which the clock of MPEG-TS starts over
_REORDERED = 16  # packets that may precede one shown before them
_BACK_S, _AHEAD_S = (
    Fraction(1, 25),
    Fraction(10),
)  # decoding times never go back; a longer wait is a new clock


@dataclass(frozen=True)
class FilmTimes:
    """When the frame of each packet is shown."""

    tick_s: Fraction
    """Unit of all times, in seconds."""
    ticks: tuple[int | None, ...]
    """For each packet with data, in the order of the file: when its frame is shown; None: it shows nothing."""
    durations: tuple[int, ...]
    """For each packet: how long its frame stays; 0 where the file does not say."""
    is_by_order: bool = False
    """True: the file has no presentation times; the k-th decoded frame takes the k-th time."""
    has_clock: bool = True
    """False: a bare stream; the times come from an assumed rate."""
    joins_s: tuple[Fraction, ...] = ()
    """What to add to the file's own times after each place where its clock jumps, in seconds."""

    @property
    def order(self) -> list[int]:
        """Packets that show a frame, by the time they show it."""
        return sorted(
            (index for index, tick in enumerate(self.ticks) if tick is not None),
            key=lambda index: (self.ticks[index] or 0, index),
        )

    def shown(self, index: int, end_s: Fraction | None = None) -> TimedItem[int]:
        """A packet's frame with its time and duration in seconds.

        Args:
            index: of the packet.
            end_s: end of the track; MP4 keeps durations in coding order, so that the last frame of an uneven
                video may bear the duration of another.
        """
        time = (self.ticks[index] or 0) * self.tick_s
        duration = self.durations[index] * self.tick_s
        if end_s is not None and end_s > time:
            duration = min(duration, end_s - time)
        return TimedItem(time, duration, index)

    def without(self, dropped: Sequence[int]) -> FilmTimes:
        """The same, with packets that show nothing after all."""
        gone = frozenset(dropped)
        return replace(self, ticks=tuple(None if k in gone else tick for k, tick in enumerate(self.ticks)))


@dataclass(frozen=True)
class _Stamp:
    pts: int | None
    dts: int | None
    duration: int
    is_shown: bool


def full_packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Packets with data: one without repeats the frame before, and would end the decoder's work.

    Raises:
        av.FFmpegError: the file cannot be read to its end.
    """
    for packet in container.demux(stream):
        if packet.size:
            yield packet


def read_times(path: Path, index: int, follows_references: bool = False) -> FilmTimes:
    """Reads a video through; remembers what it found for as long as the file does not change.

    Args:
        path: of the video.
        index: of the track in its container.
        follows_references: see ``open_container``.
    """
    state = path.stat()
    return _read_times(path, index, follows_references, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=32)
def _read_times(path: Path, index: int, follows: bool, _changed: int, _size: int) -> FilmTimes:
    with open_container(path, follows) as container:
        stream = container.streams[index]
        if not isinstance(stream, VideoStream):
            return FilmTimes(Fraction(1), (), ())
        codec = stream.codec_context.name
        stamps: list[_Stamp] = []
        try:
            for packet in full_packets(container, stream):
                is_shown = not packet.is_discard and not hides_frame(codec, packet)
                stamps.append(_Stamp(packet.pts, packet.dts, packet.duration or 0, is_shown))
        except av.FFmpegError:
            pass  # reading meets the same damage and reports it
        tick = stream.time_base or Fraction(1, 1000)
        stamps = _with_early(stamps)
        if _has_times(container, stamps):
            if container.format.flags & MAY_JUMP:
                return _joined(stamps, tick)
            return _as_told(stamps, tick)
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        return _by_order(stamps, tick, rate, has_clock=not container.format.flags & _NO_TIMES)


def hides_frame(codec: str, packet: Packet[VideoStream]) -> bool:
    """True for a VP8 or VP9 packet whose frame only serves others and is never shown."""
    if codec not in ("vp8", "vp9"):
        return False
    data = bytes(packet)
    if codec == "vp8":
        return not data[0] >> 4 & 1
    if data[-1] & 0xE0 == 0xC0:
        return False  # a superframe: its last frame is shown
    bits = data[0] << 8 | (data[1] if len(data) > 1 else 0)
    at = 11 if bits >> 12 & 3 != 3 else 10  # profile 3 has a reserved bit
    return not bits >> at & 1 and not bits >> (at - 2) & 1


def is_jump(before_s: Fraction, after_s: Fraction, back_s: Fraction = _BACK_S) -> bool:
    """True where the decoding times of two packets in a row, in seconds, belong to different clocks.

    Args:
        before_s: of the first.
        after_s: of the second.
        back_s: how far times may go back on one clock.
    """
    return not -back_s <= after_s - before_s <= _AHEAD_S


def continuous_sound(
    packets: Iterator[Packet[AudioStream]], tick_s: Fraction, joins_s: Sequence[Fraction]
) -> Iterator[Packet[AudioStream]]:
    """Sound packets on the clock of the video next to them, whose jumps are known."""
    last: int | None = None
    joint = -1
    for packet in packets:
        raw = packet.dts if packet.dts is not None else packet.pts
        if raw is not None:
            if last is not None and is_jump(last * tick_s, raw * tick_s):
                joint = min(joint + 1, len(joins_s) - 1)
            last = raw
        if joint >= 0:
            shift = round(joins_s[joint] / tick_s)
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift
        yield packet


def _has_times(container: InputContainer, stamps: Sequence[_Stamp]) -> bool:
    """AVI counts packets in coding order; what the library makes presentation times of is a guess."""
    is_bare = "avi" in container.format.name.split(",") or container.format.flags & _NO_TIMES
    return not is_bare and all(stamp.pts is not None for stamp in stamps if stamp.is_shown)


def _with_early(stamps: list[_Stamp]) -> list[_Stamp]:
    """Gives times to frames before time 0, which Matroska cannot express: each before the first one with a time."""
    early = [k for k, stamp in enumerate(stamps) if stamp.pts is None and stamp.is_shown]
    known = [stamp.pts for stamp in stamps if stamp.pts is not None]
    if not early or not known or early[-1] >= _REORDERED:
        return stamps
    filled = list(stamps)
    time = min(known)
    for k in reversed(early):
        time -= max(stamps[k].duration, 1)
        filled[k] = replace(stamps[k], pts=time)
    return filled


def _as_told(stamps: Sequence[_Stamp], tick: Fraction) -> FilmTimes:
    ticks = tuple(stamp.pts if stamp.is_shown else None for stamp in stamps)
    return FilmTimes(tick, ticks, tuple(stamp.duration for stamp in stamps))


def _by_order(stamps: Sequence[_Stamp], tick: Fraction, rate: Fraction, has_clock: bool) -> FilmTimes:
    if all(stamp.dts is not None for stamp in stamps):
        return replace(
            _as_told([replace(stamp, pts=stamp.dts) for stamp in stamps], tick),
            is_by_order=True,
            has_clock=has_clock,
        )
    tick = next((stamp.duration for stamp in stamps if stamp.duration), 0) * tick or 1 / rate
    shown = iter(range(len(stamps)))
    ticks = tuple(next(shown) if stamp.is_shown else None for stamp in stamps)
    return FilmTimes(tick, ticks, (1,) * len(stamps), is_by_order=True, has_clock=has_clock)


def _joined(stamps: Sequence[_Stamp], tick: Fraction) -> FilmTimes:
    """Times of parts that were joined, each part after the other."""
    ticks: list[int | None] = []
    joins: list[Fraction] = []
    offset, end, before = 0, None, None
    for part in _parts(stamps, tick):
        times = [stamp.pts for stamp in part if stamp.is_shown and stamp.pts is not None]
        if end is not None and before is not None and times:
            first = next(stamp.dts for stamp in part if stamp.dts is not None)
            around = offset + _CLOCK
            is_around = not is_jump(before * tick, (first + around) * tick)
            offset = around if is_around else end - min(times)
        if ticks:
            joins.append(offset * tick)
        for stamp in part:
            ticks.append(stamp.pts + offset if stamp.is_shown and stamp.pts is not None else None)
            end_here = None if ticks[-1] is None else ticks[-1] + stamp.duration
            end = end_here if end is None else max(end, end_here or end)
            before = stamp.dts + offset if stamp.dts is not None else before
    return FilmTimes(tick, tuple(ticks), tuple(stamp.duration for stamp in stamps), joins_s=tuple(joins))


def _parts(stamps: Sequence[_Stamp], tick: Fraction) -> Iterator[list[_Stamp]]:
    part: list[_Stamp] = []
    last: int | None = None
    shortest = min((stamp.duration for stamp in stamps if stamp.duration), default=0) * tick
    back = min(shortest / 2, _BACK_S) if shortest else _BACK_S
    for stamp in stamps:
        if last is not None and stamp.dts is not None and is_jump(last * tick, stamp.dts * tick, back):
            yield part
            part = []
        part.append(stamp)
        last = last if stamp.dts is None else stamp.dts
    yield part
