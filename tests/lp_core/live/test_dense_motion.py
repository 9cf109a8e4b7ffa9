"""A live stream compares every driving image with the one in which its reference was seen."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lp_core.engines.base import DrivingPicture
from lp_core.live.performer import Measured, Renderer
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.live import LiveMotion
from lp_core.settings import MotionSettings

DEMO = builtin_motion("expressive")


@pytest.fixture
def pictures(rng):
    return [(rng.random((64, 64, 3)) * 255).astype(np.uint8) for _ in range(3)]


def measured(index, picture):
    landmarks = np.full((478, 3), 32, np.float32)
    return Measured(DEMO.frame(0), DrivingPicture(picture, landmarks), index, index * 40_000_000)


def renderer(uses_dense_motion):
    made = Renderer()
    made._under = SimpleNamespace(
        engine=SimpleNamespace(info=SimpleNamespace(uses_dense_motion=uses_dense_motion, uses_shading=False))
    )
    return made


def test_each_picture_has_its_motion_to_the_reference_until_it_is_recentred(pictures):
    one, live = renderer(True), LiveMotion(MotionSettings(smoothing=0.0, reference="0"), "hold")
    one._step(measured(0, pictures[0]), live)
    assert np.abs(one._last[1].dense.flow).max() < 0.01
    one._step(measured(1, pictures[1]), live)
    away = one._last[1].dense.flow
    assert np.abs(away).max() > 0.1
    one._live = live
    one.recentre()
    one._step(measured(2, pictures[2]), live)
    assert np.abs(one._last[1].dense.flow).max() > 0.1
    one._step(measured(3, pictures[1]), live)
    assert np.abs(one._last[1].dense.flow).max() < 0.01


def test_a_lost_face_keeps_the_last_picture_with_its_motion(pictures):
    one, live = renderer(True), LiveMotion(MotionSettings(smoothing=0.0, reference="0"), "hold")
    one._step(measured(0, pictures[0]), live)
    one._step(measured(1, pictures[1]), live)
    before = one._last[1].dense
    one._step(replace(measured(2, pictures[2]), motion=None, driving=None), live)
    assert one._last[1].dense is before


def test_an_engine_that_has_no_use_for_it_gets_none(pictures):
    one, live = renderer(False), LiveMotion(MotionSettings(smoothing=0.0, reference="0"), "hold")
    one._step(measured(0, pictures[0]), live)
    assert one._last[1].dense is None
