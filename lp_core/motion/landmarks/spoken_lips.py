"""The lips of a made voice on a face: how far they narrow on its mouth, and what rounds them."""

from __future__ import annotations

import numpy as np

from lp_core.geometry.facemesh import (
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
)
from lp_core.motion.landmarks.lips import (
    CORNERS,
    NARROW_MOUTH,
    PUCKER,
    corner_distance,
    eye_distance,
    inner_gap,
    lips_rounded,
    mouth_width,
    spoken_share,
)
from lp_core.motion.landmarks.motion import F64
from lp_core.motion.sequence import MotionFrame

ROUND_WIDTH, USUAL_WIDTH = 0.42, 0.59
"""Width of fully rounded lips, and of a speaker's mouth at rest, outer eye distances.

Filmed lips are round below about the first, whatever their width at rest is (``benchmarks/speech.py`` prints the
table), so a small mouth has less way to go.
"""
LEAST_WAY, MOST_WAY = 0.3, 1.3
FULLER, THINNER, PRESSED = 0.2, 0.55, 1.0
"""Thickness that round lips gain (``benchmarks/measured_opening.py`` prints it of filmed ones), and that lips lose
which become as narrow without being round."""
TRUST_NARROW = 0.6
"""A nudge may narrow a mouth by this part of what it narrows by itself."""
LEVEL = 0.6
"""Part of the mouth's curve that rounding takes out: corners of round lips are level with their middle."""
O_MIDDLE, O_SIDE, O_SHARE, O_SOON = 0.2, 0.9, 0.85, 0.7
"""Round lips are open in the middle: from where on, in halves of the mouth, and up to where how much of it closes."""
PRESS = [36, 37]


def widening(face: F64) -> F64:
    """(478, 3) change for a mouth whose corners are 1 further apart; cheeks follow, the middle stays."""
    middle = face[[*LIPS_OUTER_UPPER, *LIPS_OUTER_LOWER]].mean(axis=0)
    half = float(np.linalg.norm(face[CORNERS[0]] - face[CORNERS[1]])) / 2
    away = (face[:, 0] - middle[0]) / half
    side = np.where(np.abs(away) <= 1, away, np.sign(away) * np.exp(-(((np.abs(away) - 1) / 0.7) ** 2)))
    near = np.exp(-(((face[:, 1] - middle[1]) / (0.75 * half)) ** 2))
    change = np.zeros_like(face)
    change[:, 0] = 0.5 * side * near
    change[:, 2] = 0.12 * np.abs(side) * near
    return change


def lip_thickness(face: F64) -> F64:
    """(478, 3) change of lips that become twice as thick, from their inner edge outwards; the skin around follows."""
    change = np.zeros_like(face)
    lines = ((LIPS_INNER_UPPER, LIPS_OUTER_UPPER, -1.0), (LIPS_INNER_LOWER, LIPS_OUTER_LOWER, 1.0))
    for inner, outer, out in lines:
        edge, border = (
            np.interp(face[:, 0], np.maximum.accumulate(face[line, 0]), face[line, 1])
            for line in (inner, outer)
        )
        thick = np.abs(border - edge)
        away = (face[:, 1] - edge) * out / np.maximum(thick, 0.25 * thick.max())
        follows = np.clip(away, 0, 1) * np.clip((3 - away) / 2, 0, 1)
        inside = (face[:, 0] > face[outer[0], 0]) & (face[:, 0] < face[outer[-1], 0])
        change[:, 1] += out * follows * thick * inside
    return change


def level_corners(face: F64) -> F64:
    """(478, 3) change that brings the corners of the mouth level with its middle."""
    first, last = face[CORNERS[0]], face[CORNERS[1]]
    half = float(np.linalg.norm(first - last)) / 2
    middle = (face[LIPS_INNER_UPPER[5]] + face[LIPS_INNER_LOWER[5]]) / 2
    change = np.zeros_like(face)
    for corner in (first, last):
        square = ((face[:, :2] - corner[:2]) ** 2).sum(axis=1)
        change[:, 1] += np.exp(-square / (2 * (0.45 * half) ** 2)) * (middle[1] - corner[1])
    return change


