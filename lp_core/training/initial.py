"""Values that networks start from when nothing was trained before."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lp_core.engines.liveportrait.config import MotionConfig
from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.motion_extractor import MotionExtractor, fold_motion
from lp_core.engines.liveportrait.sizes import Sizes, shapes_of
from lp_core.engines.liveportrait.weight_layout import Shapes

POWER_ITERATIONS = 15
"""Of the spectral estimates of fresh weights."""
_GAINS = (
    ("resblocks_3d", ".conv2.weight", 0.1),
    ("", ".mask.weight", 1 / 3),
    ("", ".occlusion.weight", 1 / 3),
    ("", ".mlp_gamma.weight", 1 / 3),
    ("", ".mlp_beta.weight", 1 / 3),
)
"""(start of the key, its end, factor on He's spread)."""
_ONES = ("running_var",)
_ZEROS = ("running_mean", "num_batches_tracked", "gamma", "beta", "bias")
OCCLUSION_BIAS = 2.0
LINEAR_SPREAD = 0.02
FEATURE_SPREAD = 0.1
"""Spread over the images of each feature that M's heads read at the start."""
LEAST_SPREAD = 0.02
"""Features that vary less over the images are not raised further."""
KEYPOINT_REACH = 0.4
"""Canonical key points start uniformly within this distance of the middle, in grid units."""


def initial_states(sizes: Sizes, seed: int) -> dict[str, StateDict]:
    """Network (F, M, W, G, stitching, eye, lip) -> a checkpoint to start from.

    The last layers of the three small networks are zero, so that they change nothing.

    Args:
        sizes: of the networks.
        seed: any whole number.
    """
    generator = torch.Generator().manual_seed(seed)
    return {network: _network(shapes, generator) for network, shapes in shapes_of(sizes).items()}


@torch.no_grad()
def with_centered_features(state: StateDict, config: MotionConfig, images: Tensor) -> StateDict:
    """M's checkpoint with its last norm set so that the features have mean 0 and a small spread over some images.

    Fresh features are large and almost the same for all images. Adam moves every weight of a head by the learning rate,
    so on such features the key points jump by more than they have to learn, and M stays at the mean face.

    Args:
        state: of M.
        config: its sizes.
        images: (B, 3, S, S), [0, 1], of training.
    """
    network = MotionExtractor(config)
    network.load_state_dict(fold_motion(state))
    found = network.eval().detector.features(images)
    gain = FEATURE_SPREAD / found.std(dim=0).clamp(min=LEAST_SPREAD)
    (weight,) = (key for key in state if key.removeprefix("detector.") == "norm.weight")
    changed = {weight: gain, weight.replace("weight", "bias"): -found.mean(dim=0) * gain}
    return {**state, **changed}


def _network(shapes: Shapes, generator: torch.Generator) -> StateDict:
    state = {key: _value(key, shape, generator) for key, shape in shapes.items()}
    for key in [key for key in shapes if key.endswith(".weight_orig")]:
        stem, matrix = key.removesuffix("_orig"), state[key].flatten(1)
        u = torch.nn.functional.normalize(torch.randn(len(matrix), generator=generator), dim=0)
        v = u.new_zeros(matrix.shape[1])
        for _ in range(POWER_ITERATIONS):
            v = torch.nn.functional.normalize(matrix.t() @ u, dim=0)
            u = torch.nn.functional.normalize(matrix @ v, dim=0)
        state[stem + "_u"], state[stem + "_v"] = u, v
    layers = [key for key in shapes if key.startswith("mlp.") and key.endswith(".weight")]
    if layers:
        state[layers[-1]].zero_()
    return state


def _value(key: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    leaf = key.rpartition(".")[2]
    if leaf == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if leaf in _ONES:
        return torch.ones(shape)
    if key.endswith("fc_kp.bias"):
        return (torch.rand(shape, generator=generator) * 2 - 1) * KEYPOINT_REACH
    if key.endswith("fc_scale.bias"):
        return torch.ones(shape)
    if key.endswith(".occlusion.bias"):
        return torch.full(shape, OCCLUSION_BIAS)
    if leaf in _ZEROS:
        return torch.zeros(shape)
    if len(shape) == 1:  # scale of a norm, or u and v, which are set afterwards
        return torch.ones(shape)
    return torch.randn(shape, generator=generator) * _spread(key, shape)


def _spread(key: str, shape: tuple[int, ...]) -> float:
    he = math.sqrt(2 / math.prod(shape[1:]))
    if len(shape) == 2:
        return he if key.startswith("mlp.") else LINEAR_SPREAD
    for start, end, gain in _GAINS:
        if key.startswith(start) and key.endswith(end):
            return he * gain
    return he
