"""W and G by OpenVINO draw what PyTorch draws, for every size of batch."""

# ruff: noqa: E402 - imports follow the checks for the libraries

import importlib.util
from copy import deepcopy
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
if importlib.util.find_spec("openvino") is None:  # imported by our edge alone, which leaves its telemetry out
    pytest.skip("OpenVINO is not installed", allow_module_level=True)
from parity_arrays.narrow import narrow_networks

from lp_core.engines.liveportrait.calibration import sample_of
from lp_core.engines.liveportrait.openvino_networks import OpenVinoModule, by_openvino
from lp_core.engines.liveportrait.table import LIVEPORTRAIT
from lp_core.errors import SettingError


@pytest.fixture(scope="module")
def plain():
    return narrow_networks(LIVEPORTRAIT)


@pytest.fixture(scope="module")
def own(plain):
    found, sample = by_openvino(copied(plain)), sample_of(plain)
    found.generator(found.warp(sample.source, sample.points).out)  # OpenVINO's conversion keeps its threads
    return found


def copied(networks):
    return replace(networks, warping_module=deepcopy(networks.warping_module))


@pytest.mark.slow
def test_images_of_every_batch_are_those_of_pytorch(plain, own):
    sample = sample_of(plain)
    for batch in (1, 2):
        shift = 0.02 * torch.arange(batch)[:, None, None]
        points = sample.points + shift
        wanted, found = plain.warp(sample.source, points), own.warp(sample.source, points)
        assert (found.deformation - wanted.deformation).abs().max() < 1e-5
        assert (own.generator(found.out) - plain.generator(wanted.out)).abs().max() < 1e-4
    assert (points[0] - points[1]).abs().min() > 0  # the batch did not repeat one frame


def test_a_copy_is_the_network_itself_again(plain, own):
    again = own.widened()
    assert not any(isinstance(part, OpenVinoModule) for part in again.warping_module.modules())
    feature = torch.rand(1, plain.warping_module.fourth.out_channels, 64, 64)
    assert torch.equal(again.generator(feature), plain.generator(feature))


def test_half_precision_and_cards_are_refused(plain):
    with pytest.raises(SettingError, match="fp32 or bf16"):
        by_openvino(replace(plain, dtype=torch.float16))
