"""How long a timeline of 1,000 marked clips takes to plan, and how much memory.

    python benchmarks/batch_plan.py [--clips 1000] [--files 1000]

Every clip has a range, handles and a separate mark; the files are names of one small video. The planning runs in a
separate process: reading the timeline, opening every file, writing the plan.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

CHILD = """
import json, sys, time
start = time.perf_counter()
from pathlib import Path
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.settings import InputSettings, RenderSettings

def peak_mb():  # since this program began, unlike getrusage, which counts the parent before exec
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

loaded, base = time.perf_counter(), peak_mb()
request = PlanRequest(Path(sys.argv[1]), Path(sys.argv[2]), RenderSettings(input=InputSettings(handles=8)))
plan, _ = make_plan(request)
plan.write()
done = time.perf_counter()
print(json.dumps({"shots": len(plan.shots), "frames": plan.frames, "chunks": len(plan.chunks()),
                  "problems": len(plan.problems), "load_s": loaded - start, "plan_s": done - loaded,
                  "loaded_mb": base, "peak_mb": peak_mb()}))
"""


def main() -> None:
    """Prints one line for every case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--files", type=int, nargs="*", default=[1, 1000])
    given = parser.parse_args()
    for files in given.files:
        with tempfile.TemporaryDirectory() as folder:
            timeline = write_cut(Path(folder), given.clips, files)
            told = measure(timeline, Path(folder) / "out")
        total = told["load_s"] + told["plan_s"]
        print(
            f"{given.clips} clips of {files} files: {told['shots']} shots, {told['frames']} frames, "
            f"{told['chunks']} chunks; {total:.2f} s ({told['load_s']:.2f} s of it loading), peak "
            f"{told['peak_mb']:.0f} MB ({told['loaded_mb']:.0f} MB of it the program itself)"
        )


def write_cut(folder: Path, clips: int, files: int) -> Path:
    """A timeline of so many marked clips of so many files."""
    from fakes.cuts import clip_of, file_at, timeline_of, write
    from fakes.films import write_film

    film = write_film(folder / "film.mp4", [np.full((64, 64, 3), 99, np.uint8)] * 100)
    names = [folder / f"take{number:04d}.mp4" for number in range(files)]
    for name in names:
        os.link(film, name)
    items = [
        clip_of(f"sh{index:04d}", file_at(names[index % files], 25, 100), 25, index % 60, 30, "demo:nod")
        for index in range(clips)
    ]
    for index, item in enumerate(items):
        item.metadata["lp_suite"]["strength"] = 0.5 + index / clips
    return write(timeline_of("long", [items]), folder / "long.otio")


def measure(timeline: Path, output: Path) -> dict[str, float]:
    """What a process that plans it says of itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(timeline), str(output)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    main()
