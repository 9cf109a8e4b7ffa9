"""A sound at 16 kHz as the analysis reads it: in memory, or in a file so that its length does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.files import translated
from lp_core.speech.features import RATE, TICK

F32 = NDArray[np.float32]
BLOCK = 30 * RATE
"""Samples handled at a time."""
_FULL_SCALE = 32767.0
_TYPE = np.dtype("<i2")


@dataclass(frozen=True)
class StoredSamples:
    """Samples in a file; only what is asked for is read, so an hour takes no more memory than a minute."""

    path: Path
    """16-bit samples without a header."""
    count: int
    """How many."""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, part: slice) -> NDArray[np.int16]:
        start, stop, _ = part.indices(self.count)
        return np.fromfile(self.path, _TYPE, max(stop - start, 0), offset=start * _TYPE.itemsize)


@dataclass(frozen=True)
class MonoSound:
    """Mono sound at 16 kHz."""

    samples: NDArray[np.int16] | StoredSamples
    """(n,) in memory or in a file."""

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / RATE

    @property
    def ticks(self) -> int:
        """Length in ticks of 10 ms."""
        return len(self.samples) // TICK

    def part(self, start: int, stop: int) -> F32:
        """(stop - start,) samples in -1..1; what is outside the sound is silence."""
        inside = self.samples[max(start, 0) : max(stop, 0)].astype(np.float32) / np.float32(_FULL_SCALE)
        before = min(max(-start, 0), stop - start)
        return np.pad(inside, (before, stop - start - before - len(inside)))

    def blocks(self) -> Iterator[F32]:
        """The whole sound in order, 30 s at a time."""
        return (self.part(start, min(start + BLOCK, len(self))) for start in range(0, len(self), BLOCK))


def sound_of(blocks: Iterable[F32]) -> MonoSound:
    """A sound in memory, from blocks of samples in -1..1."""
    parts = [_packed(block) for block in blocks]
    return MonoSound(np.concatenate(parts) if parts else np.zeros(0, np.int16))


def store_sound(blocks: Iterable[F32], path: Path) -> MonoSound:
    """A sound in a file that is read on demand.

    Args:
        blocks: (n,) samples in -1..1, in order.
        path: the file to write: 16-bit samples without a header, 32 kB per second.

    Raises:
        DiskFull, NoWritePermission, MediaError: the file cannot be written.
    """
    count = 0
    with translated(path), path.open("wb") as file:
        for block in blocks:
            file.write(_packed(block).tobytes())
            count += len(block)
    return MonoSound(StoredSamples(path, count))


def _packed(block: F32) -> NDArray[np.int16]:
    return np.round(np.clip(block, -1, 1) * np.float32(_FULL_SCALE)).astype("<i2")
