"""Faces of the 478-point rig and performances of them, made from the built-in neutral face."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.frame import Frame
from lp_core.geometry.facemesh import (
    EYES,
    JAW_OPEN,
    LEFT_EYE,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    RIGHT_EYE,
    SMILE_LEFT,
    SMILE_RIGHT,
)
from lp_core.geometry.rotation import angles_deg, from_angles_deg
from lp_core.motion.builtin import neutral_face
from lp_core.motion.landmarks.motion import eye_gaze, eye_openness, lip_openness
from lp_core.motion.sequence import MotionFrame

SHAPE_NAMES = tuple(f"shape{index}" for index in range(52))


def performer(points=None, angles=(0.0, 0.0, 0.0), scale=0.2, at=(0.0, 0.0), shapes=None):
    """The motion of a face whose points in head space are given; the neutral one by default."""
    points = neutral_face() if points is None else points
    return MotionFrame(
        rotation=from_angles_deg(*angles).astype(np.float32),
        scale=np.float32(scale),
        translation=np.array(at, np.float32),
        expression=points.astype(np.float32),
        eyes=np.array([eye_openness(points, eye) for eye in EYES], np.float32),
        gaze=np.array([eye_gaze(points, eye) for eye in EYES], np.float32),
        lips=np.float32(lip_openness(points)),
        blendshapes=np.zeros(52, np.float32) if shapes is None else np.asarray(shapes, np.float32),
        confidence=np.float32(1),
    )


def random_face(seed):
    """(478, 3) a separate face proportions, not symmetric, its lips anywhere from crossed to open."""
    rng = np.random.default_rng(seed)
    points = neutral_face() * rng.uniform(0.8, 1.25, 3) + rng.normal(0, 0.01, (478, 3))
    points[LIPS_INNER_LOWER[1:-1], 1] += rng.uniform(-0.05, 0.3)
    return points


def random_performance(seed):
    """(reference, motion) of a random face that grimaces, turns and moves a good deal."""
    rng = np.random.default_rng(seed)
    points = random_face(seed)
    reference = performer(points, rng.normal(0, 8, 3), rng.uniform(0.1, 0.3), rng.normal(0, 0.1, 2))
    moved = points + rng.normal(0, 0.03, (478, 3))
    angles = np.array(angles_deg(reference.rotation)) + rng.normal(0, 10, 3)
    at = reference.translation + rng.normal(0, 0.05, 2)
    return reference, performer(moved, angles, reference.scale * rng.uniform(0.85, 1.2), at)


def turned(motion, pitch=0.0, yaw=0.0, roll=0.0):
    """The motion with its head angles changed by degrees."""
    angles = np.array(angles_deg(motion.rotation.astype(np.float64))) + (pitch, yaw, roll)
    return replace(motion, rotation=from_angles_deg(*angles).astype(np.float32))


def lip_distance(points):
    """Mean vertical distance of the middle inner lips."""
    return float((points[LIPS_INNER_LOWER[4:7], 1] - points[LIPS_INNER_UPPER[4:7], 1]).mean())


def readings(jaw=0.0, smile=0.0, left=0.0, right=0.0):
    """(52,) coefficients with jaw, smile and the blinks of the eyes on the image's left and right."""
    shapes = np.zeros(52, np.float32)
    shapes[[JAW_OPEN, SMILE_LEFT, SMILE_RIGHT]] = jaw, smile, smile
    shapes[[LEFT_EYE.blink, RIGHT_EYE.blink]] = left, right
    return shapes


def reading_face(angles=(0.0, 0.0, 0.0), shapes=None):
    """A face that reads as the given head angles and coefficients; its landmarks mean nothing."""
    shapes = readings() if shapes is None else shapes
    return Face(
        landmarks_frame=np.zeros((478, 3), np.float32),
        scheme="mediapipe478",
        box=FaceBox(0, 0, 10, 10),
        score=1.0,
        head_rotation=from_angles_deg(*angles).astype(np.float32),
        pose=Pose(*(float(angle) for angle in angles)),
        blendshapes=dict(zip(SHAPE_NAMES, (float(value) for value in shapes), strict=True)),
    )


def moved_face(face, scale=1.0, by=(0.0, 0.0)):
    """The face as it is in an image enlarged by ``scale``, then moved by (x, y) pixels."""
    points = face.landmarks_frame * np.float32(scale)
    points[:, :2] += np.float32((scale - 1) / 2) + np.asarray(by, np.float32)
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    box = FaceBox(*(float(value) for value in (*low, *high)))
    return replace(face, landmarks_frame=points, box=box)


def grimace(neutral):
    """The motion with everything moved a little: head, lips, lids, gaze."""
    return replace(
        turned(neutral, 4, 6, -3),
        lips=np.float32(neutral.lips + 0.25),
        eyes=neutral.eyes * np.float32(0.5),
        gaze=neutral.gaze + np.array([0.08, 0.02], np.float32),
        translation=neutral.translation + np.array([0.01, -0.01], np.float32),
    )


def reading(analyzer, pixels):
    """(face, its 52 coefficients) that an analyzer finds in an image."""
    (face,) = analyzer.analyze(np.ascontiguousarray(pixels[..., :3]))
    values = np.array(list(face.blendshapes.values()))
    return face, values


def blank(width, height):
    """A driving frame of which only the size matters."""
    return Frame(np.zeros((height, width, 3), np.uint8), 0, Fraction(0))
