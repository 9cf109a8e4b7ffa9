"""The lower face of a speaker when lips open."""

import numpy as np
import pytest

from lp_core.geometry.facemesh import CHIN, LIPS_INNER_LOWER
from lp_core.motion.builtin import neutral_face
from lp_core.motion.landmarks.lips import inner_gap, lips_rounded
from lp_core.motion.landmarks.measured_opening import measured_opening
from lp_core.motion.landmarks.motion import frame_of_points
from lp_core.motion.landmarks.transfer import opening_field, transfer
from lp_core.settings import MotionSettings
from lp_core.speech.read_mouth import mouth_geometry
from lp_core.speech.rig import mesh_frame, resting_values

LOWER, FOREHEAD = LIPS_INNER_LOWER[5], 10
SETTINGS = MotionSettings(smoothing=0.0)


@pytest.fixture
def face():
    return frame_of_points(neutral_face(), (0, 0, 0), np.zeros(52, np.float32))


def spoken(opened):
    return mesh_frame({**resting_values(), "speaking": 1.0, "open": opened})


def followed(points, face):
    """How far the chin goes down, in ways of the lower lip."""
    moved = points - face.expression
    return moved[CHIN, 1] / moved[LOWER, 1]


def test_a_chin_follows_a_measured_opening_about_half(face):
    points = transfer(face, spoken(0.2), mesh_frame(resting_values()), SETTINGS).points
    assert 0.4 < followed(points, face) < 0.75
    assert points[CHIN, 2] - face.expression[CHIN, 2] > 0  # back, as the jaw turns


def test_lips_open_as_far_as_a_voice_asks(face):
    points = transfer(face, spoken(0.2), mesh_frame(resting_values()), SETTINGS).points
    assert mouth_geometry(points, np.zeros(52))[0] == pytest.approx(0.2, rel=0.1)


def test_a_measured_opening_is_transferred_as_it_was(face):
    drawn = neutral_face()
    drawn[:, 1] += 0.3 * opening_field(drawn)
    silent = np.zeros(52, np.float32)
    performer = frame_of_points(drawn, (0, 0, 0), silent)
    points = transfer(face, performer, face, SETTINGS).points
    assert followed(points, face) == pytest.approx(1.0, abs=0.02)


def test_the_field_opens_lips_by_one_evenly_and_leaves_the_eyes():
    field = measured_opening()
    assert inner_gap(field) == pytest.approx(1.0)
    assert np.allclose(field[61] * [-1, 1, 1], field[291])
    assert np.abs(field[[FOREHEAD, 33, 263]]).max() == 0


def test_lips_round_sooner_than_a_landmarker_reads_it():
    assert [lips_rounded(read) for read in (0.0, 1.0, 2.0)] == [0.0, 1.0, 1.0]
    assert lips_rounded(0.3) == pytest.approx(0.47, abs=0.02)
