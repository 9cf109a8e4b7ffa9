"""Moving average of the parameters that learn; frozen ones are left alone."""

from __future__ import annotations

import torch
from torch import Tensor

from lp_core.engines.liveportrait.folding import StateDict
from lp_core.training.published import PublishedParameters


class Averages:
    """Moving average, ramped at the start: decay = min(decay, (1 + n) / (10 + n))."""

    def __init__(self, published: PublishedParameters, decay: float) -> None:
        self._decay = decay
        self.steps = 0
        self.values: dict[str, Tensor] = {
            name: parameter.detach().clone()
            for name, parameter in published.named_parameters()
            if parameter.requires_grad
        }

    @torch.no_grad()
    def update(self, published: PublishedParameters) -> None:
        """Takes in the parameters after a step."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        current = dict(published.named_parameters())
        for name, value in self.values.items():
            value.lerp_(current[name].detach(), 1 - decay)

    def states(self, published: PublishedParameters) -> dict[str, StateDict]:
        """Network -> its checkpoint with averaged parameters; all else is the network's own, copied."""
        found = {
            network: {key: value.detach().clone() for key, value in state.items()}
            for network, state in published.states().items()
        }
        for name, value in self.values.items():
            _, network, slot = name.split(".")
            found[network][slot.replace("/", ".")] = value.clone()
        return found
