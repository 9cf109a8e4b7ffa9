"""Person and background of a source."""

from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest

from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.geometry.background import planes
from lp_core.layering.layers import SourceLayers

SIZE = 512, 512


@pytest.fixture(scope="module")
def face(astronaut):
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer:
        return analyzer.analyze(astronaut)[0]


@pytest.fixture(scope="module")
def film(astronaut, face):
    """The layers of three frames of a video that shakes a little in brightness."""
    rng = np.random.default_rng(5)
    frames = []
    for index in range(3):
        noisy = np.clip(astronaut.astype(int) + rng.integers(-6, 7, astronaut.shape), 0, 255)
        frames.append(Frame(noisy.astype(np.uint8), index, Fraction(index, 25)))
    with SourceLayers(None, None, is_film=True) as layers:
        found = [layers.at(frame, face, frame.index) for frame in frames]
    with SourceLayers(None, None, is_film=True) as layers:
        alone = [layers.at(frames[0], face, 0)]
        alone += [
            layers._found(frame, None, 0) or layers.at(frame, face, frame.index) for frame in frames[1:]
        ]
    return frames, found, alone


def test_a_videos_matte_is_a_stills_at_its_edges_within_a_little(astronaut, face, film):
    with SourceLayers(None, None, is_film=False) as layers:
        still = layers.at(Frame(astronaut, 0, Fraction(0)), face, 0)
    for layer in film[1]:
        person = layer.person(SIZE)
        assert np.abs(person - still.person(SIZE)).mean() < 0.02
        assert person[25, 230] == 1, "hair"
        assert person[20:120, 100:140].max() == 0, "the wall"


def test_it_is_steadier_than_frame_by_frame(film):
    _, steady, alone = film
    change = [
        np.mean(
            [np.abs(b.person(SIZE) - a.person(SIZE)).mean() for a, b in zip(made, made[1:], strict=False)]
        )
        for made in (steady, alone)
    ]
    assert change[0] < 0.9 * change[1]


def test_a_frame_needs_the_one_before_it_and_no_other(face, film):
    """A chunk starts so many frames early, and must come out as the whole does."""
    frames, found, _ = film
    with SourceLayers(None, None, is_film=True) as layers:
        for frame in frames[2 - layers.memory :]:
            layer = layers.at(frame, face, frame.index)
    np.testing.assert_array_equal(layer.cover, found[2].cover)
    np.testing.assert_array_equal(layer.plate.colors, found[2].plate.colors)


def test_the_background_is_kept_and_the_person_filled(film):
    frames, found, _ = film
    frame, layer = frames[1], found[1]
    plate = layer.whole_plate(frame)
    far = np.zeros(plate.shape[:2], bool)
    far[20:120, 100:130] = True
    np.testing.assert_array_equal(plate[far], frame.pixels[far])
    x, y = (np.array([[one]], np.float32) for one in (230, 25))
    shown, _ = layer.plate_at(planes(frame.pixels[25:26, 230:231]), x, y)
    np.testing.assert_allclose(shown[:, 0, 0], plate[25, 230], atol=1)
    assert np.abs(plate[25, 230].astype(int) - frame.pixels[25, 230]).max() > 20, "hair is filled"
