"""Puts W and G into 8-bit integers: ranges and losses from images by rule, layers given back until enough is kept.

The images are the same everywhere, so every process of a render quantizes alike. What was found is kept in the model
folder under the hash of the weights; a file that cannot be read or written only means that it is found again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lp_core.engines.liveportrait.int8 import (
    WANTED_DB,
    Range,
    RangeWatch,
    candidates,
    has_vnni,
    layer_costs,
    psnr,
    quantized,
    restore,
)
from lp_core.engines.liveportrait.networks import Networks
from lp_core.engines.liveportrait.performance import read_states
from lp_core.engines.liveportrait.synth_images import image
from lp_core.engines.liveportrait.warping import WarpSource
from lp_core.errors import MALFORMED, MediaError, SettingError
from lp_core.files import write_whole
from lp_core.motion.implicit.motion import transform_keypoints

SEED = 20240703
SCHEMA = "lp-suite/int8-ranges/1"
MARGIN = 1.1
"""How much wider than seen a range is taken."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibration:
    """What makes a quantized network of some weights."""

    ranges: dict[str, Range]
    """Layer, ``W.`` or ``G.`` in front -> range of its input."""
    kept: tuple[str, ...]
    """Layers that stay in floating point."""
    kept_db: float
    """PSNR of the calibration images against float32."""


def in_int8(networks: Networks, folder: Path | None = None) -> Networks:
    """The same networks, W and G with 8-bit layers, in place.

    Args:
        networks: in float32 on the processor.
        folder: keeps what was found; None: it is found each time.

    Raises:
        SettingError: they are on a card, or this PyTorch has no 8-bit convolutions for the processor.
    """
    if networks.device.type != "cpu" or networks.dtype != torch.float32:
        raise SettingError("precision = 'int8' is for processors; choose --device cpu, or fp16 on a card.")
    if not hasattr(torch.ops.onednn, "qconv_pointwise"):
        raise SettingError(
            "precision = 'int8' needs a PyTorch for processors with oneDNN's 8-bit convolutions; choose fp32 or bf16."
        )
    path = folder and folder / f"{weights_hash(networks)}-{256 if has_vnni() else 128}.json"
    found = _read(path) if path is not None else None
    if found is None:
        found = calibrated(networks)
        if path is not None:
            _write(path, found)
    quantize(networks, found)
    return networks


def weights_hash(networks: Networks) -> str:
    """Short hash of W's and G's weights."""
    digest = hashlib.sha256()
    for module in (networks.warping_module, networks.spade_generator):
        for name, value in module.state_dict().items():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(value.numpy()).data)
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Sample:
    """One calibration frame: a prepared source and where its points go."""

    source: WarpSource
    points: Tensor


def sample_of(networks: Networks) -> Sample:
    """A source and a driving image by rule, through F and M."""
    row = networks.model
    size = row.appearance_px

    def batch(label: str, side: int) -> Tensor:
        pixels = image(SEED, label, side, side).astype(np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1)[None]

    pictures = torch.cat([batch("source", 256), batch("driving0", 256)])
    (source, keypoints), (driving, _) = read_states(networks, pictures, row.rig)
    still = transform_keypoints(keypoints, source)
    moved = still + transform_keypoints(keypoints, driving) - transform_keypoints(keypoints, source)
    feature = networks.appearance(batch("source", size))
    prepared = networks.prepare_source(feature, torch.from_numpy(still[None]))
    return Sample(prepared, torch.from_numpy(moved[None]))


def calibrated(networks: Networks, sample: Sample | None = None) -> Calibration:
    """Finds ranges, and the layers that must stay as they are for the images to keep ``WANTED_DB``.

    Layers are given back in the order of what they lose alone; how many, bisection finds.

    Args:
        networks: in float32; as before when this returns.
        sample: frame to calibrate by; None: ``sample_of``.
    """
    sample = sample or sample_of(networks)
    inputs: dict[str, Tensor] = {}
    modules = {"W": networks.warping_module, "G": networks.spade_generator}
    handles = [
        layer.register_forward_pre_hook(
            lambda _l, args, key=f"{part}.{name}": inputs.setdefault(key, args[0])
        )
        for part, module in modules.items()
        for name, layer in candidates(module)
    ]
    with RangeWatch(modules["W"]) as in_w, RangeWatch(modules["G"]) as in_g:
        wanted = _drawn(networks, sample)
    for handle in handles:
        handle.remove()
    ranges: dict[str, Range] = {}
    costs: dict[str, float] = {}
    with torch.no_grad():
        for part, watch in (("W", in_w), ("G", in_g)):
            own = {k.removeprefix(f"{part}."): v for k, v in inputs.items() if k.startswith(f"{part}.")}
            wide = {k: Range(MARGIN * r.low, MARGIN * r.high) for k, r in watch.ranges.items()}
            ranges |= {f"{part}.{name}": seen for name, seen in wide.items()}
            costs |= {f"{part}.{k}": v for k, v in layer_costs(modules[part], wide, own).items()}
    inputs.clear()
    order = sorted(costs, key=lambda name: costs[name], reverse=True)
    low, high, best = 0, len(order), Calibration(ranges, tuple(order), float("inf"))
    while low < high:
        count = (low + high) // 2
        trial = Calibration(ranges, tuple(order[:count]), 0.0)
        before = quantize(networks, trial)
        kept_db = psnr(_drawn(networks, sample), wanted)
        for part, layers in before.items():
            restore(modules[part], layers)
        _log.info("int8 with %d of %d layers in floating point: %.1f dB", count, len(order), kept_db)
        if kept_db >= WANTED_DB:
            high, best = count, Calibration(ranges, trial.kept, kept_db)
        else:
            low = count + 1
    return best


def _drawn(networks: Networks, sample: Sample) -> Tensor:
    return networks.generator(networks.warp(sample.source, sample.points).out)


def quantize(networks: Networks, found: Calibration) -> dict[str, dict[str, torch.nn.Module]]:
    """Quantizes W and G in place; returns the layers that were there, by network."""
    before = {}
    for part, module in (("W", networks.warping_module), ("G", networks.spade_generator)):
        ranges = {k.removeprefix(f"{part}."): r for k, r in found.ranges.items() if k.startswith(f"{part}.")}
        kept = [k.removeprefix(f"{part}.") for k in found.kept if k.startswith(f"{part}.")]
        before[part] = quantized(module, ranges, kept)
    return before


def _read(path: Path) -> Calibration | None:
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != SCHEMA:
            return None
        ranges = {str(k): Range(float(v["low"]), float(v["high"])) for k, v in content["ranges"].items()}
        return Calibration(ranges, tuple(map(str, content["kept"])), float(content["kept_db"]))
    except (OSError, *MALFORMED) as error:
        _log.debug("%s is not used: %s", path, error)
        return None


def _write(path: Path, found: Calibration) -> None:
    content = {
        "schema": SCHEMA,
        "kept": list(found.kept),
        "kept_db": found.kept_db,
        "ranges": {name: asdict(seen) for name, seen in found.ranges.items()},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(content, indent=1), durable=False)
    except (OSError, MediaError) as error:
        _log.debug("int8 ranges are not kept: %s", error)
