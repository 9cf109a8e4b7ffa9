"""Which frame of a performance is its neutral one.

Each measured frame gets a score, the sum of the squares below; a square is about 1 where a frame is clearly
not neutral for that reason. The lowest score wins, the earliest frame among equals.

- blendshapes: all but the neutral one and the eight gaze ones; blinks count 5 times, mouth and
  jaw 1.5 times, brows 0.3 times, for brows read high or low on many a face at rest
- lids: how far the more closed eye is below 0.25 of its width, over 0.25
- lips: the inner gap over 0.05 mouth widths: closed lips are the one thing all faces have in common
- pose: the angle to frontal over 15 degrees
- movement since the last or until the next frame, whichever is more, because it blurs the image and marks
  jumps of the tracker: head turn over 60 degrees per second, position over 0.5 image heights per second,
  size over a factor of e in 2 seconds, lids or lips over 2 widths per second
- confidence: what it lacks to 1
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lp_core.motion.sequence import MotionSequence

F64 = NDArray[np.float64]

_WEIGHTS = np.ones(52)
_WEIGHTS[[0, *range(11, 19)]] = 0.0
_WEIGHTS[1:6] = 0.3
_WEIGHTS[9:11] = 5.0
_WEIGHTS[23:50] = 1.5
"""MediaPipe's order: 0 is ``_neutral``, 1 to 5 the brows, 9 and 10 the blinks, 11 to 18 the ``eyeLook`` ones,
23 to 49 jaw and mouth."""
_OPEN_LIDS = 0.25
_OPEN_LIPS = 0.05
_TURNED_RAD = np.radians(15.0)
_TURN_SPEED = np.radians(60.0)
_SHIFT_SPEED = 0.5
_ZOOM_SPEED = 0.5
_FACE_SPEED = 2.0
_TINY = 1e-6


def unrest(rows: MotionSequence) -> F64:
    """(N,) score of every frame as described in the module, 0 is perfectly neutral; infinite for lost frames.

    Args:
        rows: successive frames; the first and the last are judged by their one neighbor's movement.
    """
    turned = _angle(rows.rotation, np.broadcast_to(np.eye(3, dtype=np.float32), rows.rotation.shape))
    closed = np.maximum(_OPEN_LIDS - rows.eyes.min(axis=1), 0.0) / _OPEN_LIDS
    score = (
        (_WEIGHTS * rows.blendshapes.astype(np.float64) ** 2).sum(axis=1)
        + closed**2
        + (rows.lips / _OPEN_LIPS) ** 2
        + (turned / _TURNED_RAD) ** 2
        + (1.0 - rows.confidence) ** 2
    )
    step = _movement(rows)
    score += np.maximum(np.append(step, 0.0), np.insert(step, 0, 0.0))
    return np.where(rows.confidence > 0, score, np.inf)


def _movement(rows: MotionSequence) -> F64:
    """(N - 1,) squares of the speeds from each frame to the next; 0 where one of the two is lost."""
    fps = float(rows.rate.fps)
    turn = _angle(rows.rotation[1:], rows.rotation[:-1])
    shift = np.linalg.norm(np.diff(rows.translation.astype(np.float64), axis=0), axis=1)
    zoom = np.diff(np.log(np.maximum(rows.scale.astype(np.float64), _TINY)))
    face = np.concatenate([rows.eyes, rows.lips[:, np.newaxis]], axis=1).astype(np.float64)
    gape = np.abs(np.diff(face, axis=0)).max(axis=1)
    speeds = (turn / _TURN_SPEED, shift / _SHIFT_SPEED, zoom / _ZOOM_SPEED, gape / _FACE_SPEED)
    total: F64 = np.sum([(speed * fps) ** 2 for speed in speeds], axis=0)
    is_known = (rows.confidence[1:] > 0) & (rows.confidence[:-1] > 0)
    return np.where(is_known, total, 0.0)


def _angle(first: NDArray[np.float32], second: NDArray[np.float32]) -> F64:
    """(N,) angles in radians between (N, 3, 3) rotations; Frobenius distance = 2 sqrt(2) sin(angle / 2)."""
    distance = np.linalg.norm(first.astype(np.float64) - second, axis=(1, 2))
    angle: F64 = 2.0 * np.arcsin(np.minimum(distance / (2.0 * np.sqrt(2.0)), 1.0))
    return angle
