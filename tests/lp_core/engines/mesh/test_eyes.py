"""Lids and eyeballs on the astronaut."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lp_core.engines.mesh import eyes as module
from lp_core.engines.mesh.eyes import eye_layer, lash_layer, taken_points
from lp_core.geometry.facemesh import EYES

NO_GAZE = np.zeros(2)


def width_of(portrait, eye):
    return np.linalg.norm(portrait.points[eye.upper[0], :2] - portrait.points[eye.upper[-1], :2])


def test_open_eyes_take_their_skin_from_where_it_is(portrait):
    np.testing.assert_array_equal(taken_points(portrait, (1.0, 1.2)), portrait.points[:, :2])


@pytest.mark.parametrize("side", [0, 1])
def test_a_closing_lid_takes_its_skin_from_beyond_the_lashes(portrait, side):
    lids = [1.0, 1.0]
    lids[side] = 0.0
    pushed = taken_points(portrait, tuple(lids)) - portrait.points[:, :2]
    eye, other = EYES[side], EYES[1 - side]
    assert (pushed[eye.upper[2:-2], 1] < -0.3).all()
    assert (pushed[eye.lower[2:-2], 1] > 0.3).all()
    assert np.abs(pushed[[eye.upper[0], eye.upper[-1]]]).max() == 0
    assert np.abs(pushed[other.upper]).max() == 0
    assert np.linalg.norm(pushed, axis=1).max() <= max(module.PUSH_UP, module.PUSH_DOWN) * width_of(
        portrait, eye
    )


@pytest.mark.parametrize("eye", EYES)
def test_an_eye_at_rest_shows_itself(portrait, eye):
    where, map_x, map_y = eye_layer(portrait, eye, portrait.points, portrait.points, 1.0, NO_GAZE)
    x, y = where.grid()
    assert np.allclose(map_x, x + 0 * y, atol=1e-4)
    assert np.allclose(map_y, y + 0 * x, atol=1e-4)


@pytest.mark.parametrize("eye", EYES)
def test_a_closed_eye_shows_none_and_one_out_of_sight_neither(portrait, eye):
    assert eye_layer(portrait, eye, portrait.points, portrait.points, 0.0, NO_GAZE) is None
    far = portrait.points + np.array([4000, 0, 0])
    assert eye_layer(portrait, eye, far, far, 1.0, NO_GAZE) is None
    assert lash_layer(portrait, eye, far, 0.0) is None


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("gaze", [(0.1, 0.0), (-0.1, 0.0), (0.0, 0.05)], ids=str)
def test_gaze_moves_the_middle_of_the_eye_by_eye_widths_and_not_its_corners(portrait, eye, gaze):
    where, map_x, map_y = eye_layer(portrait, eye, portrait.points, portrait.points, 1.0, np.array(gaze))
    x, y = where.grid()
    shift = np.stack([x - map_x, y - map_y], axis=-1)
    line = portrait.points[np.concatenate([eye.upper, eye.lower]), :2]
    middle = np.rint(line.mean(axis=0)).astype(int) - (where.left, where.top)
    wanted = np.array(gaze) * width_of(portrait, eye)
    assert np.allclose(shift[middle[1], middle[0]], wanted, atol=0.25 * np.abs(wanted).max() + 0.05)
    corner = np.rint(portrait.points[eye.upper[0], :2]).astype(int) - (where.left, where.top)
    assert np.abs(shift[corner[1], corner[0]]).max() < 0.35 * np.abs(wanted).max()


@pytest.mark.parametrize("eye", EYES)
def test_a_widened_eye_stretches_no_further_than_its_own_opening(portrait, eye):
    points = portrait.points.copy()
    points[eye.upper[1:-1], 1] -= 2
    where, map_x, map_y = eye_layer(portrait, eye, points, portrait.points, 1.3, NO_GAZE)
    line = portrait.points[np.concatenate([eye.upper, eye.lower]), :2]
    inside = where.alpha > 0.9
    assert map_y[inside].min() >= line[:, 1].min() - 1.5
    assert map_y[inside].max() <= line[:, 1].max() + 1.5


@pytest.mark.parametrize("eye", EYES)
def test_lashes_are_dark_and_come_as_the_lid_falls(portrait, eye):
    assert lash_layer(portrait, eye, portrait.points, 1.0) is None
    shut = portrait.points.copy()
    shut[eye.upper] = shut[eye.lower]
    strengths = []
    for lid in (0.4, 0.2, 0.0):
        where, color = lash_layer(portrait, eye, shut, lid)
        strengths.append(where.alpha.max())
    assert strengths[0] < strengths[1] < strengths[2] <= module.LASH_STRENGTH
    assert color.shape == (3,)
    assert (color < portrait.skin).all()


@pytest.mark.parametrize("eye", EYES)
def test_a_closing_lid_does_not_tear(engine, portrait, sitter, eye):
    """Half-way down nothing is darker or brighter than what stood around the eye."""
    motion = replace(sitter.neutral, eyes=sitter.neutral.eyes * np.float32(0.4))
    shown = engine.animate(portrait, motion, sitter.neutral).pixels
    line = portrait.points[np.concatenate([eye.upper, eye.lower[::-1]]), :2]
    mask = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(mask, [np.rint(line).astype(np.int32)], 1)
    around = cv2.dilate(mask, np.ones((9, 9), np.uint8)) > 0
    assert shown[around].min() >= int(sitter.picture[around].min()) - 4
    assert shown[around].max() <= int(sitter.picture[around].max()) + 4
