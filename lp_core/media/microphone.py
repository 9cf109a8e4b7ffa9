"""Sound that cannot wait: a microphone, or a file that is played in its place."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.errors import UnreadableMedia, missing_extra
from lp_core.media.video.samples import RATE, mono_samples

BLOCK_S = 0.02
"""Seconds of sound per block."""
_MOST_BLOCKS = 100

Samples = NDArray[np.float32]
Heard = tuple[Samples, int]
"""(n,) mono, 16 kHz, -1..1, and when its last sample was there, ns of the monotonic clock."""


class LiveSound(Protocol):
    """Sound as it comes."""

    def read(self, timeout_s: float) -> Heard | None:
        """The next block; None when none came in time.

        Raises:
            UnreadableMedia: there is no more.
        """
        ...

    def close(self) -> None:
        """Lets go of it; may be called twice."""
        ...


class Microphone(ClosesOnExit):
    """A device of sound.

    Raises:
        MissingDependency: sounddevice is not installed.
        UnreadableMedia: the system has no such device; the message lists those there are.
    """

    def __init__(self, name: str) -> None:
        """Opens it.

        Args:
            name: number or part of the name of the device; empty: the system's default.
        """
        try:
            import sounddevice
        except (ImportError, OSError) as error:  # OSError: the library PortAudio is absent
            raise missing_extra("The microphone", "microphone") from error
        self._blocks: queue.Queue[Heard] = queue.Queue(_MOST_BLOCKS)
        self._lost = False
        device = int(name) if name.isdigit() else name or None
        try:
            rate = int(sounddevice.query_devices(device, "input")["default_samplerate"])
            self._resampler = AudioResampler(format="fltp", layout="mono", rate=RATE)
            self._stream = sounddevice.InputStream(
                samplerate=rate, channels=1, dtype="float32", device=device, blocksize=int(rate * BLOCK_S),
                latency="low", callback=self._callback(rate), finished_callback=self._finished,
            )  # fmt: skip
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            names = ", ".join(_inputs(sounddevice)) or "none"
            raise UnreadableMedia(
                f"The microphone '{name or 'default'}' cannot be opened ({' '.join(str(error).split())}); devices with "
                f"an input: {names}."
            ) from error

    def _callback(self, rate: int) -> Callable[..., None]:
        def take(block: Samples, _frames: int, times: Any, _status: Any) -> None:  # noqa: ANN401 - PortAudio's
            ago_s = max(float(times.currentTime - times.inputBufferAdcTime) - len(block) / rate, 0.0)
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(block[:, :1].T), "fltp", "mono")
            frame.sample_rate = rate
            parts = [part.to_ndarray().reshape(-1) for part in self._resampler.resample(frame)]
            samples = np.concatenate([np.zeros(0, np.float32), *parts]).astype(np.float32)
            if not self._blocks.full():
                self._blocks.put_nowait((samples, time.monotonic_ns() - int(ago_s * 1e9)))

        return take

    def _finished(self) -> None:
        self._lost = True

    def read(self, timeout_s: float) -> Heard | None:
        """The next block; see the contract."""
        try:
            return self._blocks.get(timeout=timeout_s)
        except queue.Empty:
            if self._lost:
                raise UnreadableMedia(
                    "The microphone gives no more sound; check that it is plugged in."
                ) from None
            return None

    def close(self) -> None:
        """Lets go of it; may be called twice."""
        self._stream.close()


class PlayedSound(ClosesOnExit):
    """A file, played in real time from its beginning to its end; then there is no more."""

    def __init__(self, path: Path, start_s: float | None = None) -> None:
        """Opens it.

        Args:
            path: a sound file, or a video with sound.
            start_s: when its first sample is due, monotonic clock; None: now.

        Raises:
            UnreadableMedia: it cannot be read, or has no sound.
        """
        self._blocks = _cut(mono_samples(path), int(RATE * BLOCK_S))
        first = next(self._blocks, None)
        if first is None:
            raise UnreadableMedia(f"{path} has no sound; give a file with speech.")
        self._next: Samples | None = first
        self._start_s = time.monotonic() if start_s is None else start_s
        self._count = 0

    @property
    def end_s(self) -> float:
        """When the last sample so far was due, monotonic clock."""
        return self._start_s + self._count / RATE

    def read(self, timeout_s: float) -> Heard | None:
        """The next block when it is due; see the contract."""
        if self._next is None:
            raise EOFError
        wait_s = self.end_s + len(self._next) / RATE - time.monotonic()
        if wait_s > timeout_s:
            time.sleep(timeout_s)
            return None
        time.sleep(max(wait_s, 0.0))
        block = self._next
        self._count += len(block)
        self._next = next(self._blocks, None)
        return block, int(self.end_s * 1e9)

    def close(self) -> None:
        """Lets go of it; may be called twice."""
        self._blocks.close()


def _cut(blocks: Iterator[Samples], length: int) -> Any:  # noqa: ANN401 - a generator
    """Blocks of one length; the last one may be shorter."""
    rest = np.zeros(0, np.float32)
    with closing(blocks):  # type: ignore[type-var]
        for block in blocks:
            rest = np.concatenate([rest, block])
            while len(rest) >= length:
                yield rest[:length]
                rest = rest[length:]
    if len(rest):
        yield rest


def _inputs(sounddevice: Any) -> list[str]:  # noqa: ANN401 - a module
    return [
        f"{device['index']} {device['name']}"
        for device in sounddevice.query_devices()
        if device["max_input_channels"] > 0
    ]
