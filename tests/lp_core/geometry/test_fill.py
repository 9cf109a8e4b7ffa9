"""Holes that are filled from around them."""

import numpy as np
import pytest

from lp_core.geometry.fill import filled, filled_softly


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_ramp_goes_on_through_a_hole(dtype):
    ramp = np.repeat(np.linspace(10, 200, 64)[None, :, None], 48, axis=0).repeat(3, axis=2).astype(dtype)
    hole = np.zeros((48, 64), bool)
    hole[16:32, 24:40] = True
    damaged = ramp.copy()
    damaged[hole] = 0
    got = filled(damaged, hole)
    assert got.dtype == ramp.dtype
    np.testing.assert_array_equal(got[~hole], ramp[~hole])
    assert np.abs(got[hole].astype(float) - ramp[hole].astype(float)).max() < 30
    assert damaged[hole].max() == 0, "the image was written to"


def test_values_that_are_not_finite_count_as_unknown():
    image = np.full((16, 16, 3), 0.5, np.float32)
    image[3, 3] = np.nan
    hole = np.zeros((16, 16), bool)
    hole[3:6, 3:6] = True
    np.testing.assert_allclose(filled(image, hole), 0.5, atol=1e-6)


@pytest.mark.parametrize("everything", [True, False])
def test_nothing_known_and_nothing_missing_change_nothing(everything, rng):
    image = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(filled(image, np.full((8, 9), everything)), image)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_large_hole_is_filled_softly_from_within_a_box(dtype):
    white = {"uint8": 255, "uint16": 65535, "float32": 1.0}[dtype]
    image = np.full((90, 120, 3), 0.5 * white, dtype)
    image[:, 60:] = 0.25 * white
    hole = np.zeros((90, 120), bool)
    hole[20:70, 40:80] = True
    spoiled = image.copy()
    spoiled[hole] = white
    got = filled_softly(spoiled, hole, (10, 0, 110, 90), 50)
    np.testing.assert_array_equal(got[~hole], image[~hole])
    assert np.abs(got[45, 42].astype(float) / white - 0.5).max() < 0.05
    assert np.abs(got[45, 77].astype(float) / white - 0.25).max() < 0.05
    np.testing.assert_array_equal(filled_softly(image, np.ones_like(hole), (0, 0, 120, 90), 50), image)
    np.testing.assert_array_equal(filled_softly(image, ~hole, (45, 25, 70, 60), 50), image)
