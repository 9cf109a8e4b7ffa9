"""A performance laid onto another face: identity, regions, signs, limits."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.mesh import lip_distance, performer, random_face, random_performance, turned
from hypothesis import given
from hypothesis import strategies as st

from lp_core.geometry.facemesh import CHIN, EYES, LIPS_INNER_LOWER, LIPS_INNER_UPPER, RIGID
from lp_core.geometry.rotation import angles_deg, from_angles_deg
from lp_core.motion.landmarks import transfer as module
from lp_core.motion.landmarks.lids import LID_REST, NARROW_EYE, lid_ratios, widest_eyes
from lp_core.motion.landmarks.motion import best_rotation
from lp_core.motion.landmarks.transfer import NO_NUDGE, Nudge, line_of_sight, smile_field, transfer
from lp_core.settings import MOTION_MODES, REGIONS, MotionSettings

SEED = st.integers(0, 2**32 - 1)
MODES, EVERY_REGION = st.sampled_from(MOTION_MODES), st.sampled_from(REGIONS)
EYE_POINTS = np.concatenate([np.concatenate([eye.upper, eye.lower, eye.iris]) for eye in EYES])
LIP_POINTS = np.concatenate([LIPS_INNER_UPPER, LIPS_INNER_LOWER])


def some_source(seed, at=None):
    rng = np.random.default_rng(seed + 1)
    at = rng.normal(0, 0.2, 2) if at is None else at
    return performer(random_face(seed + 1), rng.normal(0, 15, 3), rng.uniform(0.05, 0.4), at)


def own_points(source):
    return source.expression.astype(np.float64) @ source.rotation.T.astype(np.float64)


def moved(target, source):
    """(478,) how far each landmark moves."""
    return np.linalg.norm(target.points - own_points(source), axis=1)


def turn_deg(target, source):
    """Head angles that the target has beyond the source's, degrees."""
    shape = source.expression.astype(np.float64)[RIGID]
    rotation = best_rotation(
        shape - shape.mean(0), target.rigid_points[RIGID] - target.rigid_points[RIGID].mean(0)
    )
    return np.array(angles_deg(rotation)) - angles_deg(source.rotation.astype(np.float64))


@given(SEED, SEED, EVERY_REGION)
def test_a_performance_at_its_reference_changes_nothing_on_any_source(seed, other, region):
    source, (_, reference) = some_source(seed), random_performance(other)
    target = transfer(source, reference, reference, MotionSettings(region=region))
    assert np.allclose(target.points, own_points(source), atol=1e-9)
    assert np.allclose(target.rigid_points, own_points(source), atol=1e-9)
    assert target.lids == pytest.approx((1, 1), abs=1e-9)
    assert (target.gaze == 0).all()


@pytest.mark.parametrize("name,value", [("lips", 0.0), ("eyes", np.zeros(2)), ("eyes", np.full(2, 0.02))])
def test_so_does_one_whose_reference_has_lips_or_eyes_shut(name, value):
    source, reference = some_source(4), replace(performer(), **{name: np.float32(value)})
    target = transfer(source, reference, reference, MotionSettings())
    assert np.allclose(target.points, own_points(source), atol=1e-9)
    assert target.lids == pytest.approx((1, 1))


@given(SEED, SEED, MODES, EVERY_REGION)
def test_strength_zero_is_nothing(seed, other, mode, region):
    source, (reference, motion) = some_source(seed), random_performance(other)
    nudge = Nudge((2.0, 3.0, 4.0), 0.2, 0.1, 1.0, (-0.4, 0.4))
    target = transfer(source, motion, reference, MotionSettings(mode, strength=0, region=region), nudge)
    assert np.allclose(target.points, own_points(source), atol=1e-9)
    assert target.lids == (1, 1)
    assert (target.gaze == 0).all()


@given(SEED, SEED, MODES)
def test_region_pose_leaves_the_shape_alone(seed, other, mode):
    source, (reference, motion) = some_source(seed), random_performance(other)
    target = transfer(source, motion, reference, MotionSettings(mode, region="pose"))
    assert np.allclose(target.points, target.rigid_points, atol=1e-9)
    assert target.lids == (1, 1)
    assert (target.gaze == 0).all()
    assert moved(target, source).max() > 0.01


