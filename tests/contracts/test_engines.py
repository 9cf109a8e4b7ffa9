"""One suite for every engine: what a render relies on."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from fakes.engine import ToyEngine
from fakes.films import CROP, turned

from lp_core.engines.base import DrawRequest, DrivingPicture
from lp_core.engines.registry import ENGINES, make_engine, open_engine
from lp_core.errors import LpError, SettingError
from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.sequence import EXTRAS, MOTION_ARRAYS, RIGS, frame_shapes
from lp_core.settings import EngineSettings, MotionSettings, RenderSettings
from lp_core.settings.sliders import SLIDERS, WEIGHTS
from lp_core.timing import FrameRate


def frame_of(pixels):
    return Frame(pixels, 0, FrameRate.parse(25).time_s(0))


@pytest.fixture(scope="module")
def picture(astronaut):
    return np.ascontiguousarray(astronaut[CROP])


@pytest.fixture(scope="module")
def face(picture):
    with closing(open_analyzer(is_video=False)) as analyzer:
        return analyzer.analyze(picture)[0]


@pytest.fixture(scope="module", params=[*ENGINES, "toy", "liveportrait with fake networks"])
def engine(request):
    if request.param == "toy":
        return ToyEngine()
    if request.param.endswith("fake networks"):
        pytest.importorskip("torch")
        from fakes.networks import FakeNetworks

        from lp_core.engines.liveportrait.engine import LivePortraitEngine

        return LivePortraitEngine(RenderSettings(), FakeNetworks())
    try:
        return make_engine(request.param, RenderSettings(motion=MotionSettings(smoothing=0.0)))
    except LpError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def neutral(engine, face, picture):
    return engine.read_motion(frame_of(picture), face)


def test_its_rig_is_known_and_its_motion_fits_it(engine, neutral):
    assert engine.info.rig in RIGS
    shapes = frame_shapes(engine.info.rig)
    for name in MOTION_ARRAYS:
        array = np.asarray(getattr(neutral, name))
        assert array.shape == shapes[name], name
        assert array.dtype == np.float32, name
        assert np.isfinite(array).all(), name
    assert 0 < neutral.confidence <= 1
    possible = EXTRAS.get(engine.info.rig, {})
    for name, array in neutral.extras.items():
        assert array.shape == possible[name]
        assert array.dtype == np.float32


DEPTHS = {
    "rgb8": lambda p: p,
    "rgba8": lambda p: np.concatenate([p, np.full((*p.shape[:2], 1), 77, np.uint8)], axis=2),
    "rgb16": lambda p: p.astype(np.uint16) * 257,
}


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_picture_keeps_shape_type_and_what_was_not_touched(engine, face, neutral, picture, depth):
    source = frame_of(np.ascontiguousarray(DEPTHS[depth](picture)))
    before = source.pixels.copy()
    portrait = engine.prepare(source, face)
    assert portrait.source is source
    shown = engine.animate(portrait, turned(neutral, 6), neutral, None)
    assert shown.pixels.shape == source.pixels.shape
    assert shown.pixels.dtype == source.pixels.dtype
    assert shown.matte.shape == source.pixels.shape[:2]
    assert shown.flow.shape == (*source.pixels.shape[:2], 2)
    assert shown.matte.min() >= 0
    assert shown.matte.max() <= 1
    assert (shown.pixels != source.pixels).any(), "nothing moved"
    untouched = shown.matte == 0
    np.testing.assert_array_equal(shown.pixels[untouched], source.pixels[untouched])
    np.testing.assert_array_equal(source.pixels, before)


def test_it_keeps_no_state_between_calls(engine, face, neutral, picture):
    portrait = engine.prepare(frame_of(picture), face)
    one, other = turned(neutral, 5), replace(turned(neutral, -5), lips=np.float32(neutral.lips + 0.2))
    first = engine.animate(portrait, one, neutral, None).pixels
    engine.animate(portrait, other, neutral, None)
    np.testing.assert_array_equal(engine.animate(portrait, one, neutral, None).pixels, first)


def test_pictures_drawn_together_are_those_drawn_alone(engine, face, neutral, picture):
    portrait, other = (engine.prepare(frame_of(np.roll(picture, k, axis=2)), face) for k in (0, 1))
    edit = Edit({"yaw": 8.0}) if "yaw" in engine.info.sliders else Edit({})
    acts = [
        DrawRequest(portrait, turned(neutral, 5)),
        DrawRequest(other, neutral, None, edit),
        DrawRequest(portrait, neutral),
    ]
    together = engine.animate_all(acts, neutral)
    assert len(together) == 3
    for shown, act in zip(together, acts, strict=True):
        alone = engine.animate(act.portrait, act.motion, neutral, act.driving, act.edit)
        np.testing.assert_array_equal(shown.pixels, alone.pixels)
        assert shown.region == alone.region
    assert engine.animate_all([], neutral) == []


def test_every_slider_it_offers_is_one_of_ours_and_is_drawn(engine, face, neutral, picture):
    assert set(engine.info.sliders) <= {*SLIDERS, *WEIGHTS}
    if not engine.info.sliders:
        return
    portrait = engine.prepare(frame_of(picture), face)
    plain = engine.animate(portrait, neutral, neutral, None).pixels
    for name, value in (("yaw", 12.0), ("smile", 1.0)):
        assert name in engine.info.sliders
        edited = engine.animate(portrait, neutral, neutral, None, Edit({name: value})).pixels
        assert (edited != plain).any(), name


def test_a_driving_picture_is_welcome_and_not_written_to(engine, face, neutral, picture):
    driving = DrivingPicture(picture.copy(), face.landmarks_frame)
    portrait = engine.prepare(frame_of(picture), face)
    engine.animate(portrait, turned(neutral, 3), neutral, driving)
    np.testing.assert_array_equal(driving.pixels, picture)


def test_an_unknown_engine():
    with pytest.raises(SettingError, match="nonsense"):
        make_engine("nonsense", RenderSettings())


def test_auto_gives_an_engine_and_says_which():
    choice = open_engine(RenderSettings())
    assert choice.note is not None
    assert choice.engine.info.name in choice.note
    named = open_engine(RenderSettings(engine=EngineSettings(engine="mesh")))
    assert (named.engine.info.name, named.note) == ("mesh", None)
