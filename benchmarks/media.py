"""Prints milliseconds a frame for writing and reading each kind of video and image (needs the extra vfx).

Run: python benchmarks/media.py [frames]
"""

from __future__ import annotations

import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from lp_core.frame import Frame, Pixels
from lp_core.media.base import SinkSpec
from lp_core.media.color_tags import SRGB
from lp_core.media.open import open_sink, open_source
from lp_core.settings import OutputSettings
from lp_core.timing import FrameRate

SIZES = ((512, 512), (1920, 1080))
CASES = (  # name, codec, bits, alpha
    ("h264.mp4", "h264", 8, False),
    ("hevc.mp4", "hevc", 8, False),
    ("prores.mov", "prores4444", 8, False),
    ("prores_alpha.mov", "prores4444", 16, True),
    ("ffv1.mkv", "ffv1", 8, False),
    ("ffv1_alpha.mkv", "ffv1", 16, True),
    ("png/out.%04d.png", "h264", 8, False),
    ("png16/out.%04d.png", "h264", 16, True),
    ("av1.mp4", "av1", 8, False),
    ("prores422.mov", "prores422hq", 16, False),
    ("dnxhr_hqx.mov", "dnxhr-hqx", 16, False),
    ("dnxhr_444.mov", "dnxhr-444", 16, False),
    ("tiff16/out.%04d.tif", "h264", 16, True),
    ("dpx16/out.%04d.dpx", "h264", 16, False),
    ("half/out.%04d.exr", "h264", 32, True),
    ("float/out.%04d.exr", "h264", 32, True),
)
DISTINCT = 8


def moving_pictures(width: int, height: int, bits: int, has_alpha: bool) -> list[Pixels]:
    """A textured image that drifts, with a little grain as a camera has it."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: height + 16, : width + 16]
    base = 128 + 60 * np.sin(columns / 31) * np.cos(rows / 23) + 30 * np.sin((columns + rows) / 7)
    pictures = []
    for k in range(DISTINCT):
        window = base[k : k + height, 2 * k : 2 * k + width]
        grain = rng.normal(0, 1.0, window.shape)
        planes = [window + grain, 0.8 * window + 20 + grain, 255 - window + grain, np.full_like(window, 255)]
        eight = np.clip(np.stack(planes[: 4 if has_alpha else 3], axis=-1), 0, 255).astype(np.uint8)
        pictures.append(as_bits(eight, bits))
    return pictures


def as_bits(eight: Pixels, bits: int) -> Pixels:
    """8-bit pixels as 16-bit ones or as float32."""
    if bits == 32:
        return eight.astype(np.float32) / 255
    return eight if bits == 8 else eight.astype(np.uint16) * 257


def measure(path: Path, spec: SinkSpec, pictures: list[Pixels], count: int) -> tuple[float, float, float]:
    """Seconds to write, seconds to read, bytes; for ``count`` frames."""
    start = time.perf_counter()
    with open_sink(path, spec) as sink:
        for k in range(count):
            sink.write(Frame(pictures[k % DISTINCT], k, spec.rate.time_s(k)))
        sink.commit()
    written = time.perf_counter()
    with open_source(path) as source:
        read = sum(1 for _ in source)
    end = time.perf_counter()
    if read != count:
        raise SystemExit(f"{path.name}: {count} frames written, {read} read.")
    size = sum(entry.stat().st_size for entry in path.parent.iterdir())
    return written - start, end - written, size


def main() -> None:
    """Prints the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 48
    print(f"{'':20} {'size':>10} {'write':>9} {'read':>9} {'kB/frame':>9}   (ms a frame, {count} frames)")
    for width, height in SIZES:
        for name, codec, bits, has_alpha in CASES:
            pictures = moving_pictures(width, height, bits, has_alpha)
            spec = SinkSpec(
                width,
                height,
                rate=FrameRate(Fraction(25)),
                bit_depth=bits,
                has_alpha=has_alpha,
                color=SRGB,
                codec=codec,
                quality=OutputSettings().quality,
                overwrite=False,
                alpha="premultiplied" if bits == 32 else "straight",
                sample_type="half" if name.startswith("half") else "float" if bits == 32 else "int",
            )
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "films" / name
                written, read, size = measure(path, spec, pictures, count)
            print(
                f"{name:20} {width:>5}x{height:<4} {written / count * 1e3:9.1f} {read / count * 1e3:9.1f} "
                f"{size / count / 1e3:9.1f}"
            )


if __name__ == "__main__":
    main()
