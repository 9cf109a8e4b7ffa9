"""Draws with W and G: directly, or by replaying recorded work on a card (CUDA graphs).

A graph replays the same kernels on the same memory, so a card is not kept waiting for Python. One graph is recorded for
each size of batch; its inputs are copied into buffers that stay, and images come out in the layout that the composition
wants, so nothing is converted on the host. ``GraphBackend`` is the seam: ``CudaGraphs`` records on a card, ``Reruns``
does the same work again on any device and replaces it in tests.

All inputs of a draw are on the device or in pinned memory, and nothing waits for the card before its images are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from lp_core.engines.liveportrait.dense_motion import DenseSource
from lp_core.engines.liveportrait.warping import WarpSource

WARM_RUNS = 3
"""Runs before a graph is recorded, in which libraries choose their kernels and take their memory."""

Outputs = tuple[Tensor, ...]
Drawn = tuple[Tensor, Tensor]
"""(B, 3, 512, 512) float32 images with channels last in memory, (B, D, H, W, 3) deformations."""


class DrawingNetworks(Protocol):
    """W and G, as ``Networks`` has them."""

    def warp(self, source: WarpSource, kp_driving: Tensor) -> Any:  # noqa: ANN401 - Warped, or a fake's
        """W on a prepared source."""
        ...

    def generator(self, feature: Tensor) -> Tensor:
        """G."""
        ...


class Drawer(Protocol):
    """Draws a batch."""

    def draw(self, source: WarpSource, points: Tensor) -> Drawn:
        """The images of driven key points.

        Args:
            source: of batch 1 for all, or as large as that of the points.
            points: (B, K, 3) on the CPU, any floating type.
        """
        ...


@dataclass(frozen=True)
class DirectDrawer:
    """Runs the networks as they are."""

    networks: DrawingNetworks

    def draw(self, source: WarpSource, points: Tensor) -> Drawn:
        """See ``Drawer``."""
        warped = self.networks.warp(source, points)
        return self.networks.generator(warped.out), warped.deformation


class GraphBackend(Protocol):
    """Records work so that it can be done again on the same memory."""

    def record(self, work: Callable[[], Outputs]) -> tuple[Callable[[], None], Outputs]:
        """(replay, outputs): each replay overwrites the outputs by what the work gives for the inputs of the moment.

        Args:
            work: reads tensors that stay where they are.
        """
        ...


class CudaGraphs:
    """Records CUDA graphs."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def record(self, work: Callable[[], Outputs]) -> tuple[Callable[[], None], Outputs]:
        """See ``GraphBackend``."""
        beside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        now = torch.cuda.current_stream(self._device)
        beside.wait_stream(now)
        with torch.cuda.stream(beside):
            for _ in range(WARM_RUNS):
                work()
        now.wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = work()
        return graph.replay, outputs


class Reruns:
    """Does the work again and copies its results: what a graph amounts to, on any device."""

    def record(self, work: Callable[[], Outputs]) -> tuple[Callable[[], None], Outputs]:
        """See ``GraphBackend``."""
        outputs = tuple(output.clone() for output in work())

        def replay() -> None:
            for kept, fresh in zip(outputs, work(), strict=True):
                kept.copy_(fresh)

        return replay, outputs


@dataclass(frozen=True)
class RecordedDraw:
    """Recorded work for one size of batch, with the memory it reads and writes."""

    source: WarpSource
    points: Tensor
    replay: Callable[[], None]
    outputs: Outputs


class GraphDrawer:
    """Replays W and G; keeps one recording for each (sources, points) size of batch, and the last source it copied."""

    def __init__(self, networks: DrawingNetworks, device: torch.device, backend: GraphBackend) -> None:
        """Makes a drawer that has recorded nothing yet.

        Args:
            networks: W and G.
            device: where they are.
            backend: records.
        """
        self._networks, self._device, self._backend = networks, device, backend
        self._recorded: dict[tuple[int, int], RecordedDraw] = {}
        self._copied: dict[tuple[int, int], WarpSource] = {}
        self._upload = PinnedRing(device)
        self._download = PinnedRing(device)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(sources, points) sizes of batch that were recorded."""
        return tuple(self._recorded)

    @torch.no_grad()
    def draw(self, source: WarpSource, points: Tensor) -> Drawn:
        """See ``Drawer``; the images are on the host, in memory that the next but one draw overwrites."""
        size = len(source.volume), len(points)
        there = self._recorded.get(size)
        if there is None:
            there = self._recorded[size] = self._record(source, points)
            self._copied[size] = source
        else:
            if self._copied[size] is not source:
                for kept, fresh in zip(tensors_of(there.source), tensors_of(source), strict=True):
                    kept.copy_(fresh, non_blocking=True)
                self._copied[size] = source
            there.points.copy_(self._upload.staged(points.float()), non_blocking=True)
        there.replay()
        pictures, deformation = there.outputs
        return self._download.fetched(pictures), self._download.fetched(deformation)

    def _record(self, source: WarpSource, points: Tensor) -> RecordedDraw:
        own = like_source(source, [tensor.clone() for tensor in tensors_of(source)])
        place = points.float().to(self._device).clone()

        def work() -> Outputs:
            warped = self._networks.warp(own, place)
            pictures = self._networks.generator(warped.out)
            return pictures.contiguous(memory_format=torch.channels_last), warped.deformation

        replay, outputs = self._backend.record(work)
        return RecordedDraw(own, place, replay, outputs)


class PinnedRing:
    """Two buffers on the host for each shape, used in turn: one is filled while the other is still being read.

    Their memory is pinned where the device is a card, so copies run next to the card's work.
    """

    def __init__(self, device: torch.device) -> None:
        self._is_card = device.type == "cuda"
        self._buffers: dict[tuple[object, ...], list[Tensor]] = {}

    def staged(self, tensor: Tensor) -> Tensor:
        """A copy of a tensor of the host, to upload from."""
        return self._next(tensor).copy_(tensor)

    def fetched(self, tensor: Tensor) -> Tensor:
        """A tensor of the device on the host; waits for it."""
        if not self._is_card:
            return self._next(tensor).copy_(tensor)
        buffer = self._next(tensor)
        buffer.copy_(tensor, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        event.synchronize()
        return buffer

    def _next(self, like: Tensor) -> Tensor:
        key = (tuple(like.shape), like.dtype, like.stride())
        ring = self._buffers.setdefault(key, [])
        if len(ring) < 2:
            empty = torch.empty_strided(like.shape, like.stride(), dtype=like.dtype, pin_memory=self._is_card)
            ring.append(empty)
            return empty
        ring.reverse()
        return ring[1]


def tensors_of(source: WarpSource) -> tuple[Tensor, ...]:
    """The tensors of a prepared source."""
    dense = source.dense
    return source.volume, dense.keypoints, dense.compressed, dense.bumps


def like_source(source: WarpSource, tensors: list[Tensor]) -> WarpSource:
    """A prepared source of other tensors, in the order of ``tensors_of``."""
    volume, keypoints, compressed, bumps = tensors
    return WarpSource(volume, DenseSource(keypoints=keypoints, compressed=compressed, bumps=bumps))


def drawer_for(networks: DrawingNetworks, device: torch.device, uses_graphs: bool) -> Drawer:
    """The drawer of a device: graphs on a card where they are asked for, else direct."""
    if uses_graphs and device.type == "cuda":
        return GraphDrawer(networks, device, CudaGraphs(device))
    return DirectDrawer(networks)
