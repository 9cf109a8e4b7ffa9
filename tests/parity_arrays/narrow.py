"""Networks of a model's structure with few channels and a thin volume: images and key points keep their shapes."""

from __future__ import annotations

from dataclasses import replace

import torch

from lp_core.engines.liveportrait.appearance_extractor import AppearanceExtractor
from lp_core.engines.liveportrait.appearance_vit import TransformerAppearance
from lp_core.engines.liveportrait.config import AppearanceConfig, TransformerConfig
from lp_core.engines.liveportrait.generator import Generator
from lp_core.engines.liveportrait.motion_extractor import MotionExtractor
from lp_core.engines.liveportrait.networks import Networks, check_placement
from lp_core.engines.liveportrait.table import PublishedModel
from lp_core.engines.liveportrait.warping import WarpingModule


def narrow(model: PublishedModel) -> PublishedModel:
    """The model's row with narrow networks."""
    appearance = (
        replace(
            model.appearance, width=32, blocks=1, heads=2, hidden=32, resblocks=1, volume_channels=4, depth=2
        )
        if isinstance(model.appearance, TransformerConfig)
        else AppearanceConfig(base_channels=8, resblocks=1, volume_channels=4, depth=2)
    )
    return replace(
        model,
        appearance=appearance,
        motion=replace(model.motion, depths=(1, 1, 1, 1), widths=(8, 8, 8, 8)),
        warping=replace(
            model.warping,
            max_channels=16,
            hourglass_channels=2,
            compressed_channels=1,
            volume_channels=4,
            depth=2,
        ),
        generator=replace(
            model.generator, channels=32, shared_channels=8, middle_blocks=1, up_channels=(16, 8)
        ),
    )


def narrow_networks(model: PublishedModel, device: str = "cpu", seed: int = 0) -> Networks:
    """Narrow networks in float32 with seeded random weights; without the small networks for eyes and lips."""
    row, place = narrow(model), check_placement(device, torch.float32)
    draw = torch.Generator().manual_seed(seed)

    def made(network: torch.nn.Module) -> torch.nn.Module:
        for name, value in network.named_parameters():
            spread = 0.3 / max(value[0].numel(), 1) ** 0.5 if value.ndim > 1 else 0.05
            value.data = spread * torch.randn(value.shape, generator=draw) + (
                1.0
                if name.endswith(("fc_scale.bias", "norm.weight", "norm1.weight", "norm2.weight"))
                else 0.0
            )
        return network.to(place).eval().requires_grad_(False)

    appearance = (
        TransformerAppearance(row.appearance)
        if isinstance(row.appearance, TransformerConfig)
        else AppearanceExtractor(row.appearance)
    )
    return Networks(
        made(appearance),
        made(MotionExtractor(row.motion)),
        made(WarpingModule(row.warping)),
        made(Generator(row.generator)),
        {},
        device=place,
        dtype=torch.float32,
        origin="synthetic",
        model=replace(row, has_small_networks=False),
    )
