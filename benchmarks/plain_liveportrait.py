"""The LivePortrait networks written down plainly: nothing folded, nothing merged, nothing shortened.

The yardstick of ``benchmarks/liveportrait.py`` and the other side of the tests that prove the shortcuts
exact. Every module has the checkpoint's keys; sizes come from the engine's configuration.
"""

# ruff: noqa: D101, D102, D103 - the blocks are the published ones and named as there

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.config import AppearanceConfig, GeneratorConfig, MotionConfig, WarpingConfig
from lp_core.engines.liveportrait.motion_extractor import MotionExtractor


class Same2d(nn.Module):
    def __init__(self, a: int, b: int, slope: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(a, b, 3, padding=1)
        self.norm = nn.BatchNorm2d(b)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(self.norm(self.conv(x)), self.slope)


class Down2d(nn.Module):
    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(a, b, 3, padding=1)
        self.norm = nn.BatchNorm2d(b)

    def forward(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(functional.relu(self.norm(self.conv(x))), 2)


class Down3d(nn.Module):
    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(a, b, 3, padding=1)
        self.norm = nn.BatchNorm3d(b)

    def forward(self, x: Tensor) -> Tensor:
        return functional.avg_pool3d(functional.relu(self.norm(self.conv(x))), (1, 2, 2))


class Up3d(nn.Module):
    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(a, b, 3, padding=1)
        self.norm = nn.BatchNorm3d(b)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(functional.interpolate(x, scale_factor=(1, 2, 2)))))


