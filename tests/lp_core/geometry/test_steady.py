"""Mattes that are steady over time."""

import numpy as np
import pytest

from lp_core.geometry.dense_field import small_gray
from lp_core.geometry.steady import Patch, SeenPatch, steadied


@pytest.fixture
def scene(rng):
    """(160, 240, 3) soft noise, so that flow finds its way."""
    import cv2

    return cv2.GaussianBlur(rng.integers(0, 255, (160, 240, 3), np.uint8), (0, 0), 3) * 2


def seen(image, values, box):
    return SeenPatch(small_gray(image), (image.shape[1], image.shape[0]), Patch(values, box))


def mask(left):
    values = np.zeros((40, 60), np.float32)
    values[10:30, left : left + 20] = 1
    return values


def test_what_one_frame_misses_is_kept_where_the_thing_has_gone(scene):
    now = np.roll(scene, 8, axis=1)
    box = (0, 0, 240, 160)
    got = steadied(seen(now, np.zeros((40, 60), np.float32), box), [seen(scene, mask(20), box)] * 2)
    assert got[12:28, 24:40].mean() > 0.5
    assert got[:, :18].max() < 0.1


def test_boxes_may_differ(scene):
    box, other = (0, 0, 240, 160), (40, 0, 240, 160)
    values = np.zeros((40, 50), np.float32)
    values[10:30, 10:30] = 1  # the same place: 10 cells of 4 pixels further to the left
    got = steadied(seen(scene, mask(20), box), [seen(scene, values, other)])
    np.testing.assert_allclose(got, mask(20), atol=0.05)


def test_a_cut_or_another_size_does_not_count(scene):
    box = (0, 0, 240, 160)
    values = mask(20)
    other = 255 - scene[::-1, ::-1]
    got = steadied(seen(scene, values, box), [seen(np.ascontiguousarray(other), 1 - values, box)])
    assert np.abs(got - values).mean() < 0.15
    small = np.ascontiguousarray(scene[:100])
    np.testing.assert_array_equal(
        steadied(seen(scene, values, box), [seen(small, 1 - values, (0, 0, 240, 100))]), values
    )
