"""Synthetic weights: pseudo-random numbers under the published keys and shapes, for tests and benchmarks.

``python -m lp_core.engines.liveportrait.synth DIR [--seed N] [--model NAME]`` writes a folder in the official
layout, labelled as synthetic. Images made with such weights are abstract patterns.

Every tensor has its own stream: a Philox-4x64 counter generator keyed by the first 16 bytes of SHA-256 of
``"<seed>|<key>"``; each raw 64-bit word w is the double ``(w >> 11) * 2**-53``; from there only IEEE
arithmetic and one rounding to float32. The same seed gives the same bits on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.liveportrait import missing_library
from lp_core.engines.liveportrait.table import (
    BASE_NETWORKS,
    LIVEPORTRAIT,
    PUBLISHED_MODELS,
    STITCHING,
    PublishedModel,
)
from lp_core.engines.liveportrait.weight_layout import (
    STITCHING_ENTRIES,
    load_shapes,
    official_path,
    write_label,
)
from lp_core.errors import LpError, NoWritePermission

DEFAULT_SEED = 20240703
SQRT3 = math.sqrt(3.0)

WeightArray = NDArray[np.float32] | NDArray[np.int64]
F64 = NDArray[np.float64]

GAINS = (
    (r"\.fc_kp\.weight$", 0.30),
    (r"\.fc_exp\.weight$", 0.06),
    (r"\.fc_t\.weight$", 0.15),
    (r"\.fc_scale\.weight$", 0.20),
    (r"\.fc_(pitch|yaw|roll)\.weight$", 1.2),
    (r"\.dwconv\.weight$", 0.15),
    (r"\.pwconv1\.weight$", 1.4),
    (r"stages\.3\.\d+\.pwconv2\.weight$", 0.05),
    (r"\.pwconv2\.weight$", 1.1),
    (r"downsample_layers\.0\.0\.weight$", 0.1),
    (r"downsample_layers\.3\.1\.weight$", 0.05),
    (r"downsample_layers\.\d+\.\d+\.weight$", 1.4),
    (r"dense_motion_network\.mask\.weight$", 1.6),
    (r"dense_motion_network\.occlusion\.weight$", 2.2),
    (r"dense_motion_network\.compress\.weight$", 1.2),
    (r"hourglass\..*conv\.weight$", 1.35),
    (r"^third\.conv\.weight$", 1.3),
    (r"^fourth\.weight$", 1.2),
    (r"resblocks_3d\..*conv[12]\.weight$", 0.8),
    (r"^(first|down_blocks\.\d+)\.conv\.weight$", 1.7),
    (r"^second\.weight$", 1.3),
    (r"mlp_shared\.0\.weight$", 1.4),
    (r"mlp_gamma\.weight$", 0.35),
    (r"mlp_beta\.weight$", 0.45),
    (r"^conv_img\.0\.weight$", 2.0),
    (r"^fc\.weight$", 0.15),
    (r"^mlp\.0\.weight$", 2.2),
    (r"^mlp\.\d+\.weight$", 1.5),
)
"""Standard deviation of a weight = gain / sqrt(fan in); the first pattern that matches gives the gain."""
OTHER_GAIN = 1.3
LAST_MLP_GAIN = 0.05
"""Of the small MLPs' last layers, so that their offsets are a few hundredths."""
SMALL_BIAS = re.compile(
    r"(\.dwconv|stages\.3\.\d+\.pwconv2|downsample_layers\.0\.0|downsample_layers\.3\.1)\.bias$"
)
SPIKE = 1.25
"""Planted singular value over the expected norm of the noise: spectral estimates are near the truth."""

_NOISE = {"running_mean": (0.0, 0.1), "running_var": (1.0, 0.2), "gamma": (0.0, 0.3), "beta": (0.0, 0.05)}


def uniform(seed: int, label: str, shape: tuple[int, ...]) -> F64:
    """Flat noise of mean 0 and variance 1, in [-sqrt 3, sqrt 3)."""
    digest = hashlib.sha256(f"{seed}|{label}".encode()).digest()
    key = np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)
    words = np.atleast_1d(np.random.Philox(key=key).random_raw(math.prod(shape)))
    unit = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return ((unit * 2.0 - 1.0) * SQRT3).reshape(shape)


def synthetic_weights(
    shapes: Mapping[str, tuple[int, ...]],
    seed: int,
    spreads: Mapping[str, float] | None = None,
    prefix: str = "",
) -> dict[str, WeightArray]:
    """Values for every key of one network.

    Args:
        shapes: state-dict key -> shape, of one network.
        seed: any integer.
        spreads: end of a key -> standard deviation, where the general rule does not hold.
        prefix: put in front of every key before its rule and its stream are looked up.

    Returns:
        key -> float32 array, int64 zero for ``num_batches_tracked``.
    """
    mlp = [int(key.split(".")[1]) for key in shapes if re.match(r"^mlp\.\d+\.weight$", key)]
    last = f"mlp.{max(mlp)}.weight" if mlp else None
    own = dict(spreads or {})

    def value(key: str, shape: tuple[int, ...]) -> WeightArray:
        spread = next((number for end, number in own.items() if key.endswith(end)), None)
        if spread is not None:
            return (spread * uniform(seed, prefix + key, shape)).astype(np.float32)
        return _tensor(prefix + key, shape, seed, last)

    return {key: value(key, shape) for key, shape in shapes.items()}


