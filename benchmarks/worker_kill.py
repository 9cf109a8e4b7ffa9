"""Kills the worker with SIGKILL at random moments of one job and compares what it made with an undisturbed run.

    python benchmarks/worker_kill.py [--kills 10] [--output film.mp4 | frames.%04d.png]

The job: the astronaut, driven by a video of 300 frames, calibrated, with the mouth from the driving image.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.worker import Worker  # noqa: E402

from lp_core.assemble import assemble  # noqa: E402
from lp_core.cli.demo import PORTRAIT  # noqa: E402
from lp_core.job import RenderJob  # noqa: E402
from lp_core.link.client import Client  # noqa: E402
from lp_core.link.messages import JobProgress, JobStatus  # noqa: E402
from lp_core.settings import EngineSettings, MeshSettings, OutputSettings, RenderSettings  # noqa: E402

FRAMES = 300
CALIBRATION_TRIALS = 120
"""About as many images are tried."""


def digest(path: Path) -> str:
    """SHA-256 over a video, or over all images of a sequence in order."""
    files = [path] if path.exists() else sorted(path.parent.glob(path.name.replace("%04d", "*")))
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.rpartition("-")[2].encode() + file.read_bytes())
    return f"{len(files)} files, {sum(file.stat().st_size for file in files)} bytes, {total.hexdigest()[:16]}"


def make_driving(path: Path) -> None:
    """A video of 300 frames in which the astronaut acts."""
    settings = RenderSettings(
        engine=EngineSettings(engine="mesh"),
        mesh=MeshSettings(calibration="off"),
        output=OutputSettings(fps="100/3"),
    )
    assemble(RenderJob(str(PORTRAIT), "demo:expressive", str(path), settings)).run()


def parameters(data: Path, output: str) -> dict[str, object]:
    """What the job asks for."""
    portrait = data / "portrait.png"
    portrait.write_bytes(PORTRAIT.read_bytes())
    return {
        "source": str(portrait),
        "driving": str(data / "driving.mp4"),
        "output": str(data / output),
        "settings": {"engine": {"engine": "mesh"}, "input": {"frames": f"0-{FRAMES - 1}"}},
    }


def passed(progress: JobProgress | None) -> float:
    """How much of the job is behind it, 0..1: a third reading, a third trying, a third drawing."""
    if progress is None or progress.phase == "prepare":
        return 0.0
    share = min(progress.frame / (progress.total or CALIBRATION_TRIALS), 1.0)
    return ("analyse", "calibrate", "render", "join").index(progress.phase) / 3 + share / 3


def wait_until(client: Client, job: str, moment: float) -> JobStatus:
    """Waits until so much of a job is behind it."""
    while True:
        told = client.job(job)
        if told.has_ended or passed(told.progress) >= moment:
            return told
        time.sleep(0.002)


def main() -> None:
    """Runs the job once in peace and once among kills; prints both digests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--output", default="film.mp4")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - no secret
    moments = sorted(chance.uniform(0.0, 0.97) for _ in range(options.kills))
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(Path(folder))
        make_driving(worker.data / "driving.mp4")
        client = worker.start()
        start = time.perf_counter()
        client.wait(client.submit("animate", parameters(worker.data, f"calm-{options.output}")).id)
        calm_s = time.perf_counter() - start
        job = client.submit("animate", parameters(worker.data, f"rough-{options.output}")).id
        for number in range(1, options.kills + 1):
            told = wait_until(client, job, moments[number - 1])
            worker.kill()
            progress = told.progress
            where = "before it began" if progress is None else f"{progress.phase} {progress.frame}"
            print(f"kill {number:2}: {told.state}, {where}", flush=True)
            client = worker.start()
        end = client.wait(job)
        print(f"undisturbed: {calm_s:.1f} s, {digest(worker.data / f'calm-{options.output}')}")
        print(f"after {options.kills} kills: {end.state}, {digest(worker.data / f'rough-{options.output}')}")
        same = digest(worker.data / f"calm-{options.output}") == digest(
            worker.data / f"rough-{options.output}"
        )
        print("identical" if same else "DIFFERENT")
        worker.stop()
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
