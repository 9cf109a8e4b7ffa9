"""What is in front of a face."""

from contextlib import closing

import cv2
import numpy as np
import pytest

from lp_core.faces.occluders import OccluderFinder, front_matte
from lp_core.faces.open import open_analyzer


@pytest.fixture(scope="module")
def points(astronaut):
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer:
        return analyzer.analyze(astronaut)[0].landmarks_frame


@pytest.fixture(scope="module")
def finder():
    with OccluderFinder() as opened:
        yield opened


def pasted(image, points, drawn):
    """The image with a thing of a color in front, and where it is."""
    center, size = points[:, :2].mean(axis=0), float(np.ptp(points[:, 1]))
    mask = np.zeros(image.shape[:2], np.uint8)
    drawn(mask, center, size)
    front = image.copy()
    front[mask > 0] = (70, 95, 140)
    return front, mask > 0


def microphone(mask, center, size):
    at = int(center[0]), int(center[1] + 0.35 * size)
    cv2.ellipse(mask, (at, (int(0.3 * size), int(0.4 * size)), 0), 1, -1)


def bar(mask, center, size):
    away = np.array([0.3, 0.9]) * size
    ends = [tuple(map(int, center + sign * away)) for sign in (-1, 1)]
    cv2.line(mask, *ends, 1, int(0.18 * size))


@pytest.mark.parametrize("drawn", [microphone, bar])
def test_a_thing_in_front_is_found_whole_and_hardly_more(finder, astronaut, points, drawn):
    image, mask = pasted(astronaut, points, drawn)
    look = finder.look(image, points)
    matte = front_matte(look.patch.values, look.patch.box, (512, 512))
    assert (matte[mask] > 0.99).mean() > 0.95
    assert (matte[~mask] > 0.5).sum() < 0.4 * mask.sum()
    assert look.regions()[0] > 0.05
    assert look.hands == 0
    again = finder.look(image, points)
    np.testing.assert_array_equal(again.patch.values, look.patch.values)


def test_nothing_in_front(finder, astronaut, points):
    look = finder.look(astronaut, points)
    assert not look.patch.values.any()
    assert look.unclear_share < 0.03
    assert look.regions() == pytest.approx((0, 0, 0), abs=0.03)


def test_a_face_in_the_corner_of_a_tiny_image(finder, astronaut, points):
    x, y = points[:, :2].mean(axis=0).astype(int)
    image = np.ascontiguousarray(astronaut[y - 20 : y + 20, x - 20 : x + 20])
    look = finder.look(image, points - np.float32([x - 20, y - 20, 0]))
    assert front_matte(look.patch.values, look.patch.box, (40, 40)).shape == (40, 40)


def test_a_matte_is_whole_on_what_was_found_and_ends_softly():
    values = np.zeros((20, 20), np.float32)
    values[8:12, 8:12] = 0.5
    matte = front_matte(values, (10, 10, 50, 50), (60, 64))
    assert matte.shape == (64, 60)
    assert (matte[27:33, 27:33] == 1).all()
    assert matte[:12].max() == 0
    assert ((matte > 0) & (matte < 1)).any()
    assert not front_matte(values * 0.5, (10, 10, 50, 50), (60, 64)).any()
