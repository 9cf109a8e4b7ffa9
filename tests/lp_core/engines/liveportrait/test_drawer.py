"""Replayed drawing with a stand-in for CUDA graphs: static memory, one recording a size, nothing stale; and graphs."""

# ruff: noqa: E402 - imports follow the check for the library

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from lp_core.engines.liveportrait.dense_motion import DenseSource
from lp_core.engines.liveportrait.drawer import (
    CudaGraphs,
    DirectDrawer,
    GraphDrawer,
    PinnedRing,
    Reruns,
    drawer_for,
    tensors_of,
)
from lp_core.engines.liveportrait.warping import WarpSource

CPU = torch.device("cpu")


class Networks:
    """An image that depends on everything that goes in."""

    def warp(self, source, points):
        total = sum(tensor.mean(dim=tuple(range(1, tensor.ndim))) for tensor in tensors_of(source))
        moved = points.to(source.volume.device).float().mean(dim=(1, 2)) + total
        grid = moved.reshape(-1, 1, 1, 1, 1).expand(-1, 2, 4, 4, 3)
        return SimpleNamespace(out=moved.reshape(-1, 1, 1, 1).expand(-1, 3, 8, 8), deformation=grid.clone())

    def generator(self, feature):
        return torch.sigmoid(feature)


class CountedReruns(Reruns):
    """The stand-in, counting recordings."""

    def __init__(self):
        self.recorded = 0

    def record(self, work):
        self.recorded += 1
        return super().record(work)


def a_source(seed, batch=1, device=CPU):
    draw = torch.Generator().manual_seed(seed)
    shapes = ((batch, 2, 2, 4, 4), (batch, 5, 3), (batch, 2, 2, 4, 4), (batch, 5, 2, 4, 4))
    volume, keypoints, compressed, bumps = (torch.randn(s, generator=draw).to(device) for s in shapes)
    return WarpSource(volume, DenseSource(keypoints=keypoints, compressed=compressed, bumps=bumps))


def points(seed, batch=1):
    return torch.randn(batch, 5, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def check(drawer, device):
    """Every draw is that of the networks themselves, whatever came before."""
    direct = DirectDrawer(Networks())
    one, two, batch = a_source(1, device=device), a_source(2, device=device), a_source(3, 4, device)
    for source, moved in (
        (one, points(1)),
        (one, points(2)),
        (two, points(2)),
        (one, points(3, 4)),
        (batch, points(4, 4)),
        (batch, points(5, 4)),
        (one, points(1)),
    ):
        wanted, grid = direct.draw(source, moved)
        shown, found = drawer.draw(source, moved)
        assert shown.device.type == found.device.type == "cpu"
        torch.testing.assert_close(shown, wanted.cpu(), rtol=0, atol=1e-6)
        torch.testing.assert_close(found, grid.cpu(), rtol=0, atol=1e-6)
        assert shown[0].permute(1, 2, 0).is_contiguous()  # the layout of the composition


def test_replays_follow_every_input_and_record_once_for_each_size():
    backend = CountedReruns()
    drawer = GraphDrawer(Networks(), CPU, backend)
    check(drawer, CPU)
    assert backend.recorded == 3
    assert drawer.sizes == ((1, 1), (1, 4), (4, 4))


def test_outputs_live_until_the_next_but_one_draw():
    drawer = GraphDrawer(Networks(), CPU, Reruns())
    source = a_source(1)
    first, _ = drawer.draw(source, points(1))
    kept = first.clone()
    second, _ = drawer.draw(source, points(2))
    assert torch.equal(first, kept)
    assert first.data_ptr() != second.data_ptr()
    third, _ = drawer.draw(source, points(3))
    assert third.data_ptr() == first.data_ptr()


def test_the_ring_keeps_layout_and_two_buffers():
    ring = PinnedRing(CPU)
    wide = torch.randn(1, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    places = {ring.fetched(wide + i).data_ptr() for i in range(6)}
    assert len(places) == 2
    assert ring.fetched(wide).stride() == wide.stride()


def test_without_a_card_nothing_is_recorded():
    assert isinstance(drawer_for(Networks(), CPU, True), DirectDrawer)


@pytest.mark.gpu
def test_graphs_on_a_card_follow_every_input():
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    device = torch.device("cuda")
    check(GraphDrawer(Networks(), device, CudaGraphs(device)), device)
    assert isinstance(drawer_for(Networks(), device, True), GraphDrawer)
