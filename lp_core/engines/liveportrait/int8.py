"""W and G in 8-bit integers on a processor, by post-training quantization; layers that lose too much stay as they are.

Weights are quantized for each output channel, inputs for each layer over the range that calibration images gave them.
Products run in oneDNN: VNNI and AMX where the processor has them. Without VNNI two products are added in 16 bits, which
overflow, so inputs then take 7 bits.

Convention:
    A layer's input x becomes q = round(x / scale + zero), 0 <= q < levels; its weight is symmetric, -127..127.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

WANTED_DB = 38.0
"""PSNR against float32 that the calibration images must keep."""
LEAST_CHANNELS = 32
"""Layers with fewer inputs or outputs stay as they are: they cost little and carry the image itself."""
_CPU_INFO = Path("/proc/cpuinfo")
_WIDE_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})


@dataclass(frozen=True)
class Range:
    """What a layer's input was seen to span; 0 is always inside."""

    low: float
    high: float


def has_vnni(cpu_info: Path = _CPU_INFO) -> bool:
    """Whether the processor adds products of 8 bits in 32 bits; False where the system does not say."""
    if platform.system() != "Linux":
        return False
    try:
        text = cpu_info.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    lines = (line for line in text.splitlines() if line.startswith("flags"))
    return any(_WIDE_FLAGS & set(line.split()) for line in lines)


class QuantizedConv(nn.Module):
    """A convolution whose products are of 8-bit integers; takes and gives floating-point numbers."""

    def __init__(self, conv: nn.Conv2d | nn.Conv3d, seen: Range, levels: int) -> None:
        """Quantizes a layer.

        Args:
            conv: the layer, float32.
            seen: range of its input.
            levels: 256, or 128 for processors without VNNI.
        """
        super().__init__()
        weight = conv.weight.detach().float()
        peaks = weight.abs().flatten(1).amax(dim=1).clamp_min(1e-12)
        self.scales = peaks / 127.0
        whole = (weight / self.scales.reshape(-1, *[1] * (weight.ndim - 1))).round_().clamp_(-127, 127)
        low, high = min(seen.low, 0.0), max(seen.high, 0.0)
        self.scale = max((high - low) / (levels - 1), 1e-12)
        self.zero = round(-low / self.scale)
        self.geometry = list(conv.stride), list(map(int, conv.padding)), list(conv.dilation), conv.groups
        self.zeros = torch.zeros(len(peaks), dtype=torch.int32)
        self.shift = None if conv.bias is None else conv.bias.detach().float()
        self.packed: Tensor = torch.ops.onednn.qconv_prepack(
            whole.to(torch.int8), self.scales, self.scale, self.zero, *self.geometry, None
        )
        self.levels, self.middle = levels, torch.tensor(float(self.zero))
        self.weight = weight.new_empty(0, dtype=conv.weight.dtype)  # gives callers the type they compute in

    def forward(self, x: Tensor) -> Tensor:
        """The same shapes as the layer's; results in the input's precision (bfloat16 or float32)."""
        kind = torch.bfloat16 if x.dtype == torch.bfloat16 else torch.float32
        layout = torch.channels_last if x.ndim == 4 else torch.channels_last_3d
        wide = x.float().contiguous(memory_format=layout)
        shifted = torch.add(self.middle, wide, alpha=1.0 / self.scale)
        whole = shifted.round_().clamp_(0, self.levels - 1).to(torch.uint8)
        result: Tensor = torch.ops.onednn.qconv_pointwise.default(
            whole,
            self.scale,
            self.zero,
            self.packed,
            self.scales,
            self.zeros,
            self.shift,
            *self.geometry,
            1.0,
            0,
            kind,
            "none",
            [],
            "",
        )
        return result


def candidates(module: nn.Module) -> Iterator[tuple[str, nn.Conv2d | nn.Conv3d]]:
    """(name, layer) of everything in a network that can be quantized."""
    for name, layer in module.named_modules():
        is_plain = isinstance(layer, nn.Conv2d | nn.Conv3d) and layer.groups == 1
        if is_plain and min(layer.in_channels, layer.out_channels) >= LEAST_CHANNELS:
            yield name, layer


class RangeWatch:
    """Notes the range of every candidate layer's input, and how much quantizing it would cost, while it is open."""

    def __init__(self, module: nn.Module) -> None:
        self.layers = dict(candidates(module))
        self.ranges: dict[str, Range] = {}
        self._handles: list[Any] = []

    def __enter__(self) -> RangeWatch:
        for name, layer in self.layers.items():
            self._handles.append(layer.register_forward_pre_hook(self._hook(name)))
        return self

    def _hook(self, name: str) -> Any:  # noqa: ANN401 - torch's own type
        def note(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            low, high = (float(v) for v in torch.aminmax(inputs[0].float()))
            seen = self.ranges.get(name, Range(low, high))
            self.ranges[name] = Range(min(seen.low, low), max(seen.high, high))

        return note

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()


def quantized(
    module: nn.Module, ranges: Mapping[str, Range], kept: Sequence[str] = ()
) -> dict[str, nn.Module]:
    """Replaces a network's layers in place and returns the ones that were there.

    Args:
        module: the network.
        ranges: layer -> range of its input, of ``RangeWatch``.
        kept: layers that stay as they are.
    """
    levels = 256 if has_vnni() else 128
    before: dict[str, nn.Module] = {}
    for name, layer in list(candidates(module)):
        if name in ranges and name not in kept:
            before[name] = layer
            module.set_submodule(name, QuantizedConv(layer, ranges[name], levels))
    return before


def restore(module: nn.Module, layers: Mapping[str, nn.Module]) -> None:
    """Puts layers back that ``quantized`` took out."""
    for name, layer in layers.items():
        module.set_submodule(name, layer)


def psnr(actual: Tensor, wanted: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of images, 0..1."""
    error = float((actual.double() - wanted.double()).square().mean())
    return float("inf") if error == 0 else -10.0 * float(torch.log10(torch.tensor(error)))


def layer_costs(
    module: nn.Module, ranges: Mapping[str, Range], inputs: Mapping[str, Tensor]
) -> dict[str, float]:
    """Layer -> squared error of its output, over the output's own power, when it alone is quantized.

    Args:
        module: the network.
        ranges: of ``RangeWatch``.
        inputs: layer -> an input that it was seen to get.
    """
    levels = 256 if has_vnni() else 128
    costs = {}
    for name, layer in candidates(module):
        if name not in ranges or name not in inputs:
            continue
        wanted = layer(inputs[name])
        error = QuantizedConv(layer, ranges[name], levels)(inputs[name]) - wanted
        costs[name] = float(error.square().mean() / wanted.square().mean().clamp_min(1e-12))
    return costs
