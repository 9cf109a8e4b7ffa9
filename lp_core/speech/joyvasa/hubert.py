"""HuBERT-base, the encoder of sound; attribute names are those of published checkpoints.

Source: Hsu et al., "HuBERT: Self-Supervised Speech Representation Learning by Masked Prediction of Hidden Units",
2021; layer sizes of the base model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class HubertSizes:
    """Sizes of the network; the defaults are the base model's."""

    channels: int = 512
    """Channels of the convolutions over the waveform."""
    kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    """Taps of each of them."""
    strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    """Their strides; the product is the samples per row, 320."""
    width: int = 768
    """Width of the transformer."""
    layers: int = 12
    """Its layers."""
    heads: int = 12
    """Heads of its attention."""
    inner: int = 3072
    """Width of its feed-forward layers."""
    position_taps: int = 128
    """Taps of the convolution that replaces positions."""
    position_groups: int = 16
    """Groups of that convolution."""


class _WaveLayer(nn.Module):
    def __init__(self, into: int, out: int, kernel: int, stride: int, is_normed: bool) -> None:
        super().__init__()
        self.conv = nn.Conv1d(into, out, kernel, stride, bias=False)
        self.layer_norm = nn.GroupNorm(out, out) if is_normed else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return functional.gelu(x if self.layer_norm is None else self.layer_norm(x))


class _WaveLayers(nn.Module):
    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(
            _WaveLayer(sizes.channels if index else 1, sizes.channels, kernel, stride, index == 0)
            for index, (kernel, stride) in enumerate(zip(sizes.kernels, sizes.strides, strict=True))
        )

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """(B, n) -> (B, channels, rows)."""
        x = samples[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x


class _Projection(nn.Module):
    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(sizes.channels)
        self.projection = nn.Linear(sizes.channels, sizes.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.projection(self.layer_norm(x))
        return result


class _Attention(nn.Module):
    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        self._heads = sizes.heads
        self.k_proj = nn.Linear(sizes.width, sizes.width)
        self.v_proj = nn.Linear(sizes.width, sizes.width)
        self.q_proj = nn.Linear(sizes.width, sizes.width)
        self.out_proj = nn.Linear(sizes.width, sizes.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, rows, width = x.shape

        def heads(y: torch.Tensor) -> torch.Tensor:
            return y.reshape(batch, rows, self._heads, -1).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        )
        result: torch.Tensor = self.out_proj(mixed.transpose(1, 2).reshape(batch, rows, width))
        return result


class _FeedForward(nn.Module):
    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(sizes.width, sizes.inner)
        self.output_dense = nn.Linear(sizes.inner, sizes.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.output_dense(functional.gelu(self.intermediate_dense(x)))
        return result


class _Layer(nn.Module):
    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        self.attention = _Attention(sizes)
        self.layer_norm = nn.LayerNorm(sizes.width)
        self.feed_forward = _FeedForward(sizes)
        self.final_layer_norm = nn.LayerNorm(sizes.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer_norm(x + self.attention(x))
        result: torch.Tensor = self.final_layer_norm(x + self.feed_forward(x))
        return result


class _Positions(nn.Module):
    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        conv = nn.Conv1d(
            sizes.width, sizes.width, sizes.position_taps, padding=sizes.position_taps // 2,
            groups=sizes.position_groups,
        )  # fmt: skip
        self.conv = nn.utils.parametrizations.weight_norm(conv, name="weight", dim=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        moved = self.conv(x.transpose(1, 2))[..., : x.shape[1]]  # an even kernel gives one row too many
        return functional.gelu(moved).transpose(1, 2)


class _Encoder(nn.Module):
    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        self.pos_conv_embed = _Positions(sizes)
        self.layer_norm = nn.LayerNorm(sizes.width)
        self.layers = nn.ModuleList(_Layer(sizes) for _ in range(sizes.layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer_norm(x + self.pos_conv_embed(x))
        for layer in self.layers:
            x = layer(x)
        return x


class Hubert(nn.Module):
    """Sound to features, 50 rows a second."""

    def __init__(self, sizes: HubertSizes | None = None) -> None:
        super().__init__()
        sizes = sizes or HubertSizes()
        self.masked_spec_embed = nn.Parameter(torch.zeros(sizes.width))
        """Of training; not used here, but part of the checkpoints."""
        self.feature_extractor = _WaveLayers(sizes)
        self.feature_projection = _Projection(sizes)
        self.encoder = _Encoder(sizes)

    def forward(self, samples: torch.Tensor, rows: int) -> torch.Tensor:
        """(B, rows, width) features of (B, n) sound at 16 kHz.

        The rows of the convolutions are interpolated linearly before the transformer.
        """
        waves = self.feature_extractor(samples)
        if waves.shape[2] != rows:
            waves = functional.interpolate(waves, size=rows, mode="linear", align_corners=False)
        result: torch.Tensor = self.encoder(self.feature_projection(waves.transpose(1, 2)))
        return result
