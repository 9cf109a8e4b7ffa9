"""Times the LivePortrait networks: ``python benchmarks/liveportrait.py [--device cpu] [--json out.json]``.

For M, W, G and the whole frame (M, stitching, W on a prepared source, G): milliseconds a frame, the work
really done, and the rate next to the machine's own matrix product in the same precision. The plain float32
networks of ``plain_liveportrait`` are timed in the same run, turn by turn with ours and with the matrix
product, so that a busy machine hurts all alike; the best of all turns counts. Weights are synthetic unless
``--weights`` names a folder; the numbers do not depend on them. ``--batch 8`` times our networks on eight frames
at a time too; all numbers are of one frame.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from plain_liveportrait import plain_network
from torch.utils.flop_counter import FlopCounterMode

from lp_core.engines.liveportrait import Networks, load_networks
from lp_core.engines.liveportrait.checkpoints import read_checkpoints
from lp_core.engines.liveportrait.synth import write_synthetic

PARTS = ("M", "W", "G", "frame")
GEMM_SIZE = 2048
Run = Callable[[], object]


def wait(device: torch.device) -> None:
    """Waits for work that was only queued."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seconds(run: Run, device: torch.device) -> float:
    """Duration of one run."""
    wait(device)
    start = time.perf_counter()
    run()
    wait(device)
    return time.perf_counter() - start


def gemm_seconds(device: torch.device, dtype: torch.dtype, rows: int = GEMM_SIZE) -> float:
    """Duration of one matrix product, (rows, GEMM_SIZE) @ (GEMM_SIZE, GEMM_SIZE)."""
    a = torch.randn(rows, GEMM_SIZE, device=device).to(dtype)
    b = torch.randn(GEMM_SIZE, GEMM_SIZE, device=device).to(dtype)
    return seconds(lambda: a @ b, device)


def is_worth_timing(device: torch.device, dtype: torch.dtype) -> bool:
    """False where a precision is only emulated: its product takes over twice the float32 one's time."""
    if dtype == torch.float32:
        return True
    rows = 64
    ours, plain = (min(gemm_seconds(device, d, rows) for _ in range(3)) for d in (dtype, torch.float32))
    return ours < 2 * plain


def inputs() -> dict[str, torch.Tensor]:
    """Seeded inputs of every part."""
    torch.manual_seed(0)
    points = torch.rand(1, 21, 3) - 0.5
    return {
        "picture": torch.rand(1, 3, 256, 256),
        "volume": torch.randn(1, 32, 16, 64, 64),
        "source": points,
        "driving": points + 0.05 * torch.randn(1, 21, 3),
        "feature": torch.randn(1, 256, 64, 64),
    }


def our_runs(nets: Networks, batch: int = 1) -> dict[str, Run]:
    """The parts as the engine runs them, on so many frames of one source."""
    one = {key: value.to(nets.device) for key, value in inputs().items()}
    source = nets.prepare_source(one["volume"], one["source"])
    x = {key: value.expand(batch, *value.shape[1:]).contiguous() for key, value in one.items()}

    def frame() -> torch.Tensor:
        nets.motion(x["picture"])
        nets.stitching(torch.cat([x["source"], x["driving"]], dim=1).flatten(1))
        return nets.generator(nets.warp(source, x["driving"]).out)

    return {
        "M": lambda: nets.motion(x["picture"]),
        "W": lambda: nets.warp(source, x["driving"]),
        "G": lambda: nets.generator(x["feature"]),
        "frame": frame,
    }


def plain_runs(folder: Path, device: torch.device) -> dict[str, Run]:
    """The same parts, plainly in float32."""
    states = read_checkpoints(folder).states
    m, w, g = (plain_network(name, states[name]).to(device) for name in ("M", "W", "G"))
    x = {key: value.to(device) for key, value in inputs().items()}

    def frame() -> torch.Tensor:
        m(x["picture"])
        return g(w(x["volume"], x["driving"], x["source"])[2])

    return {
        "M": lambda: m(x["picture"]),
        "W": lambda: w(x["volume"], x["driving"], x["source"]),
        "G": lambda: g(x["feature"]),
        "frame": frame,
    }