@given(SEED, SEED, MODES, st.sampled_from(["expression", "eyes", "lips"]))
def test_the_other_regions_leave_the_pose_alone(seed, other, mode, region):
    source, (reference, motion) = some_source(seed), random_performance(other)
    target = transfer(source, motion, reference, MotionSettings(mode, region=region))
    assert np.allclose(target.rigid_points, own_points(source), atol=1e-9)
    assert moved(target, source).max() > 0.01


def test_region_lips_moves_only_what_lies_below_the_nose():
    source, (reference, motion) = some_source(8), random_performance(9)
    target = transfer(source, motion, reference, MotionSettings(region="lips"))
    above = source.expression[:, 1] <= source.expression[4, 1]
    distance = moved(target, source)
    assert distance[above].max() < 1e-9
    assert distance[LIP_POINTS].min() > 1e-3
    assert target.lids == (1, 1)
    assert (target.gaze == 0).all()


def test_region_eyes_moves_nothing_from_the_lips_down():
    source, (reference, motion) = some_source(8), random_performance(9)
    motion = replace(motion, eyes=reference.eyes * np.float32(0.5), gaze=reference.gaze + np.float32(0.1))
    target = transfer(source, motion, reference, MotionSettings(region="eyes"))
    below = source.expression[:, 1] >= source.expression[LIPS_INNER_UPPER[5], 1]
    assert moved(target, source)[below].max() < 1e-9
    assert moved(target, source)[EYE_POINTS].max() > 0.01
    assert max(target.lids) < 0.6
    assert (np.abs(target.gaze) > 0.01).all()


@pytest.mark.parametrize(
    "settings",
    [
        MotionSettings(motion="absolute"),
        MotionSettings(region="pose"),
        MotionSettings(strength=0.5),
        MotionSettings(pose_strength=0.5),
        MotionSettings(expression_strength=0.5),
    ],
    ids=str,
)
def test_every_setting_that_transfer_reads_has_an_effect(settings):
    source, (reference, motion) = some_source(8), random_performance(9)
    plain = transfer(source, motion, reference, MotionSettings())
    assert np.abs(transfer(source, motion, reference, settings).points - plain.points).max() > 1e-3


def test_pose_strength_scales_the_turn_and_expression_strength_the_shape():
    source, reference = some_source(1, at=(0, 0)), performer()
    motion = turned(reference, yaw=6)
    half = transfer(source, motion, reference, MotionSettings(pose_strength=0.5))
    assert turn_deg(half, source)[1] == pytest.approx(3, abs=0.01)
    motion = replace(reference, eyes=reference.eyes * np.float32(0.56))
    lids = [
        transfer(source, motion, reference, MotionSettings(expression_strength=s)).lids[0] for s in (0.5, 1)
    ]
    assert 1 - lids[0] == pytest.approx((1 - lids[1]) / 2)


@given(SEED, st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5), MODES)
def test_the_source_turns_as_the_performer_does(seed, pitch, yaw, roll, mode):
    source, reference = some_source(seed, at=(0, 0)), performer(angles=(4, -6, 3))
    base = reference if mode == "relative" else source
    motion = replace(reference, rotation=turned(base, pitch, yaw, roll).rotation)
    target = transfer(source, motion, reference, MotionSettings(mode))
    assert np.allclose(turn_deg(target, source), (pitch, yaw, roll), atol=0.01)


@pytest.mark.parametrize("axis", [0, 2])
def test_a_turn_across_the_half_circle_is_the_short_one(axis):
    angles = np.zeros(3)
    angles[axis] = 178
    motion = performer(angles=angles + np.where(np.arange(3) == axis, 6, 0))
    target = transfer(some_source(1, at=(0, 0)), motion, performer(angles=angles), MotionSettings())
    wanted = np.where(np.arange(3) == axis, 6, 0)
    assert np.allclose(turn_deg(target, some_source(1, at=(0, 0))), wanted, atol=0.01)


