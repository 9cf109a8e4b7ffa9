"""The published parameters as a PyTorch module, and the engine's own networks run on them.

Training changes the parameters of the checkpoints. At every step they are folded as the engine folds them when it
loads a file, and the engine's modules run on the result, so what is trained is what the engine runs. Running means and
variances of the batch norms stay as they are; scale and shift learn. The spectral estimates u and v get one power
iteration a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.appearance_extractor import AppearanceExtractor, fold_appearance
from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.generator import Generator, fold_generator
from lp_core.engines.liveportrait.motion_extractor import MotionExtractor, RawMotion
from lp_core.engines.liveportrait.sizes import Sizes
from lp_core.engines.liveportrait.warping import Warped, WarpingModule, fold_warping
from lp_core.training.config import NETWORKS

BUFFERS = ("running_mean", "running_var", "num_batches_tracked", "weight_u", "weight_v")
"""Last parts of keys that no gradient reaches."""


class CheckpointTable(nn.Module):
    """The checkpoint of one network: parameters and buffers by their published keys."""

    def __init__(self, state: Mapping[str, Tensor], learns: bool) -> None:
        super().__init__()
        self.keys = tuple(state)
        for key, value in state.items():
            if key.endswith(BUFFERS):
                self.register_buffer(_slot(key), value.clone())
            else:
                self.register_parameter(_slot(key), nn.Parameter(value.clone(), requires_grad=learns))

    def values(self) -> StateDict:
        """Key -> tensor, not copied."""
        return {key: getattr(self, _slot(key)) for key in self.keys}

    @torch.no_grad()
    def iterate_power(self) -> None:
        """One power iteration of every spectral estimate, as PyTorch's hook does."""
        for key in self.keys:
            if not key.endswith(".weight_orig"):
                continue
            stem = key.removesuffix("_orig")
            u, v = getattr(self, _slot(stem + "_u")), getattr(self, _slot(stem + "_v"))
            matrix = getattr(self, _slot(key)).flatten(1)
            v.copy_(functional.normalize(matrix.t() @ u, dim=0, eps=1e-12))
            u.copy_(functional.normalize(matrix @ v, dim=0, eps=1e-12))


def _slot(key: str) -> str:
    return key.replace(".", "/")


class _Warp(nn.Module):
    """W in one call."""

    def __init__(self, inner: WarpingModule) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, feature: Tensor, kp_source: Tensor, kp_driving: Tensor) -> Warped:
        result: Warped = self.inner(self.inner.prepare(feature, kp_source), kp_driving)
        return result


@dataclass(frozen=True)
class Folded:
    """The parameters as the engine's modules take them."""

    appearance: StateDict
    warping: StateDict
    generator: StateDict


class PublishedParameters(nn.Module):
    """F, M, W and G: published parameters, run through the engine's modules."""

    def __init__(
        self, sizes: Sizes, states: Mapping[str, Mapping[str, Tensor]], learns: Iterable[str]
    ) -> None:
        """Takes copies of the parameters.

        Args:
            sizes: of the networks.
            states: network -> its checkpoint.
            learns: networks whose parameters get gradients.
        """
        super().__init__()
        self.sizes = sizes
        wanted = set(learns)
        self.tables = nn.ModuleDict(
            {name: CheckpointTable(states[name], name in wanted) for name in NETWORKS}
        )
        with torch.device("meta"):
            shells: dict[str, nn.Module] = {
                "F": AppearanceExtractor(sizes.appearance),
                "M": MotionExtractor(sizes.motion),
                "W": _Warp(WarpingModule(sizes.warping)),
                "G": Generator(sizes.generator),
            }
        object.__setattr__(self, "shells", shells)  # they hold no parameters

    def table(self, network: str) -> CheckpointTable:
        """The checkpoint of a network."""
        found = self.tables[network]
        if not isinstance(found, CheckpointTable):
            raise TypeError(network)
        return found

    def states(self) -> dict[str, StateDict]:
        """Network -> its checkpoint, not copied."""
        return {name: self.table(name).values() for name in NETWORKS}

    def iterate_power(self) -> None:
        """One power iteration of G's spectral estimates; frozen networks keep theirs."""
        table = self.table("G")
        if any(parameter.requires_grad for parameter in table.parameters()):
            table.iterate_power()

    def folded(self) -> Folded:
        """F, W and G folded in float32, differentiably."""
        wide = torch.float32
        warping = fold_warping(self.table("W").values(), wide)
        return Folded(
            fold_appearance(self.table("F").values(), wide),
            {f"inner.{key}": value for key, value in warping.items()},
            fold_generator(self.table("G").values(), wide),
        )

    def motion(self, image: Tensor) -> RawMotion:
        """M in float32; (B, 3, S, S), [0, 1] -> the raw motion."""
        result: RawMotion = self._call("M", self.table("M").values(), image.float())
        return result

    def appearance(self, folded: Folded, image: Tensor) -> Tensor:
        """F; (B, 3, S, S), [0, 1] -> the feature volume."""
        result: Tensor = self._call("F", folded.appearance, image)
        return result

    def warp(self, folded: Folded, feature: Tensor, kp_source: Tensor, kp_driving: Tensor) -> Warped:
        """W; the volume and two sets of (B, K, 3) key points -> the warped feature."""
        result: Warped = self._call("W", folded.warping, feature, kp_source, kp_driving)
        return result

    def draw(self, folded: Folded, feature: Tensor) -> Tensor:
        """G; the warped feature -> (B, 3, S', S') float32, [0, 1]."""
        result: Tensor = self._call("G", folded.generator, feature)
        return result

    def _call(self, network: str, state: StateDict, *inputs: Tensor) -> Any:  # noqa: ANN401 - what the network gives
        shells: dict[str, nn.Module] = self.__dict__["shells"]
        return torch.func.functional_call(shells[network], state, inputs, strict=True)