def gflop(run: Run) -> float:
    """Work of a run in GFLOP, a multiply and an add counted as two; it also warms up."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 1e9


def measure_part(
    part: str, forms: dict[str, dict[str, Run]], device: torch.device, repeats: int, frames: dict[str, int]
) -> dict[str, dict]:
    """Form -> best milliseconds and work of one part, for one frame; forms take turns.

    ``frames`` says how many frames a form takes at a time, where that is not one.
    """
    result = {
        form: {"gflop": round(gflop(runs[part]) / frames.get(form, 1), 1), "ms": float("inf")}
        for form, runs in forms.items()
    }
    for _ in range(repeats):
        for form, runs in forms.items():
            elapsed = round(1000 * seconds(runs[part], device) / frames.get(form, 1), 2)
            result[form]["ms"] = min(result[form]["ms"], elapsed)
    return result


def report(folder: Path, device: torch.device, dtypes: list[torch.dtype], repeats: int, batch: int) -> dict:
    """All timings of a device."""
    used = [d for d in dtypes if is_worth_timing(device, d)]
    forms: dict[str, dict[str, Run]] = {"plain float32": plain_runs(folder, device)}
    networks = {d: load_networks(folder, device, d) for d in used}
    forms |= {name(d): our_runs(nets) for d, nets in networks.items()}
    frames = {f"{name(d)} x{batch}": batch for d in used}
    if batch > 1:
        forms |= {f"{name(d)} x{batch}": our_runs(nets, batch) for d, nets in networks.items()}
    products = {d: float("inf") for d in {torch.float32, *used}}
    table = {}
    for part in PARTS:
        for dtype in products:
            products[dtype] = min(products[dtype], *(gemm_seconds(device, dtype) for _ in range(5)))
        table[part] = measure_part(part, forms, device, repeats, frames)
    peaks = {name(d): 2e-9 * GEMM_SIZE**3 / best for d, best in products.items()}
    for part, entries in table.items():
        for form, entry in entries.items():
            entry["gflops"] = round(1000 * entry["gflop"] / entry["ms"], 1)
            entry["gemm_gflops"] = round(peaks[form.removeprefix("plain ").partition(" x")[0]], 1)
            entry["times_plain"] = round(table[part]["plain float32"]["ms"] / entry["ms"], 2)
    return {
        "machine": f"{platform.machine()} {platform.system()}",
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "gemm_gflops": {key: round(peak, 1) for key, peak in peaks.items()},
        "left_out": {name(d): "only emulated on this device" for d in dtypes if d not in used},
        "forms": {form: {part: table[part][form] for part in PARTS} for form in forms},
    }


def name(dtype: torch.dtype) -> str:
    """A precision's name."""
    return str(dtype).removeprefix("torch.")


def print_table(result: dict) -> None:
    """The report for people."""
    print(f"{result['device']} ({result['cpu']}, {result['threads']} threads, torch {result['torch']})")
    print("matrix product, GFLOP/s:", ", ".join(f"{k} {v}" for k, v in result["gemm_gflops"].items()))
    print(f"{'form':<14} {'part':<6} {'ms':>9} {'GFLOP':>8} {'GFLOP/s':>9} {'of GEMM':>8} {'x plain':>8}")
    for form, parts in result["forms"].items():
        for part, e in parts.items():
            share = 100 * e["gflops"] / e["gemm_gflops"]
            print(
                f"{form:<14} {part:<6} {e['ms']:>9.1f} {e['gflop']:>8.1f} {e['gflops']:>9.1f} "
                f"{share:>7.0f}% {e['times_plain']:>8.2f}"
            )
    for form, reason in result["left_out"].items():
        print(f"{form} left out: {reason}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, help="folder of weights (default: synthetic ones)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"], help="precisions to time")
    parser.add_argument("--repeats", type=int, default=3, help="runs of every part; the best counts")
    parser.add_argument("--batch", type=int, default=1, help="time our networks on so many frames too")
    parser.add_argument("--json", type=Path, help="also write the report here")
    chosen = parser.parse_args()
    dtypes = [getattr(torch, d) for d in chosen.dtypes]
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        folder = chosen.weights
        if folder is None:
            folder = Path(scratch)
            write_synthetic(folder)
        result = report(folder, torch.device(chosen.device), dtypes, chosen.repeats, chosen.batch)
    print_table(result)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
