"""Openness is what was planted, and does not change with place, size or roll."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.faces.ratios import eye_openness, lip_openness
from lp_core.faces.schemes import IBUG68, MEDIAPIPE478, SCHEMES

FINITE = st.floats(-500, 500)


def plant(scheme, left, right, lip):
    """Points with the given openness: widths 30, 20 and 50, gaps in proportion."""
    points = np.zeros((scheme.count, 3))
    rows = (
        (scheme.eye_corners_left, scheme.eye_gaps_left, 30, left),
        (scheme.eye_corners_right, scheme.eye_gaps_right, 20, right),
        (scheme.lip_corners, (scheme.lip_gap,), 50, lip),
    )
    for number, ((first, last), gaps, width, ratio) in enumerate(rows):
        points[first] = (0, 100 * number, 5)
        points[last] = (width, 100 * number, -5)
        for index, (upper, lower) in enumerate(gaps):
            points[upper] = (width * (index + 1) / 3, 100 * number - ratio * width / 2, 9)
            points[lower] = (width * (index + 1) / 3, 100 * number + ratio * width / 2, -9)
    return points


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@given(
    st.floats(0, 0.6),
    st.floats(0, 0.6),
    st.floats(0, 0.9),
    st.floats(0.1, 20),
    st.floats(-3, 3),
    FINITE,
    FINITE,
)
def test_planted_openness_is_found_under_any_similarity(scheme, left, right, lip, scale, angle, x, y):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    points = plant(scheme, left, right, lip)
    points[:, :2] = points[:, :2] @ turn.T + (x, y)
    assert np.allclose(eye_openness(points, scheme), (left, right), atol=1e-4)
    assert lip_openness(points, scheme) == pytest.approx(lip, abs=1e-4)


def test_depth_is_left_out():
    points = plant(MEDIAPIPE478, 0.3, 0.2, 0.1)
    assert np.array_equal(eye_openness(points), eye_openness(points[:, :2]))
    assert eye_openness(points).dtype == np.float32


def test_collapsed_face_stays_finite():
    assert np.isfinite(eye_openness(np.zeros((478, 3)))).all()
    assert np.isfinite(lip_openness(np.zeros((478, 3))))


@pytest.mark.parametrize("shape", [(68, 3), (478,), (478, 4), (0, 3)])
def test_points_of_another_layout_are_refused(shape):
    with pytest.raises(SettingError, match="478"):
        eye_openness(np.zeros(shape))


def test_layouts_agree_on_what_closed_means():
    for scheme in (MEDIAPIPE478, IBUG68):
        assert eye_openness(plant(scheme, 0, 0, 0), scheme).max() == 0
