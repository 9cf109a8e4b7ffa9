"""The index tables agree with each other and with a face."""

import numpy as np
import pytest

from lp_core.geometry import facemesh
from lp_core.geometry.facemesh import EYES, LEFT_EYE, OVAL, RIGHT_EYE
from lp_core.motion.builtin import neutral_face

CONTOURS = [
    facemesh.LIPS_INNER_UPPER,
    facemesh.LIPS_INNER_LOWER,
    facemesh.LIPS_OUTER_UPPER,
    facemesh.LIPS_OUTER_LOWER,
    *(line for eye in EYES for line in (eye.upper, eye.lower)),
]


def test_every_table_holds_distinct_points_of_the_mesh():
    for table in (*CONTOURS, OVAL, facemesh.RIGID, *(eye.iris for eye in EYES)):
        assert len(set(table.tolist())) == len(table)
        assert table.min() >= 0
        assert table.max() < len(neutral_face())
    assert min(eye.iris.min() for eye in EYES) == facemesh.MESH_POINTS


@pytest.mark.parametrize("upper,lower", list(zip(CONTOURS[::2], CONTOURS[1::2], strict=True)))
def test_upper_and_lower_lines_share_their_ends_and_run_to_the_right(upper, lower):
    face = neutral_face()
    assert len(upper) == len(lower)
    assert (upper[0], upper[-1]) == (lower[0], lower[-1])
    assert (np.diff(face[upper, 0]) > 0).all()
    assert (np.diff(face[lower, 0]) > 0).all()
    assert (face[upper[1:-1], 1] <= face[lower[1:-1], 1] + 1e-9).all()


def test_the_oval_runs_clockwise_from_the_forehead_over_the_chin():
    face = neutral_face()
    x, y = face[OVAL, :2].T
    area = (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2
    assert area > 0  # y points down
    assert OVAL[0] == 10  # top of the forehead
    assert face[OVAL, 1].argmin() == 0
    assert OVAL[face[OVAL, 1].argmax()] == facemesh.CHIN


def test_left_is_the_left_of_the_picture_and_the_blinks_are_the_persons():
    face = neutral_face()
    assert face[LEFT_EYE.upper, 0].max() < 0 < face[RIGHT_EYE.upper, 0].min()
    assert (LEFT_EYE.blink, RIGHT_EYE.blink) == (10, 9)  # eyeBlinkRight, eyeBlinkLeft


@pytest.mark.parametrize("eye", EYES)
def test_the_iris_lies_in_its_eye(eye):
    face = neutral_face()
    assert face[eye.upper[0], 0] < face[eye.iris, 0].min()
    assert face[eye.iris, 0].max() < face[eye.upper[-1], 0]
