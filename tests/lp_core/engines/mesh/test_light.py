"""The mesh engine on scene-linear float images: highlights, negatives, NaN, and what is drawn into them."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.mesh import grimace

from lp_core.color.encoding import encoding_of
from lp_core.frame import ColorTags
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER

LINEAR = encoding_of(ColorTags(transfer="linear"))
CHEEK = 205


@pytest.fixture
def plate(sitter, as_frame):
    """The astronaut in scene-linear light."""
    light = LINEAR.from_display(sitter.picture.astype(np.float32) / 255)
    return replace(as_frame(light), encoding=LINEAR, alpha="premultiplied")


def with_pixels(frame, pixels):
    return replace(frame, pixels=pixels)


def test_the_analyzer_sees_the_picture_as_shown(plate, sitter):
    assert np.abs(plate.as_rgb8().astype(int) - sitter.picture).max() <= 1


def test_at_rest_every_bit_stays_whatever_the_pixels_hold(engine, plate, sitter):
    pixels = plate.pixels.copy()
    nose = np.rint(sitter.face.landmarks_frame[4, :2]).astype(int)
    for shift, value in enumerate([np.nan, np.inf, -np.inf, -3.0, 1e9, -0.0]):
        pixels[nose[1], nose[0] + 2 * shift] = value
        pixels[nose[1] + 60, nose[0] - 4 + 2 * shift] = value  # in the mouth
    for index in (33, 133, 159, 145, 468):  # and on an eye
        x, y = np.rint(sitter.face.landmarks_frame[index, :2]).astype(int)
        pixels[y, x] = np.nan
    portrait = engine.prepare(with_pixels(plate, pixels), sitter.face)
    shown = engine.animate(portrait, sitter.neutral, sitter.neutral)
    np.testing.assert_array_equal(shown.pixels.view(np.uint32), pixels.view(np.uint32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pixel_without_a_number_does_not_spread(engine, plate, sitter, value):
    pixels = plate.pixels.copy()
    x, y = np.rint(sitter.face.landmarks_frame[CHEEK, :2]).astype(int)
    pixels[y, x] = value
    portrait = engine.prepare(with_pixels(plate, pixels), sitter.face)
    shown = engine.animate(portrait, grimace(sitter.neutral), sitter.neutral).pixels
    assert 1 <= (~np.isfinite(shown)).any(axis=2).sum() <= 4


def test_a_highlight_keeps_its_ratio_to_its_surroundings(engine, plate, sitter):
    pixels = plate.pixels.copy()
    x, y = np.rint(sitter.face.landmarks_frame[CHEEK, :2]).astype(int)
    pixels[y - 20 : y + 21, x - 20 : x + 21] = 0.4
    pixels[y - 8 : y + 9, x - 8 : x + 9] = 8.0
    portrait = engine.prepare(with_pixels(plate, pixels), sitter.face)
    shown = engine.animate(portrait, grimace(sitter.neutral), sitter.neutral)
    assert np.abs(shown.flow[y, x]).max() > 1
    part = shown.pixels[y - 40 : y + 41, x - 40 : x + 41, 0]
    assert part.max() / 0.4 == pytest.approx(20, rel=0.02)
    assert (np.abs(part - 8) < 0.16).sum() > 150


def test_what_is_drawn_is_as_light_as_in_a_picture_for_the_screen(engine, plate, sitter, as_frame):
    """The mouth's inside, which is drawn in display codes, comes out the same through linear light."""
    for_screen = as_frame(sitter.picture.astype(np.float32) / 255)
    motion = replace(sitter.neutral, lips=np.float32(sitter.neutral.lips + 0.5))
    pictures = []
    for frame in (for_screen, plate):
        portrait = engine.prepare(frame, sitter.face)
        pictures.append(frame.shown(engine.animate(portrait, motion, sitter.neutral).pixels[..., :3]))
        points = portrait.points
    middle = np.rint(points[[*LIPS_INNER_UPPER[3:8], *LIPS_INNER_LOWER[3:8]], :2].mean(axis=0)).astype(int)
    inside = tuple(slice(at + 4, at + 12) for at in middle[::-1])
    np.testing.assert_allclose(pictures[1][inside], pictures[0][inside], atol=0.02)


def test_what_is_drawn_is_premultiplied_as_the_picture_is(engine, plate, sitter):
    half = np.concatenate([plate.pixels * 0.5, np.full((512, 512, 1), 0.5, np.float32)], axis=2)
    motion = replace(sitter.neutral, lips=np.float32(sitter.neutral.lips + 0.5))
    whole = engine.animate(engine.prepare(plate, sitter.face), motion, sitter.neutral)
    shown = engine.animate(engine.prepare(with_pixels(plate, half), sitter.face), motion, sitter.neutral)
    drawn = (whole.matte == 1) & (np.abs(whole.pixels * 0.5 - shown.pixels[..., :3]).max(axis=2) > 0.03)
    assert drawn.mean() < 0.002
