"""8-bit layers: near the floating-point ones, fallback by loss, nothing left behind."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
from fakes.tiny_networks import prepared, tiny_networks
from torch import nn

from lp_core.engines.liveportrait import calibration, int8
from lp_core.engines.liveportrait.calibration import Sample
from lp_core.engines.liveportrait.int8 import QuantizedConv, Range, RangeWatch, candidates, quantized, restore
from lp_core.errors import SettingError


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.fixture
def small():
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Conv2d(8, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 32, 1),
    ).requires_grad_(False)


@pytest.mark.parametrize("levels,wanted_db", [(256, 38), (128, 33)])
@pytest.mark.parametrize("rank", [2, 3])
def test_a_layer_keeps_its_result(levels, wanted_db, rank):
    kind = nn.Conv2d if rank == 2 else nn.Conv3d
    torch.manual_seed(5)
    layer = kind(32, 48, 3, padding=1).requires_grad_(False)
    x = draw(1, 32, *(6,) * rank).relu()
    wanted = layer(x)
    found = QuantizedConv(layer, Range(0.0, float(x.max())), levels)(x)
    signal = wanted.square().mean() / (found - wanted).square().mean()
    assert found.shape == wanted.shape
    assert 10 * torch.log10(signal) > wanted_db


def test_a_range_that_is_exceeded_is_clipped_not_wrapped():
    layer = nn.Conv2d(32, 32, 1).requires_grad_(False)
    for levels in (256, 128):
        found = QuantizedConv(layer, Range(-1.0, 1.0), levels)
        low, high = found(torch.full((1, 32, 2, 2), -1.0)), found(torch.full((1, 32, 2, 2), 1.0))
        torch.testing.assert_close(found(torch.full((1, 32, 2, 2), 50.0)), high)
        torch.testing.assert_close(found(torch.full((1, 32, 2, 2), -50.0)), low)


def test_a_network_is_quantized_in_place_and_restored(small):
    x = draw(2, 8, 12, 12)
    wanted = small(x)
    with RangeWatch(small) as watch:
        small(x)
    assert set(watch.ranges) == {"2", "4"}  # the first has too few inputs
    before = quantized(small, watch.ranges, kept=("4",))
    assert set(before) == {"2"}
    assert isinstance(small[2], QuantizedConv)
    assert 0 < (small(x) - wanted).abs().max() < 0.1 * wanted.abs().max()
    restore(small, before)
    assert torch.equal(small(x), wanted)
    assert len(list(candidates(small))) == 2


def test_a_whole_network_keeps_its_image_and_gives_layers_back(monkeypatch, tmp_path):
    monkeypatch.setattr(int8, "LEAST_CHANNELS", 4)
    networks = tiny_networks("cpu")
    (source,) = prepared(networks, 1)
    sample = Sample(source, torch.rand(1, 21, 3) - 0.5)
    monkeypatch.setattr(calibration, "sample_of", lambda _networks: sample)
    wanted = networks.generator(networks.warp(source, sample.points).out)
    for bound in (20.0, 60.0, 500.0):
        monkeypatch.setattr(calibration, "WANTED_DB", bound)
        found = calibration.calibrated(networks)
        before = networks.generator(networks.warp(source, sample.points).out)
        assert torch.equal(before, wanted)  # calibration leaves the networks as they were
        kept = len(found.kept)
        assert found.kept_db >= bound
        assert kept == len(found.ranges) if bound == 500.0 else kept < len(found.ranges)
    monkeypatch.setattr(calibration, "WANTED_DB", 38.0)
    quick = calibration.in_int8(networks, tmp_path)
    shown = quick.generator(quick.warp(source, sample.points).out)
    assert 38.0 <= int8.psnr(shown, wanted) < 100
    (stored,) = tmp_path.iterdir()
    monkeypatch.setattr(calibration, "calibrated", None)  # what was found is read
    torch.manual_seed(3)
    again = calibration.in_int8(tiny_networks("cpu"), tmp_path)
    assert torch.equal(again.generator(again.warp(source, sample.points).out), shown)
    with pytest.raises(SettingError, match="int8"):
        calibration.in_int8(replace(again, dtype=torch.bfloat16))


def test_processors_without_vnni_get_seven_bits(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("flags : fpu avx2\n")
    assert not int8.has_vnni(info)
    info.write_text("flags : fpu avx2 avx512_vnni\n")
    assert int8.has_vnni(info)
    assert not int8.has_vnni(tmp_path / "absent")
