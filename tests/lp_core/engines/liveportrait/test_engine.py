"""The engine with networks that compute next to nothing: what reaches them, what happens to the result."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace

import numpy as np
import pytest
from fakes.faces import make_face

torch = pytest.importorskip("torch")
from fakes.networks import FakeNetworks

from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.performance import implicit_of, network_picture
from lp_core.errors import OutOfMemory, SettingError
from lp_core.frame import Frame
from lp_core.geometry.crop import Square
from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.builtin import builtin_motion, neutral_face
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.implicit.motion import transform_keypoints
from lp_core.settings import EngineSettings, MotionSettings, RenderSettings
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import with_values
from lp_core.timing import FrameRate

NO_STITCHING = {"stitching": False}


def frame(value=100, size=(160, 120), dtype=np.uint8):
    pixels = np.full((*size, 3), value, dtype)
    pixels[:, :, 0] = np.arange(size[1]) % 200
    return Frame(pixels, 0, FrameRate.parse(25).time_s(0))


def face(at=(60, 80), height=40.0):
    points = neutral_face()
    points = (points * height / np.ptp(points[:, 1])).astype(np.float32)
    points[:, :2] += np.float32(at)
    return replace(make_face(50), landmarks_frame=points, scheme="mediapipe478", score=0.9)


def engine(networks=None, motion=None, **settings):
    chosen = with_values(RenderSettings(motion=motion or MotionSettings(smoothing=0.0)), settings)
    return LivePortraitEngine(chosen, networks or FakeNetworks())


@pytest.fixture(scope="module")
def still():
    return engine().prepare(frame(), face())


@pytest.fixture(scope="module")
def acts():
    motion = builtin_motion("expressive", rig="liveportrait21")
    return motion.frame(0), motion.frame(40)


def test_the_reference_itself_moves_nothing(still, acts):
    points = engine(**NO_STITCHING).driven_points(still, acts[0], acts[0])
    np.testing.assert_allclose(points, still.points, atol=1e-12)


@pytest.mark.parametrize("option", ["pose-friendly", "expression-friendly"])
def test_relative_motion_is_the_same_in_any_crop(still, acts, option):
    rest, now = acts
    now = replace(now, translation=np.array([0.1, -0.05], np.float32), scale=np.float32(1.1))
    one = engine(driving_option=option, **NO_STITCHING).driven_points(still, now, rest)

    def far(motion):
        return replace(
            motion, scale=motion.scale / 4, translation=motion.translation / 4 + np.float32([0.5, 0.2])
        )

    other = engine(driving_option=option, **NO_STITCHING).driven_points(still, far(now), far(rest))
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(one - still.points).max() > 0.01


def test_the_driving_options_differ(still, acts):
    turned = replace(still, state=replace(still.state, rotation=from_angles_deg(0.0, 30.0, 0.0)))
    now = replace(acts[1], rotation=from_angles_deg(10.0, 20.0, 0.0).astype(np.float32))
    points = [
        engine(driving_option=option, **NO_STITCHING).driven_points(turned, now, acts[0])
        for option in ("pose-friendly", "expression-friendly")
    ]
    assert np.abs(points[0] - points[1]).max() > 0.01


def test_absolute_motion_takes_the_head_as_it_is_but_stays_in_place(still, acts):
    now = replace(acts[1], rotation=from_angles_deg(5.0, 12.0, 3.0).astype(np.float32))
    absolute = engine(motion=MotionSettings(motion="absolute"), **NO_STITCHING)
    points = absolute.driven_points(still, now, now)
    expected = implicit_of(now)
    moved = replace(still.state, rotation=expected.rotation)
    pose_only = transform_keypoints(still.keypoints, moved)
    assert np.abs(points - pose_only).max() < 0.2  # the expression alone is between them
    assert np.abs((points - pose_only).mean(axis=0)).max() < 0.02


def test_every_strength_scales_the_motion(still, acts):
    rest, now = acts
    now = replace(now, rotation=from_angles_deg(0.0, 10.0, 0.0).astype(np.float32))

    def moved(**strengths):
        motion = MotionSettings(**strengths)
        return engine(motion=motion, **NO_STITCHING).driven_points(still, now, rest) - still.points

    whole = moved()
    np.testing.assert_allclose(moved(strength=0.5), 0.5 * whole, atol=1e-9)
    np.testing.assert_allclose(moved(strength=0.0), 0, atol=1e-12)
    np.testing.assert_allclose(moved(pose_strength=0.0, expression_strength=0.0), 0, atol=1e-9)
    pose, expression = moved(expression_strength=0.0), moved(pose_strength=0.0)
    assert np.abs(pose).max() > 0.01
    assert np.abs(expression).max() > 1e-3
    np.testing.assert_allclose(pose + expression, whole, atol=1e-6)  # rotations are stored as float32


@pytest.mark.parametrize("region", ["all", "pose", "expression", "eyes", "lips"])
def test_regions(still, acts, region):
    rest, now = acts
    now = replace(now, rotation=from_angles_deg(0.0, 10.0, 0.0).astype(np.float32))
    chosen = engine(motion=MotionSettings(region=region), **NO_STITCHING)
    held = {point for point in range(21) if region == "lips" and point not in (6, 12, 14, 17, 19, 20)}
    change = np.abs(chosen.driven_points(still, now, rest) - still.points).max(axis=1)
    assert change.max() > 1e-5
    assert all(change[point] < 1e-12 for point in held)


@pytest.mark.parametrize(
    ("setting", "network"),
    [("stitching", "stitched"), ("eye_retargeting", "eyes"), ("lip_retargeting", "lips")],
)
def test_a_setting_calls_its_network_and_only_then(still, acts, setting, network):
    for is_on in (True, False):
        networks = FakeNetworks()
        engine(networks, **{**NO_STITCHING, setting: is_on}).driven_points(still, acts[1], acts[0])
        assert bool(getattr(networks.log, network)) is is_on


def test_open_lips_are_closed_where_asked(still, acts):
    networks = FakeNetworks()
    gaping = replace(still, ratios=replace(still.ratios, lips=np.array([0.2])))
    closed = engine(networks, normalize_lip=True, **NO_STITCHING).driven_points(gaping, acts[0], acts[0])
    assert networks.log.lips
    assert np.abs(closed - gaping.points).max() > 0.01


def test_official_retargeting_throws_the_motion_away(still, acts):
    def moved(motion, **settings):
        return engine(eye_retargeting=True, **NO_STITCHING, **settings).driven_points(still, motion, acts[0])

    turned = replace(acts[1], rotation=from_angles_deg(0.0, 10.0, 0.0).astype(np.float32))
    np.testing.assert_allclose(moved(acts[1], official_compat=True), moved(turned, official_compat=True))
    assert np.abs(moved(acts[1]) - moved(turned)).max() > 0.01


def test_retargeting_needs_ratios(still, acts):
    bare = replace(acts[1], eyes=np.zeros(2, np.float32), lips=np.float32(0))
    with pytest.raises(SettingError, match="ratios"):
        engine(eye_retargeting=True).driven_points(still, bare, acts[0])


@pytest.mark.parametrize("name", SLIDERS)
def test_every_slider_moves_something(still, acts, name):
    value = SLIDERS[name].maximum
    plain = engine(**NO_STITCHING).driven_points(still, acts[0], acts[0])
    edited = engine(**NO_STITCHING).driven_points(still, acts[0], acts[0], Edit({name: value}))
    assert np.abs(edited - plain).max() > 1e-4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_picture_is_pasted_in_its_own_kind(dtype, acts):
    white = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    pixels = (frame().pixels / 255 * white).astype(dtype)
    source = Frame(pixels, 0, FrameRate.parse(25).time_s(0))
    drawing = engine(**NO_STITCHING)
    portrait = drawing.prepare(source, face())
    shown = drawing.animate(portrait, acts[0], acts[0])
    left, top, right, bottom = shown.region
    middle = shown.pixels[(top + bottom) // 2, (left + right) // 2]
    np.testing.assert_allclose(middle / white, 0.5, atol=0.003)  # sigmoid(0): nothing moved
    outside = shown.matte == 0
    assert outside.any()
    np.testing.assert_array_equal(shown.pixels[outside], pixels[outside])


def test_official_pictures_are_cut_off_not_rounded(still, acts):
    usual, official = (
        engine(official_compat=is_on, **NO_STITCHING).animate(still, acts[0], acts[0]).pixels
        for is_on in (False, True)
    )
    left, top, right, bottom = (
        getattr(still.place.region, side) for side in ("left", "top", "right", "bottom")
    )
    middle = (top + bottom) // 2, (left + right) // 2
    assert usual[middle][1] == 128  # of 127.5
    assert official[middle][1] == 127
    assert official.astype(int).mean() < usual.astype(int).mean()


def test_the_flow_points_to_where_the_features_came_from(still, acts):
    drawing = engine(**NO_STITCHING)
    shown = drawing.animate(still, replace(acts[0], translation=np.float32([0.1, 0])), acts[0])
    moved = drawing.driven_points(still, replace(acts[0], translation=np.float32([0.1, 0])), acts[0])
    step = (moved - still.points).mean(axis=0)[:2]
    frame_from_crop = np.linalg.inv(still.place.crop_from_frame)[:2, :2]
    wanted = -frame_from_crop @ step * 256
    seen = shown.region_flow[still.place.weight > 0].mean(axis=0)
    np.testing.assert_allclose(seen, wanted, atol=1e-3)


def test_a_performance_is_read_in_units_of_the_picture_height():
    networks = FakeNetworks()
    near = engine(networks).read_motion(frame(), face(height=40.0))
    assert near.confidence == np.float32(0.9)
    assert near.eyes.min() > 0.1
    far = engine(networks).read_motion(frame(), face(height=20.0))
    assert near.scale / far.scale == pytest.approx(2, rel=1e-3)
    temporary = engine(networks).read_motion(frame(), face(at=(76, 80)))
    assert temporary.translation[0] - near.translation[0] == pytest.approx(16 / 80, abs=1e-4)
    assert temporary.translation[1] == pytest.approx(near.translation[1], abs=1e-4)


def test_frames_read_together_read_as_they_do_alone():
    networks = FakeNetworks()
    drawing = engine(networks)
    seen = [(frame(), face(height=height)) for height in (40.0, 20.0, 30.0)]
    together = drawing.read_motions(seen)
    assert len(networks.log.pictures[0]) == 1  # a processor reads one at a time unless set otherwise
    for motion, (picture, found) in zip(together, seen, strict=True):
        alone = drawing.read_motion(picture, found)
        np.testing.assert_allclose(motion.expression, alone.expression, atol=1e-6)
        assert motion.scale == pytest.approx(alone.scale)


def test_the_batch_is_the_settings_and_one_that_does_not_fit_is_halved():
    networks = FakeNetworks()
    settings = RenderSettings(engine=EngineSettings(batch=4))
    reading = LivePortraitEngine(settings, networks)
    assert reading.info.batch == 4
    plain, sizes = networks.motion, []

    def narrow(image):
        sizes.append(len(image))
        if len(image) > 2:
            raise torch.OutOfMemoryError("planted")
        return plain(image)

    networks.motion = narrow
    assert len(reading.read_motions([(frame(), face())] * 5)) == 5
    assert sizes == [4, 2, 2, 1]


def test_a_large_face_is_averaged_not_skipped_over():
    networks = FakeNetworks()
    size = 2400
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[::4] = 255  # every fourth row: skipping would see all or nothing
    large = face(at=(1200, 1200), height=1000.0)
    engine(networks).read_motion(Frame(pixels, 0, FrameRate.parse(25).time_s(0)), large)
    middle = networks.log.pictures[0][0, :, 100:150, 100:150]
    assert middle.min() > 0.15
    assert middle.max() < 0.35


@pytest.mark.parametrize("side", [300.0, 1000.0, 1500.0, 2400.0])
def test_what_the_networks_see_stays_aligned_at_every_size(side):
    ramp = np.broadcast_to(np.linspace(0, 1, 3000, dtype=np.float32)[None, :, None], (3000, 3000, 3))
    seen = network_picture(
        Frame(ramp, 0, FrameRate.parse(25).time_s(0)), Square(np.array([1500.0, 1500.0]), side, 0.0)
    )
    at = 1500 + (2 * np.arange(256) + 0.5 - 256) * side / 512
    np.testing.assert_allclose(seen[128, :, 0], at / 2999, atol=1e-5)


def test_synthetic_weights_are_labelled():
    assert "synthetic" in engine().info.label
    assert "not the published" in engine(FakeNetworks("unverified")).info.label
    assert engine(FakeNetworks("verified")).info.label == ""


def test_memory_that_runs_out_once_is_freed_and_twice_is_an_error(still, acts):
    assert engine(FakeNetworks(fail=1)).animate(still, acts[0], acts[0]).pixels.shape == (160, 120, 3)
    with pytest.raises(OutOfMemory, match="cpu"):
        engine(FakeNetworks(fail=2)).animate(still, acts[0], acts[0])


def test_one_picture_is_measured_against_a_neutral_face(still, acts):
    """An image turns the head by its own turn; measured against itself it would move nothing."""
    turned = replace(acts[1], rotation=from_angles_deg(0.0, 10.0, 0.0).astype(np.float32))
    by_itself = engine(**NO_STITCHING).driven_points(still, turned, turned)
    np.testing.assert_allclose(by_itself, still.points, atol=1e-9)
    neutral = MotionSettings(reference="neutral")
    points = engine(motion=neutral, **NO_STITCHING).driven_points(still, turned, turned)
    state = replace(still.state, rotation=turned.rotation.T.astype(np.float64) @ still.state.rotation)
    pose_only = transform_keypoints(still.keypoints, state)
    assert np.abs(points - pose_only).max() < 0.2
    assert np.abs(points - still.points).max() > 0.05


class TestWhatTheNetworkCannotDraw:
    def test_detail_of_the_source_comes_back_on_request(self, acts):
        grain = np.random.default_rng(2).integers(-20, 20, (160, 160, 1))
        drawn = {}
        for detail in ("neural", "source"):
            one = engine(detail=detail)
            flat = one.animate(one.prepare(frame(), face()), acts[0], acts[1]).pixels
            level = flat[80, 60].astype(
                int
            )  # the generator's flat color, so that both agree but for the grain
            pixels = np.clip(level + grain, 0, 255).astype(np.uint8)
            source = Frame(pixels, 0, FrameRate.parse(25).time_s(0))
            shown = one.animate(one.prepare(source, face()), acts[0], acts[1])
            drawn[detail] = shown.pixels[shown.matte == 1].astype(float)
        assert drawn["source"].std(axis=0).mean() > 5 * drawn["neural"].std(axis=0).mean() + 1

    def test_passes_of_the_network(self, acts):
        one = engine()
        portrait = one.prepare(frame(), face())
        shown = one.animate(portrait, acts[0], acts[1])
        assert one.info.has_crop
        assert shown.crop.pixels.shape == (512, 512, 3)
        assert 0 <= shown.crop.pixels.min() <= shown.crop.pixels.max() <= 1
        center = shown.crop.frame_from_crop @ (255.5, 255.5, 1)
        assert np.abs(shown.landmarks_frame[:, :2].mean(axis=0) - center[:2]).max() < 60
        assert shown.landmarks_frame.shape == (21, 3)
        assert shown.landmark_scheme == "liveportrait21"


def test_regions_are_the_sources_carried_along_the_map(still, acts):
    reference, motion = acts
    asked = engine(passes="beauty,regions")
    portrait = asked.prepare(frame(), face())
    drawn = asked.animate(portrait, motion, reference)
    assert still.contours is None
    assert drawn.contours.mouth.shape == portrait.contours.mouth.shape
    shown = drawn.contours.skin[18]  # the chin
    left, top, _, _ = drawn.region
    x, y = np.rint(shown).astype(int) - (left, top)
    np.testing.assert_allclose(shown + drawn.region_flow[y, x], portrait.contours.skin[18], atol=1.0)
