"""How much of a pixel a polygon covers."""

import numpy as np
import pytest

from lp_core.geometry.coverage import coverage


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, -0.37])
def test_a_square_has_its_area_and_its_edges_are_shares(shift):
    square = np.array([[2.5, 3.5], [9.5, 3.5], [9.5, 8.5], [2.5, 8.5]]) + (shift, 0)
    found = coverage(square, (14, 12))
    assert found.shape == (12, 14)
    assert found.sum() == pytest.approx(7 * 5, rel=0.04)
    assert (found[5, 4:9] == 1).all()
    assert (found[:3] == 0).all()
    assert found[5] @ np.arange(14) / found[5].sum() == pytest.approx(6 + shift, abs=0.15)


def test_what_is_outside_is_left_out():
    assert not coverage(np.array([[20.0, 20], [30, 20], [30, 30]]), (10, 10)).any()
    assert coverage(np.array([[-50.0, -50], [60, -50], [60, 60], [-50, 60]]), (10, 10)).min() == 1