@given(SEED, st.floats(-0.02, 0.02), st.floats(-0.02, 0.02), st.floats(0.9, 1.1))
def test_the_head_moves_and_grows_by_what_was_asked(seed, x, y, growth):
    source, reference = some_source(seed), performer(scale=0.2)
    motion = replace(
        reference,
        translation=np.array([x, y], np.float32),
        scale=np.float32(reference.scale * growth),
    )
    target = transfer(source, motion, reference, MotionSettings())
    still = transfer(source, reference, reference, MotionSettings())
    shift = target.rigid_points[RIGID].mean(0)[:2] - still.rigid_points[RIGID].mean(0)[:2]
    roll = angles_deg(source.rotation)[2] - angles_deg(reference.rotation)[2]
    own_axes = from_angles_deg(0, 0, roll)[:2, :2]
    assert np.allclose(shift, own_axes @ (x / 0.2, y / 0.2), atol=0.03)
    spread = [np.linalg.norm(t.rigid_points - t.rigid_points.mean(0)) for t in (target, still)]
    assert spread[0] / spread[1] == pytest.approx(growth, rel=1e-4)


@pytest.mark.parametrize("mode", MOTION_MODES)
@pytest.mark.parametrize("angles", [(170, 0, 0), (0, 89, 0), (0, 0, -175), (-90, 80, 120)], ids=str)
@pytest.mark.parametrize("size,far", [(1e6, 1e6), (1e-9, -1e6), (0.0, 50.0)])
def test_limits_hold_for_absurd_performances(mode, angles, size, far):
    source, reference = some_source(3, at=(0, 0)), performer()
    motion = performer(100 * random_face(5), angles, size, (far, -far))
    target = transfer(source, motion, reference, MotionSettings(mode, strength=2))
    rigid, own = target.rigid_points, own_points(source)
    assert np.isfinite(target.points).all()
    assert np.linalg.norm(rigid[RIGID].mean(0) - own[RIGID].mean(0)) <= module.LIMITS.shift + 0.05
    spread = np.linalg.norm(rigid - rigid.mean(0)) / np.linalg.norm(own - own.mean(0))
    low, high = module.SCALE_RANGE
    assert low - 1e-4 <= spread <= high + 1e-4
    turn = best_rotation(own[RIGID] - own[RIGID].mean(0), rigid[RIGID] - rigid[RIGID].mean(0))
    sight = np.degrees(np.arctan(module.LIMITS.shift * source.scale / 0.8))
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) <= module.LIMITS.turn_deg + sight + 3
    assert all(0 <= lid <= most for lid, most in zip(target.lids, widest_eyes(source), strict=True))
    assert np.abs(target.gaze).max() <= 2 * module.MAX_GAZE


@given(SEED, st.sampled_from(["all", "expression", "lips"]))
def test_closed_lips_of_the_performer_close_the_sources(seed, region):
    shape = random_face(seed)
    shape[LIPS_INNER_LOWER[1:-1], 1] += 0.2
    source = performer(shape)
    talking = performer().expression.astype(np.float64)
    talking[LIPS_INNER_LOWER[1:-1], 1] += 0.15
    closed = talking.copy()
    closed[LIPS_INNER_LOWER] = closed[LIPS_INNER_UPPER]
    target = transfer(source, performer(closed), performer(talking), MotionSettings(region=region))
    assert lip_distance(target.points) < 0.2 * lip_distance(shape)


@given(SEED, SEED)
def test_inner_lips_never_cross(seed, other):
    shape = random_face(seed)
    gap = shape[LIPS_INNER_LOWER, 1] - shape[LIPS_INNER_UPPER, 1]
    shape[LIPS_INNER_LOWER, 1] -= np.minimum(gap, 0)
    source = performer(shape)
    reference, motion = random_performance(other)
    target = transfer(source, motion, reference, MotionSettings(region="expression"))
    inside = target.points[LIPS_INNER_LOWER[1:-1], 1] - target.points[LIPS_INNER_UPPER[1:-1], 1]
    assert inside.min() > -1e-9


