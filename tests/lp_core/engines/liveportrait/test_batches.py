"""Several images in one batch, on every device here: the same as one at a time, compiled or not."""

# ruff: noqa: E402 - imports follow the check for the library

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from fakes import tiny_networks as tiny_module
from fakes.networks import FakeNetworks
from fakes.tiny_networks import TOLERANCE, drawn, prepared, tiny_networks

from lp_core.engines.base import DrawRequest
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.weights import compilation_errors
from lp_core.errors import OutOfMemory, SettingError
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.implicit.edit import Edit
from lp_core.settings import EngineSettings, RenderSettings

from .test_engine import face, frame

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return torch.device(request.param)


@pytest.fixture
def networks(device):
    return tiny_networks(device)


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("is_filmed", [False, True])
def test_a_batch_is_its_pictures_drawn_alone(networks, is_filmed):
    made = prepared(networks, 3) if is_filmed else prepared(networks, 1) * 3
    points = torch.rand(3, 21, 3) - 0.5
    pictures, deformations = drawn(networks, networks.stacked(made), points)
    assert pictures.shape[0] == 3
    assert (pictures[0] - pictures[1]).abs().max() > 1e-3
    for i in range(3):
        picture, deformation = drawn(networks, made[i], points[i : i + 1])
        close(pictures[i : i + 1], picture)
        close(deformations[i : i + 1], deformation)


def test_a_picture_does_not_depend_on_its_place_in_a_batch(networks, device):
    """To the last bit on a processor, so that a video may be cut into chunks anywhere."""
    (source,) = prepared(networks, 1)
    points = torch.rand(4, 21, 3) - 0.5
    pictures, deformations = drawn(networks, source, points)
    for order in ([3, 2, 1, 0], [2, 2, 2, 2], [1, 0, 3, 3]):
        others, flows = drawn(networks, source, points[order])
        for place, index in enumerate(order):
            for one, other in ((others[place], pictures[index]), (flows[place], deformations[index])):
                close(one, other)
                assert device.type != "cpu" or torch.equal(one, other)


def test_one_source_serves_a_whole_batch_uncopied(networks):
    (source,) = prepared(networks, 1)
    assert networks.stacked([source] * 4) is source


@pytest.mark.slow
def test_compiled_networks_draw_the_same(device):
    program = [sys.executable, "-W", "ignore", tiny_module.__file__, str(device)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        program, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_machine_that_cannot_compile_is_told_so():
    failure = type("Failed", (RuntimeError,), {"__module__": "torch._inductor.exc"})
    with pytest.raises(SettingError, match="no compiler.*leave out --compile"), compilation_errors():
        raise failure("no compiler\nand a page of advice")
    with pytest.raises(ZeroDivisionError), compilation_errors():
        raise ZeroDivisionError


class Engines:
    """An engine over networks that note the sizes of what they draw, and fit so many images at once."""

    def __init__(self, batch, most=99):
        self.sizes, self.networks = [], FakeNetworks()
        plain = self.networks.warp

        def warp(source, points):
            self.sizes.append(len(points))
            if len(points) > most:
                raise torch.OutOfMemoryError("planted")
            return plain(source, points)

        self.networks.warp = warp
        settings = RenderSettings(engine=EngineSettings(batch=batch))
        self.engine = LivePortraitEngine(settings, self.networks)


def acts(engine, count, is_filmed=False):
    motion = builtin_motion("expressive", rig="liveportrait21")
    portraits = [engine.prepare(frame(80 + 10 * i * is_filmed), face()) for i in range(count)]
    chosen = portraits if is_filmed else portraits[:1] * count
    return [DrawRequest(portrait, motion.frame(8 * i)) for i, portrait in enumerate(chosen)], motion.frame(0)


def same(one, other):
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_allclose(one.flow, other.flow, atol=1e-5)
    np.testing.assert_allclose(one.landmarks_frame, other.landmarks_frame, atol=1e-4)


@pytest.mark.parametrize("is_filmed", [False, True])
def test_the_engine_draws_full_batches_and_every_picture_as_it_would_alone(is_filmed):
    made = Engines(batch=2)
    asked, reference = acts(made.engine, 5, is_filmed)
    together = made.engine.animate_all(asked, reference)
    assert made.sizes == [2, 2, 2]
    assert len(together) == 5
    for shown, act in zip(together, asked, strict=True):
        same(shown, made.engine.animate(act.portrait, act.motion, reference))
    assert made.sizes[3:] == [1] * 5  # a lone image is not made to wait for others


def test_a_batch_that_does_not_fit_is_halved_and_nothing_is_lost():
    made = Engines(batch=8, most=2)
    asked, reference = acts(made.engine, 5)
    shown = made.engine.animate_all(asked, reference)
    assert made.sizes == [8, 4, 2, 2, 2]
    for one, other in zip(shown, Engines(batch=1).engine.animate_all(asked, reference), strict=True):
        same(one, other)


def test_a_single_picture_that_does_not_fit_is_one_sentence():
    made = Engines(batch=4, most=0)
    asked, reference = acts(made.engine, 2)
    with pytest.raises(OutOfMemory, match="cpu"):
        made.engine.animate_all(asked, reference)
    assert made.sizes == [4, 2, 1, 1]


def test_edits_reach_their_own_picture():
    made = Engines(batch=3)
    asked, reference = acts(made.engine, 3)
    edit = Edit({"smile": 1.0, "yaw": 10.0})
    asked[1] = replace(asked[1], edit=edit)
    alone = [made.engine.animate(a.portrait, a.motion, reference, None, a.edit) for a in asked]
    for one, other in zip(made.engine.animate_all(asked, reference), alone, strict=True):
        same(one, other)
