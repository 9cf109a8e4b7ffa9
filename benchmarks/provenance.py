"""What signing costs: its share of a 10-second 1080p render, and the memory it takes for small and large files.

    python benchmarks/provenance.py

Uses a key and a separate video, made in a temporary folder.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from lp_core.assemble import assemble
from lp_core.job import RenderJob
from lp_core.media.frame_pattern import files_of
from lp_core.media.image.stills import write_image
from lp_core.provenance.config import CONFIG_VARIABLE, KeyConfig, write_config
from lp_core.provenance.keys import make_chain
from lp_core.provenance.signing import Signer, Verdict
from lp_core.settings import EngineSettings, OutputSettings, RenderSettings

SIZES_MB = (10, 100, 1000)


def share(folder: Path) -> None:
    """Prints how much of a render is signing."""
    import cv2
    from skimage import data

    picture = np.zeros((1080, 1920, 3), np.uint8)
    picture[:, 420:1500] = cv2.resize(data.astronaut(), (1080, 1080), interpolation=cv2.INTER_CUBIC)
    write_image(folder / "portrait.png", picture)
    settings = RenderSettings(engine=EngineSettings(engine="mesh"), output=OutputSettings(fps="25"))
    first = assemble(
        RenderJob(str(folder / "portrait.png"), "demo:expressive", str(folder / "out.mp4"), settings)
    )
    took = list[float]()

    def timed(output: str, frames: int, rate: str) -> Verdict:
        start = time.perf_counter()
        verdict = first.seal(output, frames, rate)
        took.append(time.perf_counter() - start)
        return verdict

    summary = replace(first, seal=timed, part=replace(first.part, length=250)).run()
    size = (folder / "out.mp4").stat().st_size / 1e6
    print(
        f"{summary.frames} frames of 1920x1080 ({size:.1f} MB, {summary.signature}): {summary.seconds:.2f} s, of "
        f"which signing {took[0]:.3f} s = {100 * took[0] / (summary.seconds - took[0]):.2f} %"
    )


def memory(folder: Path) -> None:
    """Prints the peak memory of signing files of several sizes, each in a separate process."""
    for form in ("mov", "zip", "mkv"):
        for size in SIZES_MB:
            path = folder / f"film{size}.{form}"
            make_file(path, size)
            command = [sys.executable, __file__, "--sign", str(path)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            print(f"{form} {path.stat().st_size / 1e6:6.0f} MB: {done.stdout.strip()}")
            path.unlink()


def make_file(path: Path, size_mb: int) -> None:
    """A file of about that size."""
    if path.suffix == ".zip":
        import zipfile

        with zipfile.ZipFile(path, "w") as archive:
            for index in range(10):
                archive.writestr(f"shot.{index:04d}.exr", os.urandom(size_mb * 100_000))
        return
    frames = max(size_mb * 1_000_000 // (1920 * 1080 * 2), 1)
    source = f"testsrc2=size=1920x1080:rate=25,format={'uyvy422' if path.suffix == '.mov' else 'yuv422p'}"
    given = ["-f", "lavfi", "-i", source, "-frames:v", str(frames), "-c:v", "rawvideo", str(path)]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *given], check=True)


def sign(path: Path) -> None:
    """Signs a file and prints time and peak memory."""
    from lp_core.provenance.keys import open_identity
    from lp_core.provenance.sign import embed_manifest

    job = RenderJob("demo:blink", "demo:blink", str(path), RenderSettings())
    sealer = Signer(job, "mesh", "", False, None, files_of)
    folder = Path(os.environ[CONFIG_VARIABLE])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    if path.suffix == ".zip":
        created = {
            "action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        }
        actions = [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]
        embed_manifest(
            path, {"title": path.name, "assertions": actions}, [], open_identity(folder, KeyConfig())
        )
        state = "signed"
    else:
        state = sealer(str(path), 1, "25").state
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{state} in {time.perf_counter() - start:.2f} s, memory {before:.0f} -> {after:.0f} MiB")


def main() -> None:
    """Prints both tables."""
    if sys.argv[1:2] == ["--sign"]:
        sign(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[CONFIG_VARIABLE] = name
        make_chain(folder, "Benchmark", 2)
        write_config(folder, KeyConfig())
        share(folder)
        memory(folder)


if __name__ == "__main__":
    main()
