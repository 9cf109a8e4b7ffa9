"""Motion of videos whose motion is known."""

import cv2
import numpy as np
import pytest

from lp_core.geometry.optical_flow import COARSE, FINE, ROUGH, dense_flow, film_motion

RNG = np.random.default_rng(5)
SCENE = cv2.normalize(
    cv2.GaussianBlur(RNG.random((400, 500, 3), np.float32), (0, 0), 3.0), None, 0, 255, cv2.NORM_MINMAX
).astype(np.uint8)


def view(x, y, width=240, height=180):
    """A part of the scene whose corner is at (x, y)."""
    move = np.float64([[1, 0, -x], [0, 1, -y]])
    return cv2.warpAffine(SCENE, move, (width, height), flags=cv2.INTER_CUBIC)


@pytest.mark.parametrize("pan", [(3, 0), (-2.5, 1.5), (0, -6)])
def test_a_pan_moves_everything_the_other_way(pan):
    motion = film_motion(view(100, 100), view(100 + pan[0], 100 + pan[1]))
    assert motion.shape == (180, 240, 2)
    assert motion.dtype == np.float32
    inner = motion[20:-20, 20:-20]
    np.testing.assert_allclose(np.median(inner, axis=(0, 1)), np.negative(pan), atol=0.1)
    assert np.abs(inner + pan).mean() < 0.2


@pytest.mark.parametrize("effort", [FINE, COARSE, ROUGH])
def test_flow_is_found_in_gray_images(effort):
    now, then = (cv2.cvtColor(view(x, 100), cv2.COLOR_RGB2GRAY) for x in (100, 103))
    flow = dense_flow(now, then, effort)
    assert flow.shape == (180, 240, 2)
    np.testing.assert_allclose(np.median(flow[20:-20, 20:-20], axis=(0, 1)), (-3, 0), atol=0.1)


def test_large_pictures_are_searched_reduced():
    now, then = (cv2.resize(view(x, 100), (2400, 1800), interpolation=cv2.INTER_CUBIC) for x in (100, 102))
    motion = film_motion(now, then)
    assert motion.shape == (1800, 2400, 2)
    np.testing.assert_allclose(np.median(motion[200:-200, 200:-200], axis=(0, 1)), (-20, 0), atol=0.5)


def test_nothing_goes_on_across_a_cut():
    assert film_motion(view(100, 100), 255 - view(100, 100)) is None


@pytest.mark.parametrize("size", [(1, 1), (8, 200), (200, 8)])
def test_a_tiny_picture_has_no_motion(size):
    picture = np.zeros((*size, 3), np.uint8)
    assert film_motion(picture, picture) is None


def test_a_picture_of_one_colour_stands():
    picture = np.full((64, 64, 3), 90, np.uint8)
    assert not film_motion(picture, picture).any()