class Res3d(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm3d(channels)
        self.norm2 = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(functional.relu(self.norm1(x)))
        return x + self.conv2(functional.relu(self.norm2(inner)))


class PlainAppearance(nn.Module):
    """F."""

    def __init__(self, config: AppearanceConfig) -> None:
        super().__init__()
        widths = [
            min(config.max_channels, config.base_channels * 2**i) for i in range(config.down_blocks + 1)
        ]
        self.depth = config.depth
        self.first = Same2d(3, widths[0])
        self.down_blocks = nn.ModuleList(Down2d(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.second = nn.Conv2d(widths[-1], config.volume_channels * config.depth, 1)
        self.resblocks_3d = nn.Sequential(
            OrderedDict((f"3dr{i}", Res3d(config.volume_channels)) for i in range(config.resblocks))
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.down_blocks:
            x = block(x)
        return self.resblocks_3d(self.second(x).unflatten(1, (-1, self.depth)))


class Encoder(nn.Module):
    def __init__(self, c: WarpingConfig) -> None:
        super().__init__()
        widths = [c.hourglass_in, *(c.hourglass_width(i + 1) for i in range(c.hourglass_blocks))]
        self.down_blocks = nn.ModuleList(Down3d(a, b) for a, b in zip(widths, widths[1:], strict=False))


class Decoder(nn.Module):
    def __init__(self, c: WarpingConfig) -> None:
        super().__init__()
        top = c.hourglass_blocks
        self.up_blocks = nn.ModuleList(
            Up3d((1 if i == top else 2) * c.hourglass_width(i), c.hourglass_width(i - 1))
            for i in range(top, 0, -1)
        )
        self.conv = nn.Conv3d(c.hourglass_out, c.hourglass_out, 3, padding=1)
        self.norm = nn.BatchNorm3d(c.hourglass_out)


class Hourglass(nn.Module):
    def __init__(self, c: WarpingConfig) -> None:
        super().__init__()
        self.encoder = Encoder(c)
        self.decoder = Decoder(c)

    def forward(self, x: Tensor) -> Tensor:
        levels = [x]
        for block in self.encoder.down_blocks:
            levels.append(block(levels[-1]))
        x = levels.pop()
        for block in self.decoder.up_blocks:
            x = torch.cat([block(x), levels.pop()], dim=1)
        return functional.relu(self.decoder.norm(self.decoder.conv(x)))


def grid(d: int, h: int, w: int, like: Tensor) -> Tensor:
    axes = [torch.linspace(-1, 1, n, dtype=like.dtype, device=like.device) for n in (d, h, w)]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([x, y, z], dim=-1)


class DenseMotion(nn.Module):
    def __init__(self, c: WarpingConfig) -> None:
        super().__init__()
        self.c = c
        self.hourglass = Hourglass(c)
        self.mask = nn.Conv3d(c.hourglass_out, c.candidates, 7, padding=3)
        self.compress = nn.Conv3d(c.volume_channels, c.compressed_channels, 1)
        self.norm = nn.BatchNorm3d(c.compressed_channels)
        self.occlusion = nn.Conv2d(c.hourglass_out * c.depth, 1, 7, padding=3)

    def candidates(self, feature: Tensor, kd: Tensor, ks: Tensor) -> tuple[Tensor, Tensor]:
        small = functional.relu(self.norm(self.compress(feature)))
        b, channels, d, h, w = small.shape
        identity = grid(d, h, w, kd)

        def point(p: Tensor) -> Tensor:
            return p[:, :, None, None, None]

        def heat(p: Tensor) -> Tensor:
            return torch.exp(-0.5 * (identity - point(p)).square().sum(-1) / self.c.variance)

        flows = torch.cat([identity.expand(b, 1, d, h, w, 3), identity - point(kd) + point(ks)], dim=1)
        count = flows.shape[1]
        repeated = small[:, None].expand(b, count, channels, d, h, w).flatten(0, 1)
        moved = functional.grid_sample(repeated, flows.flatten(0, 1), align_corners=False)
        maps = functional.pad(heat(kd) - heat(ks), (0, 0, 0, 0, 0, 0, 1, 0))
        joined = torch.cat([maps[:, :, None], moved.unflatten(0, (b, count))], dim=2)
        return joined.flatten(1, 2), flows

    def forward(self, feature: Tensor, kd: Tensor, ks: Tensor) -> tuple[Tensor, Tensor]:
        joined, flows = self.candidates(feature, kd, ks)
        features = self.hourglass(joined)
        mask = torch.softmax(self.mask(features), dim=1)
        deformation = (mask[..., None] * flows).sum(dim=1)
        return deformation, torch.sigmoid(self.occlusion(features.flatten(1, 2)))


class PlainWarping(nn.Module):
    """W."""

    def __init__(self, c: WarpingConfig) -> None:
        super().__init__()
        self.dense_motion_network = DenseMotion(c)
        self.third = Same2d(c.volume_channels * c.depth, c.out_channels, 0.01)
        self.fourth = nn.Conv2d(c.out_channels, c.out_channels, 1)

    def forward(
        self, feature: Tensor, kp_driving: Tensor, kp_source: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        deformation, occlusion = self.dense_motion_network(feature, kp_driving, kp_source)
        moved = functional.grid_sample(feature, deformation, align_corners=False)
        return deformation, occlusion, self.fourth(self.third(moved.flatten(1, 2))) * occlusion


class SpectralConv(nn.Module):
    """A convolution that divides by its stored spectral estimate in every call."""

    def __init__(self, a: int, b: int, size: int, bias: bool = True) -> None:
        super().__init__()
        if bias:
            self.bias = nn.Parameter(torch.zeros(b))
        self.weight_orig = nn.Parameter(torch.zeros(b, a, size, size))
        self.weight_u = nn.Parameter(torch.zeros(b))
        self.weight_v = nn.Parameter(torch.zeros(a * size * size))

    def forward(self, x: Tensor) -> Tensor:
        sigma = torch.dot(self.weight_u, self.weight_orig.flatten(1) @ self.weight_v)
        weight = self.weight_orig / sigma
        return functional.conv2d(x, weight, getattr(self, "bias", None), padding=weight.shape[-1] // 2)


class Spade(nn.Module):
    def __init__(self, channels: int, label: int, hidden: int) -> None:
        super().__init__()
        self.mlp_shared = nn.Sequential(nn.Conv2d(label, hidden, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        hidden = self.mlp_shared(functional.interpolate(label, size=x.shape[2:]))
        return functional.instance_norm(x) * (1 + self.mlp_gamma(hidden)) + self.mlp_beta(hidden)


class SpadeBlock(nn.Module):
    def __init__(self, a: int, b: int, label: int, hidden: int) -> None:
        super().__init__()
        middle = min(a, b)
        self.conv_0 = SpectralConv(a, middle, 3)
        self.conv_1 = SpectralConv(middle, b, 3)
        self.norm_0 = Spade(a, label, hidden)
        self.norm_1 = Spade(middle, label, hidden)
        if a != b:
            self.conv_s = SpectralConv(a, b, 1, bias=False)
            self.norm_s = Spade(a, label, hidden)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        shortcut = self.conv_s(self.norm_s(x, label)) if hasattr(self, "conv_s") else x
        inner = self.conv_0(functional.leaky_relu(self.norm_0(x, label), 0.2))
        return shortcut + self.conv_1(functional.leaky_relu(self.norm_1(inner, label), 0.2))


class PlainGenerator(nn.Module):
    """G."""

    def __init__(self, c: GeneratorConfig) -> None:
        super().__init__()
        self.c = c
        self.fc = nn.Conv2d(c.label_channels, c.channels, 3, padding=1)
        for index in range(c.middle_blocks):
            self.add_module(
                f"G_middle_{index}", SpadeBlock(c.channels, c.channels, c.label_channels, c.shared_channels)
            )
        first, second = c.up_channels
        self.up_0 = SpadeBlock(c.channels, first, c.label_channels, c.shared_channels)
        self.up_1 = SpadeBlock(first, second, c.label_channels, c.shared_channels)
        self.conv_img = nn.Sequential(
            nn.Conv2d(second, 3 * c.shuffle**2, 3, padding=1), nn.PixelShuffle(c.shuffle)
        )

    def forward(self, feature: Tensor) -> Tensor:
        x = self.fc(feature)
        for index in range(self.c.middle_blocks):
            x = self.get_submodule(f"G_middle_{index}")(x, feature)
        x = self.up_0(functional.interpolate(x, scale_factor=2), feature)
        x = self.up_1(functional.interpolate(x, scale_factor=2), feature)
        return torch.sigmoid(self.conv_img(functional.leaky_relu(x, 0.2)))


def plain_network(name: str, state: dict[str, Tensor]) -> nn.Module:
    """A network of the published sizes: F, M (which has nothing to shorten), W or G, with its weights."""
    makers = {
        "F": lambda: PlainAppearance(AppearanceConfig()),
        "M": lambda: MotionExtractor(MotionConfig()),
        "W": lambda: PlainWarping(WarpingConfig()),
        "G": lambda: PlainGenerator(GeneratorConfig()),
    }
    with torch.device("meta"):
        network = makers[name]()
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)
