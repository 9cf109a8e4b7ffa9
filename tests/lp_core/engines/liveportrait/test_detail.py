"""Light beyond white and the source's own detail."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lp_core.color.encoding import encoding_of
from lp_core.engines.liveportrait.detail import beyond_white, moved, with_detail
from lp_core.frame import ColorTags, Frame

LINEAR = encoding_of(ColorTags(transfer="linear"))


@pytest.fixture
def plate(rng):
    return Frame(rng.random((64, 64, 3)).astype(np.float32), 0, Fraction(0), encoding=LINEAR)


def test_nothing_lies_beyond_an_ordinary_picture(plate):
    assert beyond_white(plate, plate.pixels) is None


def test_what_a_network_draws_as_white_comes_back_as_bright_as_it_was(plate):
    """8.0 among 0.4, carried by a flow of 5 pixels: the ratio holds within 2 %."""
    pixels = np.full((64, 64, 3), 0.4, np.float32)
    pixels[20:30, 20:30] = 8.0
    source = replace(plate, pixels=pixels)
    flow = np.full((64, 64, 2), (5.0, 0.0), np.float32)
    seen = np.clip(source.shown(moved(pixels, flow)), 0, 1)  # an ideal network: what it is shown, moved
    back = source.coded(seen + moved(beyond_white(source, pixels), flow))
    assert back[25, 20, 0] / back[50, 50, 0] == pytest.approx(20, rel=0.02)
    assert back[25, 28, 0] == pytest.approx(0.4, rel=1e-3)


def test_the_sources_grain_comes_back_on_the_networks_colours(rng):
    grain = rng.normal(0, 0.02, (120, 120, 1)).astype(np.float32)
    smooth = np.full((120, 120, 3), 0.5, np.float32)
    drawn = smooth + np.float32(0.02)
    got = with_detail(drawn, smooth + grain, 2.0)
    inside = (slice(20, 100), slice(20, 100))
    assert got[inside].mean() == pytest.approx(0.52, abs=2e-3)
    assert np.corrcoef(got[inside][..., 0].ravel(), grain[inside].ravel())[0, 1] > 0.97


def test_detail_of_something_else_is_not_taken(rng):
    drawn = np.full((120, 120, 3), 0.1, np.float32)
    carried = 0.8 + rng.normal(0, 0.05, (120, 120, 3)).astype(np.float32)
    assert np.abs(with_detail(drawn, carried, 1.0) - drawn).max() < 1e-3


def test_a_source_that_agrees_comes_back_as_it_is(rng):
    picture = rng.random((64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(with_detail(picture, picture, 1.0), picture, atol=1e-6)
