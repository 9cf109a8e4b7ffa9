"""Portraits for live streams are loaded, and calibrated once enough of the performance was seen."""

import logging
import time
from contextlib import contextmanager

import pytest
from fakes.films import write_portrait

from lp_core.live import scene_loader
from lp_core.live.scene_loader import Loader
from lp_core.live.scenes import SceneKey
from lp_core.motion.builtin import builtin_motion
from lp_core.settings import EngineSettings, MeshSettings, RenderSettings
from lp_core.settings.live import LiveSettings

SETTINGS = RenderSettings(engine=EngineSettings(engine="mesh"), mesh=MeshSettings(calibration="quick"))
SOON_S = 30.0


@pytest.fixture(scope="module")
def wanted(tmp_path_factory, astronaut):
    path = write_portrait(tmp_path_factory.mktemp("portraits") / "a.png", astronaut)
    return SceneKey.of(str(path), 0, SETTINGS, LiveSettings(longest_side=192))


@pytest.fixture(scope="module")
def frames():
    motion = builtin_motion("expressive")
    return [motion.rows(index, index + 1).frame(0) for index in range(0, len(motion), 20)]


@pytest.fixture
def listens_briefly(monkeypatch):
    monkeypatch.setattr(scene_loader, "LISTEN_S", 0.0)


@contextmanager
def loaded(wanted):
    """A loader with its scene ready: (it, the scenes it gave, the sentences it said)."""
    scenes, said = [], []
    loader = Loader(scenes.append, said.append)
    try:
        loader.load(wanted, SETTINGS)
        until(lambda: scenes)
        yield loader, scenes, said
    finally:
        loader.close()


def until(check):
    end = time.monotonic() + SOON_S
    while not check():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_portrait_is_calibrated_once_enough_was_seen(wanted, frames, listens_briefly):
    with loaded(wanted) as (loader, scenes, said):
        for frame in frames:
            loader.offer(frame, None, None)
        until(lambda: len(scenes) == 2)
        assert scenes[1].portrait is not scenes[0].portrait
        for frame in frames:
            loader.offer(frame, None, None)
        loader.forget_samples()
        loader.offer(frames[0], None, None)
        until(lambda: len(scenes) == 3)
        assert not any(said)


def test_a_performance_may_be_forgotten_while_a_frame_is_looked_at(wanted, frames, monkeypatch):
    with loaded(wanted) as (loader, _, said):
        offer = scene_loader.PerformanceSample.offer

        def forgetting(sample, *values):
            offer(sample, *values)
            loader.forget_samples()

        monkeypatch.setattr(scene_loader.PerformanceSample, "offer", forgetting)
        loader.offer(frames[0], None, None)
        loader.offer(frames[1], None, None)
        assert not any(said)


def test_a_calibration_that_is_overtaken_is_not_shown(wanted, frames, listens_briefly, monkeypatch):
    tuned, began = scene_loader._tuned, []

    def overtaken(*values):
        began.append(True)
        loader.forget_samples()
        return tuned(*values)

    monkeypatch.setattr(scene_loader, "_tuned", overtaken)
    with loaded(wanted) as (loader, scenes, _):
        loader.offer(frames[0], None, None)
        until(lambda: began)
    assert len(scenes) == 1


def test_a_defect_is_reported(wanted, monkeypatch):
    monkeypatch.setattr(scene_loader, "make_scene", lambda *_: 1 / 0)
    monkeypatch.setattr(logging.getLogger("lp_core.live.defects"), "propagate", False)
    said = []
    loader = Loader(print, said.append)
    loader.load(wanted, SETTINGS)
    until(lambda: said)
    loader.close()
    assert said == ["Loading portraits ended by a defect of LP Suite: division by zero."]