def test_an_opening_mouth_opens_further_and_takes_the_chin_along():
    source, reference = some_source(2), performer()
    gaps, chins = [], []
    for lips in (0.0, 0.2, 0.4, 0.6):
        motion = replace(reference, lips=np.float32(reference.lips + lips))
        target = transfer(
            replace(source, rotation=np.eye(3, dtype=np.float32)), motion, reference, MotionSettings()
        )
        gaps.append(lip_distance(target.points))
        chins.append(target.points[152, 1])
    assert (np.diff(gaps) > 0.05).all()
    assert (np.diff(chins) > 0.04).all()


@given(SEED, MODES)
def test_shut_eyes_of_the_performer_shut_the_sources(seed, mode):
    source, reference = some_source(seed), performer()
    motion = replace(reference, eyes=np.zeros(2, np.float32))
    target = transfer(source, motion, reference, MotionSettings(mode))
    assert target.lids == (0, 0)
    for eye in EYES:
        assert np.allclose(target.points[eye.upper], target.points[eye.lower], atol=1e-9)


def test_one_eye_winks_alone():
    source, reference = some_source(6), performer()
    motion = replace(reference, eyes=reference.eyes * np.array([0, 1], np.float32))
    target = transfer(source, motion, reference, MotionSettings())
    assert target.lids == (0, 1)
    distance = moved(target, source)
    assert distance[EYES[0].upper[1:-1]].min() > 0.01
    assert distance[EYES[1].upper].max() < 1e-9


@given(st.floats(0, 1), st.floats(0, 1))
def test_lids_follow_the_performer_in_order(one, two):
    source, reference = some_source(6), performer()
    low, high = sorted((one, two))
    ratios = [
        lid_ratios(source, replace(reference, eyes=reference.eyes * np.float32(part)), reference, "relative")
        for part in (low, high)
    ]
    assert ratios[0][0] <= ratios[1][0]
    assert all(0 <= value <= 1 + 1e-6 for pair in ratios for value in pair)


def test_lid_ratios_are_measured_from_the_reference():
    source = some_source(6)
    reference = replace(performer(), eyes=np.array([0.4, 0.02], np.float32))
    motion = replace(reference, eyes=np.array([0.2, 0.03], np.float32))
    half = (0.5 - LID_REST) / (1 - LID_REST)
    little = 1 + 0.01 / NARROW_EYE  # a narrow eye is not a measure for its own trembling
    assert lid_ratios(source, motion, reference, "relative") == pytest.approx((half, little), abs=1e-5)
    wide = replace(source, eyes=np.array([0.2, 0.2], np.float32))
    assert lid_ratios(wide, motion, reference, "absolute")[0] == pytest.approx(1, abs=1e-5)


def test_gaze_shifts_both_eyes_alike_and_less_under_a_closing_lid():
    source, reference = some_source(6), performer()
    gaze = reference.gaze + np.array([[0.1, 0.04], [0.12, 0.0]], np.float32)
    target = transfer(source, replace(reference, gaze=gaze), reference, MotionSettings())
    assert np.allclose(target.gaze, (0.11, 0.02), atol=1e-6)
    closing = replace(reference, gaze=gaze, eyes=reference.eyes * np.float32(0.5))
    assert (np.abs(transfer(source, closing, reference, MotionSettings()).gaze) < np.abs(target.gaze)).all()


@pytest.mark.parametrize("mode", MOTION_MODES)
@pytest.mark.parametrize("flat", ["source", "motion", "reference", "all"])
def test_faces_without_any_extent_give_finite_points(mode, flat):
    nothing = replace(
        performer(np.zeros((478, 3))),
        scale=np.float32(0),
        lips=np.float32(0),
        eyes=np.zeros(2, np.float32),
    )
    parts = dict(
        zip(("source", "motion", "reference"), (some_source(2), *random_performance(3)), strict=True)
    )
    parts = {name: nothing if flat in (name, "all") else part for name, part in parts.items()}
    target = transfer(**parts, settings=MotionSettings(mode))
    assert np.isfinite(target.points).all()
    assert np.isfinite(target.rigid_points).all()
    assert np.isfinite(target.lids).all()


