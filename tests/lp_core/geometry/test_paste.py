"""Crops cut out and laid back: exact, in the region only, rounded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.geometry.crop import Square, crop_from_frame, frame_from_crop
from lp_core.geometry.paste import Region, cut, feather_mask, halved, paste, region_of, sample

SQUARE = Square(np.array([70.0, 50.0]), 60.0, 0.3)


@pytest.fixture
def frame(rng):
    return rng.integers(0, 256, (100, 140, 3), dtype=np.uint8)


def test_samples_at_pixel_centers_are_the_pixels(rng):
    picture = rng.random((5, 7, 2)).astype(np.float32)
    y, x = np.mgrid[0:5, 0:7].astype(np.float64)
    assert np.array_equal(sample(picture, x, y), picture)


@given(st.floats(0, 5.99), st.floats(0, 3.99))
def test_a_slope_is_sampled_exactly(x, y):
    rows, columns = np.mgrid[0:5, 0:7]
    picture = (2.0 * columns + 10.0 * rows).astype(np.float32)
    assert sample(picture, np.array(x), np.array(y)) == pytest.approx(2 * x + 10 * y, abs=1e-4)


def test_outside_is_zero():
    picture = np.ones((4, 4), np.float32)
    far = np.array([-1.0, -0.5, 3.5, 4.0, 1e9, -1e9])
    assert sample(picture, far, np.ones(6)).tolist() == [0.0, 0.5, 0.5, 0.0, 0.0, 0.0]


def test_a_crop_laid_back_unchanged_leaves_the_frame_unchanged_where_it_is_smooth():
    rows, columns = np.mgrid[0:100, 0:140]
    frame = np.stack([rows + columns] * 3, axis=-1).astype(np.uint8)
    matrix = frame_from_crop(SQUARE, 512)
    result, matte = paste(frame, cut(frame, matrix, 512), matrix, feather_mask())
    assert np.array_equal(result, frame)
    assert matte.max() == 1.0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_untouched_pixels_stay_bit_for_bit_and_the_frame_is_not_written(rng, dtype):
    frame = (rng.random((100, 140, 3)) * 200).astype(dtype)
    before = frame.copy()
    crop = np.full((512, 512, 3), 77.0, np.float32)
    result, matte = paste(frame, crop, frame_from_crop(SQUARE, 512), feather_mask())
    assert result.dtype == dtype
    assert np.array_equal(frame, before)
    assert np.array_equal(result[matte == 0], frame[matte == 0])
    assert np.allclose(result[matte == 1], 77)


def test_results_are_rounded_not_truncated(frame):
    crop = np.full((512, 512, 3), 99.7, np.float32)
    result, matte = paste(frame, crop, frame_from_crop(SQUARE, 512), feather_mask())
    assert np.all(result[matte == 1] == 100)


@pytest.mark.parametrize("value", [-50.0, 300.0])
def test_results_are_clipped(frame, value):
    crop = np.full((512, 512, 3), value, np.float32)
    result, matte = paste(frame, crop, frame_from_crop(SQUARE, 512), feather_mask())
    assert np.all(result[matte == 1] == np.clip(value, 0, 255))


@pytest.mark.parametrize("center", [(-500.0, 50.0), (70.0, 900.0)])
def test_a_crop_beyond_the_frame_changes_nothing(frame, center):
    square = Square(np.array(center), 60.0, 0.3)
    result, matte = paste(frame, np.zeros((512, 512, 3)), frame_from_crop(square, 512), feather_mask())
    assert np.array_equal(result, frame)
    assert not matte.any()


def test_the_region_holds_all_that_is_touched(frame):
    matrix = frame_from_crop(SQUARE, 512)
    region = region_of(matrix, 512, 140, 100)
    _, matte = paste(frame, np.zeros((512, 512, 3)), matrix, feather_mask())
    outside = matte.copy()
    outside[region.slices] = 0
    assert not outside.any()
    assert (region.right - region.left) < 100


def test_an_empty_region_says_so():
    assert Region(3, 0, 3, 9).is_empty
    assert not Region(3, 0, 4, 9).is_empty


def test_the_mask_is_one_inside_and_rounded_at_its_corners():
    mask = feather_mask()
    assert mask[16:497, 16:497].min() == 1.0
    assert mask[:, 0].max() == 0.0
    assert mask[2, 2] == 0.0
    assert mask[256, 511] == pytest.approx(1 / 16)
    assert feather_mask(256)[8:249, 8:249].min() == 1.0


def test_halving_is_the_mean_of_four(rng):
    picture = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    wanted = picture.reshape(3, 2, 4, 2, 3).astype(np.float64).mean(axis=(1, 3))
    assert np.allclose(halved(picture), wanted)


def test_cutting_looks_at_what_the_matrix_says(frame):
    upright = Square(np.array([70.0, 50.0]), 32.0, 0.0)
    crop = cut(frame, frame_from_crop(upright, 32), 32)
    assert np.allclose(crop, frame[34:66, 54:86])
    assert np.allclose(crop_from_frame(upright, 32) @ [54, 34, 1], [0, 0, 1])


@pytest.mark.parametrize(("crop", "mask"), [((8, 8, 4), (8, 8)), ((8, 8, 3), (9, 9))])
def test_what_does_not_fit_is_refused(frame, crop, mask):
    with pytest.raises(SettingError, match="cannot be laid"):
        paste(frame, np.zeros(crop), np.eye(3), np.zeros(mask, np.float32))
