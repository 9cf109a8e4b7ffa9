"""Angles and matrices are inverse, and the signs are those of faces.base.Pose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.geometry.rotation import angles_deg, from_angles_deg, nearest_rotation

HALF_TURN = st.floats(-179.0, 179.0)
NOSE, CHIN, RIGHT_SIDE = np.array([0, 0, -1.0]), np.array([0, 1.0, 0]), np.array([1.0, 0, 0])


@given(HALF_TURN, st.floats(-89.0, 89.0), HALF_TURN)
def test_angles_survive_the_round_trip(pitch, yaw, roll):
    assert np.allclose(angles_deg(from_angles_deg(pitch, yaw, roll)), (pitch, yaw, roll), atol=1e-6)


@given(HALF_TURN, st.floats(-90.0, 90.0), HALF_TURN)
def test_matrix_survives_the_round_trip_even_in_gimbal_lock(pitch, yaw, roll):
    matrix = from_angles_deg(pitch, yaw, roll)
    assert np.allclose(from_angles_deg(*angles_deg(matrix)), matrix, atol=1e-5)


@given(HALF_TURN, HALF_TURN, HALF_TURN)
def test_is_a_rotation(pitch, yaw, roll):
    matrix = from_angles_deg(pitch, yaw, roll)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_neutral_is_the_identity():
    assert np.array_equal(from_angles_deg(0, 0, 0), np.eye(3))
    assert angles_deg(np.eye(3)) == (0.0, 0.0, 0.0)


def test_positive_pitch_moves_the_chin_away_and_the_nose_down():
    matrix = from_angles_deg(20, 0, 0)
    assert (matrix @ CHIN)[2] > 0.3
    assert (matrix @ NOSE)[1] > 0.3


def test_positive_yaw_turns_the_nose_to_the_right_of_the_picture():
    assert (from_angles_deg(0, 20, 0) @ NOSE)[0] == pytest.approx(np.sin(np.radians(20)))


def test_positive_roll_tips_clockwise_in_the_picture():
    assert (from_angles_deg(0, 0, 20) @ RIGHT_SIDE)[1] == pytest.approx(np.sin(np.radians(20)))


@given(HALF_TURN, st.floats(-89.0, 89.0), HALF_TURN)
def test_mirror_flips_yaw_and_roll_only(pitch, yaw, roll):
    mirror = np.diag([-1.0, 1.0, 1.0])
    mirrored = mirror @ from_angles_deg(pitch, yaw, roll) @ mirror
    assert np.allclose(angles_deg(mirrored), (pitch, -yaw, -roll), atol=1e-6)


@given(HALF_TURN, HALF_TURN, HALF_TURN, st.floats(0.1, 50.0), st.integers(0, 2**32 - 1))
def test_nearest_rotation_takes_scale_and_noise_away(pitch, yaw, roll, scale, seed):
    matrix = from_angles_deg(pitch, yaw, roll)
    noise = np.random.default_rng(seed).normal(0, 1e-4, (3, 3))
    found = nearest_rotation(scale * (matrix + noise))
    assert np.allclose(found, matrix, atol=2e-3)
    assert np.allclose(found @ found.T, np.eye(3), atol=1e-12)


def test_nearest_rotation_of_a_reflection_is_still_a_rotation():
    assert np.linalg.det(nearest_rotation(np.diag([1.0, 1.0, -0.2]))) == pytest.approx(1.0)


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.ones((3, 3)), np.eye(4)])
def test_nearest_rotation_refuses_what_has_none(matrix):
    with pytest.raises(SettingError):
        nearest_rotation(matrix)
