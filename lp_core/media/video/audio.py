"""Sound next to the image: copied where the container allows, encoded otherwise; cut to the image."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from lp_core.errors import UnreadableMedia
from lp_core.media.base import AudioTrack
from lp_core.media.video.audio_plan import SoundPlan, is_cut_within_packet, plan_sound
from lp_core.media.video.header import open_film
from lp_core.media.video.packet_times import continuous_sound
from lp_core.media.video.reader import first_frame_s

_AAC_BIT_RATE = 128_000  # a channel; transparent for stereo
_JOIN_S = Fraction(1, 100)  # time stamps rounded to milliseconds may be off by less; larger gaps are real


class Sound:
    """One track of sound, written along with the frames so that neither waits for the other.

    A track that cannot be decoded, or that the container cannot hold, is left out; ``notes`` say why.

    Times count from the first image of the output. Nothing is stretched: every sample keeps its own time,
    so sound and image cannot drift apart.
    """

    def __init__(self, track: AudioTrack, output: OutputContainer, suffix: str) -> None:
        """Opens the sound and adds its stream to ``output``, before anything is written there.

        Raises:
            UnreadableMedia, EmptyVideo, TruncatedMedia: the file cannot be read, or has no sound.
        """
        self._track, self._output = track, output
        self._input = open_film(track.path)
        try:
            _require_sound(track, self._input)
            is_cut = is_cut_within_packet(suffix, track.start_s)
            plan, self._notes = plan_sound(track.path, self._input, suffix, is_cut)
            self._packets: _Copied | _Encoded | None = None
            if plan is None:
                return
            source = self._input.streams.audio[plan.track]
            start_s, joins_s = sound_origin_s(track.path, self._input, source)
            origin_s = start_s + track.start_s
            if track.start_s and not joins_s:
                tick = source.time_base or Fraction(1, source.rate)
                self._input.seek(int((origin_s - Fraction(1, 2)) / tick), stream=source)
            packets = demuxed(self._input, source, joins_s)
            if plan.codec is None:
                self._packets = _Copied(packets, source, output, origin_s, suffix)
            else:
                self._packets = _Encoded(packets, source, output, origin_s, plan)
        except BaseException:
            self._input.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return self._notes

    def write_until(self, time_s: Fraction) -> None:
        """Writes the sound before ``time_s`` seconds that was not written yet."""
        if self._packets is None:
            return
        for packet in self._packets.until(self._limited(time_s)):
            self._output.mux(packet)

    def finish(self, end_s: Fraction) -> None:
        """Writes the rest up to the end of the last frame."""
        if self._packets is None:
            return
        for packet in self._packets.rest(self._limited(end_s)):
            self._output.mux(packet)

    def _limited(self, time_s: Fraction) -> Fraction:
        return time_s if self._track.duration_s is None else min(time_s, self._track.duration_s)

    def close(self) -> None:
        """Releases the file; may be called twice."""
        self._input.close()


class _Copied:
    """Packets as they are in the source, times moved to the output's origin."""

    def __init__(
        self,
        packets: Iterator[Packet[AudioStream]],
        source: AudioStream,
        output: OutputContainer,
        origin_s: Fraction,
        suffix: str,
    ) -> None:
        self._tick = source.time_base or Fraction(1, source.rate)
        self._offset = round(origin_s / self._tick)
        # mp4 and mov hide what is before time 0 (an edit list), so the decoder gets its run-up; Matroska
        # does not.
        self._hides_run_up = suffix != ".mkv"
        self._stream = output.add_stream_from_template(source)
        self._source = packets
        self._waiting: Packet[AudioStream] | None = None

    def until(self, time_s: Fraction) -> Iterator[Packet[AudioStream]]:
        """Packets that end by ``time_s``."""
        while True:
            packet = self._waiting or next(self._source, None)
            if packet is None:
                return
            self._waiting = None
            if packet.pts is None:
                continue
            start_s, duration_s = self._span(packet)
            if start_s + duration_s > time_s:
                self._waiting = packet
                return
            if self._belongs(start_s, duration_s):
                yield self._moved(packet)

    def rest(self, end_s: Fraction) -> Iterator[Packet[AudioStream]]:
        """The packet across the end, if most of it is before."""
        yield from self.until(end_s)
        if self._waiting is not None:
            start_s, duration_s = self._span(self._waiting)
            if start_s + duration_s / 2 < end_s and self._belongs(start_s, duration_s):
                yield self._moved(self._waiting)

    def _span(self, packet: Packet[AudioStream]) -> tuple[Fraction, Fraction]:
        """Start and duration in seconds of the output."""
        return ((packet.pts or 0) - self._offset) * self._tick, (packet.duration or 0) * self._tick

    def _belongs(self, start_s: Fraction, duration_s: Fraction) -> bool:
        return start_s + 2 * duration_s > 0 if self._hides_run_up else start_s >= 0

    def _moved(self, packet: Packet[AudioStream]) -> Packet[AudioStream]:
        packet.pts = packet.dts = (packet.pts or 0) - self._offset
        packet.stream = self._stream
        return packet


