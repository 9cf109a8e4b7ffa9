"""Tiles cover an image once, and their weights add up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from upscale.tiles import plan, spans

SIZES = st.integers(1, 300)


@given(SIZES, SIZES, st.integers(0, 40), st.integers(0, 24), st.integers(1, 4))
def test_weights_add_up_to_one_everywhere(length, tile, margin, feather, scale):
    total = np.zeros(length * scale)
    for span in spans(length, tile, margin, feather):
        assert 0 <= span.read[0] <= span.keep[0] < span.keep[1] <= span.read[1] <= length
        assert span.read[0] in (0, span.keep[0] - margin)
        assert span.read[1] in (length, span.keep[1] + margin)
        weights = span.weights(scale)
        assert weights.min() > 0
        total[span.keep[0] * scale : span.keep[1] * scale] += weights
    np.testing.assert_allclose(total, 1, atol=1e-5)


@given(SIZES, SIZES, st.integers(1, 4))
def test_tiles_of_a_network_that_does_nothing_give_the_picture_back(width, height, scale):
    picture = np.random.default_rng(width).random((height, width, 3), np.float32)
    large = picture.repeat(scale, 0).repeat(scale, 1)
    result = np.zeros_like(large)
    for tile in plan(width, height, 64, 9, 8):
        tile.add(result, picture[tile.read].repeat(scale, 0).repeat(scale, 1), scale)
    np.testing.assert_allclose(result, large, atol=1e-6)


def test_tiles_are_as_equal_as_can_be():
    lengths = [s.keep[1] - s.keep[0] for s in spans(1000, 300, 0, 0)]
    assert lengths == [250, 250, 250, 250]
