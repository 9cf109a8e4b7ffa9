"""Sound as numbers: one track of a file, mono at 16 kHz, on the clock of the file's video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.media.video.audio import decoded_frames, demuxed, sound_origin_s
from lp_core.media.video.header import open_film

RATE = 16000
_JOIN = RATE // 100
"""Samples by which rounded time stamps may be off; larger gaps are real."""
_LONGEST_GAP = 24 * 3600 * RATE

Samples = NDArray[np.float32]


def mono_samples(path: Path, track: int = 0) -> Iterator[Samples]:
    """Decodes a track of sound block by block.

    Args:
        path: a sound file, or a video with sound.
        track: number among the file's tracks of sound, from 1; 0: the first.

    Yields:
        (n,) arrays in -1..1, mono, 16 kHz, without gaps. The first sample belongs to the time of the video's first
        frame, or is the first of a file without video.

    Raises:
        UnreadableMedia, EmptyVideo, TruncatedMedia: the file cannot be read, or has no sound.
        SettingError: the file has no such track.
    """
    with closing(open_film(path)) as container:
        stream = _chosen(path, list(container.streams.audio), track)
        origin_s, joins_s = sound_origin_s(path, container, stream)
        resampler = AudioResampler(format="fltp", layout="mono", rate=RATE)
        count = 0
        for frame in decoded_frames(demuxed(container, stream, joins_s), stream):
            start = _start(frame, origin_s)
            for resampled in resampler.resample(frame):
                block: Samples = resampled.to_ndarray().reshape(-1).astype(np.float32)
                gap = 0 if start is None else start - count
                start = None
                if abs(gap) > _JOIN or count == 0:
                    if 0 < gap < _LONGEST_GAP:
                        count += gap
                        yield from _silence(gap)
                    block = block[max(-gap, 0) :]
                count += len(block)
                yield block
        for resampled in resampler.resample(None):
            yield resampled.to_ndarray().reshape(-1).astype(np.float32)


def resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    """Samples (n,) in -1..1 at another rate: (round(n * wanted / rate),).

    Args:
        samples: mono sound.
        rate: its samples per second.
        wanted: those of the result.
    """
    count = round(len(samples) * wanted / rate)
    if rate == wanted or not len(samples):
        return samples[:count]
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), "fltp", "mono")
    frame.sample_rate = rate
    resampler = AudioResampler(format="fltp", layout="mono", rate=wanted)
    blocks = [*resampler.resample(frame), *resampler.resample(None)]
    whole = np.concatenate([block.to_ndarray().reshape(-1) for block in blocks])
    result: Samples = np.pad(whole, (0, max(count - len(whole), 0)))[:count].astype(np.float32)
    return result


def _chosen(path: Path, streams: list[AudioStream], track: int) -> AudioStream:
    if not streams:
        raise UnreadableMedia(f"{path} has no sound, so it cannot drive a face; give a file with speech.")
    if track > len(streams):
        tracks = "one track" if len(streams) == 1 else f"{len(streams)} tracks"
        raise SettingError(f"{path} has {tracks} of sound, not {track}; choose another with --speech-track.")
    stream = streams[max(track - 1, 0)]
    if not stream.codec_context or not stream.rate:
        raise UnreadableMedia(f"The sound of {path} cannot be decoded; convert it to WAV.")
    return stream


def _start(frame: AudioFrame, origin_s: Fraction) -> int | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return round((frame.pts * frame.time_base - origin_s) * RATE)


def _silence(samples: int) -> Iterator[Samples]:
    block = 30 * RATE
    for first in range(0, samples, block):
        yield np.zeros(min(block, samples - first), np.float32)
