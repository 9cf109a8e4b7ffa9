"""PerformRecast in the engine: expression alone, two modes, weights, the face matte, broken images, refusals."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace

import numpy as np
import pytest
from fakes.faces import make_face

torch = pytest.importorskip("torch")
from fakes.networks import FakeNetworks

from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.guard import KEPT_NOTE
from lp_core.engines.liveportrait.table import PERFORMRECAST
from lp_core.errors import MotionError, SettingError
from lp_core.frame import Frame
from lp_core.motion.builtin import builtin_motion, neutral_face
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.implicit.motion import transform_keypoints
from lp_core.motion.implicit.rigs import PERFORMRECAST49
from lp_core.render.read_performance import neutral_filler
from lp_core.settings import MotionSettings, RenderSettings
from lp_core.settings.table import with_values
from lp_core.timing import FrameRate

SIZE = (220, 200)


def frame(value=100, dtype=np.uint8):
    pixels = np.full((*SIZE, 3), value, dtype)
    pixels[:, :, 0] = np.arange(SIZE[1]) % 200
    return Frame(pixels, 0, FrameRate.parse(25).time_s(0))


def face(at=(100, 110), height=60.0):
    points = neutral_face()
    points = (points * height / np.ptp(points[:, 1])).astype(np.float32)
    points[:, :2] += np.float32(at)
    return replace(make_face(50), landmarks_frame=points, scheme="mediapipe478", score=0.9)


def engine(networks=None, motion=None, **settings):
    settings = {"model": "performrecast", **settings}
    chosen = with_values(RenderSettings(motion=motion or MotionSettings(smoothing=0.0)), settings)
    return LivePortraitEngine(chosen, networks or FakeNetworks(model=PERFORMRECAST))


@pytest.fixture(scope="module")
def plate():
    return engine().prepare(frame(), face())


@pytest.fixture(scope="module")
def acts():
    """A reference and another moment of a performance with every component of its own."""
    draw = np.random.default_rng(3)
    rest = replace(neutral_filler("performrecast49"), confidence=np.float32(1))
    both = [0.05 * draw.standard_normal((49, 3)).astype(np.float32) for _ in range(2)]
    return tuple(replace(rest, expression=expression) for expression in both)


def test_replacement_takes_the_expression_by_the_published_shares(plate, acts):
    points = engine().driven_points(plate, acts[1], acts[0])
    shares = PERFORMRECAST49.replacement
    mixed = shares * acts[1].expression + (1 - shares) * plate.state.expression
    wanted = transform_keypoints(plate.keypoints, replace(plate.state, expression=mixed))
    np.testing.assert_allclose(points, wanted, atol=1e-7)
    assert shares[31].tolist() == [0.7, 0.7, 0.0]
    assert shares[45].tolist() == [0.0, 0.8, 0.0]
    assert shares[34].tolist() == [1.0, 1.0, 1.0]


def test_enhancement_adds_the_change_from_the_reference(plate, acts):
    adds = engine(recast="enhancement")
    points = adds.driven_points(plate, acts[1], acts[0])
    change = acts[1].expression.astype(np.float64) - acts[0].expression
    turned = change @ plate.state.rotation * plate.state.scale * plate.state.stretch
    np.testing.assert_allclose(points - plate.points, turned, atol=1e-6)
    np.testing.assert_allclose(adds.driven_points(plate, acts[0], acts[0]), plate.points, atol=1e-12)


@pytest.mark.parametrize("mode", ["replacement", "enhancement"])
def test_the_head_stays_and_strength_scales_the_change(plate, acts, mode):
    turned = replace(acts[1], rotation=np.float32([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]), scale=np.float32(9))
    by_turned = engine(recast=mode).driven_points(plate, turned, acts[0])
    np.testing.assert_allclose(by_turned, engine(recast=mode).driven_points(plate, acts[1], acts[0]))
    for strength in (0.0, 0.5):
        motion = MotionSettings(smoothing=0.0, strength=strength)
        points = engine(motion=motion, recast=mode).driven_points(plate, acts[1], acts[0])
        np.testing.assert_allclose(points - plate.points, strength * (by_turned - plate.points), atol=1e-9)


@pytest.mark.parametrize("mode", ["replacement", "enhancement"])
def test_weights_of_regions_multiply_the_change(plate, acts, mode):
    draws = engine(recast=mode)
    whole = draws.driven_points(plate, acts[1], acts[0]) - plate.points
    edit = Edit({"weight_lips": 0.0, "weight_eyes": 0.5, "weight_gaze": 0.5, "weight_all": 2.0})
    found = draws.driven_points(plate, acts[1], acts[0], edit) - plate.points
    factors = np.full((49, 1), 2.0)
    factors[[*range(8), 44, 45, 46]] = 0.0
    factors[[27, 28]], factors[[47, 48]] = 1.0, 0.5
    np.testing.assert_allclose(found, factors * whole, atol=1e-9)


def test_every_region_of_the_face_is_a_group():
    named = {point for group in PERFORMRECAST49.groups.values() for point in group}
    assert named == set(range(49))


@pytest.mark.parametrize("region,moving", [("lips", {*range(8), 44, 45, 46}), ("eyes", {27, 28, 47, 48})])
def test_a_region_moves_its_points_alone(plate, acts, region, moving):
    motion = MotionSettings(smoothing=0.0, region=region)
    points = engine(motion=motion).driven_points(plate, acts[1], acts[0])
    is_moved = np.abs(points - plate.points).max(axis=1) > 1e-9
    assert set(np.flatnonzero(is_moved)) == moving


def test_only_the_face_is_pasted_back(plate, acts):
    source = plate.source.pixels
    shown = engine().animate(plate, acts[1], acts[0])
    assert np.array_equal(shown.pixels[shown.matte == 0], source[shown.matte == 0])
    whole = engine(paste="square").prepare(frame(), face())
    square = engine(paste="square").animate(whole, acts[1], acts[0]).matte
    assert (shown.matte <= square).all()
    assert 0.1 < (shown.matte > 0).mean() / (square > 0).mean() < 0.8
    landmarks = np.rint(face().landmarks_frame[:, :2]).astype(int)
    assert (shown.matte[landmarks[:, 1], landmarks[:, 0]] > 0.99).all()
    assert shown.landmark_scheme == "performrecast49"


def test_the_scale_of_the_crop_is_a_setting():
    widths = [
        np.ptp(engine(crop_scale=s).prepare(frame(), face()).square.corners()[:, 0]) for s in (0, 1.5, 3)
    ]
    assert widths[0] == widths[1]
    assert widths[2] == pytest.approx(2 * widths[1])


def test_the_driver_is_read_through_a_turned_square():
    networks = FakeNetworks(model=PERFORMRECAST)
    tilted = face()
    points = tilted.landmarks_frame.copy()
    points[:, :2] = (points[:, :2] - [100, 110]) @ np.float32([[0.8, 0.6], [-0.6, 0.8]]) + [100, 110]
    upright, turned = (
        engine(networks).read_motion(frame(), one)
        for one in (tilted, replace(tilted, landmarks_frame=points))
    )
    assert upright.expression.shape == (49, 3)
    assert upright.extras["stretch"].tolist() == [1, 1, 1]
    assert not torch.equal(*networks.log.pictures)
    assert turned.extras["keypoints"].shape == (49, 3)


class Broken(FakeNetworks):
    """Gives a black or a non-finite image in half precision, and one of gray in float32 where it is healed."""

    def __init__(self, value, heals):
        super().__init__(model=PERFORMRECAST)
        self.value, self.heals, self.dtype = value, heals, torch.float16

    def widened(self):
        wide = Broken(0.5 if self.heals else self.value, True)
        wide.dtype = torch.float32
        return wide

    def generator(self, feature):
        return torch.full((len(feature), 3, 512, 512), self.value)


@pytest.mark.parametrize("value", [0.0, 0.01, float("nan"), float("inf")])
def test_a_broken_image_is_drawn_again_in_float32_or_the_source_is_kept(acts, value):
    for heals in (True, False):
        draws = engine(Broken(value, heals))
        plate = draws.prepare(frame(), face())
        shown = draws.animate(plate, acts[1], acts[0])
        is_source = np.array_equal(shown.pixels, plate.source.pixels)
        assert is_source != heals
        assert shown.note == ("" if heals else KEPT_NOTE)
        assert shown.matte.any() == heals


def test_black_is_no_fault_where_the_source_is_black(acts):
    draws = engine(Broken(0.0, False))
    dark = Frame(np.zeros((*SIZE, 3), np.uint8), 0, FrameRate.parse(25).time_s(0))
    assert draws.animate(draws.prepare(dark, face()), acts[1], acts[0]).note == ""


@pytest.mark.parametrize(
    "setting", ["eye_retargeting", "lip_retargeting", "normalize_lip", "steady_eyes", "official_compat"]
)
def test_settings_that_need_networks_it_does_not_have_are_refused(setting):
    with pytest.raises(SettingError, match=f"--{setting.replace('_', '-')}.*performrecast"):
        engine(**{setting: True})


def test_a_pose_is_refused_and_nothing_made_by_code_plays():
    with pytest.raises(SettingError, match="pose"):
        engine(motion=MotionSettings(region="pose"))
    with pytest.raises(MotionError, match="performrecast49"):
        builtin_motion("nod", rig="performrecast49")
    assert all(name.startswith("weight_") for name in engine().info.sliders)
    assert engine().info.rig == "performrecast49"
