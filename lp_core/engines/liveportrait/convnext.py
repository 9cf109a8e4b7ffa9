"""ConvNeXt V2, the backbone of M."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

EPS = 1e-6
"""Of every layer norm and of the response norm."""


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape, channels last in memory."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ResponseNorm(nn.Module):
    """Global response normalisation: every channel against the mean strength of all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.empty(1, 1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> the same shape: gamma * x * r + beta + x, r = strength over mean strength."""
        strength = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        ratio = strength / (strength.mean(dim=-1, keepdim=True) + EPS)
        return torch.addcmul(self.beta, x, self.gamma * ratio + 1.0)


class ConvNextBlock(nn.Module):
    """Depth-wise k7, layer norm, an inverted bottleneck with exact GELU and response norm; residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.grn = ResponseNorm(4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        inner = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        inner = self.grn(functional.gelu(self.pwconv1(inner)))
        result: Tensor = x + self.pwconv2(inner).permute(0, 3, 1, 2)
        return result


class ConvNext(nn.Module):
    """Stem, four stages, the pooled and normalised feature."""

    def __init__(self, depths: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, stride=4), ChannelNorm(widths[0]))
        downs = [
            nn.Sequential(ChannelNorm(a), nn.Conv2d(a, b, 2, stride=2))
            for a, b in zip(widths, widths[1:], strict=False)
        ]
        self.downsample_layers = nn.ModuleList([stem, *downs])
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNextBlock(width) for _ in range(depth)))
            for depth, width in zip(depths, widths, strict=True)
        )
        self.norm = nn.LayerNorm(widths[-1], eps=EPS)

    def features(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, last width)."""
        x = picture
        for down, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(down(x))
        result: Tensor = self.norm(x.mean(dim=(2, 3)))
        return result
