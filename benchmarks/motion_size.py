"""Size of stored motion, with and without dense motion, and how far its renders are from those of the video.

    python benchmarks/motion_size.py --media ../shared/media --clips d20,d10,d19
    python benchmarks/motion_size.py --media ../shared/media --portrait s9 --frames 60

For each clip: bytes of ``lpsuite extract`` per minute, and the portrait rendered from the video and from the stored
motion (``--mouth drawn --calibration off``): mean difference in codes of 255, and the share of pixels within 1 and
within 4 codes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from lp_core.assemble import assemble, assemble_extraction
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.settings.render import RenderSettings
from lp_core.settings.table import with_values

HEADER = (
    f"{'clip':<6}{'frames':>7}{'kB plain':>10}{'kB dense':>10}{'MB/min':>8}{'mean':>8}{'<= 1':>8}{'<= 4':>8}"
)


def cut(clip: Path, frames: int, target: Path) -> float:
    """Writes the clip's first frames losslessly; returns its rate."""
    from ground_truth import frames_of, write_clip

    with open_source(clip) as source:
        rate = source.info.rate.fps
    write_clip(target, frames_of(clip, frames), rate)
    return float(rate)


def difference(one: Path, other: Path) -> tuple[float, float, float]:
    """(mean difference, share within 1, share within 4 codes) of two renders."""
    total, near, close, count = 0.0, 0, 0, 0
    with open_source(one) as first, open_source(other) as second:
        for a, b in zip(first, second, strict=True):
            apart = np.abs(a.as_rgb8().astype(np.int16) - b.as_rgb8())
            total += float(apart.sum())
            near += int((apart <= 1).sum())
            close += int((apart <= 4).sum())
            count += apart.size
    return total / count, near / count, close / count


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, required=True, help="folder with driving/ and portraits/")
    parser.add_argument("--clips", default="d20,d10,d19")
    parser.add_argument("--portrait", default="s9")
    parser.add_argument("--frames", type=int, default=100)
    options = parser.parse_args()
    values = {"overwrite": True, "mouth": "drawn", "calibration": "off", "codec": "ffv1", "audio": "none"}
    settings = with_values(RenderSettings(), values)
    portrait = next((options.media / "portraits").glob(f"{options.portrait}.*"))
    print(HEADER)
    for clip in options.clips.split(","):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            rate = cut(options.media / "driving" / f"{clip}.mp4", options.frames, folder / "clip.mkv")
            sizes = []
            for file, dense in (("plain", False), ("dense", True)):
                target = folder / f"{file}.lpmotion"
                chosen = with_values(settings, {"dense_motion": dense})
                frames = assemble_extraction(str(folder / "clip.mkv"), str(target), chosen).run().frames
                sizes.append(target.stat().st_size)
            for driver in ("clip.mkv", "dense.lpmotion"):
                job = RenderJob(
                    str(portrait), str(folder / driver), str(folder / f"{driver}.out.mkv"), settings
                )
                assemble(job).run()
            found = difference(folder / "clip.mkv.out.mkv", folder / "dense.lpmotion.out.mkv")
        a_minute = sizes[1] / frames * rate * 60 / 1e6
        print(
            f"{clip:<6}{frames:>7}{sizes[0] / 1e3:>10.0f}{sizes[1] / 1e3:>10.0f}{a_minute:>8.1f}{found[0]:>8.2f}"
            f"{found[1]:>8.4f}{found[2]:>8.4f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
