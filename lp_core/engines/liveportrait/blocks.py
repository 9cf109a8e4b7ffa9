"""Layers shared by two or more networks, in their folded form: no batch norm, no spectral norm.

Attribute names are those of the checkpoint; what ``folding`` removed is missing here.
Convention: tensors are (B, C, H, W) or (B, C, D, H, W); depth is never pooled nor up-sampled.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def halve(x: Tensor) -> Tensor:
    """Averages 2 x 2 pixels of every depth slice.

    A 2-D pooling over the slices, because the 3-D one has no kernel for bfloat16 on the CPU; the numbers
    are the same.

    Args:
        x: (B, C, D, H, W), H and W even.

    Returns:
        (B, C, D, H/2, W/2).
    """
    slices = functional.avg_pool2d(x.transpose(1, 2).flatten(0, 1), 2)
    return slices.view(x.shape[0], x.shape[2], *slices.shape[1:]).transpose(1, 2)


class ScaleShift(nn.Module):
    """A batch norm that no convolution precedes: one scale and one shift a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) -> the same shape."""
        shape = (1, -1, *[1] * (x.ndim - 2))
        return torch.addcmul(self.bias.view(shape), x, self.weight.view(shape))


class SameBlock2d(nn.Module):
    """Convolution k3 p1 and a (leaky) ReLU."""

    def __init__(self, channels_in: int, channels_out: int, slope: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H, W)."""
        return functional.leaky_relu(self.conv(x), self.slope, inplace=True)


class DownBlock2d(nn.Module):
    """Convolution k3 p1, ReLU, 2 x 2 averages."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H/2, W/2)."""
        return functional.avg_pool2d(functional.relu_(self.conv(x)), 2)


class DownBlock3d(nn.Module):
    """Convolution k3 p1, ReLU, 2 x 2 averages in every depth slice."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels_in, channels_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, D, H, W) -> (B, out, D, H/2, W/2)."""
        return halve(functional.relu_(self.conv(x)))


class UpBlock3d(nn.Module):
    """Nearest up-sampling by 2 in H and W, convolution k3 p1, ReLU; the first two as one where that pays."""

    def __init__(self, channels_in: int, channels_out: int, is_merged: bool) -> None:
        """Makes the block.

        Args:
            channels_in: of its input.
            channels_out: of its output.
            is_merged: one transposed convolution: fewer products, but 48 taps of weights in place of 27.
        """
        super().__init__()
        self.is_merged = is_merged
        self.conv: nn.Module = (
            nn.ConvTranspose3d(channels_in, channels_out, (3, 4, 4), stride=(1, 2, 2), padding=1)
            if is_merged
            else nn.Conv3d(channels_in, channels_out, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, D, H, W) -> (B, out, D, 2H, 2W)."""
        wide = x if self.is_merged else functional.interpolate(x, scale_factor=(1, 2, 2), mode="nearest")
        return functional.relu_(self.conv(wide))


class VolumeHeads(nn.Module):
    """Two convolutions over a volume as one 2-D convolution over its depth slices.

    One is 3-D with few outputs: every slice gives an output for every depth tap, and the taps are then added
    where they belong. The other is 2-D over channels and depth together, with one output: every slice gives
    the output for each depth it could have, and its own counts. The sums are the same in another order, but a
    matrix unit is given ten times as many outputs at a time, and the volume is not laid out again.
    """

    def __init__(self, channels_in: int, channels_out: int, depth: int, kernel: int) -> None:
        """Makes the heads.

        Args:
            channels_in: of the volume.
            channels_out: of the 3-D convolution.
            depth: slices of the volume.
            kernel: of both, odd.
        """
        super().__init__()
        self.kernel, self.depth = kernel, depth
        outputs = kernel * channels_out + depth
        self.slices = nn.Conv2d(channels_in, outputs, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, in, D, H, W) -> (B, out, D, H, W) and (B, 1, H, W), float32."""
        each = self.slices(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (len(x), self.depth))
        flat = each[:, :, -self.depth :].diagonal(dim1=1, dim2=2).sum(-1, dtype=_wide(each.dtype))
        taps = each[:, :, : -self.depth].unflatten(2, (self.kernel, -1))
        middle = self.kernel // 2
        total = taps[:, :, middle].to(_wide(each.dtype), copy=True)
        for tap in range(self.kernel):
            offset = tap - middle
            first, stop = max(-offset, 0), min(self.depth - offset, self.depth)
            if offset != 0 and first < stop:
                total[:, first:stop] += taps[:, first + offset : stop + offset, tap]
        return total.transpose(1, 2), flat[:, None]


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


class ResBlock3d(nn.Module):
    """x + conv2(relu(conv1(relu(norm1(x))))): pre-activation, the second norm is in conv1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = ScaleShift(channels)
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) -> the same shape."""
        inner = self.conv1(functional.relu_(self.norm1(x)))
        result: Tensor = self.conv2(functional.relu_(inner)).add_(x)
        return result
