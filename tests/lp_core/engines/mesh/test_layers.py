"""Openings with a soft edge, and what is laid into them."""

import numpy as np
import pytest

from lp_core.engines.mesh.layers import Opening, blend, opening

SQUARE = np.array([[10.0, 12.0], [30.0, 12.0], [30.0, 28.0], [10.0, 28.0]])
SIZE = (60, 50)
KINDS = [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)]


def whole(where, size=SIZE):
    alpha = np.zeros(size[::-1], np.float32)
    alpha[where.rows, where.columns] = where.alpha
    return alpha


@pytest.mark.parametrize("feather", [0.0, 0.5, 1.5])
def test_full_inside_nothing_outside_soft_between(feather):
    alpha = whole(opening(SQUARE, SIZE, feather))
    assert (alpha[18:23, 16:25] > 0.99).all()
    assert alpha[:6].max() < 0.01
    assert alpha[:, 37:].max() < 0.01
    row = alpha[20, :20]
    assert (np.diff(row) >= -1e-6).all()
    soft = ((row > 0.02) & (row < 0.98)).sum()
    assert soft >= (3 if feather > 1 else 0)
    assert alpha.sum() == pytest.approx(20 * 16, rel=0.01)


def test_the_edge_crosses_one_half_at_the_corner_points():
    row = whole(opening(SQUARE, SIZE, 1.0))[20]
    assert np.interp(0.5, row[:20], np.arange(20)) == pytest.approx(10, abs=0.7)


@pytest.mark.parametrize("by", [(-100, 0), (100, 0), (0, -100), (0, 100), (-40, 0)], ids=str)
def test_outside_the_picture_there_is_none(by):
    assert opening(SQUARE + by, SIZE, 0.1) is None


@pytest.mark.parametrize("by", [(-20, 0), (0, -20), (40, 30), (-15, 28)], ids=str)
def test_partly_outside_it_stays_in_the_picture(by):
    where = opening(SQUARE + by, SIZE, 1.0)
    assert where.left >= 0
    assert where.top >= 0
    assert where.left + where.alpha.shape[1] <= SIZE[0]
    assert where.top + where.alpha.shape[0] <= SIZE[1]
    assert where.alpha.max() > 0.9


def test_grid_gives_the_coordinates_of_its_pixels():
    where = opening(SQUARE + 0.3, SIZE, 1.0)
    x, y = where.grid()
    assert (x[0, 0], y[0, 0]) == (where.left, where.top)
    assert (x.shape[1], y.shape[0]) == where.alpha.shape[::-1]
    assert (np.diff(x[0]) == 1).all()
    assert (np.diff(y[:, 0]) == 1).all()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype,white", KINDS)
class TestBlend:
    def picture(self, rng, dtype, white, channels):
        return (rng.random((*SIZE[::-1], channels)) * white).astype(dtype)

    def test_by_coverage_and_only_there(self, rng, dtype, white, channels):
        picture = self.picture(rng, dtype, white, channels)
        before = picture.copy()
        where = opening(SQUARE, SIZE, 1.5)
        blend(picture, where, np.full((*where.alpha.shape, channels), white, np.float32))
        alpha = whole(where)[..., None]
        wanted = before + (white - before.astype(np.float64)) * alpha
        assert np.abs(picture - wanted).max() <= (1e-6 if white == 1.0 else 0.51)
        np.testing.assert_array_equal(picture[alpha[..., 0] == 0], before[alpha[..., 0] == 0])

    def test_the_same_content_changes_nothing(self, rng, dtype, white, channels):
        picture = self.picture(rng, dtype, white, channels)
        before = picture.copy()
        where = opening(SQUARE, SIZE, 1.5)
        blend(picture, where, before[where.rows, where.columns])
        np.testing.assert_array_equal(picture, before)


def test_no_coverage_changes_nothing_even_where_the_content_is_not_a_number():
    picture = np.full((8, 8, 3), 0.25, np.float32)
    blend(picture, Opening(2, 2, np.zeros((4, 4), np.float32)), np.full((4, 4, 3), np.nan, np.float32))
    assert (picture == 0.25).all()


@pytest.mark.parametrize("scale", [1, 2, 5])
@pytest.mark.parametrize("feather", [0.0, 1.5])
def test_an_opening_covers_its_polygon_at_every_size(scale, feather):
    corners = np.array([[10.2, 11.4], [25.7, 9.9], [31.1, 17.3], [18.3, 22.8]])
    x, y = corners.T
    area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    where = opening(corners * scale, (64 * scale, 64 * scale), feather * scale)
    assert where.alpha.sum() / scale**2 == pytest.approx(area, rel=0.03)
