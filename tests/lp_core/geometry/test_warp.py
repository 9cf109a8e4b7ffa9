"""Resampling: positions are pixel centers, edges repeat, types stay."""

import numpy as np
import pytest

from lp_core.geometry.warp import clear, enlarge, reduce, sample

KINDS = [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)]


def grid(height, width):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x, y


def picture(rng, dtype, white, channels=3, size=(9, 11)):
    return (rng.random((*size, channels)) * white).astype(dtype)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype,white", KINDS)
def test_every_pixel_at_its_own_place_is_itself(rng, dtype, white, channels):
    source = picture(rng, dtype, white, channels)
    found = sample(source, *grid(9, 11))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, source)


@pytest.mark.parametrize("dtype,white", KINDS)
def test_half_way_is_the_mean_and_outside_is_the_edge(rng, dtype, white):
    source = picture(rng, dtype, white)
    x = np.array([[2.5, -7.0, 400.0]], np.float32)
    y = np.array([[4.0, 3.0, 400.0]], np.float32)
    found = sample(source, x, y).astype(np.float64)
    mean = (source[4, 2].astype(np.float64) + source[4, 3]) / 2
    assert np.abs(found[0, 0] - mean).max() <= (1e-6 if white == 1.0 else 0.51)
    np.testing.assert_array_equal(found[0, 1:], source[[3, 8], [0, 10]])


def test_a_ramp_stays_a_ramp_when_it_is_enlarged():
    x, y = grid(6, 8)
    large = enlarge(np.dstack([x, y]), 24, 18)
    assert large.shape == (18, 24, 2)
    wanted = (np.arange(24) + 0.5) / 3 - 0.5
    assert np.allclose(large[9, 2:-2, 0], wanted[2:-2], atol=1e-5)
    assert large.dtype == np.float32


def test_where_a_field_is_zero_around_it_stays_exactly_zero():
    field = np.zeros((6, 8), np.float32)
    field[:, :3] = 1
    large = enlarge(field, 32, 24)
    assert (large[:, 14:] == 0).all()
    assert large[:, :8].min() == 1


@pytest.mark.parametrize("dtype,white", KINDS)
def test_reduce_keeps_the_mean_and_the_type(rng, dtype, white):
    source = picture(rng, dtype, white, size=(40, 60))
    small = reduce(source, 0.25)
    assert small.shape == (10, 15, 3)
    assert small.dtype == dtype
    assert small.mean() == pytest.approx(source.mean(), rel=0.01)


def test_reduce_leaves_at_least_two_pixels(rng):
    assert reduce(picture(rng, np.uint8, 255), 1e-6).shape == (2, 2, 3)


class TestValuesThatAreNoNumbers:
    """Sampling of float32 with NaN and infinity in single pixels."""

    @staticmethod
    def maps(shift, size=9):
        rows, columns = np.mgrid[:size, :size].astype(np.float32)
        return columns + np.float32(shift), rows

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("shift", [0.0, 0.25, 0.75, 1.0])
    def test_they_stay_in_one_pixel(self, value, shift):
        picture = np.full((9, 9, 3), 0.5, np.float32)
        picture[4, 4, 1] = value
        got = sample(picture, *self.maps(shift))
        expected = np.full_like(picture, 0.5)
        expected[4, 4 - round(shift), 1] = value
        np.testing.assert_allclose(got, expected, rtol=1e-6)

    def test_a_picture_of_nothing_else(self):
        picture = np.full((9, 9), np.nan, np.float32)
        assert np.isnan(sample(picture, *self.maps(0.5))).all()


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 2), (6, 7, 3)])
@pytest.mark.parametrize("part", [slice(None), slice(1, 5)])
def test_pixels_of_a_mask_become_0_and_all_others_keep_their_bits(rng, shape, part):
    whole = rng.normal(size=shape).astype(np.float32)
    whole[2, 3], whole[3, 3] = np.nan, np.inf
    before, picture = whole.copy(), whole[:, part]
    mask = rng.random(picture.shape[:2]) > 0.5
    clear(picture, mask)
    assert not picture[mask].any()
    before[:, part][mask] = 0
    np.testing.assert_array_equal(whole.view(np.uint32), before.view(np.uint32))
