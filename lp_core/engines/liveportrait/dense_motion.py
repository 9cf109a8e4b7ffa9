"""The dense motion network of W: two sets of key points to a deformation and an occlusion map.

Convention:
    Grid coordinates are (x, y, z) along W, H, D, each nominally -1..1. The identity grid has its end points
    at exactly -1 and +1, sampling does not (``align_corners=False``): a coordinate g along n samples reads
    position ((g + 1) n - 1) / 2, outside is zero. The identity grid is therefore not the identity; the
    weights were trained with this.

All geometry is float32 whatever the precision of the convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.blocks import DownBlock3d, UpBlock3d, VolumeHeads
from lp_core.engines.liveportrait.config import WarpingConfig
from lp_core.engines.liveportrait.folding import (
    WIDE,
    StateDict,
    fold_batch_norms,
    join_heads,
    upsampling_kernel,
)

PLAIN_UPS = 2
"""Deepest up-blocks that stay as they are: at 2 x 2 and 4 x 4 pixels, reading weights costs more than products."""


def axis_grid(size: int, like: Tensor) -> Tensor:
    """(size,) coordinates of the identity grid along one axis, -1 .. 1."""
    return torch.linspace(-1.0, 1.0, size, dtype=like.dtype, device=like.device)


def volume_size(volume: Tensor) -> tuple[int, int, int]:
    """(D, H, W) of a (B, C, D, H, W) tensor."""
    depth, height, width = volume.shape[2:]
    return depth, height, width


def identity_grid(size: tuple[int, int, int], like: Tensor) -> Tensor:
    """(D, H, W, 3) identity grid of the size (D, H, W), last axis (x, y, z)."""
    z, y, x = torch.meshgrid(*(axis_grid(n, like) for n in size), indexing="ij")
    return torch.stack([x, y, z], dim=-1)


def resampling_matrix(size: int, shift: Tensor) -> Tensor:
    """Linear sampling of one axis at the identity grid moved by a shift, as a matrix.

    Args:
        size: samples n along the axis.
        shift: (...) shifts in grid units.

    Returns:
        (..., n, n): row i weights the samples for output i; samples outside count as zero.
    """
    position = ((axis_grid(size, shift) + shift[..., None] + 1.0) * size - 1.0) / 2.0
    sample = torch.arange(size, dtype=shift.dtype, device=shift.device)
    return (1.0 - (position[..., None] - sample).abs()).clamp_(min=0.0)


def sample_translated(volume: Tensor, shift: Tensor) -> Tensor:
    """Samples a volume at translated identity grids; separable, so no gather.

    Args:
        volume: (B, C, D, H, W).
        shift: (B, K, 3) translations (x, y, z) in grid units.

    Returns:
        (B, K, D, C, H, W).
    """
    batch, channels, depth, height, width = volume.shape
    count = shift.shape[1]
    along_x = resampling_matrix(width, shift[..., 0]).flatten(0, 1)
    along_y = resampling_matrix(height, shift[..., 1]).flatten(0, 1)
    along_z = resampling_matrix(depth, shift[..., 2]).flatten(1, 2)
    slices = along_z @ volume.transpose(1, 2).flatten(2)  # (B, K*D, C*H*W)
    rows = slices.reshape(batch * count, depth * channels * height, width) @ along_x.transpose(1, 2)
    sampled = along_y[:, None] @ rows.reshape(batch * count, depth * channels, height, width)
    return sampled.reshape(batch, count, depth, channels, height, width)


def gaussians(points: Tensor, size: tuple[int, int, int], variance: float) -> Tensor:
    """Gaussian bumps around points, each a product of three 1-D ones.

    Args:
        points: (B, K, 3) as (x, y, z) in grid units.
        size: (D, H, W) of the grid.
        variance: in squared grid units.

    Returns:
        (B, K, D, H, W), 1 at a point.
    """
    z, y, x = (
        torch.exp((axis_grid(n, points) - points[..., axis, None]).square() * (-0.5 / variance))
        for n, axis in zip(size, (2, 1, 0), strict=True)
    )
    return (z[..., :, None] * y[..., None, :])[..., None] * x[..., None, None, :]


@dataclass(frozen=True)
class DenseSource:
    """What the dense motion network needs of the source, and nothing else: made once a still."""

    keypoints: Tensor
    """(B, 21, 3) float32, the transformed key points."""
    compressed: Tensor
    """(B, 4, D, H, W) float32, the compressed volume."""
    bumps: Tensor
    """(B, 21, D, H, W) float32, the Gaussians around the key points."""


class Encoder(nn.Module):
    """Down-blocks, every output kept."""

    def __init__(self, config: WarpingConfig) -> None:
        super().__init__()
        widths = [
            config.hourglass_in,
            *(config.hourglass_width(i + 1) for i in range(config.hourglass_blocks)),
        ]
        self.down_blocks = nn.ModuleList(DownBlock3d(a, b) for a, b in zip(widths, widths[1:], strict=False))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C, D, H, W) -> the input and every block's output."""
        levels = [x]
        for block in self.down_blocks:
            levels.append(block(levels[-1]))
        return levels