def way_to_round(shape: F64) -> float:
    """How far lips narrow on a face where they narrow by 1 on a speaker of USUAL_WIDTH."""
    way = (corner_distance(shape) - ROUND_WIDTH) / (USUAL_WIDTH - ROUND_WIDTH)
    return float(np.clip(way, LEAST_WAY, MOST_WAY))


def narrowing(shape: F64, motion: MotionFrame, reference: MotionFrame) -> float:
    """Outer eye distances by which a motion narrows the mouth of a face; 0 where it widens it."""
    return way_to_round(shape) * _narrower(motion, reference)


def _narrower(motion: MotionFrame, reference: MotionFrame) -> float:
    now, then = (corner_distance(each.expression.astype(np.float64)) for each in (motion, reference))
    return max(then - now, 0.0)


def spoken_lips(
    source: MotionFrame, motion: MotionFrame, reference: MotionFrame, nudge: float = 0.0
) -> F64 | float:
    """(478, 3) what a made voice changes of the source beyond what plain geometry transfers; 0 for a filmed face.

    Args:
        source: the source face as motion.
        motion: the voice's motion at this frame.
        reference: the same at rest.
        nudge: outer eye distances by which the mouth narrows further, as calibration found; kept in proportion to how
            far it narrows by itself.
    """
    said = spoken_share(motion, reference)
    if said <= 0:
        return 0.0
    shape = source.expression.astype(np.float64)
    eyes = eye_distance(shape)
    narrower = _narrower(motion, reference)
    rounded = lips_rounded(float(motion.blendshapes[PUCKER]))
    unround = float(np.clip(narrower / (USUAL_WIDTH - ROUND_WIDTH), 0, 1)) - rounded
    way = narrowing(shape, motion, reference)
    more = float(np.clip(nudge, -TRUST_NARROW * way, TRUST_NARROW * way))
    change = (narrower - way - more) * eyes * widening(shape)
    pressed = float(motion.blendshapes[PRESS].mean()) * (1 - rounded) * _full(shape)
    thicker = FULLER * rounded - max(THINNER * unround, PRESSED * pressed, 0.0)
    change += thicker * lip_thickness(shape)
    change += LEVEL * rounded * level_corners(shape)
    return said * change


def pursed(face: F64, motion: MotionFrame, reference: MotionFrame) -> F64:
    """(478, 3) the face with the sides of its mouth's opening closed as far as lips are rounded: an O, not a slit."""
    rounded = spoken_share(motion, reference) * lips_rounded(float(motion.blendshapes[PUCKER])) ** O_SOON
    if rounded <= 0:
        return face
    face = face.copy()
    upper, lower = face[LIPS_INNER_UPPER], face[LIPS_INNER_LOWER]
    half = max(abs(float(upper[-1, 0] - upper[0, 0])) / 2, 1e-6)
    side = np.abs((upper[:, 0] + lower[:, 0]) / 2 - (upper[0, 0] + upper[-1, 0]) / 2) / half
    side = np.clip((side - O_MIDDLE) / (O_SIDE - O_MIDDLE), 0, 1)
    closer = O_SHARE * rounded * side * side * (3 - 2 * side) * np.maximum(lower[:, 1] - upper[:, 1], 0) / 2
    face[LIPS_INNER_UPPER, 1] += closer
    face[LIPS_INNER_LOWER, 1] -= closer
    return face


def _full(shape: F64) -> float:
    """1 for lips that are closed in the photo, 0 for those of an open mouth, which are stretched thin already."""
    return float(np.clip(1 - inner_gap(shape) / mouth_width(shape) / (2 * NARROW_MOUTH), 0, 1))