def synthetic_network(model: PublishedModel, network: str, seed: int) -> dict[str, WeightArray]:
    """Values for every key of one network (F, M, W, G, stitching, eye, lip) of a published model."""
    rule = model.synthetic
    return synthetic_weights(
        load_shapes(model)[network], seed, rule.spreads.get(network), rule.prefixes.get(network, "")
    )


def _tensor(key: str, shape: tuple[int, ...], seed: int, last_mlp: str | None) -> WeightArray:
    stem, _, leaf = key.rpartition(".")
    if leaf == "num_batches_tracked":
        return np.zeros(shape, dtype=np.int64)
    if leaf in ("weight_u", "weight_v"):
        value = _unit_vector(seed, key, shape[0])
    elif leaf == "weight_orig":
        value = _spiked(stem, shape, seed)
    else:
        value = _plain(key, shape, seed, last_mlp)
    return value.astype(np.float32)


def _plain(key: str, shape: tuple[int, ...], seed: int, last_mlp: str | None) -> F64:
    stem, _, leaf = key.rpartition(".")
    noise = uniform(seed, key, shape)
    if leaf in _NOISE:
        middle, spread = _NOISE[leaf]
        return middle + spread * noise if middle else spread * noise
    if leaf == "bias":
        value = (0.004 if SMALL_BIAS.search(key) else 0.05) * noise
        return value + 1.25 if stem.endswith("fc_scale") else value
    if len(shape) == 1:
        return 1.0 + 0.1 * noise
    gain = (
        LAST_MLP_GAIN
        if key == last_mlp
        else next((gain for pattern, gain in GAINS if re.search(pattern, key)), OTHER_GAIN)
    )
    return (gain / math.sqrt(math.prod(shape[1:]))) * noise


def _unit_vector(seed: int, label: str, count: int) -> F64:
    noise = uniform(seed, label, (count,))
    return noise / math.sqrt(math.fsum((noise * noise).tolist()))


def _spiked(stem: str, shape: tuple[int, ...], seed: int) -> F64:
    rows, columns = shape[0], math.prod(shape[1:])
    spread = 1.0 / math.sqrt(columns)
    u = _unit_vector(seed, f"{stem}.weight_u", rows)
    v = _unit_vector(seed, f"{stem}.weight_v", columns)
    spike = SPIKE * spread * (math.sqrt(rows) + math.sqrt(columns))
    noise = spread * uniform(seed, f"{stem}.weight_orig", shape)
    return noise + (spike * (u[:, None] * v[None, :])).reshape(shape)


def write_synthetic(folder: Path, seed: int = DEFAULT_SEED, model: PublishedModel = LIVEPORTRAIT) -> None:
    """Writes a labelled folder of synthetic weights in the official layout.

    Args:
        folder: made if need be; files of the same names are replaced.
        seed: any integer.
        model: whose keys and shapes they have.

    Raises:
        MissingDependency: PyTorch is not installed.
        NoWritePermission: the folder cannot be written.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise missing_library(error.name or "torch") from error

    def tensors(network: str, prefix: str = "") -> dict[str, torch.Tensor]:
        values = synthetic_network(model, network, seed)
        return {prefix + key: torch.from_numpy(value) for key, value in values.items()}

    def content(stem: str) -> object:
        if stem != STITCHING:
            return tensors(BASE_NETWORKS[stem])
        return {entry: tensors(network, "module.") for entry, network in STITCHING_ENTRIES.items()}

    try:
        for stem in model.stems:
            _save(folder / official_path(stem, model), content(stem), torch.save)
        write_label(folder, seed, model)
    except OSError as error:
        raise NoWritePermission(
            f"{folder} cannot be written ({error.strerror}); choose another folder."
        ) from error


def _save(path: Path, content: object, save: Callable[[object, Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(content, path)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m lp_core.engines.liveportrait.synth",
        description="Write synthetic weights (patterns, not faces) for tests and benchmarks.",
    )
    parser.add_argument("folder", type=Path, help="folder to write, in the official layout")
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, help="seed of the values (default: %(default)s)"
    )
    parser.add_argument(
        "--model", choices=PUBLISHED_MODELS, default=LIVEPORTRAIT.name, help="model (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    try:
        write_synthetic(chosen.folder, chosen.seed, PUBLISHED_MODELS[chosen.model])
    except LpError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
