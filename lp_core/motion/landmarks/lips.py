"""How wide the lips open: of a filmed performance, and of a made voice."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER, NEUTRAL
from lp_core.motion.landmarks.motion import F64
from lp_core.motion.sequence import MotionFrame

OUTER_EYES = (33, 263)
"""Landmarks of the outer corners of the eyes."""
CORNERS = (61, 291)
"""Landmarks of the corners of the mouth."""
ROUND_SOON = 0.62
"""Exponent from the rounding that a landmarker reads to how far lips have rounded: it reads little of the first half.

Filmed lips half-way between their width at rest and that of fully round ones read as 0.2 to 0.4 round
(``benchmarks/speech.py`` prints the table).
"""
RELAXED, RELAXED_ROUND = 0.2, 0.55
"""Parts of a portrait's smile that speaking takes off, with lips that are not round and with lips that are."""
ROUNDED = 0.35
"""How far lips have rounded that are too round for a smile."""
SMILE, PUCKER = [44, 45], 38
"""Positions among the blendshapes."""
NARROW_MOUTH = 0.05
"""Lip openness below which a reference counts as closed: proportions of less would be proportions of noise."""
WIDE_MOUTH = 0.7
"""Lip openness of a wide open mouth."""
FILMED_SHARE = 1e-3
"""Speech up to this share is a filmed face: landmarkers read the blendshape of rest as 1e-7 to 5e-5 there, not as 0."""


def lip_gap(source: MotionFrame, motion: MotionFrame, reference: MotionFrame, mode: str) -> float:
    """Inner lip gap the performance asks of the source, in head units, as plain geometry transfers it.

    Closed lips are closed on every face: below the reference's own gap the source closes in proportion,
    above it opens so that a wide open mouth is as wide open on the source. While a made voice speaks, the gap is what
    it asks for, whatever the source's own: a portrait that smiles with open lips closes them for p, b and m.
    """
    said = spoken_share(motion, reference)
    plain = _filmed_gap(source, motion, reference, mode) if said < 1 else 0.0
    return plain + said * (_spoken_gap(source, motion) - plain) if said > 0 else plain


def spoken_share(motion: MotionFrame, reference: MotionFrame) -> float:
    """0..1: how far a made voice speaks, whose rest says so by the blendshape ``_neutral``; 0 for a filmed face."""
    share = float(reference.blendshapes[NEUTRAL] - motion.blendshapes[NEUTRAL])
    return min(share, 1.0) if share > FILMED_SHARE else 0.0


def lips_rounded(read: float) -> float:
    """How far lips have rounded, 0..1, where a landmarker reads so much rounding."""
    return math.pow(min(max(read, 0.0), 1.0), ROUND_SOON)


def relaxed_smile(source: MotionFrame, motion: MotionFrame, reference: MotionFrame) -> float:
    """Strong smiles that the source loses while a made voice speaks: lips cannot smile broadly and be round."""
    own = float(source.blendshapes[SMILE].mean())
    rounded = min(lips_rounded(float(motion.blendshapes[PUCKER])) / ROUNDED, 1.0)
    return spoken_share(motion, reference) * own * (RELAXED + (RELAXED_ROUND - RELAXED) * rounded)


def _spoken_gap(source: MotionFrame, motion: MotionFrame) -> float:
    """The motion's own gap in the source's head units, by the distance of the outer eye corners of both."""
    now = motion.expression.astype(np.float64)
    return (
        float(motion.lips)
        * mouth_width(now)
        * eye_distance(source.expression)
        / eye_distance(motion.expression)
    )


def eye_distance(shape: NDArray[np.floating]) -> float:
    """Distance of the outer corners of the eyes; above 0 on any face."""
    return max(float(np.linalg.norm(shape[OUTER_EYES[0]] - shape[OUTER_EYES[1]])), 1e-6)


def _filmed_gap(source: MotionFrame, motion: MotionFrame, reference: MotionFrame, mode: str) -> float:
    shape = source.expression.astype(np.float64)
    width = mouth_width(shape)
    own = inner_gap(shape)
    now, then = float(motion.lips), float(reference.lips) if mode == "relative" else own / width
    if mode == "relative":
        # A mouth that narrows while it opens is less wide open than its openness says.
        width_now, width_then = (mouth_width(f.expression.astype(np.float64)) for f in (motion, reference))
        now *= width_now / width_then
    if now < then:
        return own * (1 - (then - now) / max(then, NARROW_MOUTH))
    wide = max(WIDE_MOUTH * width - own, WIDE_MOUTH * width / 2)
    return own + (now - then) * wide / max(WIDE_MOUTH - then, WIDE_MOUTH / 2)


def inner_gap(points: F64) -> float:
    """Signed inner lip gap in head units: lower lip below upper lip is positive."""
    return float((points[LIPS_INNER_LOWER[4:7], 1] - points[LIPS_INNER_UPPER[4:7], 1]).mean())


def mouth_width(shape: F64) -> float:
    """Distance of the inner mouth corners in head units; above 0 on any face."""
    return max(float(np.linalg.norm(shape[LIPS_INNER_UPPER[0]] - shape[LIPS_INNER_UPPER[-1]])), 1e-6)


def corner_distance(face: F64) -> float:
    """Distance of the mouth's corners over that of the outer corners of the eyes."""
    corners, eyes = (float(np.linalg.norm(face[a] - face[b])) for a, b in (CORNERS, OUTER_EYES))
    return corners / max(eyes, 1e-6)
