"""Eyeballs on the astronaut."""

import numpy as np
import pytest

from lp_core.engines.mesh.eyes import eye_layer
from lp_core.geometry.facemesh import EYES

NO_GAZE = np.zeros(2)


def width_of(portrait, eye):
    return np.linalg.norm(portrait.points[eye.upper[0], :2] - portrait.points[eye.upper[-1], :2])


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
