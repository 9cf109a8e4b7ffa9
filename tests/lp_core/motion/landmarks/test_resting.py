from dataclasses import replace

import numpy as np

from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.builtin import neutral_face
from lp_core.motion.landmarks.lips import inner_gap
from lp_core.motion.landmarks.motion import frame_of_points
from lp_core.motion.landmarks.resting import (
    MOST_FACES,
    MOST_SHAPES,
    RestingSurvey,
    resting_arrays,
    resting_from_arrays,
)
from lp_core.motion.landmarks.transfer import DOWN, opening_field


def speaking_face(gap, yaw_deg=0.0):
    """The neutral face with its lips so far apart."""
    face = neutral_face()
    face = face + opening_field(face)[:, None] * DOWN * (gap - inner_gap(face))
    return frame_of_points(face, (0.0, yaw_deg, 0.0), np.zeros(52, np.float32))


def surveyed(faces):
    survey = RestingSurvey()
    for face in faces:
        survey.add(face)
    return survey.result()


def test_the_rest_of_a_plate_is_its_lower_opening():
    gaps = np.concatenate([np.full(30, 0.05), np.linspace(0.05, 0.6, 70)])
    mouth = surveyed(speaking_face(gap) for gap in gaps)
    assert abs(mouth.gap - 0.05) < 0.01
    now = speaking_face(0.5)
    for rest, wanted in ((1.0, mouth.gap), (0.0, 0.0)):
        face = mouth.face(now, rest)
        assert abs(inner_gap(face.expression.astype(float)) - wanted) < 0.012
        above = neutral_face()[:, 1] < neutral_face()[4, 1]
        assert np.array_equal(face.expression[above], now.expression[above])


def test_the_nearest_pose_counts_most():
    gaps = (0.04, 0.1)
    mouth = surveyed([speaking_face(gaps[0])] * 30 + [speaking_face(gaps[1], 30.0)] * 10)
    shapes = {round(float(yaw)): shape for (_, yaw, _), shape in zip(mouth.angles, mouth.shapes, strict=True)}
    assert 0 in shapes
    tilted = replace(speaking_face(0.4), rotation=from_angles_deg(0, 0, 0).astype(np.float32))
    assert inner_gap(mouth.face(tilted, 1.0).expression.astype(float)) < 0.06


def test_memory_does_not_grow_and_arrays_give_the_same_mouth():
    mouth = surveyed(speaking_face(0.1 + 0.05 * np.sin(index)) for index in range(MOST_FACES + 50))
    assert len(mouth.shapes) <= MOST_SHAPES
    again = resting_from_arrays(resting_arrays(mouth))
    now = speaking_face(0.3)
    assert np.array_equal(again.face(now, 0.5).expression, mouth.face(now, 0.5).expression)
    lips = np.concatenate([LIPS_INNER_UPPER, LIPS_INNER_LOWER])
    assert np.isfinite(mouth.face(now, 1.0).expression[lips]).all()


def test_no_face_no_mouth():
    assert surveyed([]) is None
