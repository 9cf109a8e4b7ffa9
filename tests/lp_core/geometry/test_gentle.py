"""Flow without steps."""

import cv2
import numpy as np
import pytest

from lp_core.geometry.gentle import STEEPEST, gentle

ONES = np.ones((96, 128), np.float32)


def stepped(step, sigma=1.5):
    flow = np.zeros((96, 128, 2), np.float32)
    flow[48:, :, 1] = -step
    return cv2.GaussianBlur(flow, (0, 0), sigma)


def steepest(flow):
    return max(np.abs(np.diff(flow, axis=axis)).max() for axis in (0, 1))


@pytest.mark.parametrize("step", [1.5, 4.0, 7.5])
def test_a_step_becomes_a_slope_that_does_not_fold(step):
    found = gentle(stepped(step), ONES)
    assert steepest(found) < 2 * STEEPEST
    assert found[3, 60, 1] == pytest.approx(0, abs=0.01)
    assert found[-3, 60, 1] == pytest.approx(-step, rel=0.01)


def test_gentle_flow_stays(rng):
    ramp = np.dstack([0.2 * np.arange(128, dtype=np.float32)[None] + 0 * ONES, 3 * ONES])
    assert np.abs(gentle(ramp, ONES) - ramp)[8:-8, 8:-8].max() < 1e-3
    detail = cv2.GaussianBlur(rng.normal(0, 1, (96, 128, 2)).astype(np.float32), (0, 0), 2.0)
    assert np.abs(gentle(detail, ONES) - detail).max() < 1e-4


def test_a_steep_place_changes_nothing_far_from_it():
    flow = stepped(6.0)
    flow[:10] += 0.5
    assert np.abs(gentle(flow, ONES) - flow)[:7].max() < 0.05
