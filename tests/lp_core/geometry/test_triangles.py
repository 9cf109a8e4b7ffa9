"""Affine maps of triangles, and meshes drawn as maps."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lp_core.geometry.triangles import affine_of_triangles, rasterize

POINTS = arrays(np.float64, (2, 3, 2), elements=st.floats(0, 40))
AFFINE = arrays(np.float64, (2, 3), elements=st.floats(-3, 3))
BIG = np.array([[[2.0, 2.0], [28.0, 4.0], [6.0, 26.0]]])


def height(triangle):
    edges = np.roll(triangle, -1, axis=0) - triangle
    area = abs(edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0])
    return area / np.linalg.norm(edges, axis=1).max() if np.linalg.norm(edges, axis=1).max() else 0.0


def depth_inside(triangle, x, y):
    """Distance of points to the nearest edge, positive inside."""
    sides = []
    for a, b in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
        cross = (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        sides.append(cross / max(np.hypot(*(b - a)), 1e-9))
    return np.maximum(np.min(sides, axis=0), np.min(np.negative(sides), axis=0))


@given(POINTS, AFFINE)
def test_the_affine_map_is_recovered(triangles, planted):
    assume(min(height(triangle) for triangle in triangles) > 0.1)
    images = triangles @ planted[:, :2].T + planted[:, 2]
    assert np.allclose(affine_of_triangles(images, triangles), planted, atol=1e-6)


def test_a_triangle_without_area_has_no_map(rng):
    line = np.array([[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]])
    assert (affine_of_triangles(rng.normal(size=(1, 3, 2)), line)[:, :, :2] == 0).all()


@given(AFFINE, arrays(np.float64, (3, 2), elements=st.floats(-10, 40)))
def test_inside_a_triangle_the_map_is_exact(planted, triangle):
    assume(height(triangle) > 1.5)
    taken = triangle @ planted[:, :2].T + planted[:, 2]
    map_x, map_y, covered = rasterize(triangle[None], taken[None], 32, 30)
    y, x = np.mgrid[:30, :32].astype(np.float64)
    wanted = np.stack([x, y], axis=-1) @ planted[:, :2].T + planted[:, 2]
    assert np.allclose(map_x[covered], wanted[covered][:, 0], atol=1e-3)
    assert np.allclose(map_y[covered], wanted[covered][:, 1], atol=1e-3)
    assert covered[depth_inside(triangle, x, y) > 0.75].all()


def test_coverage_ends_within_a_pixel_of_the_triangle():
    covered = rasterize(BIG, BIG, 32, 30)[2]
    y, x = np.mgrid[:30, :32].astype(np.float64)
    depth = depth_inside(BIG[0], x, y)
    assert covered[depth > 0].all()
    assert not covered[depth < -1].any()


def test_what_is_not_covered_is_zero():
    map_x, map_y, covered = rasterize(BIG, BIG + 5, 32, 30)
    assert (map_x[~covered] == 0).all()
    assert (map_y[~covered] == 0).all()
    assert (map_x.dtype, map_y.dtype, covered.dtype) == (np.float32, np.float32, np.bool_)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_later_triangles_cover_earlier_ones(order):
    shown = np.concatenate([BIG, BIG + (3, 2)])[order]
    taken = np.concatenate([BIG + 100, BIG + 200])[order]
    map_x, _, _ = rasterize(shown, taken, 40, 40)
    assert (map_x[12, 12] > 150) == (order == [0, 1])
    assert 100 < map_x[3, 3] < 150  # where only the first one is


def test_neighbors_leave_no_gap(rng):
    corners = np.array([[0.3, 0.2], [30.7, 1.1], [29.9, 28.8], [1.2, 29.4]])
    middle = rng.uniform(8, 20, (1, 2))
    fan = np.array([[corners[i], corners[(i + 1) % 4], middle[0]] for i in range(4)])
    map_x, map_y, covered = rasterize(fan, fan, 32, 31)
    assert covered[2:28, 2:29].all()
    assert np.allclose(map_x[covered], np.mgrid[:31, :32][1][covered], atol=1e-3)
    assert np.allclose(map_y[covered], np.mgrid[:31, :32][0][covered], atol=1e-3)


@pytest.mark.parametrize(
    "shape",
    [
        [[5, 5], [5, 5], [5, 5]],
        [[2, 2], [20, 20], [11, 11]],
        [[2, 5], [20, 5], [11, 5.001]],
        [[2, 5], [20, 5.3], [11, 5.5]],
        [[-1e7, 3], [1e7, 3], [4, 3.2]],
    ],
    ids=str,
)
def test_triangles_without_height_take_nothing_from_afar(shape):
    taken = np.array([[[40.0, 7.0], [43.0, 9.0], [60.0, 8.0]]])
    map_x, map_y, covered = rasterize(np.array([shape], np.float64), taken, 32, 30)
    assert covered.any()
    assert map_x[covered].min() > 40 - 3
    assert map_x[covered].max() < 60 + 3
    assert map_y[covered].min() > 7 - 1
    assert map_y[covered].max() < 9 + 1


@given(
    arrays(np.float64, (3, 2), elements=st.floats(0, 30)),
    arrays(np.float64, (3, 2), elements=st.floats(0, 9)),
)
def test_no_pixel_is_taken_from_much_beyond_the_corners(triangle, taken):
    map_x, map_y, covered = rasterize(triangle[None], taken[None], 32, 32)
    for found, wanted in ((map_x, taken[:, 0]), (map_y, taken[:, 1])):
        reach = 2.5 * np.ptp(wanted) + 1e-3
        assert (found[covered] >= wanted.min() - reach).all()
        assert (found[covered] <= wanted.max() + reach).all()


def test_a_mesh_far_outside_covers_nothing():
    map_x, map_y, covered = rasterize(BIG + 1e9, BIG, 16, 16)
    assert not covered.any()
    assert np.isfinite(map_x).all()
    assert np.isfinite(map_y).all()
