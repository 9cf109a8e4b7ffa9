from __future__ import annotations

import math

import numpy as np
import pytest

from lp_core.media.orientation import from_display_matrix, swaps_axes, turn_upright

ONE = 1 << 16


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3), (4, 4, 4)])
def test_shape_content_and_contiguity(orientation, shape):
    picture = np.arange(np.prod(shape)).reshape(shape)
    upright = turn_upright(picture, orientation)
    assert upright.shape[:2] == (shape[:2][::-1] if swaps_axes(orientation) else shape[:2])
    assert upright.flags["C_CONTIGUOUS"]
    assert sorted(upright.ravel()) == sorted(picture.ravel())


def test_all_eight_differ_and_six_is_clockwise():
    picture = np.arange(6).reshape(2, 3)
    assert len({turn_upright(picture, k).tobytes() + bytes([swaps_axes(k)]) for k in range(1, 9)}) == 8
    assert np.array_equal(turn_upright(picture, 6), np.rot90(picture, -1))
    assert np.array_equal(turn_upright(picture, 8), np.rot90(picture, 1))
    assert np.array_equal(turn_upright(turn_upright(picture, 6), 8), picture)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_display_matrix_means_the_same_turn(orientation):
    # planted: where the corners of a 2 x 3 image go under the orientation gives the matrix
    picture = np.arange(6).reshape(2, 3)
    upright = turn_upright(picture, orientation)

    def place(value):
        row, column = np.argwhere(upright == value)[0]
        return np.array([column, row])

    right, down = place(1) - place(0), place(3) - place(0)
    matrix = [right[0] * ONE, right[1] * ONE, 0, down[0] * ONE, down[1] * ONE, 0, 0, 0, 1 << 30]
    assert from_display_matrix(matrix) == orientation


@pytest.mark.parametrize(("degrees", "expected"), [(0, 1), (3, 1), (90, 6), (88, 6), (180, 3), (270, 8)])
def test_near_turns_are_rounded(degrees, expected):
    cosine, sine = (round(ONE * f(math.radians(degrees))) for f in (math.cos, math.sin))
    assert from_display_matrix([cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 30]) == expected


def test_a_matrix_of_zeros_is_none():
    assert from_display_matrix([0] * 9) == 1
