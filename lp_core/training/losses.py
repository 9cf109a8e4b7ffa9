"""Losses of stage I, each a mean over the pairs of the batch, so that the gradients of several processes average.

Sources: face-vid2vid (arXiv 2011.15126) for equivariance, the key-point prior, pose and deformation; LivePortrait
(arXiv 2407.03168) for the landmark guide and the regions; the Wing loss is arXiv 1711.06753.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

GUIDED: Mapping[int, int] = {
    11: 159, 13: 145, 15: 386, 16: 374, 18: 168, 14: 61, 20: 291, 17: 13, 19: 14, 12: 17,
}  # fmt: skip
"""Key point -> landmark of MediaPipe's 478 that it is guided to: lids and the root of the nose, then the mouth. The
indices are those of the published eye and lip groups."""


def wing(distance: Tensor, width: float, curve: float) -> Tensor:
    """Wing loss of distances, elementwise: w ln(1 + |d| / e) below w, |d| - (w - w ln(1 + w / e)) above."""
    size = distance.abs()
    offset = width - width * math.log(1 + width / curve)
    return torch.where(size < width, width * torch.log1p(size / curve), size - offset)


def guide(points: Sequence[Tensor], landmarks: Sequence[Tensor], width: float, curve: float) -> Tensor:
    """Guided key points to landmarks: 1 / (2 N) times the sum of Wing over N points, x and y, of two images.

    Args:
        points: two of (B, K, 3).
        landmarks: two of (B, 478, 2) in grid units.
        width: of the Wing loss.
        curve: of the Wing loss.
    """
    own, theirs = list(GUIDED), list(GUIDED.values())
    total = sum(
        wing(kp[:, own, :2] - marks[:, theirs], width, curve).sum(dim=(1, 2)).mean()
        for kp, marks in zip(points, landmarks, strict=True)
    )
    return torch.as_tensor(total) / (2 * len(own))


def prior(points: Tensor, distance: float, depth: float) -> Tensor:
    """Key points keep apart, guided pairs left out, and keep their mean depth; (B, K, 3)."""
    gaps = (points[:, :, None] - points[:, None]).square().sum(-1)
    counts = torch.ones(points.shape[1], points.shape[1], device=points.device)
    guided = torch.tensor([index for index in GUIDED if index < points.shape[1]], device=points.device)
    counts[guided[:, None], guided[None]] = 0
    counts.fill_diagonal_(0)
    crowding = (functional.relu(distance - gaps) * counts).sum(dim=(1, 2)).mean()
    return crowding + (points[..., 2].mean(dim=1) - depth).abs().mean()


def pose(degrees: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute error of pitch, yaw and roll, (B, 3) degrees each."""
    return (degrees - wanted).abs().mean()


class Deformation:
    """A random smooth map of the image plane: affine and thin-plate, one for each image.

    Convention:
        Points are (x, y) in grid units. The deformed image shows at p what the image shows at T(p), so a point
        found at q in the deformed image belongs at T(q) in the image.
    """

    def __init__(self, affine: Tensor, bends: Tensor) -> None:
        """Makes the maps.

        Args:
            affine: (B, 2, 3).
            bends: (B, n * n) weights of thin-plate terms on an n x n grid over -1..1.
        """
        side = math.isqrt(bends.shape[1])
        line = torch.linspace(-1, 1, side, device=bends.device)
        y, x = torch.meshgrid(line, line, indexing="ij")
        self._affine, self._bends = affine, bends
        self._controls = torch.stack([x, y], dim=-1).reshape(1, 1, -1, 2)

    def at(self, points: Tensor) -> Tensor:
        """(B, N, 2) -> (B, N, 2), T of the points."""
        straight = points @ self._affine[:, :, :2].transpose(1, 2) + self._affine[:, None, :, 2]
        reach = (points[:, :, None] - self._controls).abs().sum(-1)
        bent = (reach.square() * torch.log(reach + 1e-6) * self._bends[:, None]).sum(-1)
        return straight + bent[..., None]

    def image(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) deformed, its edges mirrored."""
        batch, _, height, width = image.shape
        y = (torch.arange(height, device=image.device) * 2 + 1) / height - 1
        x = (torch.arange(width, device=image.device) * 2 + 1) / width - 1
        grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(1, -1, 2)
        places = self.at(grid.expand(batch, -1, -1)).reshape(batch, height, width, 2)
        return functional.grid_sample(image, places, padding_mode="reflection", align_corners=False)


def equivariance(points: Tensor, points_deformed: Tensor, deformation: Deformation) -> Tensor:
    """Key points (B, K, 3) of an image against T of those found in the deformed image."""
    return (points[..., :2] - deformation.at(points_deformed[..., :2])).abs().mean()


def area_loss(difference: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B, 3, S, S) absolute differences inside (B, 1, S, S) masks, averaged over the batch."""
    inside = (difference * mask).sum(dim=(1, 2, 3))
    return (inside / (mask.sum(dim=(1, 2, 3)) * difference.shape[1]).clamp(min=1.0)).mean()


