"""Compares ways to compute W and G on this processor: ``python benchmarks/processor.py [--repeats 3] [--forms ...]``.

Forms are float32, bfloat16 (where the processor has it), int8, and OpenVINO in float32. They take turns; the median
counts. Prints milliseconds a frame, GFLOP/s next to the matrix product of float32, and for int8 and OpenVINO the PSNR
against float32, for int8 also the layers that stayed in floating point. Weights are synthetic.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from liveportrait import gemm_seconds, is_worth_timing

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from parity_arrays.filled import filled

from lp_core.engines.liveportrait import Networks
from lp_core.engines.liveportrait.calibration import calibrated, quantize, sample_of
from lp_core.engines.liveportrait.int8 import candidates, has_vnni, psnr
from lp_core.engines.liveportrait.table import PUBLISHED_MODELS

SEED = 20240703
GFLOP = {"W": 307.5, "G": 788.5, "frame": 1096.0}
"""Work of LivePortrait's folded networks a frame, counted by benchmarks/liveportrait.py."""
GEMM_SIZE = 2048
CPU = torch.device("cpu")


def runs_of(
    networks: Networks, name: str, sample: object, feature: torch.Tensor
) -> dict[str, Callable[[], object]]:
    """Part and form -> its run."""
    return {
        f"W {name}": lambda: networks.warp(sample.source, sample.points),
        f"G {name}": lambda: networks.generator(feature),
        f"frame {name}": lambda: networks.generator(networks.warp(sample.source, sample.points).out),
    }


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", choices=PUBLISHED_MODELS, default="liveportrait")
    parser.add_argument("--forms", nargs="*", default=["float32", "bfloat16", "int8", "openvino"])
    chosen = parser.parse_args()
    plain = filled(PUBLISHED_MODELS[chosen.model], SEED)
    sample = sample_of(plain)
    feature = plain.warp(sample.source, sample.points).out
    wanted = plain.generator(feature)
    runs: dict[str, Callable[[], object]] = {}
    if "float32" in chosen.forms:
        runs |= runs_of(plain, "float32", sample, feature)
    if "bfloat16" in chosen.forms and is_worth_timing(CPU, torch.bfloat16):
        half = filled(PUBLISHED_MODELS[chosen.model], SEED, dtype=torch.bfloat16)
        runs |= runs_of(half, "bfloat16", sample, feature.bfloat16())
    if "int8" in chosen.forms:
        parts = {name: deepcopy(getattr(plain, name)) for name in ("warping_module", "spade_generator")}
        small = replace(plain, **parts)
        start = time.perf_counter()
        found = calibrated(small)
        print(
            f"int8: calibrated in {time.perf_counter() - start:.0f} s, VNNI {'yes' if has_vnni() else 'no'}"
        )
        layers = sum(len(list(candidates(part))) for part in parts.values())
        print(
            f"int8: {layers - len(found.kept)} of {layers} layers, kept in floating point: {list(found.kept)}"
        )
        quantize(small, found)
        shown = small.generator(small.warp(sample.source, sample.points).out)
        print(f"int8: {psnr(shown, wanted):.1f} dB against float32")
        runs |= runs_of(small, "int8", sample, feature)
    if "openvino" in chosen.forms:
        from lp_core.engines.liveportrait.openvino_networks import by_openvino

        own = by_openvino(replace(plain, warping_module=deepcopy(plain.warping_module)))
        shown = own.generator(own.warp(sample.source, sample.points).out)
        print(f"openvino: {psnr(shown, wanted):.1f} dB against float32")
        runs |= runs_of(own, "openvino", sample, feature)
    times: dict[str, list[float]] = {name: [] for name in runs}
    products: list[float] = []
    for index in range(chosen.repeats + 1):
        products.append(2e-9 * GEMM_SIZE**3 / gemm_seconds(CPU, torch.float32))
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if index:
                times[name].append(1000 * (time.perf_counter() - start))
    gemm = statistics.median(products)
    print(f"{torch.get_num_threads()} threads; matrix product in float32: {gemm:.1f} GFLOP/s")
    narrow = 2e-9 * GEMM_SIZE**3 / gemm_seconds(CPU, torch.bfloat16)
    print(f"matrix product in bfloat16: {narrow:.1f} GFLOP/s")
    for name, taken in times.items():
        middle = statistics.median(taken)
        rate = 1000 * GFLOP[name.partition(" ")[0]] / middle
        print(f"{name:15} {middle:9.1f} ms  {rate:7.1f} GFLOP/s  {rate / gemm:5.2f} of the float32 product")
    return 0


if __name__ == "__main__":
    sys.exit(main())
