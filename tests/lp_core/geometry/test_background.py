"""A background that is exchanged, pixel by pixel."""

import numpy as np
import pytest

from lp_core.geometry.background import changed, exchanged, is_moved, joined, planes, toward


def block(value, dtype=np.float32):
    """Three planes."""
    return np.full((3, 2, 2), value, dtype)


@pytest.mark.parametrize(
    ("person", "loose", "wanted"),
    [
        (1, 0, 200),
        (0, 0, 30),
        (0.5, 0, 200 + 0.5 * (30 - 90)),
        (0, 1, 30 + 200 - 90),
        (0, 0.5, 30 + 0.5 * 110),
    ],
)
def test_the_person_the_background_and_loose_hair(person, loose, wanted):
    weights = [np.full((2, 2), weight, np.float32) for weight in (person, loose)]
    assert exchanged(block(200), block(30), block(90), *weights) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("dtype", "value", "wanted"),
    [(np.uint8, 300.2, 255), (np.uint8, 7.6, 8), (np.uint16, -3, 0), (np.float32, 1.25, 1.25)],
)
def test_values_become_pixels_of_the_mask_alone(dtype, value, wanted):
    mask = np.array([[True, False], [False, True]])
    pixels = np.full((2, 2, 3), 5, dtype)
    found = changed(pixels, block(value), mask)
    assert found.dtype == dtype
    assert (found[mask] == wanted).all()
    assert (found[~mask] == 5).all()
    assert (pixels == 5).all()


def test_places_that_move_and_values_that_go_to_others():
    flow = np.array([[0, 0.1]], np.float32)
    assert is_moved(flow, np.zeros_like(flow), 0.05).tolist() == [[False, True]]
    assert is_moved(np.zeros_like(flow), -flow, 0.05).tolist() == [[False, True]]
    assert toward(block(10), block(20), np.full((2, 2), 0.25, np.float32)) == pytest.approx(12.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_numbers_of_pixels_each_by_itself(rng, dtype):
    pixels = (rng.random((4, 5, 3)) * 200).astype(dtype)
    found = planes(pixels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.moveaxis(pixels, -1, 0))
    last = rng.random((4, 5)).astype(np.float32)
    np.testing.assert_array_equal(joined(np.moveaxis(found, 0, -1).copy(), last)[..., 3], last)
