"""Processes that train together, as torchrun starts them; a lone process is one of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from lp_core.errors import TrainingStopped

WAIT = timedelta(minutes=30)
"""Longest silence of another process, which may be evaluating."""


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    rank: int = 0
    """Number of this process."""
    world: int = 1
    """Number of processes."""

    @property
    def leads(self) -> bool:
        """True for the one process that writes files."""
        return self.rank == 0

    def wrapped(self, module: nn.Module, device: torch.device) -> nn.Module:
        """The module with gradients averaged over all processes."""
        if self.world == 1:
            return module
        devices = [device] if device.type == "cuda" else None
        return DistributedDataParallel(
            module,
            device_ids=devices,
            broadcast_buffers=False,
            find_unused_parameters=True,  # M learns alone at first
            gradient_as_bucket_view=True,
        )

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes."""
        if self.world > 1:
            distributed.all_reduce(values)
            values /= self.world
        return values

    def all_agree(self, flag: bool) -> bool:
        """Whether the flag of the leading process is set."""
        if self.world == 1:
            return flag
        shared = torch.tensor([1.0 if flag else 0.0])
        if distributed.get_backend() == "nccl":
            shared = shared.cuda()
        distributed.broadcast(shared, 0)
        return bool(shared.item())


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Joins the processes that torchrun has started.

    Raises:
        TrainingStopped: another process has ended.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks()
        return
    ranks = Ranks(int(os.environ["RANK"]), world)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=WAIT)
    try:
        yield ranks
    except (distributed.DistBackendError, RuntimeError) as error:
        text = str(error)
        if "onnection" not in text and "NCCL" not in text and "gloo" not in text:
            raise
        raise TrainingStopped(
            f"Process {ranks.rank} of {world} lost another one ({text.strip().splitlines()[0][:100]}); start all "
            "again, they continue from the newest checkpoint."
        ) from error
    finally:
        distributed.destroy_process_group()
