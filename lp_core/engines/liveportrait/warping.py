"""W: the source's feature volume, moved from the source's to the driving key points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.blocks import SameBlock2d
from lp_core.engines.liveportrait.config import WarpingConfig
from lp_core.engines.liveportrait.dense_motion import DenseMotion, DenseSource, fold_dense_motion
from lp_core.engines.liveportrait.folding import WIDE, StateDict

THIRD_SLOPE = 0.01
"""Leaky slope after ``third``."""


@dataclass(frozen=True)
class WarpSource:
    """A source made ready for warping: what does not change from one driving frame to the next."""

    volume: Tensor
    """(B, C, D, H, W) float32, the feature volume that is sampled."""
    dense: DenseSource
    """The dense motion network's share."""


@dataclass(frozen=True)
class Warped:
    """The result of a warp."""

    deformation: Tensor
    """(B, D, H, W, 3) float32: where every voxel reads the source's volume, (x, y, z) in grid units."""
    occlusion: Tensor
    """(B, 1, H, W) float32, 0 hidden .. 1 seen."""
    out: Tensor
    """(B, 256, H, W) in the network's precision: the generator's input."""


class WarpingModule(nn.Module):
    """The warping module, folded."""

    def __init__(self, config: WarpingConfig) -> None:
        super().__init__()
        self.dense_motion_network = DenseMotion(config)
        self.third = SameBlock2d(config.volume_channels * config.depth, config.out_channels, THIRD_SLOPE)
        self.fourth = nn.Conv2d(config.out_channels, config.out_channels, 1)

    def prepare(self, feature: Tensor, kp_source: Tensor) -> WarpSource:
        """The part that depends on the source only: once a still, once a frame of a filmed source.

        Args:
            feature: (B, 32, 16, 64, 64) volume of F.
            kp_source: (B, 21, 3) transformed key points of the source.
        """
        volume = feature.float().contiguous(memory_format=torch.channels_last_3d)
        return WarpSource(volume, self.dense_motion_network.prepare(feature, kp_source.float()))

    def forward(self, source: WarpSource, kp_driving: Tensor) -> Warped:
        """Warps a prepared source.

        Args:
            source: of batch B, or 1 for all.
            kp_driving: (B, 21, 3) transformed key points to move to.
        """
        deformation, occlusion = self.dense_motion_network(source.dense, kp_driving.float())
        volume = source.volume.expand(len(kp_driving), -1, -1, -1, -1)
        moved = functional.grid_sample(
            volume, deformation, mode="bilinear", padding_mode="zeros", align_corners=False
        )
        flat = moved.flatten(1, 2).to(self.fourth.weight.dtype)  # channel = c * depth + d
        flat = flat.contiguous(memory_format=torch.channels_last)
        out = self.fourth(self.third(flat))
        return Warped(deformation, occlusion, out * occlusion.to(out.dtype))


def fold_warping(state: Mapping[str, Tensor], wide: torch.dtype = WIDE) -> StateDict:
    """Checkpoint keys of W to those of :class:`WarpingModule`; ``wide`` is the precision of the sums."""
    return fold_dense_motion(state, "dense_motion_network.", wide)


def stacked_sources(sources: Sequence[WarpSource]) -> WarpSource:
    """Prepared sources of batch 1 as one of batch B, for the frames of a filmed source."""
    dense = [source.dense for source in sources]
    return WarpSource(
        torch.cat([source.volume for source in sources]),
        DenseSource(
            keypoints=torch.cat([item.keypoints for item in dense]),
            compressed=torch.cat([item.compressed for item in dense]),
            bumps=torch.cat([item.bumps for item in dense]),
        ),
    )