class TestNudge:
    def test_none_is_the_default_and_changes_nothing(self):
        source, (reference, motion) = some_source(8), random_performance(9)
        plain = transfer(source, motion, reference, MotionSettings())
        assert np.array_equal(
            transfer(source, motion, reference, MotionSettings(), NO_NUDGE).points, plain.points
        )

    def test_angles_are_added(self):
        source, reference = some_source(8, at=(0, 0)), performer()
        motion = turned(reference, 4, 2, -3)
        target = transfer(source, motion, reference, MotionSettings(), Nudge((1.0, -2.0, 3.0)))
        assert np.allclose(turn_deg(target, source), (5, 0, 0), atol=0.01)

    def test_gap_opens_and_lids_close(self):
        source, reference = some_source(8), performer()
        motion = replace(
            reference, lips=np.float32(reference.lips + 0.3), eyes=reference.eyes * np.float32(0.6)
        )
        plain = transfer(source, motion, reference, MotionSettings(region="expression"))
        gap = transfer(source, motion, reference, MotionSettings(region="expression"), Nudge(gap=0.1))
        upright = source.rotation.astype(np.float64)
        assert lip_distance(gap.points @ upright) > lip_distance(plain.points @ upright) + 0.05
        lids = transfer(source, motion, reference, MotionSettings(), Nudge(lids=(-0.2, 0.1))).lids
        assert np.allclose(np.subtract(lids, plain.lids), (-0.2, 0.1), atol=1e-6)

    def test_smile_adds_its_shape_at_the_mouth_only(self):
        source, reference = some_source(8), performer()
        shape = smile_field(source.expression.astype(np.float64))
        target = transfer(source, reference, reference, MotionSettings(), Nudge(smile=1.0))
        above = source.expression[:, 1] <= source.expression[4, 1]
        assert moved(target, source)[above].max() < 1e-9
        assert np.allclose(moved(target, source)[61], np.linalg.norm(shape[61]), rtol=0.6)


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_line_of_sight_is_the_rotation_to_the_point(x, y):
    rotation = line_of_sight(np.array([x, y]))
    depth = 0.5 / np.tan(np.radians(module.FIELD_OF_VIEW_DEG / 2))
    ray = np.array([x, y, depth]) / np.linalg.norm([x, y, depth])
    assert np.allclose(rotation @ (0, 0, 1), ray, atol=1e-9)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_a_head_that_moves_aside_looks_turned_the_other_way():
    source, reference = performer(), performer()
    motion = replace(reference, translation=np.array([0.06, 0], np.float32))
    turn = turn_deg(transfer(source, motion, reference, MotionSettings("absolute")), source)
    away = angles_deg(line_of_sight(np.array([0.06, 0.0])).T)
    assert np.allclose(turn, away, atol=0.3)
    assert abs(turn[1]) > 2
    seen = transfer(source, motion, reference, MotionSettings())  # relative: as the landmarks were seen
    assert np.allclose(turn_deg(seen, source), 0, atol=1e-6)


def test_a_dropping_jaw_lowers_mouth_and_chin_as_one_and_leaves_the_gap():
    source, reference = some_source(4), performer()
    motion = performer(0.2 * random_face(9))

    def moved(nudge):
        return transfer(source, motion, reference, MotionSettings(), nudge).points @ source.rotation

    change = moved(Nudge(drop=0.03)) - moved(NO_NUDGE)
    np.testing.assert_allclose(change[[*LIPS_INNER_UPPER, *LIPS_INNER_LOWER, CHIN], 1], 0.03, rtol=0.01)
    np.testing.assert_allclose(change[10], 0, atol=1e-9)


def test_a_narrow_eye_may_open_further_than_a_wide_one():
    narrow = replace(some_source(1), eyes=np.array([0.2, 0.35], np.float32))
    assert widest_eyes(narrow) == pytest.approx([1.8, 1.35])


def test_nudges_do_not_raise_the_mouth_up_to_the_nose():
    reference = performer()
    source = performer()

    def philtrum(nudge):
        points = transfer(source, reference, reference, MotionSettings(), nudge).points
        return points[0, 1] - points[2, 1]

    plain = philtrum(NO_NUDGE)
    assert 0.8 * plain < philtrum(Nudge(smile=0.2)) < plain
    assert philtrum(Nudge(smile=2.0, drop=-0.3)) == pytest.approx(0.8 * plain, rel=0.02)
