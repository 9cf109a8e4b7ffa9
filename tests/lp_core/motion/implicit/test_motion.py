"""The LivePortrait rig's algebra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import MotionError
from lp_core.motion.implicit.motion import (
    bins_to_degrees,
    degrees_from_rotation,
    implicit_motion,
    rotation_from_degrees,
    transform_keypoints,
)

angle = st.floats(-80, 80)


def motion(**changes):
    parts = {"rotation": np.eye(3), "expression": np.zeros((21, 3)), "scale": 1.5, "translation": np.zeros(3)}
    return implicit_motion(**(parts | changes))


def test_one_bin_is_three_degrees():
    logits = np.full((66, 66), -1e4)
    np.fill_diagonal(logits, 0.0)
    np.testing.assert_allclose(bins_to_degrees(logits), 3.0 * np.arange(66) - 97.5)


def test_logits_of_any_size_do_not_overflow():
    assert bins_to_degrees(np.full((1, 66), 1e30))[0] == pytest.approx(0.0)


def test_rotation_is_the_transposed_product_of_column_matrices():
    x, y, z = np.radians([10.0, 20.0, 30.0])
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    np.testing.assert_allclose(rotation_from_degrees(10, 20, 30), (rz @ ry @ rx).T, atol=1e-15)


@given(angle, angle, angle)
def test_angles_come_back(pitch, yaw, roll):
    rotation = rotation_from_degrees(pitch, yaw, roll)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(degrees_from_rotation(rotation), [pitch, yaw, roll], atol=1e-9)


def test_expression_is_added_after_the_rotation_and_scaled():
    points, expression = np.zeros((21, 3)), np.zeros((21, 3))
    points[0], expression[0] = (1, 0, 0), (0, 0.5, 0)
    turned = motion(
        rotation=rotation_from_degrees(0, 0, 90), expression=expression, translation=np.array([1.0, 2.0, 3.0])
    )
    moved = transform_keypoints(points, turned)
    np.testing.assert_allclose(moved[0], [1.0, 2.0 + 1.5 * 1.5, 0.0], atol=1e-12)
    assert transform_keypoints(points, turned, keeps_depth=True)[0, 2] == pytest.approx(3.0)


def test_the_translation_is_not_written_into():
    shift = np.array([1.0, 2.0, 3.0])
    transform_keypoints(np.zeros((21, 3)), motion(translation=shift))
    assert shift.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "bad",
    [
        {"scale": 0.0},
        {"scale": -1.0},
        {"scale": np.nan},
        {"scale": [1, 2]},
        {"rotation": np.full((3, 3), np.inf)},
        {"expression": np.zeros(5)},
        {"translation": "text"},
    ],
)
def test_impossible_motion_is_refused(bad):
    with pytest.raises(MotionError):
        motion(**bad)
