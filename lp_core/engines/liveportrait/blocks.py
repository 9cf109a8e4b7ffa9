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
    """Nearest up-sampling by 2 in H and W and convolution k3 p1 as one transposed convolution; ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose3d(channels_in, channels_out, (3, 4, 4), stride=(1, 2, 2), padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, D, H, W) -> (B, out, D, 2H, 2W)."""
        return functional.relu_(self.conv(x))


class ResBlock3d(nn.Module):
    """x + conv2(relu(conv1(relu(norm1(x))))): pre-activation, the second norm lies in conv1."""

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
