"""Squares of an image where something is to be done."""

import numpy as np
import pytest

from lp_core.geometry.tiles import SIDE, Tiles
from lp_core.geometry.warp import blocks


@pytest.mark.parametrize("step", [1, 4])
@pytest.mark.parametrize("size", [(70, 53), (64, 48), (9, 40), (5, 3)])
def test_they_hold_all_of_a_mask_and_little_else(rng, step, size):
    mask = np.zeros((-(-size[1] // step), -(-size[0] // step)), bool)
    mask[rng.integers(0, mask.shape[0], 3), rng.integers(0, mask.shape[1], 3)] = True
    whole = blocks(mask, step, size)
    tiles = Tiles.over(mask, step, size)
    seen = np.zeros_like(whole)
    tiles.put(np.ones_like(tiles.taken(seen)), seen)
    assert seen[whole].all()
    assert 0 < len(tiles) <= 3
    assert seen.sum() <= 3 * SIDE * SIDE


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 2), (40, 50, 3)])
def test_what_is_taken_and_put_back_is_the_same(rng, shape):
    frame = rng.random((60, 70, *shape[2:])).astype(np.float32)
    region = frame[7:47, 11:61]
    before = frame.copy()
    tiles = Tiles.over(np.ones(shape[:2], bool), 1, shape[1::-1])
    taken = tiles.taken(region)
    x, y = tiles.positions((11, 7))
    np.testing.assert_array_equal(taken, frame[y.astype(int), x.astype(int)])
    tiles.put(taken + 1, region)
    np.testing.assert_array_equal(region, before[7:47, 11:61] + 1)
    frame[7:47, 11:61] = before[7:47, 11:61]
    np.testing.assert_array_equal(frame, before)


def test_an_empty_mask_has_none():
    tiles = Tiles.over(np.zeros((5, 5), bool), 4, (20, 20))
    assert len(tiles) == 0
    assert tiles.taken(np.zeros((20, 20, 3), np.uint8)).shape == (0, SIDE * SIDE, 3)
