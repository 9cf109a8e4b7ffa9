"""Runs an upscaling network over images of any size: tiles, precision, full memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lp_core.errors import OutOfMemory
from lp_core.models.device import Batches
from upscale.load import Network
from upscale.tiles import Tile, batches, plan

F32 = NDArray[np.float32]
Run = Callable[[torch.Tensor], torch.Tensor]
"""(B, 3, h, w) float32 on the CPU -> (B, 3, h * scale, w * scale) float32 on the CPU."""

FEATHER = 16
"""Pixels over which neighboring tiles are mixed: in 16-bit precisions they differ by a little noise."""
TILES = {"cuda": 512, "mps": 256, "cpu": 256}
"""Side of a tile at first, without margin, by device."""
LEAST_TILE = 32
BATCHES = {"cuda": 4}
"""Tiles shown at a time, by device; elsewhere one: a processor is busy with one already."""


class Upscaler:
    """A network, where it runs, and the tile size that fits there."""

    def __init__(
        self, network: Network, run: Run, device: str = "cpu", tile: int = 0, batch: int = 0
    ) -> None:
        """Makes an upscaler.

        Args:
            network: its scale and margin are used.
            run: runs it; see ``torch_run`` and ``upscale.openvino``.
            device: where it runs, for messages.
            tile: side of a tile in pixels; 0: by the device. Halved where memory runs out.
            batch: tiles of one size shown at a time; 0: by the device. Halved first where memory runs out.
        """
        self.scale = network.scale
        self.name = network.name
        kind = device.partition(":")[0]
        self.tile = tile or TILES[kind]
        self._batches = Batches(batch or BATCHES.get(kind, 1), device)
        self._margin = network.margin
        self._run = run
        self._device = device

    @property
    def batch(self) -> int:
        """Tiles shown at a time, as far as memory has allowed."""
        return self._batches.size

    def enlarge(self, picture: F32) -> F32:
        """The image, ``scale`` times as large.

        Values outside 0..1 survive: the network sees them cut off, and what was cut is enlarged smoothly and added.

        Args:
            picture: (H, W, 3) float32, display-encoded, 0..1 and beyond.

        Raises:
            OutOfMemory: not even the smallest tile fits.
        """
        shown = np.clip(np.nan_to_num(picture), 0.0, 1.0)
        result = self._tiled(shown)
        beyond = np.nan_to_num(picture) - shown
        if beyond.any():
            size = result.shape[1], result.shape[0]
            result += cv2.resize(beyond, size, interpolation=cv2.INTER_LINEAR)
        return result

    def _tiled(self, shown: F32) -> F32:
        while True:
            try:
                return self._once(shown)
            except OutOfMemory as error:
                if self.tile <= LEAST_TILE:
                    raise OutOfMemory(
                        f"The memory of the device {self._device} does not hold a tile of {self.tile} pixels; close "
                        "other programs that use it, or choose another --device."
                    ) from error
                self.tile = max(self.tile // 2, LEAST_TILE)

    def _once(self, shown: F32) -> F32:
        height, width = shown.shape[:2]
        result = np.zeros((height * self.scale, width * self.scale, 3), np.float32)
        for group in batches(plan(width, height, self.tile, self._margin, FEATHER), self.batch):
            drawn = self._batches.run(group, lambda tiles: self._drawn(shown, tiles))
            for tile, one in zip(group, drawn, strict=True):
                tile.add(result, one, self.scale)
        return result

    def _drawn(self, shown: F32, tiles: Sequence[Tile]) -> list[F32]:
        """What the network makes of tiles of one size."""
        parts = np.stack([shown[tile.read].transpose(2, 0, 1) for tile in tiles])
        return list(self._run(torch.from_numpy(parts)).permute(0, 2, 3, 1).numpy())


def torch_run(network: Network, device: str, dtype: torch.dtype) -> Run:
    """Runs the network with PyTorch.

    Args:
        network: moved to the device.
        device: such as cpu or cuda:1.
        dtype: float32, float16 or bfloat16; a network that cannot do it runs in float32.
    """
    able = {torch.float16: network.supports_half, torch.bfloat16: network.supports_bfloat16}
    chosen = dtype if able.get(dtype, True) else torch.float32
    module = network.module.to(device, chosen, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(part: torch.Tensor) -> torch.Tensor:
        x = part.to(device, chosen).contiguous(memory_format=torch.channels_last)
        result: torch.Tensor = module(x)
        return result.float().cpu()

    return run
