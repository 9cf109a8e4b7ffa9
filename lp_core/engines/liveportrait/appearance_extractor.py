"""F: an image to its appearance, a volume of features."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lp_core.engines.liveportrait.blocks import DownBlock2d, ResBlock3d, SameBlock2d
from lp_core.engines.liveportrait.config import AppearanceConfig
from lp_core.engines.liveportrait.folding import WIDE, StateDict, fold_batch_norms


class AppearanceExtractor(nn.Module):
    """The appearance feature extractor, folded."""

    def __init__(self, config: AppearanceConfig) -> None:
        super().__init__()
        widths = [
            min(config.max_channels, config.base_channels * 2**i) for i in range(config.down_blocks + 1)
        ]
        self.depth = config.depth
        self.first = SameBlock2d(3, widths[0])
        self.down_blocks = nn.ModuleList(DownBlock2d(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.second = nn.Conv2d(widths[-1], config.volume_channels * config.depth, 1)
        self.resblocks_3d = nn.Sequential(
            OrderedDict((f"3dr{i}", ResBlock3d(config.volume_channels)) for i in range(config.resblocks))
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Extracts the feature volume.

        Args:
            picture: (B, 3, H, W), [0, 1], RGB, display-encoded; 256 x 256 for the published weights.

        Returns:
            (B, 32, 16, H/4, W/4).
        """
        x = self.first(picture)
        for block in self.down_blocks:
            x = block(x)
        x = self.second(x)
        volume = x.unflatten(1, (-1, self.depth))  # channel = c * depth + d
        result: Tensor = self.resblocks_3d(volume.contiguous(memory_format=torch.channels_last_3d))
        return result


def fold_appearance(state: Mapping[str, Tensor], wide: torch.dtype = WIDE) -> StateDict:
    """Checkpoint keys of F to those of :class:`AppearanceExtractor`; ``wide`` is the precision of the sums."""
    return fold_batch_norms(state, wide=wide)
