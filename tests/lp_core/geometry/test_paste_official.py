"""The published paste-back by hand; its recordings are held in tests/parity/test_geometry.py."""

import numpy as np

from lp_core.geometry.paste import feather_mask, place_of
from lp_core.geometry.paste_official import official_mask, official_weight, paste_official

SIZE = 64


def place(at=(10.0, 6.0), width=100, height=90):
    matrix = np.eye(3)
    matrix[:2, 2] = at
    return place_of(matrix, feather_mask(SIZE), width, height)


def frame(value, channels=3):
    return np.full((90, 100, channels), value, np.uint8)


def test_the_mask_fades_in_whole_steps_and_lies_where_the_crop_lies():
    mask = official_mask(SIZE)
    assert (mask[0, 0], mask[SIZE // 2, SIZE // 2]) == (0, 255)
    weight = official_weight(place(), SIZE)
    np.testing.assert_array_equal(weight * 255, np.rint(weight * 255))
    assert weight[40 - place().region.top, 42 - place().region.left] == 1


def test_values_are_cut_off_and_the_rest_is_left_alone():
    crop = np.full((SIZE, SIZE, 3), 101, np.uint8)
    result = paste_official(frame(100), crop, place())
    assert result[40, 42, 0] == 101
    assert set(np.unique(result)) == {100, 101}
    weight = official_weight(place(), SIZE)
    faded = (weight > 0) & (weight < 1)
    part = result[place().region.slices][..., 0]
    assert (part[faded] == 100).all()  # rounding would give 101 in half of them
    assert (frame(100) == 100).all()


def test_alpha_stays_and_a_crop_outside_the_frame_changes_nothing():
    rgba = frame(100, 4)
    rgba[..., 3] = 7
    result = paste_official(rgba, np.full((SIZE, SIZE, 3), 250, np.uint8), place())
    assert (result[..., 3] == 7).all()
    assert result[40, 42, 0] == 250
    far = place(at=(500.0, 500.0))
    assert np.array_equal(paste_official(rgba, np.zeros((SIZE, SIZE, 3), np.uint8), far), rgba)
