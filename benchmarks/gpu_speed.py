"""Times the neural engine on a card: ``python benchmarks/gpu_speed.py [--device cuda] [--model liveportrait]``.

Prints milliseconds a frame for M, W, G and the whole frame in eager mode, compiled, and replayed as CUDA graphs, for
batches of 1, 4 and 8, the largest memory of each form, and one render from file to file. Weights are synthetic; times
do not depend on them. The median counts. ``--device cpu`` rehearses the script: graphs are then the
stand-in, and ``--tiny`` takes small networks.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from parity_arrays.filled import filled
from parity_arrays.narrow import narrow_networks

from lp_core.engines.liveportrait import Networks
from lp_core.engines.liveportrait.calibration import sample_of
from lp_core.engines.liveportrait.drawer import CudaGraphs, DirectDrawer, GraphDrawer, Reruns
from lp_core.engines.liveportrait.table import PUBLISHED_MODELS, PublishedModel
from lp_core.engines.liveportrait.weights import compiled
from lp_core.models.device import DTYPES

SEED = 20240703
TARGET_MS = 4.0
"""A frame on a card of the H100 class, batch 1."""


def measured(run: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median milliseconds of a run, after two that warm up."""
    times = []
    for index in range(repeats + 2):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if index >= 2:
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def forms_of(networks: Networks, device: torch.device, compiles: bool) -> dict[str, object]:
    """Form -> drawer."""
    backend = CudaGraphs(device) if device.type == "cuda" else Reruns()
    forms: dict[str, object] = {
        "eager": DirectDrawer(networks),
        "graphs": GraphDrawer(networks, device, backend),
    }
    if compiles:
        forms["compiled"] = DirectDrawer(compiled(networks))
    return forms


def parts(networks: Networks, repeats: int) -> None:
    """M, W and G alone, batch 1."""
    device, sample = networks.device, sample_of(networks)
    picture = torch.rand(1, 3, 256, 256, device=device)
    source, points = sample.source, sample.points.to(device)
    feature = networks.warp(source, points).out
    for name, run in {
        "M": lambda: networks.motion(picture),
        "W": lambda: networks.warp(source, points),
        "G": lambda: networks.generator(feature),
    }.items():
        print(f"{name:9} eager     x1 {measured(run, device, repeats):9.2f} ms")


def frames(networks: Networks, repeats: int, batches: tuple[int, ...], compiles: bool) -> None:
    """The whole drawing, from key points on the host to images on the host."""
    device, sample = networks.device, sample_of(networks)
    for batch in batches:
        points = sample.points.expand(batch, -1, -1).contiguous()
        for name, drawer in forms_of(networks, device, compiles and batch == 1).items():
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            taken = measured(
                lambda d=drawer, p=points: [t.cpu() for t in d.draw(sample.source, p)], device, repeats
            )
            peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0
            print(f"{'frame':9} {name:9} x{batch} {taken / batch:9.2f} ms   peak {peak:7.0f} MiB")
            if device.type == "cuda" and name == "graphs" and batch == 1:
                print(f"          target {TARGET_MS} ms: {'held' if taken <= TARGET_MS else 'MISSED'}")


def end_to_end(model: PublishedModel, device: str, count: int, precision: str) -> None:
    """A render with decoding and encoding: a still made by rule and a stored motion, to h264."""
    from lp_core.engines.liveportrait.synth import write_synthetic

    portrait = Path(__file__).parents[2] / "shared" / "media" / "portraits" / "s10.jpg"
    if not portrait.is_file() or not model.rig.gives_pose:
        print("end to end: needs ../shared/media and a model that plays built-in motion; left out")
        return
    from lp_core.cli.main import run

    with tempfile.TemporaryDirectory() as folder:
        write_synthetic(Path(folder) / "w", SEED, model)
        for extra in ([], ["--graphs"]):
            start = time.perf_counter()
            code = run(
                [
                    *("animate", str(portrait), "demo:expressive", "--engine", "liveportrait", "--overwrite"),
                    *("--weights", f"{folder}/w", "--device", device, "--precision", precision),
                    *("--frames", f"0-{count - 1}", "-o", f"{folder}/out.mp4", *extra),
                ]
            )
            taken = 1000 * (time.perf_counter() - start) / count
            print(
                f"end to end {'graphs' if extra else 'eager'}: {taken:.1f} ms a frame with loading, exit code {code}"
            )


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--model", choices=PUBLISHED_MODELS, default="liveportrait")
    parser.add_argument("--precision", choices=[*DTYPES], default="fp16")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 4, 8])
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--frames", type=int, default=100, help="of the render from file to file; 0: none")
    parser.add_argument("--tiny", action="store_true", help="narrow networks, to rehearse on a processor")
    chosen = parser.parse_args(arguments)
    model = PUBLISHED_MODELS[chosen.model]
    torch.manual_seed(0)
    if chosen.tiny:
        networks = narrow_networks(model, chosen.device)
    else:
        networks = filled(model, SEED, chosen.device, DTYPES[chosen.precision])
    parts(networks, chosen.repeats)
    frames(networks, chosen.repeats, tuple(chosen.batches), not chosen.no_compile)
    if chosen.frames and not chosen.tiny:
        end_to_end(model, chosen.device, chosen.frames, chosen.precision)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
