"""A filmed plate under PerformRecast with synthetic weights: ``python benchmarks/recast_plate.py PLATE DRIVER``.

Renders the plate's first frames in one go, and resumably, killed with SIGKILL at the first finished frames and then
continued. Prints whether the results have the same bytes, whether every pixel outside the matte is the plate's, and
the memory over the frames. Networks are narrow by default (images and key points keep their shapes), so that
many frames take seconds; ``--full`` takes the published sizes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from parity_arrays.filled import filled
from parity_arrays.narrow import narrow_networks

from lp_core.assemble import assemble
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.landmarks import Refinement
from lp_core.engines.liveportrait.table import PERFORMRECAST
from lp_core.engines.registry import make_engine
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.render.chunks import render_in_chunks
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values

SEED = 20240703


def job(plate: str, driver: str, output: Path, frames: int, mode: str, passes: str = "beauty") -> RenderJob:
    """The render: the expression alone, written as images."""
    settings = with_values(
        RenderSettings(),
        {
            "engine": "liveportrait",
            "model": "performrecast",
            "region": "expression",
            "recast": mode,
            "frames": f"0-{frames - 1}",
            "sign": False,
            "passes": passes,
            "overwrite": True,
        },
    )
    return RenderJob(plate, driver, str(output), settings)


def engine_maker(is_full: bool):  # noqa: ANN201 - a MakeEngine
    """Makes the engine with synthetic networks, narrow or whole."""
    torch.set_num_threads(1)
    networks = filled(PERFORMRECAST, SEED) if is_full else narrow_networks(PERFORMRECAST)

    def make(name: str, settings: RenderSettings) -> object:
        if name != "liveportrait":
            return make_engine(name, settings)
        return LivePortraitEngine(settings, networks, Refinement(None))

    return make


def memory_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def digest(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of every image."""
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()[:12] for p in sorted(folder.glob("out.[0-9]*.png"))
    }


def child(options: argparse.Namespace, folder: Path) -> None:
    """The resumable render, in a process that may be killed."""
    asked = job(options.plate, options.driver, folder / "out.%04d.png", options.frames, options.mode)
    made = assemble(asked, resumes=True, make=engine_maker(options.full))
    render_in_chunks(made, folder / "work")


def killed_and_continued(options: argparse.Namespace, folder: Path) -> str:
    """Kills the child when its first images are there, and lets another one finish."""
    command = [sys.executable, *sys.argv, "--child", str(folder)]
    first = subprocess.Popen(command)
    while len(list(folder.rglob("*out.[0-9]*.png"))) < 2 and first.poll() is None:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    code, there = first.wait(), len(list(folder.rglob("*out.[0-9]*.png")))
    again = subprocess.run(command, check=False).returncode
    return f"killed with {there} image files there (exit {code}), continued (exit {again})"


def outside_matte(plate: str, folder: Path, frames: int) -> tuple[int, int, float]:
    """(frames, frames whose pixels outside the matte are all the plate's, mean share of the matte)."""
    exact, shares = 0, []
    with open_source(Path(plate)) as video:
        for index, source in enumerate(islice(video, frames)):
            shown = cv2.imread(str(folder / f"out.{index:04d}.png"))[..., ::-1]
            plain = OpenImageIO.ImageInput.open(str(folder / f"out.matte.{index:04d}.exr")).read_image()[
                ..., 0
            ]
            is_outside = plain == 0
            exact += bool(np.array_equal(shown[is_outside], source.pixels[is_outside]))
            shares.append(1 - is_outside.mean())
    return len(shares), exact, float(np.mean(shares))


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("plate")
    parser.add_argument("driver")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--mode", default="replacement")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the images of the first render")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(options, options.child)
        return 0
    with tempfile.TemporaryDirectory() as name:
        whole = options.keep or Path(name) / "whole"
        parts = Path(name) / "parts"
        for folder in (whole, parts):
            folder.mkdir(parents=True, exist_ok=True)
        memory: list[float] = []
        made = assemble(
            job(
                options.plate,
                options.driver,
                whole / "out.%04d.png",
                options.frames,
                options.mode,
                "beauty,matte",  # passes are not written in parts
            ),
            make=engine_maker(options.full),
        )
        start = time.perf_counter()
        summary = made.run(lambda progress: memory.append(memory_mib()))
        taken = time.perf_counter() - start
        print(f"{summary.frames} frames in {taken:.0f} s; notes: {' '.join(summary.notes)}")
        quarter = max(len(memory) // 4, 1)
        early, late = statistics.median(memory[quarter : 2 * quarter]), statistics.median(memory[-quarter:])
        print(
            f"memory: median {early:.0f} MiB in the second quarter, {late:.0f} MiB in the last, most {max(memory):.0f}"
        )
        count, exact, share = outside_matte(options.plate, whole, options.frames)
        print(f"outside the matte (mean share of the frame {share:.3f}): {exact} of {count} frames bit-exact")
        print(killed_and_continued(options, parts))
        one, other = digest(whole), digest(parts)
        is_same = one == other and bool(one)
        verdict = "have the same bytes" if is_same else f"DIFFER: {one} {other}"
        print(f"{len(one)} images: in one go, and in chunks with the kill, {verdict}")
    return 0 if is_same and exact == count else 1


if __name__ == "__main__":
    sys.exit(main())
