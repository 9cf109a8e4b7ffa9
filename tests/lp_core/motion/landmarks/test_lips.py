"""Lips of a portrait that was photographed with an open mouth."""

import numpy as np
import pytest

from lp_core.geometry.facemesh import NEUTRAL
from lp_core.motion.builtin import neutral_face
from lp_core.motion.landmarks.lips import OUTER_EYES, inner_gap, spoken_share
from lp_core.motion.landmarks.motion import frame_of_points
from lp_core.motion.landmarks.transfer import DOWN, NO_NUDGE, Nudge, opening_field, smile_field, transfer
from lp_core.settings import MotionSettings
from lp_core.speech.rig import mesh_frame, resting_values

OWN = 0.12
"""Gap of the portrait's lips, in outer eye distances."""


@pytest.fixture(scope="module")
def smiling():
    face = neutral_face()
    face = face + 0.6 * smile_field(face)
    eyes = np.linalg.norm(face[OUTER_EYES[0]] - face[OUTER_EYES[1]])
    for _ in range(4):
        face = face + opening_field(face)[:, None] * DOWN * (OWN * eyes - inner_gap(face))
    return frame_of_points(face, (0, 0, 0), np.zeros(52, np.float32)), eyes


def gap_of(smiling, nudge=NO_NUDGE, **values):
    source, eyes = smiling
    rest = mesh_frame(resting_values())
    frame = mesh_frame({**resting_values(), **values})
    moved = transfer(source, frame, rest, MotionSettings(smoothing=0.0), nudge)
    return inner_gap(moved.points) / eyes


def test_lips_close_for_a_voice_and_stay_as_they_are_without_one(smiling):
    assert abs(gap_of(smiling) - OWN) < 1e-3
    assert abs(gap_of(smiling, speaking=1.0, open=0.0, press=0.6)) < 0.008
    assert abs(gap_of(smiling, speaking=0.5) - OWN / 2) < 0.01


@pytest.mark.parametrize("wanted", [0.03, 0.08, 0.2, 0.35])
def test_lips_open_as_far_as_the_voice_asks(smiling, wanted):
    assert abs(gap_of(smiling, speaking=1.0, open=wanted) - wanted) < 0.01


def test_calibration_leaves_a_spoken_mouth_alone(smiling):
    nudge = Nudge(gap=0.1, drop=0.1, smile=0.3)
    spoken = {"speaking": 1.0, "open": 0.1}
    assert gap_of(smiling, nudge, **spoken) == pytest.approx(gap_of(smiling, **spoken), abs=1e-6)


def test_a_filmed_face_says_nothing():
    face = frame_of_points(neutral_face(), (0, 0, 0), np.zeros(52, np.float32))
    assert spoken_share(face, face) == 0


@pytest.mark.parametrize(("read", "share"), [(5e-5, 0.0), (0.01, 0.01), (0.5, 0.5)])
def test_what_a_landmarker_reads_of_rest_in_a_film_is_no_speech(read, share):
    blendshapes = np.zeros(52, np.float32)
    motion = frame_of_points(neutral_face(), (0, 0, 0), blendshapes)
    at_rest = blendshapes.copy()
    at_rest[NEUTRAL] = read
    reference = frame_of_points(neutral_face(), (0, 0, 0), at_rest)
    assert spoken_share(motion, reference) == pytest.approx(share)
