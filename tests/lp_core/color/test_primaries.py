"""Matrices between primaries."""

import numpy as np

from lp_core.color.primaries import CHROMATICITIES, bt709_from

ACESCG = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)


def test_bt709_is_left_alone_to_the_bit():
    np.testing.assert_array_equal(bt709_from(CHROMATICITIES["bt709"]), np.eye(3))


def test_white_stays_white():
    for numbers in [*CHROMATICITIES.values(), ACESCG]:
        np.testing.assert_allclose(bt709_from(numbers) @ np.ones(3), np.ones(3), atol=1e-9)


def test_acescg_as_the_academy_publishes_it():
    published = [[1.70505, -0.62179, -0.08326], [-0.13026, 1.14080, -0.01055], [-0.02400, -0.12897, 1.15297]]
    np.testing.assert_allclose(bt709_from(ACESCG), published, atol=2e-5)
