"""Sounds one after the other in one WAV file, with music under them; exact to the sample, in constant memory."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from lp_core.errors import UnreadableMedia
from lp_core.files import replacing
from lp_core.media.video.audio import decoded_frames, demuxed
from lp_core.media.video.header import open_film

F32 = NDArray[np.float32]

RATE = 48000
MUSIC_GAIN = 0.16
FADE_S = 1.0
_BLOCK = RATE


@dataclass(frozen=True)
class Part:
    """A sound with its place."""

    path: Path
    """The file; its first track of sound."""
    end_s: Fraction
    """Where its place ends, in seconds of the whole; it begins where the part before ends."""
    music: Path | None = None
    """Sound under it, as far as it reaches."""


def mix(parts: Sequence[Part], path: Path) -> None:
    """Writes the parts into a WAV file, 48 kHz, stereo, 16 bits. A sound that is too long for its place is cut.

    Raises:
        UnreadableMedia: a sound cannot be read.
        DiskFull, NoWritePermission, MediaError: the file cannot be written.
    """
    with replacing(path) as temporary, wave.open(str(temporary), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        position = 0
        for part in parts:
            end = round(part.end_s * RATE)
            count = end - position
            music = None if part.music is None else _exactly(stereo_samples(part.music), count)
            done = 0
            for block in _exactly(stereo_samples(part.path), count):
                if music is not None:
                    block = block + next(music)[: len(block)] * _fade(done, len(block), count)[:, None]
                done += len(block)
                file.writeframes(np.round(np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())
            position = end


def _fade(first: int, length: int, count: int) -> F32:
    """(length,) gain of the music from sample ``first`` of ``count``: faded at both ends."""
    at = np.arange(first, first + length)
    edge = FADE_S * RATE
    return (MUSIC_GAIN * np.clip(np.minimum(at / edge, (count - at) / edge), 0, 1)).astype(np.float32)


def _exactly(blocks: Iterator[F32], count: int) -> Iterator[F32]:
    """Blocks of one second, and the rest, of exactly ``count`` samples: cut, or filled up with silence."""
    held = np.zeros((0, 2), np.float32)
    done = 0
    while done < count:
        wanted = min(_BLOCK, count - done)
        while len(held) < wanted:
            block = next(blocks, None)
            held = np.concatenate(
                [held, np.zeros((wanted - len(held), 2), np.float32) if block is None else block]
            )
        yield held[:wanted]
        held, done = held[wanted:], done + wanted


def stereo_samples(path: Path) -> Iterator[F32]:
    """Decodes the first track of sound block by block: (n, 2) arrays in -1..1 at 48 kHz.

    Raises:
        UnreadableMedia: the file has no sound, or cannot be read.
    """
    with closing(open_film(path)) as container:
        if not container.streams.audio:
            raise UnreadableMedia(f"{path} has no sound; give a sound file.")
        stream = container.streams.audio[0]
        resampler = AudioResampler(format="fltp", layout="stereo", rate=RATE)
        for frame in decoded_frames(demuxed(container, stream, ()), stream):
            for resampled in resampler.resample(frame):
                yield resampled.to_ndarray().T.astype(np.float32)
        for resampled in resampler.resample(None):
            yield resampled.to_ndarray().T.astype(np.float32)