class _Encoded:
    """Samples decoded, cut to the sample and encoded again.

    Samples are packed (all channels of a sample side by side) on their way: with planes, PyAV writes past the
    end of its list of planes from eight channels on.
    """

    def __init__(
        self,
        packets: Iterator[Packet[AudioStream]],
        source: AudioStream,
        output: OutputContainer,
        origin_s: Fraction,
        plan: SoundPlan,
    ) -> None:
        self._rate, self._layout = plan.rate, plan.layout
        self._channels = av.AudioLayout(plan.layout).nb_channels
        # Mixing in integers keeps the sum within the range; floats keep what is louder than full scale.
        self._sample_format = "flt" if plan.codec == "aac" and not plan.is_mixed else "s32"
        stream = output.add_stream(str(plan.codec), rate=self._rate, layout=self._layout)
        if not isinstance(stream, AudioStream):
            raise av.error.BugError(0, f"{plan.codec} is not a sound codec")
        if plan.codec == "aac":
            stream.bit_rate = _AAC_BIT_RATE * max(self._channels, 2)
        self._stream = stream
        self._origin_s = origin_s
        self._source = self._decoded(packets, source)
        self._samples: NDArray[Any] = np.empty((0, self._channels))
        self._decoded_count = 0
        self._written_count = 0

    def until(self, time_s: Fraction) -> Iterator[Packet[AudioStream]]:
        """Encodes the samples before ``time_s``."""
        target = int(time_s * self._rate)
        while self._written_count < target:
            if not len(self._samples):
                following = next(self._source, None)
                if following is None:
                    return
                self._samples = following
                continue
            part: NDArray[Any] = self._samples[: target - self._written_count]
            self._samples = self._samples[len(part) :]
            row = np.ascontiguousarray(part).reshape(1, -1)
            frame = AudioFrame.from_ndarray(row, format=self._sample_format, layout=self._layout)
            frame.sample_rate = self._rate
            frame.pts, frame.time_base = self._written_count, Fraction(1, self._rate)
            self._written_count += len(part)
            yield from self._stream.encode(frame)

    def rest(self, end_s: Fraction) -> Iterator[Packet[AudioStream]]:
        """The samples up to the end, and what the encoder holds back."""
        yield from self.until(end_s)
        yield from self._stream.encode(None)

    def _decoded(self, packets: Iterator[Packet[AudioStream]], source: AudioStream) -> Iterator[NDArray[Any]]:
        """(n, channels) arrays without a gap from time 0 on: silence where the source has a gap."""
        resampler: AudioResampler | None = None
        known: tuple[str, str, int] | None = None
        for frame in decoded_frames(packets, source):
            found = (frame.format.name, frame.layout.name, frame.sample_rate)
            if found != known:  # a broadcast may change between stereo and 5.1 on its way
                yield from self._resampled(resampler, None)
                resampler = AudioResampler(format=self._sample_format, layout=self._layout, rate=self._rate)
                known = found
            yield from self._resampled(resampler, frame)
        yield from self._resampled(resampler, None)

    def _resampled(
        self, resampler: AudioResampler | None, frame: AudioFrame | None
    ) -> Iterator[NDArray[Any]]:
        for resampled in [] if resampler is None else resampler.resample(frame):
            yield from self._aligned(resampled)

    def _aligned(self, frame: AudioFrame) -> Iterator[NDArray[Any]]:
        samples: NDArray[Any] = frame.to_ndarray().reshape(-1, self._channels)
        if frame.pts is not None and frame.time_base is not None:
            start = round((frame.pts * frame.time_base - self._origin_s) * self._rate)
            shift = start - self._decoded_count
            if not self._decoded_count or abs(shift) > _JOIN_S * self._rate:
                if shift > 0:
                    yield np.zeros((shift, self._channels), samples.dtype)
                    self._decoded_count += shift
                samples = samples[max(-shift, 0) :]
        self._decoded_count += len(samples)
        yield samples


def decoded_frames(packets: Iterator[Packet[AudioStream]], source: AudioStream) -> Iterator[AudioFrame]:
    """Decoded frames; the time of what cannot be decoded becomes silence."""
    for packet in packets:
        try:
            yield from source.decode(packet)
        except av.FFmpegError:
            continue


def _require_sound(track: AudioTrack, container: InputContainer) -> None:
    if not container.streams.audio:
        raise UnreadableMedia(f"{track.path} has no sound; choose another sound or none.")


def sound_origin_s(
    path: Path, container: InputContainer, sound: AudioStream
) -> tuple[Fraction, tuple[Fraction, ...]]:
    """Time of the first frame in the file's own clock (of the first sample without one), and the clock's jumps."""
    if container.streams.video:
        found = first_frame_s(path)
        if found is not None:
            return found
    return (sound.start_time or 0) * (sound.time_base or Fraction(0)), ()


def demuxed(
    container: InputContainer, stream: AudioStream, joins_s: tuple[Fraction, ...]
) -> Iterator[Packet[AudioStream]]:
    """Packets to the end of what can be read: a cut file gives the sound it has, as it gives its frames."""
    tick = stream.time_base or Fraction(1, stream.rate)
    try:
        yield from continuous_sound(container.demux(stream), tick, joins_s)
    except av.FFmpegError:
        return
