"""What a user's matte protects."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lp_core.color.encoding import encoding_of
from lp_core.engines.base import Animation
from lp_core.frame import ColorTags, Frame
from lp_core.render.holdout import protected
from lp_core.render.passes import DrawnFrame

BOX = (1, 0, 7, 4)


@pytest.fixture
def source(rng):
    pixels = rng.random((4, 8, 3)).astype(np.float32)
    pixels[0, 0] = np.nan
    return Frame(pixels, 0, Fraction(0), encoding=encoding_of(ColorTags(transfer="linear")))


@pytest.fixture
def drawn(source):
    pixels = source.pixels.copy()
    pixels[:, 1:7] = 0.25
    animation = Animation(pixels, BOX, np.ones((4, 6), np.float32), np.ones((4, 6, 2), np.float32))
    return DrawnFrame(replace(source, pixels=pixels), animation, 1.0)


def test_protected_pixels_are_the_sources_bits(source, drawn):
    matte = np.zeros((4, 8), np.float32)
    matte[:2] = 1
    got = protected(drawn, source, matte)
    np.testing.assert_array_equal(got.frame.pixels[:2].view(np.uint32), source.pixels[:2].view(np.uint32))
    np.testing.assert_array_equal(got.frame.pixels[2:], drawn.frame.pixels[2:])
    assert not got.animation.matte[:2].any()
    assert not got.animation.flow[:2].any()
    assert (got.animation.matte[2:, 1:7] == 1).all()
    assert (drawn.frame.pixels[:, 1:7] == 0.25).all(), "the engine's image was written to"


def test_an_edge_lies_between_both_sides_everywhere(source, drawn):
    """Neither darker nor brighter than the source and the drawn image it is made of: no fringe."""
    matte = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (4, 1))
    got = protected(drawn, source, matte).frame.pixels[:, 1:7]
    low = np.minimum(source.pixels, drawn.frame.pixels)[:, 1:7]
    high = np.maximum(source.pixels, drawn.frame.pixels)[:, 1:7]
    assert (got >= low - 1e-6).all()
    assert (got <= high + 1e-6).all()
    wanted = matte[:, 1:7, None] * source.pixels[:, 1:7] + (1 - matte[:, 1:7, None]) * 0.25
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_nothing_happens_without_a_matte_or_a_face(source, drawn):
    empty = np.zeros((4, 8), np.float32)
    assert protected(drawn, source, empty) is drawn
    passed = DrawnFrame(source, None, 0.0)
    assert protected(passed, source, empty + 1) is passed
