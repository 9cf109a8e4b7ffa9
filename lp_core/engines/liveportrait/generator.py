"""G: the warped feature to the image, by blocks that the feature itself modulates (SPADE).

Every SPADE reads the same label map, the warped feature, so the first layers of all SPADEs of one
resolution are one convolution (``shared_*``); where that resolution is higher, nearest up-sampling and
convolution are one transposed convolution. Scale and shift of a SPADE are one convolution too
(``modulation``), its scale's bias includes the 1 of ``n * (1 + gamma) + beta``.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.config import GeneratorConfig
from lp_core.engines.liveportrait.folding import WIDE, StateDict, fold_spectral_norm, upsampling_kernel

SLOPE = 0.2
"""Leaky slope everywhere in G."""
NORM_EPS = 1e-5
"""Of the instance norm in every SPADE."""


def normalise(x: Tensor) -> Tensor:
    """Instance norm: every channel of every sample to mean 0 and variance 1 over H and W.

    In two passes, in float32: PyTorch's own norms with channels last in memory take E[x^2] - E[x]^2, which
    loses all digits where a channel's mean is large next to its spread.

    Args:
        x: (B, C, H, W).
    """
    wide = x.float()
    centered = wide - wide.mean(dim=(2, 3), keepdim=True)
    variance = centered.square().mean(dim=(2, 3), keepdim=True)
    return (centered * torch.rsqrt(variance + NORM_EPS)).to(x.dtype)


class Spade(nn.Module):
    """Scale and shift of a normalised map, read from the hidden layer of the label map."""

    def __init__(self, channels: int, shared: int) -> None:
        super().__init__()
        self.modulation = nn.Conv2d(shared, 2 * channels, 3, padding=1)

    def forward(self, normalised: Tensor, hidden: Tensor) -> Tensor:
        """(B, N, H, W), (B, 128, H, W) -> (B, N, H, W)."""
        scale, shift = self.modulation(hidden).chunk(2, dim=1)
        return torch.addcmul(shift, normalised, scale)


class SpadeBlock(nn.Module):
    """A residual block with SPADE norms, on an input that may be up-sampled first.

    The instance norm of a nearest up-sampling is the up-sampling of the instance norm, so it is taken before.
    """

    def __init__(self, channels_in: int, channels_out: int, shared: int) -> None:
        super().__init__()
        middle = min(channels_in, channels_out)
        self.conv_0 = nn.Conv2d(channels_in, middle, 3, padding=1)
        self.conv_1 = nn.Conv2d(middle, channels_out, 3, padding=1)
        self.norm_0 = Spade(channels_in, shared)
        self.norm_1 = Spade(middle, shared)
        self.is_learned_shortcut = channels_in != channels_out
        if self.is_learned_shortcut:
            self.conv_s = nn.Conv2d(channels_in, channels_out, 1, bias=False)
            self.norm_s = Spade(channels_in, shared)

    def forward(self, x: Tensor, hidden: Tensor, factor: int = 1) -> Tensor:
        """Runs the block on ``x`` up-sampled by ``factor``.

        Args:
            x: (B, in, H, W).
            hidden: (B, 128 * norms, factor*H, factor*W), hidden layers of norm_0, norm_1 and norm_s in this
                order.
            factor: nearest up-sampling of ``x``.

        Returns:
            (B, out, factor*H, factor*W).
        """
        labels = hidden.chunk(3 if self.is_learned_shortcut else 2, dim=1)
        normalised = normalise(x)
        if factor > 1:
            normalised = functional.interpolate(normalised, scale_factor=factor, mode="nearest")
        shortcut = self.conv_s(self.norm_s(normalised, labels[2])) if self.is_learned_shortcut else x
        inner = self.conv_0(functional.leaky_relu_(self.norm_0(normalised, labels[0]), SLOPE))
        inner = self.conv_1(functional.leaky_relu_(self.norm_1(normalise(inner), labels[1]), SLOPE))
        result: Tensor = inner.add_(shortcut)
        return result


class Generator(nn.Module):
    """The SPADE generator, folded."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        label, width, shared = config.label_channels, config.channels, config.shared_channels
        after_0, after_1 = config.up_channels
        self.middle_blocks = config.middle_blocks
        self.fc = nn.Conv2d(label, width, 3, padding=1)
        self.shared_middle = nn.Conv2d(label, 2 * config.middle_blocks * shared, 3, padding=1)
        for index in range(config.middle_blocks):
            self.add_module(f"G_middle_{index}", SpadeBlock(width, width, shared))
        self.shared_up_0 = nn.ConvTranspose2d(label, 3 * shared, 4, stride=2, padding=1)
        self.up_0 = SpadeBlock(width, after_0, shared)
        self.shared_up_1 = nn.ConvTranspose2d(label, 3 * shared, 6, stride=4, padding=1)
        self.up_1 = SpadeBlock(after_0, after_1, shared)
        self.conv_img = nn.Sequential(
            nn.Conv2d(after_1, 3 * config.shuffle**2, 3, padding=1), nn.PixelShuffle(config.shuffle)
        )

    def forward(self, feature: Tensor) -> Tensor:
        """Draws the image.

        Args:
            feature: (B, 256, H, W), the warped feature.

        Returns:
            (B, 3, 8H, 8W) float32, [0, 1], RGB, display-encoded.
        """
        x = self.fc(feature)
        hidden = functional.relu_(self.shared_middle(feature)).chunk(self.middle_blocks, dim=1)
        for index, labels in enumerate(hidden):
            x = self.get_submodule(f"G_middle_{index}")(x, labels)
        x = self.up_0(x, functional.relu_(self.shared_up_0(feature)), factor=2)
        x = self.up_1(x, functional.relu_(self.shared_up_1(feature)), factor=2)
        logits = self.conv_img(functional.leaky_relu_(x, SLOPE))
        return torch.sigmoid(logits.float())


def fold_generator(state: Mapping[str, Tensor], wide: torch.dtype = WIDE) -> StateDict:
    """Checkpoint keys of G to those of :class:`Generator`; ``wide`` is the precision of the sums."""
    folded = fold_spectral_norm(state, wide)
    middle = sorted({key.partition(".")[0] for key in folded if key.startswith("G_middle_")})
    groups = {
        "shared_middle": ([f"{block}.{norm}" for block in middle for norm in ("norm_0", "norm_1")], 1),
        "shared_up_0": ([f"up_0.{norm}" for norm in ("norm_0", "norm_1", "norm_s")], 2),
        "shared_up_1": ([f"up_1.{norm}" for norm in ("norm_0", "norm_1", "norm_s")], 4),
    }
    for shared, (norms, factor) in groups.items():
        weight = torch.cat([folded.pop(f"{norm}.mlp_shared.0.weight") for norm in norms])
        folded[f"{shared}.weight"] = weight if factor == 1 else upsampling_kernel(weight, factor, wide)
        folded[f"{shared}.bias"] = torch.cat([folded.pop(f"{norm}.mlp_shared.0.bias") for norm in norms])
        for norm in norms:
            _join_modulation(folded, norm)
    return folded


def _join_modulation(folded: StateDict, norm: str) -> None:
    gamma, beta = f"{norm}.mlp_gamma", f"{norm}.mlp_beta"
    folded[f"{norm}.modulation.weight"] = torch.cat(
        [folded.pop(f"{gamma}.weight"), folded.pop(f"{beta}.weight")]
    )
    folded[f"{norm}.modulation.bias"] = torch.cat(
        [folded.pop(f"{gamma}.bias") + 1.0, folded.pop(f"{beta}.bias")]
    )
