"""The shared-memory ring under load: a counter pattern, read in another process than it is written in.

    python benchmarks/ring.py                   1920x1080 at 60 frames a second, then a million reads
    python benchmarks/ring.py --reads 100000    fewer of them

Every pixel of frame n holds n as a 32-bit number, so that a frame is torn exactly when two of its pixels differ or
when it is not the number that the ring says. First the ring carries 1920x1080 RGBA at 60 frames a second, every
frame checked as a whole. Then a writer without pauses writes 128x72 while a million new frames are read and
checked. Last the negative control: the same without looking at the sequence, which must show torn frames.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from lp_core.link.ring import HEADER_SIZE, SLOT_HEADER, RingFrame, RingReader, RingWriter


def write(path: Path, size: tuple[int, int], rate: float | None, ready: Event, stop: Event) -> None:
    """Writes the pattern until asked to stop, at a rate or without pauses."""
    writer = RingWriter(path, *size)
    picture = np.empty((size[1], size[0]), np.uint32)
    picture.fill(1)
    writer.write(picture, time.monotonic_ns())
    ready.set()
    due = time.monotonic()
    while not stop.is_set():
        if rate is not None:
            due += 1 / rate
            time.sleep(max(due - time.monotonic(), 0))
        picture.fill(writer.number + 1)
        writer.write(picture, time.monotonic_ns())
    writer.close()


@contextmanager
def writing(size: tuple[int, int], rate: float | None) -> Iterator[RingReader]:
    """A writer in a separate process, and a reader attached to it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108
        path = Path(folder) / "bench.ring"
        ready, stop = multiprocessing.Event(), multiprocessing.Event()
        process = multiprocessing.Process(target=write, args=(path, size, rate, ready, stop))
        process.start()
        ready.wait()
        try:
            with RingReader(path) as reader:
                yield reader
        finally:
            stop.set()
            process.join()


def is_torn(frame: RingFrame) -> bool:
    """Whether any pixel is not the frame's own number."""
    values = np.frombuffer(frame.pixels, np.uint32)
    return int(values.min()) != frame.number or int(values.max()) != frame.number


def at_60(seconds: float) -> int:
    """1920x1080 at 60 frames a second; returns the torn ones."""
    read = torn = 0
    ages, copies = [], []
    with writing((1920, 1080), 60.0) as reader:
        until, first, last = time.monotonic() + seconds, 0, 0
        while time.monotonic() < until:
            start = time.perf_counter()
            frame = reader.read()
            if frame is None:
                time.sleep(0.001)
                continue
            copies.append(time.perf_counter() - start)
            ages.append((time.monotonic_ns() - frame.time_ns) / 1e6)
            first, last = first or frame.number, frame.number
            read += 1
            torn += is_torn(frame)
        written = last - first + 1
    print(
        f"1920x1080 RGBA: {written} frames written in {seconds:.0f} s ({written / seconds:.1f} a second), "
        f"{read} read, {written - read} missed, {torn} torn, {reader.retries} copies thrown away; "
        f"copy {np.median(copies) * 1e3:.2f} ms, age at the reader {np.median(ages):.2f} ms median, "
        f"{np.percentile(ages, 95):.2f} ms 95th percentile"
    )
    return torn


def without_pauses(reads: int) -> int:
    """As many new frames as asked for next to a writer without pauses; returns the torn ones."""
    read = torn = 0
    with writing((128, 72), None) as reader:
        start = time.perf_counter()
        while read < reads:
            frame = reader.read()
            if frame is not None:
                read += 1
                torn += is_torn(frame)
        seconds, thrown = time.perf_counter() - start, reader.retries
    print(f"128x72 without pauses: {read} reads in {seconds:.0f} s, {torn} torn, {thrown} copies thrown away")
    return torn


def unguarded(reads: int) -> int:
    """The negative control: copies slots without looking at their sequence; returns the torn ones."""
    torn = 0
    with writing((128, 72), None) as reader:
        stride, size = reader._slot_stride, reader.stride * reader.height
        for count in range(reads):
            start = HEADER_SIZE + count % 3 * stride + SLOT_HEADER
            values = np.frombuffer(reader._words.bytes[start : start + size].tobytes(), np.uint32)
            torn += int(values.min() != values.max())
    print(f"negative control, sequence not looked at: {torn} of {reads} torn")
    return torn


def main() -> int:
    """Exit status 1 when a guarded read was torn or the control shows none."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="of 1920x1080 at 60 frames a second")
    parser.add_argument("--reads", type=int, default=1_000_000)
    options = parser.parse_args()
    torn = at_60(options.seconds) + without_pauses(options.reads)
    return int(torn > 0 or unguarded(20_000) == 0)


if __name__ == "__main__":
    sys.exit(main())
