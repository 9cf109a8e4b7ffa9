"""Networks with synthetic weights, without files; and the reading of a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from lp_core.engines.liveportrait.checkpoints import Checkpoints
from lp_core.engines.liveportrait.networks import Networks, build_networks, check_placement
from lp_core.engines.liveportrait.synth import synthetic_network
from lp_core.engines.liveportrait.table import PublishedModel
from lp_core.engines.liveportrait.weight_layout import load_shapes


def checkpoints(model: PublishedModel, seed: int) -> Checkpoints:
    """A model's synthetic weights."""
    states = {
        network: {
            key: torch.from_numpy(value) for key, value in synthetic_network(model, network, seed).items()
        }
        for network in load_shapes(model)
    }
    return Checkpoints(states, "synthetic", model)


def filled(
    model: PublishedModel, seed: int, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> Networks:
    """A model's networks with synthetic weights."""
    return build_networks(checkpoints(model, seed), check_placement(device, dtype), dtype)


def read(path: Path) -> dict[str, np.ndarray]:
    """A recording's arrays, without pickles."""
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
