"""Alpha, and edges without fringes."""

import numpy as np
import pytest

from lp_core.color.alpha import mix, premultiply, unpremultiply
from lp_core.color.encoding import encoding_of
from lp_core.frame import ColorTags


def test_there_and_back(rng):
    straight = rng.random((50, 4)).astype(np.float32) + 0.01
    np.testing.assert_allclose(unpremultiply(premultiply(straight)), straight, rtol=1e-5)


def test_colour_without_alpha_is_kept():
    glow = np.float32([[0.5, 0.2, 0.1, 0.0]])
    np.testing.assert_array_equal(unpremultiply(glow), glow)


@pytest.mark.parametrize("kind,white", [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_where_nothing_is_mixed_bits_stay(rng, kind, white):
    low, high = ((rng.random((2, 40, 4)) * white).astype(kind) for _ in range(2))
    weight = np.tile(np.float32([0, 1]), (2, 20))
    got = mix(low, high, weight, "straight", encoding_of(ColorTags()))
    np.testing.assert_array_equal(got[:, ::2], low[:, ::2])
    np.testing.assert_array_equal(got[:, 1::2], high[:, 1::2])
    half = np.full((2, 40), 0.5, np.float32)
    np.testing.assert_array_equal(mix(low, low, half, "straight", encoding_of(ColorTags())), low)


def test_an_edge_of_premultiplied_colours_has_no_fringe():
    """One gray over nothing next to the same gray: every mix of them is that gray at some alpha."""
    inside = np.tile(np.float32([0.4, 0.4, 0.4, 1.0]), (11, 1))
    outside = np.zeros((11, 4), np.float32)
    mixed = mix(outside, inside, np.linspace(0, 1, 11, dtype=np.float32), "premultiplied")
    straight = unpremultiply(mixed[1:])
    np.testing.assert_allclose(straight[:, :3], 0.4, rtol=1e-5)


def test_an_edge_of_straight_colours_has_no_fringe():
    """Pixels that cannot be seen hold black; without premultiplying, it would darken the edge."""
    inside = np.tile(np.uint8([200, 100, 50, 255]), (11, 1))
    outside = np.zeros((11, 4), np.uint8)
    mixed = mix(
        outside, inside, np.linspace(0, 1, 11, dtype=np.float32), "straight", encoding_of(ColorTags())
    )
    assert np.abs(mixed[1:, :3].astype(int) - [200, 100, 50]).max() <= 1


def test_codes_are_mixed_in_light():
    """Half black and half white look like half the light, not like half the code."""
    low, high = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
    srgb = encoding_of(ColorTags(transfer="iec61966-2-1"))
    assert mix(low, high, np.float32([0.5]), encoding=srgb)[0, 0] == 188