class Decoder(nn.Module):
    """Up-blocks, each joined with the encoder's level of its size, and a last convolution."""

    def __init__(self, config: WarpingConfig) -> None:
        super().__init__()
        deepest = config.hourglass_blocks
        self.up_blocks = nn.ModuleList(
            UpBlock3d(
                config.hourglass_width(level) * (1 if level == deepest else 2),
                config.hourglass_width(level - 1),
                is_merged=deepest - level >= PLAIN_UPS,
            )
            for level in range(deepest, 0, -1)
        )
        self.conv = nn.Conv3d(config.hourglass_out, config.hourglass_out, 3, padding=1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """The encoder's levels -> (B, out, D, H, W)."""
        x = levels[-1]
        for block, skip in zip(self.up_blocks, reversed(levels[:-1]), strict=True):
            x = torch.cat([block(x), skip], dim=1)
        return functional.relu_(self.conv(x))


class Hourglass(nn.Module):
    """Encoder and decoder."""

    def __init__(self, config: WarpingConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, D, H, W) -> (B, out, D, H, W)."""
        result: Tensor = self.decoder(self.encoder(x))
        return result


class DenseMotion(nn.Module):
    """Weighs 22 candidate flows, all translations, voxel by voxel."""

    def __init__(self, config: WarpingConfig) -> None:
        super().__init__()
        self.config = config
        self.hourglass = Hourglass(config)
        self.compress = nn.Conv3d(config.volume_channels, config.compressed_channels, 1)
        self.heads = VolumeHeads(config.hourglass_out, config.candidates, config.depth, 7)

    def prepare(self, volume: Tensor, keypoints: Tensor) -> DenseSource:
        """The part that depends on the source only.

        Args:
            volume: (B, C, D, H, W) feature volume.
            keypoints: (B, 21, 3) float32 transformed key points of the source.
        """
        compressed = functional.relu_(self.compress(volume.to(self.compress.weight.dtype)))
        bumps = gaussians(keypoints, volume_size(volume), self.config.variance)
        return DenseSource(keypoints=keypoints, compressed=compressed.float(), bumps=bumps)

    def candidates(self, source: DenseSource, keypoints: Tensor) -> Tensor:
        """The hourglass's input: heat map and moved volume of every candidate, the background first.

        Args:
            source: of batch B, or 1 for all.
            keypoints: (B, 21, 3) float32 driving key points.

        Returns:
            (B, 22 * (1 + C), D, H, W) float32, channels last in memory.
        """
        batch = keypoints.shape[0]
        shift = functional.pad(source.keypoints - keypoints, (0, 0, 1, 0))
        moved = sample_translated(source.compressed.expand(batch, -1, -1, -1, -1), shift)
        _, count, depth, channels, height, width = moved.shape
        joined = moved.new_zeros(batch, depth, height, width, count, 1 + channels)
        heat = gaussians(keypoints, (depth, height, width), self.config.variance) - source.bumps
        joined[..., 1:, 0] = heat.permute(0, 2, 3, 4, 1)
        joined[..., 1:] = moved.permute(0, 2, 4, 5, 1, 3)
        return joined.flatten(4).permute(0, 4, 1, 2, 3)

    def forward(self, source: DenseSource, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """The dense motion.

        Args:
            source: of batch B, or 1 for all.
            keypoints: (B, 21, 3) float32 driving key points.

        Returns:
            deformation: (B, D, H, W, 3) float32, where to sample the source's volume.
            occlusion: (B, 1, H, W) float32, 0..1.
        """
        dtype = self.compress.weight.dtype
        features = self.hourglass(self.candidates(source, keypoints).to(dtype))
        logits, hidden = self.heads(features)
        mask = functional.softmax(logits, dim=1)
        # flow_k = identity - driving + source, and the masks sum to one
        shift = source.keypoints - keypoints
        moved = torch.einsum("bkdhw,bkc->bdhwc", mask[:, 1:], shift.expand(len(keypoints), -1, -1))
        deformation = identity_grid(volume_size(mask), mask) + moved
        return deformation, torch.sigmoid(hidden)


def fold_dense_motion(state: Mapping[str, Tensor], prefix: str, wide: torch.dtype = WIDE) -> StateDict:
    """Checkpoint keys below ``prefix`` to those of :class:`DenseMotion`; other keys pass through."""
    folded = fold_batch_norms(state, {f"{prefix}norm": f"{prefix}compress"}, wide)
    ups = f"{prefix}hourglass.decoder.up_blocks."
    plain = tuple(f"{ups}{index}." for index in range(PLAIN_UPS))
    for key in [k for k in folded if k.startswith(ups) and k.endswith("conv.weight")]:
        if not key.startswith(plain):
            folded[key] = upsampling_kernel(folded[key], 2, wide)
    both = [
        (folded.pop(f"{prefix}{head}.weight"), folded.pop(f"{prefix}{head}.bias"))
        for head in ("mask", "occlusion")
    ]
    depth = both[1][0].shape[1] // both[0][0].shape[1]  # the occlusion reads channel c * depth + d
    weight, bias = join_heads(both[0], both[1], depth)
    folded[f"{prefix}heads.slices.weight"], folded[f"{prefix}heads.slices.bias"] = weight, bias
    return folded
