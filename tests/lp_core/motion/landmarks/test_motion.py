"""Pose comes off the landmarks and goes back on; what is left does not know the pose."""

import numpy as np
import pytest
from fakes.mesh import random_face
from hypothesis import given
from hypothesis import strategies as st

from lp_core.geometry.facemesh import EYES, LEFT_EYE, LIPS_INNER_LOWER, LIPS_INNER_UPPER, RIGID
from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.landmarks.motion import (
    best_rotation,
    eye_gaze,
    eye_openness,
    landmarks_from_motion,
    lip_openness,
    motion_from_landmarks,
)
from lp_core.motion.sequence import MOTION_ARRAYS, frame_shapes

SEED = st.integers(0, 2**32 - 1)
ANGLE = st.floats(-80.0, 80.0)
ANGLES = st.tuples(ANGLE, ANGLE, ANGLE)
SIZE = st.tuples(st.integers(2, 4096), st.integers(2, 2160))
NO_SHAPES = np.zeros(52, np.float32)


def landmarks(seed, angles, width, height):
    """(478, 3) pixels of a random face and the (3, 3) rotation it was posed with."""
    rng = np.random.default_rng(seed)
    rotation = from_angles_deg(*angles).astype(np.float32)
    points = random_face(seed) @ rotation.T.astype(np.float64) * rng.uniform(0.05, 0.4) * height
    points += (rng.uniform(0, width), rng.uniform(0, height), rng.normal(0, 0.1) * height)
    return points.astype(np.float32), rotation


@given(SEED, ANGLES, SIZE)
def test_landmarks_survive_the_round_trip(seed, angles, size):
    points, rotation = landmarks(seed, angles, *size)
    motion = motion_from_landmarks(points, rotation, NO_SHAPES, *size)
    back = landmarks_from_motion(motion, *size)
    assert np.allclose(back[:, :2], points[:, :2], atol=2e-6 * max(size))
    depth = points[:, 2] - points[RIGID, 2].mean(
        dtype=np.float64
    )  # the depth of the head as a whole is not kept
    assert np.allclose(back[:, 2], depth, atol=2e-6 * max(size))


@given(SEED, ANGLES, SIZE)
def test_motion_survives_the_round_trip(seed, angles, size):
    motion = motion_from_landmarks(*landmarks(seed, angles, *size), NO_SHAPES, *size)
    again = motion_from_landmarks(landmarks_from_motion(motion, *size), motion.rotation, NO_SHAPES, *size)
    for name in MOTION_ARRAYS:
        assert np.allclose(getattr(again, name), getattr(motion, name), atol=2e-3), name


