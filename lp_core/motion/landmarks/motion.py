"""Motion of the 478-point rig: pose taken off the landmarks, and put back on.

The camera is weak-perspective: a head point p is in the image at ``scale * (rotation @ p)[:2] +
translation``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import (
    EYES,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    RIGID,
    EyeIndices,
    gap_over_width,
)
from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.sequence import MotionFrame

F64 = NDArray[np.float64]
_EPS = 1e-6
_MIDDLE = slice(3, 6)


def frame_of_points(
    points: F64, angles_deg: tuple[float, float, float], blendshapes: NDArray[np.float32]
) -> MotionFrame:
    """The motion of a face that is made, not measured: in the middle of the image, at a fifth of its height.

    Args:
        points: (478, 3) in head space.
        angles_deg: pitch, yaw, roll.
        blendshapes: (52,) coefficients 0..1.
    """
    return MotionFrame(
        rotation=from_angles_deg(*angles_deg).astype(np.float32),
        scale=np.float32(0.2),
        translation=np.zeros(2, np.float32),
        expression=points.astype(np.float32),
        eyes=np.array([eye_openness(points, eye) for eye in EYES], np.float32),
        gaze=np.array([eye_gaze(points, eye) for eye in EYES], np.float32),
        lips=np.float32(lip_openness(points)),
        blendshapes=blendshapes,
        confidence=np.float32(1),
    )


def motion_from_landmarks(
    landmarks_frame: NDArray[np.float32],
    rotation: NDArray[np.float32],
    blendshapes: NDArray[np.float32],
    width: int,
    height: int,
    confidence: float = 1.0,
) -> MotionFrame:
    """Takes the head pose off an image's landmarks.

    Args:
        landmarks_frame: (478, 3) x, y, z in pixels of the image.
        rotation: (3, 3) head -> camera.
        blendshapes: (52,) coefficients 0..1.
        width: image width in pixels.
        height: image height in pixels.
        confidence: 0..1, kept as it is.

    Convention:
        Head space: origin at the mean of the rigid points, unit = their root-mean-square distance from it.
        Image axes, integer = pixel center, lengths in image heights.
    """
    points = landmarks_frame.astype(np.float64)
    center = points[RIGID].mean(axis=0)
    head = (points - center) @ rotation.astype(np.float64)
    unit = max(float(np.sqrt((head[RIGID] ** 2).sum(axis=1).mean())), _EPS)
    middle = np.array([width - 1, height - 1]) / 2
    head /= unit
    return MotionFrame(
        rotation=rotation.astype(np.float32),
        scale=np.float32(unit / height),
        translation=((center[:2] - middle) / height).astype(np.float32),
        expression=head.astype(np.float32),
        eyes=np.array([eye_openness(head, eye) for eye in EYES], np.float32),
        gaze=np.array([eye_gaze(head, eye) for eye in EYES], np.float32),
        lips=np.float32(lip_openness(head)),
        blendshapes=np.asarray(blendshapes, np.float32),
        confidence=np.float32(confidence),
    )


def landmarks_from_motion(motion: MotionFrame, width: int, height: int) -> NDArray[np.float32]:
    """The inverse of ``motion_from_landmarks``: (478, 3) in pixels of an image of the given size."""
    middle = np.array([width - 1, height - 1]) / 2
    unit_px = float(motion.scale) * height
    points = unit_px * motion.expression.astype(np.float64) @ motion.rotation.T.astype(np.float64)
    points[:, :2] += motion.translation.astype(np.float64) * height + middle
    return points.astype(np.float32)


def eye_openness(points: F64, eye: EyeIndices) -> float:
    """Lid gap over eye width, both in head space; the gap is the mean over the middle three lid pairs."""
    return gap_over_width(points, eye.upper[_MIDDLE], eye.lower[_MIDDLE], (eye.upper[0], eye.upper[-1]))


def eye_gaze(points: F64, eye: EyeIndices) -> tuple[float, float]:
    """Iris center from the middle of the eye corners, along and across the eye axis, in eye widths."""
    first, last = points[eye.upper[0], :2], points[eye.upper[-1], :2]
    axis = last - first
    offset = points[eye.iris[0], :2] - (first + last) / 2
    square = float(axis @ axis) + _EPS
    return float(offset @ axis) / square, float(axis[0] * offset[1] - axis[1] * offset[0]) / square


def lip_openness(points: F64) -> float:
    """Inner lip gap (mean of the middle three pairs) over mouth width, both in head space."""
    upper, lower = LIPS_INNER_UPPER, LIPS_INNER_LOWER
    return gap_over_width(points, upper[4:7], lower[4:7], (upper[0], upper[-1]))


def best_rotation(from_points: F64, to_points: F64) -> F64:
    """The rotation R with ``from_points @ R.T`` closest to ``to_points``, both (N, 3) about the origin.

    Source: Kabsch, "A solution for the best rotation to relate two sets of vectors", 1976.
    """
    u, _, vt = np.linalg.svd(to_points.T @ from_points)
    sign = np.sign(np.linalg.det(u @ vt))
    rotation: F64 = u @ np.diag([1.0, 1.0, sign]) @ vt
    return rotation
