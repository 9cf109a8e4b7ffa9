"""Where networks run and in which precision, and what happens to memory that runs out."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from lp_core.errors import OutOfMemory

S = TypeVar("S")
T = TypeVar("T")

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Word in the settings -> number type."""
_BF16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""What Linux calls processors that multiply bf16 in hardware (the last one is Arm's)."""
_CPU_INFO = Path("/proc/cpuinfo")


def choose_device(name: str) -> str:
    """The device of a setting: ``auto`` takes cuda, else mps, else cpu; every other word is itself."""
    if name != "auto":
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def choose_dtype(name: str, device: str) -> torch.dtype:
    """The number type of a setting; ``auto`` takes what the device computes fast and the networks bear.

    Convention:
        cuda: fp16, as the published pipeline. cpu: bf16 only where the processor multiplies it in hardware;
        elsewhere it is emulated and slower than fp32. mps: fp32, the only one that is known to work. int8 is
        a choice about single layers; what is not in 8 bits computes as with ``auto``.
    """
    if name not in ("auto", "int8"):
        return DTYPES[name]
    if device.startswith("cuda"):
        return torch.float16
    return torch.bfloat16 if device == "cpu" and has_fast_bf16() else torch.float32


def has_fast_bf16(cpu_info: Path = _CPU_INFO) -> bool:
    """Whether this processor multiplies bf16 in hardware; False where the system does not say."""
    if platform.system() != "Linux":
        return False
    try:
        text = cpu_info.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    lines = [line for line in text.splitlines() if line.lower().startswith(("flags", "features"))]
    return any(_BF16_FLAGS & set(line.lower().split()) for line in lines[:1])


def with_memory(work: Callable[[], T], device: str) -> T:
    """Does a piece of work; where the device's memory runs out, frees what is cached and tries once more.

    Args:
        work: may be called twice.
        device: where it runs, for the message.

    Raises:
        OutOfMemory: it does not fit the second time either.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        free_cached(device)
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        free_cached(device)
        raise OutOfMemory(
            f"The memory of the device {device} does not hold the networks and one frame; close other "
            "programs that use it, or choose --precision fp16, another --device, or --engine mesh."
        ) from error


class Batches:
    """Does work on many items in batches as large as the device's memory allows.

    A batch that does not fit is halved, for this and all later work; a single item that does not fit is tried
    once more with the memory freed.
    """

    def __init__(self, size: int, device: str) -> None:
        """Makes a batcher.

        Args:
            size: items a batch at first.
            device: where the work runs.
        """
        self.size = size
        self._device = device

    def run(
        self, items: Sequence[S], work: Callable[[Sequence[S]], Sequence[T]], is_filled: bool = False
    ) -> list[T]:
        """The results of all items, in order.

        Args:
            items: any number.
            work: gives one result an item; may be called twice for an item.
            is_filled: True: a batch that is not full is filled up with its last item, so that ``work`` meets
                one size only; what comes of the filling is dropped.

        Raises:
            OutOfMemory: a single item does not fit.
        """
        done: list[T] = []
        while len(done) < len(items):
            batch = items[len(done) : len(done) + self.size]
            if is_filled:
                batch = [*batch, *[batch[-1]] * (self.size - len(batch))]
            if len(batch) == 1:
                done.extend(with_memory(lambda batch=batch: work(batch), self._device))  # type: ignore[misc]
                continue
            try:
                done.extend(work(batch))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self.size = max(len(batch) // 2, 1)
                free_cached(self._device)
        return done[: len(items)]


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out; on cpu and mps only its words tell."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in ("can't allocate memory", "out of memory"))


def free_cached(device: str) -> None:
    """Gives memory that PyTorch keeps for later back to the device."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