@given(SEED, ANGLES, ANGLES, st.floats(0.3, 3.0), st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
def test_the_face_itself_does_not_know_how_the_head_is_held(seed, angles, turn, scale, shift):
    points, rotation = landmarks(seed, angles, 640, 480)
    turn = from_angles_deg(*turn)
    moved = (points.astype(np.float64) @ turn.T * scale + (*shift, 0)).astype(np.float32)
    one = motion_from_landmarks(points, rotation, NO_SHAPES, 640, 480)
    two = motion_from_landmarks(moved, (turn @ rotation).astype(np.float32), NO_SHAPES, 640, 480)
    for name in ("expression", "eyes", "gaze", "lips"):
        assert np.allclose(getattr(two, name), getattr(one, name), atol=2e-3), name
    assert two.scale == pytest.approx(scale * one.scale, rel=1e-3)


def test_head_space_is_centred_and_of_unit_size():
    motion = motion_from_landmarks(*landmarks(3, (5, -20, 8), 640, 480), NO_SHAPES, 640, 480)
    assert np.allclose(motion.expression[RIGID].mean(axis=0), 0, atol=1e-5)
    assert (motion.expression[RIGID] ** 2).sum(axis=1).mean() == pytest.approx(1, abs=1e-5)


def test_lengths_are_in_picture_heights_from_the_middle():
    points, rotation = landmarks(5, (0, 0, 0), 100, 50)
    points[:, :2] += (99 / 2, 49 / 2) - points[RIGID, :2].mean(axis=0)
    assert np.allclose(motion_from_landmarks(points, rotation, NO_SHAPES, 100, 50).translation, 0, atol=1e-6)
    points[:, 0] += 10
    moved = motion_from_landmarks(points, rotation, NO_SHAPES, 100, 50)
    assert np.allclose(moved.translation, (10 / 50, 0), atol=1e-6)


def test_arrays_have_the_types_of_the_rig_and_confidence_is_kept():
    motion = motion_from_landmarks(*landmarks(1, (0, 0, 0), 64, 64), NO_SHAPES + 0.25, 64, 64, 0.5)
    for name, shape in frame_shapes("mesh478").items():
        assert np.asarray(getattr(motion, name)).shape == shape, name
        assert np.asarray(getattr(motion, name)).dtype == np.float32, name
    assert motion.confidence == np.float32(0.5)
    assert (motion.blendshapes == np.float32(0.25)).all()


def test_a_face_of_no_size_gives_finite_numbers():
    points = np.full((478, 3), 7.0, np.float32)
    motion = motion_from_landmarks(points, np.eye(3, dtype=np.float32), NO_SHAPES, 64, 64)
    assert all(np.isfinite(getattr(motion, name)).all() for name in MOTION_ARRAYS)
    assert np.allclose(landmarks_from_motion(motion, 64, 64)[:, :2], 7.0, atol=1e-4)


@given(ANGLES, SEED, st.integers(3, 40))
def test_best_rotation_finds_the_planted_one(angles, seed, count):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    planted = from_angles_deg(*angles)
    assert np.allclose(best_rotation(points, points @ planted.T), planted, atol=1e-6)


@given(ANGLES, SEED)
def test_best_rotation_bears_noise(angles, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(50, 3))
    planted = from_angles_deg(*angles)
    found = best_rotation(points, points @ planted.T + rng.normal(0, 0.01, (50, 3)))
    assert np.abs(found - planted).max() < 0.02


@pytest.mark.parametrize(
    "target", [np.diag([1.0, 1.0, -1.0]), np.diag([1.0, 1.0, 0.0]), np.zeros((3, 3))], ids=str
)
def test_best_rotation_is_a_rotation_even_where_a_mirror_image_fits_better(rng, target):
    points = rng.normal(size=(20, 3))
    found = best_rotation(points, points @ target)
    assert np.allclose(found @ found.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(found) == pytest.approx(1)


def eye_of(eye, gap, along=0.0, across=0.0):
    """(478, 3) with one eye, 2 wide, axis to the right, lids ``gap`` widths apart, iris off the middle."""
    points = np.zeros((478, 3))
    x = np.linspace(-1, 1, 9)
    points[eye.upper] = np.column_stack([x, -gap * (1 - x**4), 0 * x])
    points[eye.lower] = np.column_stack([x, gap * (1 - x**4), 0 * x])
    points[eye.iris, :2] = (2 * along, 2 * across)
    return points


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("gap", [0.0, 0.1, 0.4])
def test_openness_of_an_eye(eye, gap):
    x = np.linspace(-1, 1, 9)[3:6]
    assert eye_openness(eye_of(eye, gap), eye) == pytest.approx(gap * np.mean(1 - x**4), abs=1e-5)


@pytest.mark.parametrize("eye", EYES)
@given(along=st.floats(-0.3, 0.3), across=st.floats(-0.3, 0.3), roll=st.floats(-180, 180))
def test_gaze_is_read_along_and_across_the_eye(eye, along, across, roll):
    points = eye_of(eye, 0.3, along, across) @ from_angles_deg(0, 0, roll).T
    assert eye_gaze(points, eye) == pytest.approx((along, across), abs=1e-5)


def test_gaze_is_positive_to_the_right_and_down():
    points = eye_of(LEFT_EYE, 0.3)
    points[LEFT_EYE.iris, :2] += (0.2, 0.1)
    along, across = eye_gaze(points, LEFT_EYE)
    assert (along, across) == (pytest.approx(0.1, abs=1e-5), pytest.approx(0.05, abs=1e-5))


@pytest.mark.parametrize("gap", [0.0, 0.2, 0.9])
def test_openness_of_lips(gap):
    points = np.zeros((478, 3))
    x = np.linspace(-0.5, 0.5, 11)
    points[LIPS_INNER_UPPER, 0] = points[LIPS_INNER_LOWER, 0] = x
    points[LIPS_INNER_LOWER[1:-1], 1] = gap
    assert lip_openness(points) == pytest.approx(gap, abs=1e-5)
