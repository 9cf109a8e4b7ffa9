"""F of PerformRecast: a vision transformer (DINO ViT-B/16) over the crop, then LivePortrait's residual blocks.

The published names say DINOv2; the weights are those of DINO 1, fine-tuned, and complete in the checkpoint.
Folded here: the stored positions to the size of the input, and the transposed convolution into one linear layer a
token. The image's mean and spread stay their own step: folded into the patches' weights they cost a digit.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.blocks import ResBlock3d
from lp_core.engines.liveportrait.config import TransformerConfig
from lp_core.engines.liveportrait.folding import StateDict, fold_batch_norms

NORM_EPS = 1e-6
"""Of every layer norm."""
PIXEL_MEAN = (0.485, 0.456, 0.406)
"""Mean of the red, green and blue that the transformer was trained with."""
PIXEL_SPREAD = (0.229, 0.224, 0.225)
"""Their standard deviation."""
PREFIX = "dinov2_img_encoder.model."
"""Before the transformer's keys in the checkpoint."""


class Attention(nn.Module):
    """Self-attention with all heads' queries, keys and values from one linear layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) -> the same shape."""
        batch, count, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        joined = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        result: Tensor = self.proj(joined.reshape(batch, count, width))
        return result


class Mlp(nn.Module):
    """Two linear layers with an exact GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) -> the same shape."""
        result: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return result


class TransformerBlock(nn.Module):
    """A pre-norm block: attention and MLP, each added to its input."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, eps=NORM_EPS)
        self.attn = Attention(config.width, config.heads)
        self.norm2 = nn.LayerNorm(config.width, eps=NORM_EPS)
        self.mlp = Mlp(config.width, config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) -> the same shape."""
        x = x + self.attn(self.norm1(x))
        result: Tensor = x + self.mlp(self.norm2(x))
        return result


class Spread(nn.Module):
    """The transposed convolution k2 s2 over tokens: every token becomes 2 x 2 pixels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 4 * width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, H, W, width) -> (B, width, 2H, 2W), channels last in memory."""
        batch, height, width, channels = tokens.shape
        fine = self.linear(tokens).reshape(batch, height, width, 2, 2, channels)
        rows = fine.permute(0, 1, 3, 2, 4, 5).reshape(batch, 2 * height, 2 * width, channels)
        result: Tensor = rows.permute(0, 3, 1, 2)
        return result


class TransformerAppearance(nn.Module):
    """The appearance feature extractor with a transformer in front, folded."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, count = config.width, config.tokens**2 + 1
        self.config = config
        self.mean = nn.Parameter(torch.empty(3, 1, 1))
        self.spread = nn.Parameter(torch.empty(3, 1, 1))
        self.patches = nn.Conv2d(3, width, config.patch, stride=config.patch)
        self.start = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, count - 1, width))
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.t_conv = Spread(width)
        self.conv = nn.Conv2d(width, config.volume_channels * config.depth, 1)
        self.resblocks_3d = nn.Sequential(
            OrderedDict((f"3dr{i}", ResBlock3d(config.volume_channels)) for i in range(config.resblocks))
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Extracts the feature volume.

        Args:
            picture: (B, 3, 512, 512), [0, 1], RGB, display-encoded.

        Returns:
            (B, 32, 16, 64, 64).
        """
        side = self.config.tokens
        tokens = self.patches((picture - self.mean) / self.spread).flatten(2).transpose(1, 2) + self.positions
        tokens = torch.cat([self.start.expand(len(tokens), -1, -1), tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        picture_tokens = self.norm(tokens)[:, 1:].unflatten(1, (side, side))
        x = self.conv(functional.gelu(self.t_conv(picture_tokens)))
        volume = x.unflatten(1, (-1, self.config.depth))  # channel = c * depth + d
        result: Tensor = self.resblocks_3d(volume.contiguous(memory_format=torch.channels_last_3d))
        return result


def cubic_taps(size_out: int, size_in: int) -> Tensor:
    """(size_out, size_in) float64 weights of cubic resampling with a = -0.5, corners not aligned, taps renormalized.

    The rule of ``torch.nn.functional.interpolate(mode="bicubic", antialias=True)`` where it enlarges.
    """
    matrix = torch.zeros(size_out, size_in, dtype=torch.float64)
    for i in range(size_out):
        center = (i + 0.5) * size_in / size_out
        first, stop = max(int(center - 1.5), 0), min(int(center + 2.5), size_in)
        for j in range(first, stop):
            matrix[i, j] = _cubic(abs(j + 0.5 - center))
    return matrix / matrix.sum(dim=1, keepdim=True)


def _cubic(x: float) -> float:
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def resampled_positions(stored: Tensor, side: int) -> Tensor:
    """Stored positions of a square grid, (1, n * n, width), for a grid of ``side`` x ``side``, row by row."""
    old = math.isqrt(stored.shape[1])
    taps = cubic_taps(side, old)
    grid = stored.double().reshape(old, old, -1)
    fine = torch.einsum("yi,xj,ijc->yxc", taps, taps, grid)
    return fine.reshape(1, side * side, -1).to(stored.dtype)


def fold_transformer(state: Mapping[str, Tensor], config: TransformerConfig) -> StateDict:
    """Checkpoint keys of PerformRecast's F to those of :class:`TransformerAppearance`."""
    folded = {key.removeprefix(PREFIX): value for key, value in fold_batch_norms(state).items()}
    folded["mean"], folded["spread"] = (torch.tensor(v).reshape(3, 1, 1) for v in (PIXEL_MEAN, PIXEL_SPREAD))
    for leaf in ("weight", "bias"):
        folded[f"patches.{leaf}"] = folded.pop(f"patch_embed.proj.{leaf}")
    stored = folded.pop("pos_embed")
    folded["start"] = folded.pop("cls_token") + stored[:, :1]
    folded["positions"] = resampled_positions(stored[:, 1:], config.tokens)
    spread_weight, spread_bias = folded.pop("t_conv.weight"), folded.pop("t_conv.bias")
    # (in, out, 2, 2) -> rows (i, j, out)
    folded["t_conv.linear.weight"] = spread_weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous()
    folded["t_conv.linear.bias"] = spread_bias.repeat(4)
    return folded
