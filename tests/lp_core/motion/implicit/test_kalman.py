"""The published pipeline's smoother."""

import numpy as np
import pytest

from lp_core.errors import SettingError
from lp_core.motion.implicit.kalman import kalman_smooth


def test_a_constant_stays_constant():
    assert np.allclose(kalman_smooth(np.full((9, 2, 3), 4.0)), 4.0)


def test_one_frame_stays_as_it_is():
    assert kalman_smooth(np.array([[3.0, 5.0]])).tolist() == [[3.0, 5.0]]


def test_more_variance_is_smoother_and_none_of_it_written_back(rng):
    noise = rng.normal(size=(40, 3))
    before = noise.copy()
    rough = [np.abs(np.diff(kalman_smooth(noise, r), axis=0)).mean() for r in (1e-9, 3e-7, 1e-4, 1e-1)]
    assert rough == sorted(rough, reverse=True)
    assert np.array_equal(noise, before)


def test_it_is_the_least_squares_path(rng):
    """It minimises sum (s - z)^2 / r + sum (ds)^2 / q and a prior on the start."""
    z, r, q = rng.normal(size=30), 1e-4, 1e-5
    matrix = np.eye(30) / r
    matrix[0, 0] += 1.0
    step = np.diff(np.eye(30), axis=0)
    matrix += step.T @ step / q
    right = z / r
    right[0] += z[0]
    assert np.allclose(kalman_smooth(z, r), np.linalg.solve(matrix, right), atol=1e-9)


@pytest.mark.parametrize("variance", [0.0, -1.0, float("nan")])
def test_a_variance_must_be_positive(variance):
    with pytest.raises(SettingError, match="positive"):
        kalman_smooth(np.zeros(3), variance)


def test_an_empty_sequence_is_refused():
    with pytest.raises(SettingError, match="empty"):
        kalman_smooth(np.zeros((0, 3)))
