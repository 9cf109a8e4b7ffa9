"""Inputs of the recordings by rule (any seed), taps into networks, and the comparison with what was recorded."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lp_core.engines.liveportrait.synth import uniform
from lp_core.engines.liveportrait.synth_images import image as image

if TYPE_CHECKING:
    import torch

Arrays = dict[str, np.ndarray]


def as_input(images: Sequence[np.ndarray]) -> torch.Tensor:
    """(H, W, 3) uint8 images as one (B, 3, H, W) float32 tensor, 0..1."""
    import torch

    stack = np.stack(images).astype(np.float32) / 255
    return torch.from_numpy(stack).permute(0, 3, 1, 2).contiguous()


def noise(seed: int, label: str, shape: tuple[int, ...], gain: float = 1.0) -> torch.Tensor:
    """Flat noise as a float32 tensor."""
    import torch

    return torch.from_numpy((gain * uniform(seed, label, shape)).astype(np.float32).reshape(shape))


def every(*steps: int) -> tuple[slice, ...]:
    """Slices with the given steps, 1 for all."""
    return tuple(slice(None, None, step) for step in steps)


class Taps:
    """Records the first outputs of modules, sliced, while it is open."""

    def __init__(self, taps: Mapping[str, tuple[torch.nn.Module, tuple[int, ...]]]) -> None:
        self.taps, self.seen, self.handles = taps, {}, []

    def __enter__(self) -> Arrays:
        for key, (module, steps) in self.taps.items():
            self.handles.append(module.register_forward_hook(self._hook(key, every(*steps))))
        return self.seen

    def _hook(self, key: str, slices: tuple[slice, ...]):  # noqa: ANN202 - torch's own type
        def keep(_module: object, _inputs: object, output: object) -> None:
            first = output[0] if isinstance(output, list | tuple) else output
            self.seen.setdefault(key, first[slices].float().cpu().numpy().copy())

        return keep

    def __exit__(self, *error: object) -> None:
        for handle in self.handles:
            handle.remove()


def numbers(tensor: torch.Tensor, *steps: int) -> np.ndarray:
    """A tensor's slice as float32 numbers."""
    return tensor[every(*steps)].float().cpu().numpy()


def spread(tensor: torch.Tensor, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased standard deviation over axes, in float64."""
    array = tensor.double().cpu().numpy()
    return array.mean(axis=axes), array.std(axis=axes)


@dataclass(frozen=True)
class Line:
    """One array against its recording."""

    key: str
    worst: float
    """Largest absolute difference; infinite where the shapes differ or a number is not finite."""
    tolerance: float
    rest: float | None = None
    """Difference that 99.9 % of the numbers stay within, where that is bounded too."""
    rest_tolerance: float = math.inf

    @property
    def holds(self) -> bool:
        """Whether the array is within its tolerance."""
        return self.worst <= self.tolerance and (self.rest is None or self.rest <= self.rest_tolerance)


Tolerances = Sequence[tuple[str, float]]
"""(pattern, largest absolute difference); the first pattern that matches counts."""


def compared(
    recorded: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], tolerances: Tolerances
) -> list[Line]:
    """Every array that was found against its recording.

    Raises:
        KeyError: an array has no tolerance or was not recorded.
    """
    lines = []
    for key, array in found.items():
        tolerance = next((value for pattern, value in tolerances if re.search(pattern, key)), None)
        if tolerance is None:
            raise KeyError(f"{key} has no tolerance")
        wanted = recorded[key]
        actual = np.asarray(array, np.float64)
        if actual.shape != wanted.shape or not np.isfinite(actual).all():
            lines.append(Line(key, math.inf, tolerance))
            continue
        off = np.abs(actual - wanted)
        is_picture = key.startswith("E.") and key.endswith("out.sub")
        rest = float(np.quantile(off, 0.999)) if is_picture else None
        bound = next((v for p, v in tolerances if p == "rest"), math.inf)
        lines.append(Line(key, float(off.max(initial=0.0)), tolerance, rest, bound))
    return lines
