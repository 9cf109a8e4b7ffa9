"""Discriminators of the whole image, the face and the lips; learned from scratch with the generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from lp_core.geometry.facemesh import OVAL
from lp_core.training.pairs import LIPS

REGIONS = ("whole", "face", "lips")
LEAST_PX = 16
GROWN = {"face": 1.2, "lips": 1.6}
"""How much larger the squares are than the landmarks' boxes."""


class PatchDiscriminator(nn.Module):
    """Judges overlapping patches: strided 4 x 4 convolutions with spectral norm."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        widths = [3, *(channels << index for index in range(layers))]
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1))
            for a, b in zip(widths, widths[1:], strict=False)
        )
        self.last = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, S, S) -> scores (B, 1, s, s) and the features of each layer."""
        found, x = [], image * 2 - 1
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
            found.append(x)
        return self.last(x), found


class Discriminators(nn.Module):
    """Three discriminators."""

    def __init__(self, output_px: int, channels: int = 32) -> None:
        super().__init__()
        self.sides = {"whole": output_px, "face": output_px // 2, "lips": max(output_px // 4, LEAST_PX)}
        self.judges = nn.ModuleDict(
            {name: PatchDiscriminator(channels, 3 if side >= 32 else 2) for name, side in self.sides.items()}
        )

    def forward(self, image: Tensor, marks: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Scores and features of each region.

        Args:
            image: (B, 3, S, S), [0, 1].
            marks: (B, 478, 2) landmarks in grid units, which place the regions.
        """
        scores, features = [], []
        for name in REGIONS:
            part = image if name == "whole" else region(image, marks, name, self.sides[name])
            score, found = self.judges[name](part)
            scores.append(score)
            features.append(found)
        return scores, features


def region(image: Tensor, marks: Tensor, name: str, side: int) -> Tensor:
    """The square around the face or the lips, (B, 3, side, side)."""
    index = torch.as_tensor(OVAL if name == "face" else LIPS, device=image.device)
    points = marks[:, index]
    low, high = points.amin(dim=1), points.amax(dim=1)
    center, half = (low + high) / 2, (high - low).amax(dim=1) / 2 * GROWN[name]
    line = (torch.arange(side, device=image.device) * 2 + 1) / side - 1
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)
    places = center[:, None, None] + half[:, None, None, None] * grid
    return functional.grid_sample(image, places, padding_mode="border", align_corners=False)
