"""A person over a background that stays."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lp_core.engines.base import Animation
from lp_core.frame import Frame
from lp_core.geometry.warp import sample
from lp_core.render.layers import NOT_FROM_SOURCE, Layer, moved_person, over_plate

HEIGHT, WIDTH = 24, 40
REGION = (4, 2, 36, 22)
SHIFT = 5
"""Pixels by which the person goes to the right."""


@pytest.fixture(params=["uint8", "uint16", "float32"])
def plate(request, rng):
    pixels = rng.random((HEIGHT, WIDTH, 3)).astype(np.float32)
    white = {"uint8": 255, "uint16": 65535, "float32": 1}[request.param]
    return (pixels * white).astype(request.param)


@pytest.fixture
def person():
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[6:18, 14:24] = 1
    return matte


@pytest.fixture
def source(plate, person):
    pixels = plate.copy()
    pixels[person == 1] = plate.max() / 2
    return Frame(pixels, 0, Fraction(0))


@pytest.fixture
def animation(source):
    """The whole region goes to the right, background and all, as an engine without layers draws it."""
    left, top, right, bottom = REGION
    flow = np.zeros((bottom - top, right - left, 2), np.float32)
    flow[..., 0] = -SHIFT
    x, y = np.meshgrid(np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32))
    pixels = source.pixels.copy()
    pixels[top:bottom, left:right] = sample(source.pixels, x - SHIFT, y)
    return Animation(pixels, REGION, np.ones(flow.shape[:2], np.float32), flow)


def test_the_result_is_the_moved_person_over_the_plate(plate, person, source, animation):
    got = over_plate(animation, source, Layer.whole(person, plate))
    moved = np.roll(person, SHIFT, axis=1) == 1
    np.testing.assert_array_equal(got.pixels[moved], source.pixels[person == 1])
    np.testing.assert_array_equal(got.pixels[~moved], plate[~moved])
    assert (animation.pixels != got.pixels).any(), "the engine's image was written to"


def test_the_background_is_untouched_and_says_so(plate, person, source, animation):
    got = over_plate(
        animation, source, Layer.whole(person, np.zeros_like(plate))
    )  # a plate that is wrong everywhere
    background = (np.roll(person, SHIFT, axis=1) == 0) & (person == 0)
    np.testing.assert_array_equal(got.pixels[background], source.pixels[background])
    assert not got.matte[background].any()
    assert not got.flow[background].any()
    uncovered = (person == 1) & (np.roll(person, SHIFT, axis=1) == 0)
    assert (got.matte[uncovered] == NOT_FROM_SOURCE).all()


def test_a_soft_edge_mixes_person_and_plate(plate, source, animation):
    half = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    got = over_plate(animation, source, Layer.whole(half, plate))
    left, top, right, bottom = REGION
    here, there = (
        values[top:bottom, left:right].astype(np.float32) for values in (plate, np.roll(plate, SHIFT, axis=1))
    )
    drawn = animation.pixels[top:bottom, left:right].astype(np.float32)
    wanted = drawn + 0.5 * (here - there)
    if plate.dtype.kind != "f":
        wanted = np.clip(np.rint(wanted), 0, np.iinfo(plate.dtype).max)
    inside = slice(None), slice(SHIFT, None)
    np.testing.assert_allclose(got.pixels[top:bottom, left:right][inside], wanted[inside], atol=1e-6)


def test_loose_hair_around_the_matte_moves_along_and_leaves_nothing_behind(source, animation, person, plate):
    """A strand just outside the matte, over a plain wall that the plate knows."""
    wall = np.full_like(plate, plate.max() / 4)
    pixels = wall.copy()
    pixels[person == 1] = plate.max() / 2
    strand = np.zeros_like(person, bool)
    strand[8:16, 12] = True
    pixels[strand] = 0
    fringe = np.zeros_like(person)
    fringe[6:18, 10:28] = 1
    left, top, right, bottom = REGION
    x, y = np.meshgrid(np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32))
    drawn = pixels.copy()
    drawn[top:bottom, left:right] = sample(pixels, x - SHIFT, y)
    got = over_plate(
        replace(animation, pixels=drawn), replace(source, pixels=pixels), Layer.whole(person, wall, fringe)
    )
    moved = np.roll(strand, SHIFT, axis=1)
    assert not got.pixels[moved].any()
    free = (np.roll(person, SHIFT, axis=1) == 0) & ~moved
    np.testing.assert_array_equal(got.pixels[free], wall[free])


def test_nothing_happens_where_everything_is_the_person(plate, source, animation):
    everything = np.ones((HEIGHT, WIDTH), np.float32)
    assert over_plate(animation, source, Layer.whole(everything, plate)) is animation


def test_the_persons_matte_moves_along(plate, person, source, animation):
    layer = Layer.whole(person, plate)
    np.testing.assert_array_equal(moved_person(layer, source, animation), np.roll(person, SHIFT, axis=1))
    np.testing.assert_array_equal(moved_person(layer, source, None), person)
