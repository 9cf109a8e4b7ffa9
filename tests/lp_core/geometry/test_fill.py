"""Holes that are filled from around them."""

import numpy as np
import pytest

from lp_core.geometry.fill import filled, grained, laid, ramp, soft_fill, unlike


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
def test_a_large_hole_is_soft_fill_from_within_a_box(dtype):
    white = {"uint8": 255, "uint16": 65535, "float32": 1.0}[dtype]
    image = np.full((90, 120, 3), 0.5 * white, dtype)
    image[:, 60:] = 0.25 * white
    hole = np.zeros((90, 120), bool)
    hole[20:70, 40:80] = True
    image[hole] = white
    got = soft_fill(image, hole[:, 10:110].astype(np.float32), (10, 0, 110, 90), 50)
    assert got.shape == (45, 50, 3)
    assert np.abs(got[22, 16] / white - 0.5).max() < 0.05
    assert np.abs(got[22, 34] / white - 0.25).max() < 0.05


def test_a_ramp_is_one_in_the_mask_and_ends_after_twice_its_half_width():
    mask = np.zeros((40, 40), bool)
    mask[:, :10] = True
    weight = ramp(mask, 5)
    assert (weight[:, :10] == 1).all()
    assert (np.diff(weight[20, 9:]) <= 0).all()
    assert 0.3 < weight[20, 14] < 0.7
    assert not weight[:, 20:].any()


def test_laid_keeps_every_bit_where_the_weight_is_0(rng):
    image = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    weight = np.zeros((6, 6), np.float32)
    weight[2, 2], weight[3, 3] = 1, 0.5
    got = laid(np.full_like(image, 100), image, weight)
    assert (got[2, 2] == 100).all()
    np.testing.assert_array_equal(got[3, 3], np.rint((image[3, 3].astype(float) + 100) / 2))
    np.testing.assert_array_equal(got[weight == 0], image[weight == 0])


def test_a_fill_goes_on_from_what_is_next_to_it():
    """A light sky over dark ground: behind a person they go on to both sides."""
    image = np.full((300, 400, 3), 60, np.uint8)
    image[:100] = 200
    hole = np.zeros((300, 400), bool)
    hole[30:, 120:280] = True
    got = filled(image, hole)[..., 0].astype(int)
    assert np.abs(got[30:81, 130] - 200).max() < 25
    assert np.abs(got[150:, 125] - 60).max() < 5
    assert np.abs(np.diff(got[200:, 100:300], axis=1)).max() < 12, "a step"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_fill_has_the_walls_grain(rng, dtype):
    white = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    image = ((0.5 + 0.05 * rng.standard_normal((160, 160, 3))) * white).astype(dtype)
    hole = np.zeros((160, 160), bool)
    hole[40:120, 50:110] = True
    image[hole] = white
    got = grained(filled(image, hole), image, hole)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got[~hole], image[~hole])
    inside, around = (got[part].std() / white for part in (np.s_[60:100, 65:95], np.s_[:30]))
    assert 0.5 * around < inside < 1.2 * around


def test_a_line_of_the_wall_is_not_mirrored_into_the_fill():
    image = np.full((160, 160, 3), 128, np.uint8)
    image[::7] = 130
    image[:, 44:46] = 255
    hole = np.zeros((160, 160), bool)
    hole[40:120, 50:110] = True
    got = grained(filled(image, hole), image, hole)
    assert np.abs(got[50:110, 52:108].astype(int) - filled(image, hole)[50:110, 52:108]).max() < 20


def test_grain_needs_a_hole_and_something_around_it():
    image = np.full((20, 20, 3), 7, np.uint8)
    for hole in (np.zeros((20, 20), bool), np.ones((20, 20), bool)):
        np.testing.assert_array_equal(grained(image, image, hole), image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_strand_is_unlike_the_fill_and_grain_is_not(rng, dtype):
    white = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    image = ((0.5 + 0.02 * rng.standard_normal((160, 160, 3))) * white).astype(dtype)
    hole, person = np.zeros((2, 160, 160), bool)
    hole[40:120, 40:120] = True
    person[60:100, 60:100] = True
    image[person] = 0
    image[45:115, 50:53] = 0.1 * white
    got = unlike(image, filled(image, hole), hole, person)
    assert got[50:110, 51].min() == 1
    assert got[45:115, 104:116].max() < 0.2, "next to the person, but wall"
    assert got[:30].max() == 0


def test_where_nothing_is_known_everything_is_unlike():
    image, hole = np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), bool)
    assert (unlike(image, image, hole, hole) == 1).all()
