"""The whole recorded chain through the engine as a render asks it: three frames in one batch."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lp_core.engines.base import DrawRequest
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.performance import read_states
from lp_core.engines.liveportrait.portrait import LivePortraitPortrait
from lp_core.engines.liveportrait.retarget import Ratios
from lp_core.frame import Frame
from lp_core.geometry.paste import feather_mask, place_of
from lp_core.motion.implicit.motion import transform_keypoints
from lp_core.render.read_performance import neutral_filler
from lp_core.settings import EngineSettings, LivePortraitSettings, MotionSettings, RenderSettings


@pytest.fixture(scope="module")
def portrait(networks, pictures):
    """The recorded source as the engine prepares one; its crop is the image itself."""
    image = pictures.network_input("source")
    ((state, keypoints),) = read_states(networks, image)
    points = transform_keypoints(keypoints, state)
    return LivePortraitPortrait(
        source=Frame(np.zeros((512, 512, 3), np.uint8), 0, Fraction(0)),
        state=state,
        keypoints=keypoints,
        points=points,
        ratios=Ratios(np.array([[0.3, 0.3]]), np.array([0.0])),
        warp=networks.prepare_source(networks.appearance(image), torch.from_numpy(points[None])),
        place=place_of(np.eye(3), feather_mask(), 512, 512),
        beyond=None,
    )


@pytest.fixture(scope="module")
def performance(networks, pictures):
    """The recorded driving images as motion."""
    states = read_states(networks, pictures.network_input("driving0", "driving1", "driving2"))
    return [
        replace(
            neutral_filler("liveportrait21"),
            rotation=state.rotation.T.astype(np.float32),
            scale=np.float32(state.scale),
            translation=state.translation[:2].astype(np.float32),
            expression=state.expression.astype(np.float32),
            confidence=np.float32(1),
        )
        for state, _ in states
    ]


@pytest.fixture(scope="module")
def engine(networks):
    settings = RenderSettings(
        motion=MotionSettings(reference="0", smoothing=0.0),
        engine=EngineSettings(batch=3),
        liveportrait=LivePortraitSettings(official_compat=True),
    )
    return LivePortraitEngine(settings, networks)


def test_the_engine_gives_the_recorded_key_points(engine, portrait, performance, recording):
    points = [engine.driven_points(portrait, motion, performance[0]) for motion in performance]
    recording.check("E.x_d", np.stack(points))


@pytest.fixture(scope="module")
def drawn(engine, portrait, performance):
    acts = [DrawRequest(portrait, motion) for motion in performance]
    return engine.animate_all(acts, performance[0])


@pytest.mark.slow
def test_the_engine_draws_the_recorded_pictures(drawn, recording):
    crops = np.stack([animation.crop.pixels for animation in drawn])
    sub = crops.transpose(0, 3, 1, 2)[:, :, ::4, ::4]
    recording.check("E.out.sub", sub)
    assert np.quantile(recording.difference("E.out.sub", sub), 0.999) <= 1e-4
    first = crops[0].astype(np.float64)
    recording.check("E.out0.mean", first.mean(axis=(0, 1)))
    recording.check("E.out0.std", first.std(axis=(0, 1)))


@pytest.mark.slow
def test_frames_are_cut_off_to_8_bits_as_published(drawn):
    for animation in drawn:
        inside = animation.matte == 1
        wanted = np.clip(np.floor(animation.crop.pixels * np.float32(255)), 0, 255)
        assert np.abs(animation.pixels[inside] - wanted[inside]).max() <= 1
        assert np.mean(animation.pixels[inside] != wanted[inside]) < 1e-3
