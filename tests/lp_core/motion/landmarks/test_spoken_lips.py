"""Lips of a made voice on faces with wide and small mouths."""

import numpy as np
import pytest

from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER
from lp_core.motion.builtin import neutral_face
from lp_core.motion.landmarks.lips import OUTER_EYES
from lp_core.motion.landmarks.motion import frame_of_points
from lp_core.motion.landmarks.spoken_lips import (
    MOST_WAY,
    ROUND_WIDTH,
    TRUST_NARROW,
    USUAL_WIDTH,
    lip_thickness,
    spoken_lips,
    way_to_round,
    widening,
)
from lp_core.motion.landmarks.transfer import NO_NUDGE, Nudge, transfer
from lp_core.settings import MotionSettings
from lp_core.speech.rig import mesh_frame, resting_values

CORNERS = (61, 291)


def width_of(face):
    (a, b), (c, d) = CORNERS, OUTER_EYES
    return np.linalg.norm(face[a] - face[b]) / np.linalg.norm(face[c] - face[d])


def face_of(width):
    """A neutral face whose mouth is so wide, in outer eye distances."""
    face = neutral_face()
    eyes = np.linalg.norm(face[OUTER_EYES[0]] - face[OUTER_EYES[1]])
    for _ in range(4):
        face = face + (width - width_of(face)) * eyes * widening(face)
    return frame_of_points(face, (0, 0, 0), np.zeros(52, np.float32))


def moved(source, nudge=NO_NUDGE, **values):
    """(478, 3) the face when a voice asks for something."""
    frame = mesh_frame({**resting_values(), "speaking": 1.0, **values})
    rest = mesh_frame(resting_values())
    return transfer(source, frame, rest, MotionSettings(smoothing=0.0), nudge).points


def thickness(face):
    """Mean height of both lips' red at the middle."""
    upper = face[LIPS_INNER_UPPER[4:7], 1] - face[LIPS_OUTER_UPPER[4:7], 1]
    lower = face[LIPS_OUTER_LOWER[4:7], 1] - face[LIPS_INNER_LOWER[4:7], 1]
    return float(np.mean([upper, lower]))


@pytest.mark.parametrize("width", [0.5, 0.55, 0.6])
def test_round_lips_are_as_wide_on_every_mouth(width):
    asked = {"width": ROUND_WIDTH - USUAL_WIDTH, "round": 1.0}
    assert width_of(moved(face_of(width), **asked)) == pytest.approx(ROUND_WIDTH, abs=0.03)


def test_a_mouth_narrows_by_its_way_and_widens_as_it_is_asked():
    small, usual = face_of(0.5), face_of(USUAL_WIDTH)
    assert way_to_round(small.expression.astype(float)) == pytest.approx(0.47, abs=0.03)
    assert way_to_round(usual.expression.astype(float)) == pytest.approx(1, abs=0.03)
    assert way_to_round(face_of(0.75).expression.astype(float)) == MOST_WAY
    wider = [width_of(moved(face, width=0.05)) - width_of(moved(face)) for face in (small, usual)]
    narrower = [width_of(moved(face)) - width_of(moved(face, width=-0.05)) for face in (small, usual)]
    assert narrower[0] < 0.6 * narrower[1]
    assert wider[0] > 0.7 * wider[1]


def test_round_lips_get_thicker_pressed_and_narrow_ones_thinner():
    face = face_of(0.55)
    rest = thickness(moved(face))
    assert 1.1 * rest < thickness(moved(face, width=-0.15, round=1.0)) < 1.3 * rest
    assert thickness(moved(face, press=0.6)) < 0.9 * rest
    assert thickness(moved(face, width=-0.1)) < 0.9 * rest


def test_a_round_mouth_is_open_in_the_middle():
    def sides(**more):
        face = moved(face_of(0.55), open=0.15, width=-0.1, **more)
        gaps = face[LIPS_INNER_LOWER, 1] - face[LIPS_INNER_UPPER, 1]
        return gaps[2] / gaps[5], gaps[5]

    (slit, before), (round_, after) = sides(), sides(round=0.9)
    assert round_ < 0.7 * slit
    assert after == pytest.approx(before, rel=0.15)
    assert round_ > 0


def test_a_filmed_face_is_left_alone():
    face = face_of(0.55)
    filmed = mesh_frame({**resting_values(), "width": -0.1, "round": 0.9})
    assert spoken_lips(face, filmed, mesh_frame(resting_values())) == 0


def test_thickness_keeps_the_inner_edge_and_what_is_far():
    face = neutral_face()
    change = lip_thickness(face)
    assert np.abs(change[[*LIPS_INNER_UPPER, *LIPS_INNER_LOWER]]).max() < 1e-9
    assert np.abs(change[[33, 263, 10, 152, 4]]).max() < 1e-9
    assert change[17, 1] > 0 > change[0, 1]


def test_a_nudge_narrows_in_proportion_to_what_narrows_by_itself():
    face = face_of(USUAL_WIDTH)

    def width(more, **values):
        return width_of(moved(face, Nudge(narrow=more), **values))

    assert width(0.02, width=-0.1) == pytest.approx(width(0.0, width=-0.1) - 0.02, abs=0.003)
    assert width(-0.02, width=-0.1) == pytest.approx(width(0.0, width=-0.1) + 0.02, abs=0.003)
    assert width(0.05, width=-0.02) > width(0.0, width=-0.02) - 1.1 * TRUST_NARROW * 0.02
    assert width(0.05) == width(0.0)
    assert width(0.05, width=0.05) == width(0.0, width=0.05)
