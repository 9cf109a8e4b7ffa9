"""The square around a face: what holds for every face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.geometry.crop import (
    ANCHORS,
    SOURCE_CROP,
    CropShape,
    anchor_points,
    crop_from_frame,
    frame_from_crop,
    oriented_square,
)


def face(count=203, seed=0):
    """Random landmarks with eyes above lips."""
    points = np.random.default_rng(seed).uniform(0, 100, (count, 2))
    anchors = ANCHORS[count]
    points[list(anchors.first_eye)] = (30, 30)
    points[list(anchors.second_eye)] = (70, 30)
    points[list(anchors.lips)] = (50, 80)
    return points


def turned(points, angle, scale, shift):
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    return points @ np.array([[c, s], [-s, c]]) + shift


@pytest.mark.parametrize("count", ANCHORS)
def test_every_layout_has_its_eyes_and_lips(count):
    upper, lower = anchor_points(face(count))
    assert upper.tolist() == [50, 30]
    assert lower.tolist() == [50, 80]


def test_an_unknown_layout_above_101_is_cropped_by_its_first_points():
    points = np.concatenate([face(101), np.zeros((30, 2))])
    assert np.array_equal(anchor_points(points), anchor_points(face(101)))


@given(st.floats(-3, 3), st.floats(0.1, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_the_square_goes_with_the_face(angle, scale, x, y):
    points = face()
    still = oriented_square(points, SOURCE_CROP)
    moved = oriented_square(turned(points, angle, scale, (x, y)), SOURCE_CROP)
    assert moved.side == pytest.approx(still.side * scale)
    assert np.allclose(moved.center, turned(still.center[None], angle, scale, (x, y))[0], atol=1e-6)
    apart = (moved.angle - still.angle - angle + np.pi) % (2 * np.pi) - np.pi
    assert apart == pytest.approx(0.0, abs=1e-9)


@given(st.floats(-3, 3), st.floats(0.1, 20), st.integers(8, 1024))
def test_the_matrices_undo_each_other(angle, scale, size):
    square = oriented_square(turned(face(), angle, scale, (5, -7)), SOURCE_CROP)
    product = frame_from_crop(square, size) @ crop_from_frame(square, size)
    assert np.allclose(product, np.eye(3), atol=1e-8)


def test_the_center_comes_to_the_middle_and_the_corners_to_the_corners():
    square = oriented_square(turned(face(), 0.4, 2, (30, 10)), SOURCE_CROP)
    matrix = crop_from_frame(square, 256)
    points = np.vstack([square.center, square.corners()])
    in_crop = points @ matrix[:2, :2].T + matrix[:2, 2]
    assert np.allclose(in_crop, [[128, 128], [0, 0], [256, 0], [256, 256], [0, 256]])


@pytest.mark.parametrize(("shape", "axis"), [(CropShape(2.0, 0.3, 0.0), 0), (CropShape(2.0, 0.0, 0.3), 1)])
def test_both_shifts_count(shape, axis):
    plain = oriented_square(face(), CropShape(2.0, 0.0, 0.0))
    moved = oriented_square(face(), shape)
    shift = np.zeros(2)
    shift[axis] = 0.3 * plain.side
    assert np.allclose(moved.center - plain.center, shift)


def test_eyes_on_the_lips_are_taken_as_upright():
    points = face()
    points[[48, 66]] = (50, 30)
    assert oriented_square(points, SOURCE_CROP).angle == pytest.approx(0.0)


@pytest.mark.parametrize("points", [np.zeros((7, 2)), np.zeros((203, 1)), np.zeros(203), np.zeros((0, 2))])
def test_an_unknown_layout_is_refused(points):
    with pytest.raises(SettingError, match="478"):
        anchor_points(points)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_landmarks_without_extent_are_refused(value):
    with pytest.raises(SettingError, match="extent"):
        oriented_square(np.full((203, 2), value), SOURCE_CROP)
