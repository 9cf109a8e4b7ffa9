"""Driving option, offsets, stitching and multiplier: what each setting promises by default."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lp_core.engines.liveportrait import retarget
from lp_core.engines.liveportrait.retarget import Ratios, RetargetOptions
from lp_core.errors import SettingError
from lp_core.motion.implicit.motion import ImplicitMotion, rotation_from_degrees, transform_keypoints
from lp_core.motion.implicit.regions import EYE_MASK, LIP_MASK
from lp_core.motion.implicit.transfer import TransferOptions, transfer


class Fakes:
    """Small networks with answers that can be distinguished; they note what they were asked."""

    def __init__(self):
        self.asked = {"stitching": [], "eye": [], "lip": []}

    def _answer(self, name, x, width, value):
        assert x.dtype == torch.float32
        self.asked[name].append(x.numpy().copy())
        return torch.full((len(x), width), value)

    def stitching(self, x):
        answer = self._answer("stitching", x, 65, 0.0)
        answer[:, -2], answer[:, -1] = 1.0, 2.0
        return answer

    def eye(self, x):
        return self._answer("eye", x, 63, 0.25)

    def lip(self, x):
        return self._answer("lip", x, 63, 0.5)


@pytest.fixture
def fakes():
    return Fakes()


@pytest.fixture
def points(rng):
    return rng.normal(size=(1, 21, 3)), rng.normal(size=(2, 21, 3))


SOURCE = Ratios(np.array([[0.3, 0.35]]), np.array([0.2]))
DRIVING = Ratios(np.array([[0.1, 0.3], [0.2, 0.2]]), np.array([0.4, 0.1]))
PLAIN = RetargetOptions(stitching=False)


def finish(fakes, points, options, **more):
    parts = {"is_relative": True, "source_ratios": SOURCE, "driving_ratios": DRIVING}
    return retarget.finish(fakes, *points, options, **(parts | more))


def test_nothing_asked_for_changes_nothing(fakes, points):
    assert np.allclose(finish(fakes, points, PLAIN), points[1])
    assert not any(fakes.asked.values())


def test_stitching_adds_the_common_shift_in_x_and_y(fakes, points):
    moved = finish(fakes, points, RetargetOptions())
    assert np.allclose(moved - points[1], [1.0, 2.0, 0.0])
    asked = fakes.asked["stitching"][0]
    assert np.allclose(asked[1], np.concatenate([points[0][0].ravel(), points[1][1].ravel()]), atol=1e-6)


@pytest.mark.parametrize("multiplier", [0.0, 0.5, 2.0])
def test_the_multiplier_scales_the_way_from_the_source(fakes, points, multiplier):
    moved = finish(fakes, points, replace(PLAIN, multiplier=multiplier))
    assert np.allclose(moved, points[0] + multiplier * (points[1] - points[0]))


def test_retargeting_keeps_the_drivers_motion_unless_compatible(fakes, points):
    options = replace(PLAIN, eye_retargeting=True)
    assert np.allclose(finish(fakes, points, options), points[1] + 0.25)
    official = finish(fakes, points, replace(options, official_compat=True))
    assert np.allclose(official, points[0] + 0.25)


def test_eyes_follow_both_eyes_of_the_driver_unless_compatible(fakes, points):
    options = replace(PLAIN, eye_retargeting=True)
    finish(fakes, points, options)
    finish(fakes, points, replace(options, official_compat=True))
    ours, official = fakes.asked["eye"]
    assert np.allclose(ours[:, 63:], [[0.3, 0.35, 0.2], [0.3, 0.35, 0.2]])
    assert np.allclose(official[:, 65], [0.1, 0.2])


def test_lips_follow_the_driver(fakes, points):
    assert np.allclose(finish(fakes, points, replace(PLAIN, lip_retargeting=True)), points[1] + 0.5)
    assert np.allclose(fakes.asked["lip"][0][:, 63:], [[0.2, 0.4], [0.2, 0.1]])


def test_open_lips_are_closed_and_closed_ones_left(fakes, points):
    options = replace(PLAIN, normalise_lips=True)
    assert np.allclose(finish(fakes, points, options), points[1] + 0.5)
    closed = Ratios(SOURCE.eyes, np.array([0.02]))
    assert np.allclose(finish(fakes, points, options, source_ratios=closed), points[1])
    assert np.allclose(finish(fakes, points, options, is_relative=False), points[1])


def test_lips_are_closed_beside_eye_retargeting_unless_compatible(fakes, points):
    options = replace(PLAIN, normalise_lips=True, eye_retargeting=True)
    assert np.allclose(finish(fakes, points, options), points[1] + 0.75)
    assert np.allclose(finish(fakes, points, replace(options, official_compat=True)), points[0] + 0.25)


def test_eyes_of_a_filmed_source_are_kept_open(fakes, points):
    assert retarget.steady_eye_target(np.array([0.3, 0.5])) == pytest.approx(0.4)
    assert retarget.steady_eye_target(np.array([0.1, 0.2])) == 0.39
    assert np.allclose(finish(fakes, points, PLAIN, eye_target=0.39), points[1] + 0.25)
    assert fakes.asked["eye"][0][0, 65] == pytest.approx(0.39)


def test_retargeting_without_ratios_is_refused(fakes, points):
    with pytest.raises(SettingError, match="ratios"):
        finish(fakes, points, replace(PLAIN, lip_retargeting=True), driving_ratios=None)


def motion(rng, yaw=0.0, **changes):
    made = ImplicitMotion(
        rotation_from_degrees(0.0, yaw, 0.0), rng.normal(0, 0.05, (21, 3)), 1.3, rng.normal(0, 0.1, 3)
    )
    return replace(made, **changes)


def test_what_ratios_drive_is_not_moved_twice(rng):
    source, moved = motion(rng), motion(rng)
    for options, mask in (
        (replace(PLAIN, eye_retargeting=True), EYE_MASK),
        (replace(PLAIN, lip_retargeting=True), LIP_MASK),
        (replace(PLAIN, eye_retargeting=True, lip_retargeting=True), EYE_MASK | LIP_MASK),
    ):
        held = retarget.held_for_retargeting(moved, source, options)
        assert np.array_equal(held.expression, np.where(mask, source.expression, moved.expression))
        official = replace(options, official_compat=True)
        assert retarget.held_for_retargeting(moved, source, official) is moved
    assert retarget.held_for_retargeting(moved, source, PLAIN) is moved


def test_expression_friendly_does_something_unless_compatible(rng):
    keypoints = rng.normal(0, 0.3, (21, 3))
    source, driving, reference = motion(rng, 25.0), motion(rng, -20.0), motion(rng, -15.0)

    def both(is_compat):
        options = TransferOptions(official_compat=is_compat)
        relative = transform_keypoints(keypoints, transfer(source, driving, reference, options))
        friendly = retarget.expression_friendly(keypoints, source, driving, reference, options)
        return float(np.abs(relative - friendly).max())

    assert both(False) > 0.01
    assert both(True) < 1e-9


@pytest.mark.parametrize("is_compat", [False, True])
def test_expression_friendly_starts_at_the_source(rng, is_compat):
    keypoints = rng.normal(0, 0.3, (21, 3))
    source, reference = motion(rng, 25.0), motion(rng, -15.0)
    options = TransferOptions(official_compat=is_compat)
    start = retarget.expression_friendly(keypoints, source, reference, reference, options)
    assert np.allclose(start, transform_keypoints(keypoints, source))


def test_the_hulls_volume_is_that_of_a_known_library(rng):
    spatial = pytest.importorskip("scipy.spatial")
    for _ in range(5):
        points = rng.normal(size=(21, 3))
        assert retarget.hull_volume(points) == pytest.approx(spatial.ConvexHull(points).volume, rel=1e-6)


def test_the_hull_of_a_box_is_the_box():
    corners = np.array([[x, y, z] for x in (0, 2) for y in (0, 3) for z in (0, 4)], float)
    assert retarget.hull_volume(corners) == pytest.approx(24.0, rel=1e-6)
