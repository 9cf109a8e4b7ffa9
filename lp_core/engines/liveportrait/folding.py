"""Folds what is constant at inference into the weights: spectral norm, batch norm, nearest up-sampling.

All functions are pure and differentiable: state dict in, new state dict out. Sums are taken in ``wide``, float64
unless the caller says otherwise, and rounded once; training folds in float32 at every step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

BATCH_NORM_EPS = 1e-5

StateDict = dict[str, torch.Tensor]

_NORM_OF_CONV = (
    (re.compile(r"^(.*\.)?norm$"), "conv"),
    (re.compile(r"^(.*\.)?norm2$"), "conv1"),
)


WIDE = torch.float64
"""Precision of the sums, unless the caller says otherwise."""


def fold_spectral_norm(state: Mapping[str, Tensor], wide: torch.dtype = WIDE) -> StateDict:
    """Divides every ``weight_orig`` by its stored spectral estimate u . (W v), u and v as they are."""
    folded = dict(state)
    for key in [k for k in state if k.endswith(".weight_orig")]:
        stem = key.removesuffix("_orig")
        weight = folded.pop(key)
        u, v = folded.pop(stem + "_u"), folded.pop(stem + "_v")
        matrix = weight.to(wide).flatten(1)
        folded[stem] = (weight.to(wide) / torch.dot(u.to(wide), matrix @ v.to(wide))).to(weight.dtype)
    return folded


def norm_affine(state: Mapping[str, Tensor], norm: str, wide: torch.dtype = WIDE) -> tuple[Tensor, Tensor]:
    """Scale and shift, (C,) in ``wide`` each, that a batch norm with its running statistics amounts to."""
    variance = state[f"{norm}.running_var"].to(wide)
    scale = state[f"{norm}.weight"].to(wide) / torch.sqrt(variance + BATCH_NORM_EPS)
    return scale, state[f"{norm}.bias"].to(wide) - state[f"{norm}.running_mean"].to(wide) * scale


def fold_batch_norms(
    state: Mapping[str, Tensor], conv_of_norm: Mapping[str, str] | None = None, wide: torch.dtype = WIDE
) -> StateDict:
    """Folds every batch norm into the convolution before it; where none is, a scale and a shift are left.

    Args:
        state: state dict of a network.
        conv_of_norm: norm -> convolution where the names do not say; ``x.norm`` follows ``x.conv`` and
            ``x.norm2`` follows ``x.conv1`` without being listed.
        wide: precision of the sums.
    """
    folded = dict(state)
    for norm in [k.removesuffix(".running_var") for k in state if k.endswith(".running_var")]:
        scale, shift = norm_affine(state, norm, wide)
        dtype = state[f"{norm}.weight"].dtype
        for leaf in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            del folded[f"{norm}.{leaf}"]
        conv = (conv_of_norm or {}).get(norm) or _conv_before(norm)
        if conv is None:
            folded[f"{norm}.weight"], folded[f"{norm}.bias"] = scale.to(dtype), shift.to(dtype)
            continue
        weight, bias = state[f"{conv}.weight"].to(wide), state[f"{conv}.bias"].to(wide)
        folded[f"{conv}.weight"] = (weight * scale.reshape(-1, *[1] * (weight.ndim - 1))).to(dtype)
        folded[f"{conv}.bias"] = (bias * scale + shift).to(dtype)
    return folded


def _conv_before(norm: str) -> str | None:
    for pattern, conv in _NORM_OF_CONV:
        match = pattern.match(norm)
        if match:
            return (match.group(1) or "") + conv
    return None


def upsampling_kernel(weight: Tensor, factor: int, wide: torch.dtype = WIDE) -> Tensor:
    """Kernel of the transposed convolution that equals nearest up-sampling and a k3 p1 convolution.

    The transposed convolution has stride ``factor`` in H and W, kernel ``factor + 2`` there, padding 1. An
    input pixel i becomes the output pixels ``factor*i .. factor*i + factor - 1``; the output at ``factor*i
    + r``, -1 <= r <= factor, meets it with the taps t for which r + t - 1 is among them. Depth, where
    there is one, keeps stride 1.

    Args:
        weight: (out, in, 3, 3) or (out, in, 3, 3, 3) kernel of the convolution after the up-sampling.
        factor: of the up-sampling in H and W.
        wide: precision of the sums.

    Returns:
        (in, out, [3,] factor + 2, factor + 2), same dtype.
    """
    place = weight.device
    position = torch.arange(factor + 2, device=place)[:, None] + torch.arange(3, device=place)[None, :] - 2
    spread = ((position >= 0) & (position < factor)).to(wide)
    kernel = torch.einsum("...hw,yh,xw->...yx", weight.to(wide), spread, spread)
    if kernel.ndim == 5:
        kernel = kernel.flip(2)
    return kernel.transpose(0, 1).contiguous().to(weight.dtype)


def join_heads(
    volume: tuple[Tensor, Tensor], flat: tuple[Tensor, Tensor], depth: int
) -> tuple[Tensor, Tensor]:
    """Weight and bias of ``blocks.VolumeHeads``.

    Args:
        volume: (out, in, k, k, k) weight and (out,) bias of the 3-D convolution.
        flat: (1, in * depth, k, k) weight and (1,) bias of the 2-D one, depth the faster index.
        depth: slices of the volume.

    Returns:
        (k * out + depth, in, k, k) and (k * out + depth,): the depth taps one after the other with the bias
        at the middle one, then the 2-D convolution's share of every depth with the bias at the first.
    """
    weight, bias = volume
    kernel, outputs = weight.shape[2], weight.shape[0]
    biases = bias.new_zeros(kernel * outputs + depth)
    biases[outputs * (kernel // 2) : outputs * (kernel // 2 + 1)] = bias
    biases[kernel * outputs] = flat[1].squeeze()
    taps = weight.permute(2, 0, 1, 3, 4).flatten(0, 1)
    shares = flat[0].reshape(-1, depth, kernel, kernel).transpose(0, 1)
    return torch.cat([taps, shares]), biases
