"""Holds our networks and formulas against a recording: ``python benchmarks/parity.py FIXTURE.npz [--device cpu]``.

Weights are filled by the recording's rule and seed (any seed), the networks run in float32, and the largest deviation
of each array is printed next to its tolerance. The kind of the recording is read from its keys: LivePortrait,
PerformRecast, or crop geometry. Exit code 1 when an array is outside its tolerance, 2 when the file is not a recording.
``--precision`` runs F, W and G in another precision; then tolerances are multiplied by ``--slack``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from parity_arrays import geometry, liveportrait, modes, recast, tolerances
from parity_arrays.filled import filled, read
from parity_arrays.rules import Arrays, Line, Tolerances, compared

from lp_core.engines.liveportrait import networks as network_module
from lp_core.engines.liveportrait.table import LIVEPORTRAIT, PERFORMRECAST
from lp_core.errors import LpError
from lp_core.models.device import DTYPES

SKIPPED = ("in.", "meta", "modes.in.", "modes.table", "smooth.in", "modes.edit.start_ratios")
"""What a recording holds besides results."""


def lines_of(recorded: Mapping[str, np.ndarray], device: str, dtype: torch.dtype) -> list[Line]:
    """Every array of a recording, compared.

    Raises:
        ValueError: it is not a recording.
    """
    if "geom.table" in recorded:
        return geometry.all_lines(recorded)
    if "meta" not in recorded:
        raise ValueError("it has neither the key 'meta' nor the keys of the crop geometry")
    seed = int(json.loads(str(recorded["meta"]))["seed"])
    if "F.patch" in recorded:
        networks = filled(PERFORMRECAST, seed, device, dtype)
        wanted, found = recast.all_arrays(networks, seed, recorded)
        return _complete(wanted, found, tolerances.PERFORMRECAST)
    networks = filled(LIVEPORTRAIT, seed, device, dtype)
    found = liveportrait.all_arrays(networks, seed, recorded) | modes.all_arrays(networks, recorded)
    return _complete(recorded, found, tolerances.LIVEPORTRAIT)


def _complete(wanted: Mapping[str, np.ndarray], found: Arrays, allowed: Tolerances) -> list[Line]:
    """The comparison, and a failing line for every recorded array that nothing was compared with."""
    lines = compared(wanted, found, allowed)
    results = [key for key in wanted if not key.startswith(SKIPPED) and not key.endswith(".lmk")]
    return lines + [Line(key, np.inf, 0.0) for key in results if key not in found]


@contextmanager
def short_products(is_on: bool) -> Iterator[None]:
    """Lets a card shorten float32 products to TF32, which the engine otherwise forbids."""
    if not is_on:
        yield
        return
    engine_rule = network_module.full_precision
    network_module.full_precision = lambda _device: nullcontext()
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    try:
        yield
    finally:
        network_module.full_precision = engine_rule
        torch.backends.cuda.matmul.allow_tf32 = False


def show(lines: list[Line], slack: float) -> int:
    """Prints the lines; returns the number outside."""
    outside = 0
    for line in lines:
        holds = line.worst <= slack * line.tolerance and (
            line.rest is None or line.rest <= slack * line.rest_tolerance
        )
        outside += not holds
        rest = "" if line.rest is None else f"  99.9 %: {line.rest:.1e} (tolerance {line.rest_tolerance:.0e})"
        mark = "ok     " if holds else "OUTSIDE"
        print(f"{mark} {line.key:44} {line.worst:8.1e}  tolerance {slack * line.tolerance:7.0e}{rest}")
    worst = max(lines, key=lambda line: line.worst / line.tolerance if line.tolerance else 0.0)
    print(
        f"{len(lines)} arrays, {outside} outside; nearest to its tolerance: {worst.key}, "
        f"{worst.worst:.1e} of {slack * worst.tolerance:.0e}"
    )
    return outside


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("fixture", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=[*DTYPES, "tf32"], default="fp32")
    parser.add_argument("--slack", type=float, default=1.0, help="multiplies every tolerance")
    chosen = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        recorded = read(chosen.fixture)
        with short_products(chosen.precision == "tf32"):
            lines = lines_of(recorded, chosen.device, DTYPES.get(chosen.precision, torch.float32))
    except (OSError, ValueError, KeyError, LpError) as error:
        print(f"{chosen.fixture} cannot be compared: {error}", file=sys.stderr)
        return 2
    outside = show(lines, chosen.slack)
    print(f"{time.perf_counter() - start:.0f} s on {chosen.device} in {chosen.precision}")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
