"""A person over a background that stays."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from lp_core.engines.base import Animation
from lp_core.frame import Frame
from lp_core.geometry.warp import sample
from lp_core.render.layers import NOT_FROM_SOURCE, Layer, SoftFill, moved_person, over_plate

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
    before = source.pixels.copy()
    got = over_plate(animation, source, Layer.whole(person, plate))
    moved = np.roll(person, SHIFT, axis=1) == 1
    np.testing.assert_array_equal(got.pixels[moved], source.pixels[person == 1])
    np.testing.assert_array_equal(got.pixels[~moved], plate[~moved])
    np.testing.assert_array_equal(source.pixels, before)


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
    left, top, right, bottom = REGION
    drawn = animation.pixels[top:bottom, left:right].astype(np.float32)
    got = over_plate(animation, source, Layer.whole(half, plate))
    here, there = (
        values[top:bottom, left:right].astype(np.float32) for values in (plate, np.roll(plate, SHIFT, axis=1))
    )
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


@pytest.mark.parametrize("cells", [1, 2])
def test_a_soft_fill_leaves_the_wall_to_the_bit(source, animation, person, plate, cells):
    """A video's plate is the frame itself, and a fill where the person and loose hair may be."""
    fringe = np.zeros_like(person)
    fringe[4:20, 10:28] = 1
    size = WIDTH // cells, HEIGHT // cells
    cover = np.dstack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (person, fringe)])
    color = np.full((HEIGHT // cells, WIDTH // cells, 3), plate.max() / 4, np.float32)
    layer = Layer((0, 0, WIDTH, HEIGHT), cover, SoftFill(color))
    got = over_plate(animation, source, layer)
    solid = cv2.erode(person, np.ones((3, 3))) == 1
    np.testing.assert_array_equal(got.pixels[np.roll(solid, SHIFT, axis=1)], source.pixels[solid])
    near = (fringe > 0) | (np.roll(fringe, SHIFT, axis=1) > 0)
    apart = cv2.dilate(near.astype(np.uint8), np.ones((3, 3))) == 0
    np.testing.assert_array_equal(got.pixels[apart], source.pixels[apart])
    come = np.roll(cv2.dilate(fringe, np.ones((3, 3))), SHIFT, axis=1)
    inside = (cv2.erode(fringe, np.ones((3, 3))) > 0) & (come == 0)
    assert inside.any()
    np.testing.assert_allclose(got.pixels[inside].astype(float), float(plate.max() / 4), rtol=1e-6, atol=0.5)


def test_what_does_not_move_keeps_its_bits(source, animation, person):
    """Loose hair of a person who stands still is neither filled nor changed."""
    fringe = np.full_like(person, 0.1)
    fill = SoftFill(np.zeros((HEIGHT, WIDTH, 3), np.float32))
    animation.region_flow[:, 10:] = 0
    pixels = source.pixels.copy()
    left, top, right, bottom = REGION
    drawn = animation.pixels[top:bottom, left:right]
    pixels[top:bottom, left : left + 10] = drawn[:, :10]
    got = over_plate(
        replace(animation, pixels=pixels),
        source,
        Layer((0, 0, WIDTH, HEIGHT), np.dstack([person, fringe]), fill),
    )
    np.testing.assert_array_equal(got.pixels[:, left + 10 :], source.pixels[:, left + 10 :])
    assert (got.matte[top:bottom, left : left + 10] == NOT_FROM_SOURCE).all()


def test_nothing_happens_where_everything_is_the_person(plate, source, animation):
    everything = np.ones((HEIGHT, WIDTH), np.float32)
    assert over_plate(animation, source, Layer.whole(everything, plate)) is animation


def test_the_persons_matte_moves_along(plate, person, source, animation):
    layer = Layer.whole(person, plate)
    np.testing.assert_array_equal(moved_person(layer, source, animation), np.roll(person, SHIFT, axis=1))
    np.testing.assert_array_equal(moved_person(layer, source, None), person)