def means_loss(drawn: Tensor, truth: Tensor, side: int = 4) -> Tensor:
    """Mean absolute error of means over side x side pixels."""
    return (functional.avg_pool2d(drawn - truth, side)).abs().mean()


class RandomFeatures(nn.Module):
    """Fixed random convolutions whose features replace those of a trained network.

    Three 3 x 3 convolutions with He's spread, the first without response to plain areas; each layer's difference is
    taken relative to the truth's mean.
    """

    def __init__(self, seed: int = 1234) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        channels = (3, 16, 32, 64)
        for index, (before, after) in enumerate(zip(channels, channels[1:], strict=False)):
            weight = torch.randn(after, before, 3, 3, generator=generator) * math.sqrt(2 / (9 * before))
            if index == 0:
                weight -= weight.mean(dim=(2, 3), keepdim=True)
            self.register_buffer(f"weight{index}", weight, persistent=False)

    def layers(self, image: Tensor) -> list[Tensor]:
        """(B, 3, S, S) -> three maps."""
        found, x = [], image - 0.5
        for index in range(3):
            x = functional.relu(functional.conv2d(x, getattr(self, f"weight{index}"), padding=1))
            found.append(x)
            x = functional.avg_pool2d(x, 2)
        return found

    def forward(self, drawn: Tensor, truth: Tensor) -> Tensor:
        """The loss of (B, 3, S, S) images, 0..1."""
        with torch.no_grad():
            wanted = self.layers(truth)
        return relative_difference(self.layers(drawn), wanted)


def relative_difference(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Mean over layers of the mean absolute difference over the truth's mean, each for each image."""
    total = torch.zeros((), device=wanted[0].device)
    for a, b in zip(found, wanted, strict=True):
        size = b.abs().flatten(1).mean(dim=1).clamp(min=1e-6)
        total = total + ((a - b).abs().flatten(1).mean(dim=1) / size).mean()
    return total / len(wanted)


def hinge_of_generator(scores: Sequence[Tensor]) -> Tensor:
    """The generator raises the scores of its images."""
    return torch.stack([-score.mean() for score in scores]).mean()


def hinge_of_discriminator(real: Sequence[Tensor], drawn: Sequence[Tensor]) -> Tensor:
    """Scores of real images above 1, those of drawn ones below -1."""
    parts = [
        functional.relu(1 - a).mean() + functional.relu(1 + b).mean()
        for a, b in zip(real, drawn, strict=True)
    ]
    return torch.stack(parts).mean()


def matching(real: Sequence[Sequence[Tensor]], drawn: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean absolute difference of the discriminators' features; the real ones get no gradient."""
    parts = [
        (a.detach() - b).abs().mean()
        for of_real, of_drawn in zip(real, drawn, strict=True)
        for a, b in zip(of_real, of_drawn, strict=True)
    ]
    return torch.stack(parts).mean()
