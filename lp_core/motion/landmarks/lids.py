"""Eyelids of one face under another's performance: how far they open, and what skin they carry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import EYES, MESH_POINTS, EyeIndices
from lp_core.motion.landmarks.motion import F64
from lp_core.motion.sequence import MotionFrame

LID_REST = 0.12
"""Part of the open eye's ratio that still is at a closed eye (landmarks never meet exactly)."""
LID_MEET = 0.2
"""Where lids meet: height above the lower lid as a part of the opening."""
LID_REACH = 0.9
"""How far lids carry the skin around them, in half eye widths from the lid margin."""
NARROW_EYE = 0.05
"""Narrower eyes are measured as if they were this open, lest noise of the landmarks moves the lids."""
WIDEST_EYE = 1.35
"""Largest opening over the face's own of an eye that is open; a narrow one may come to WIDE_EYE."""
WIDE_EYE, WIDEST_NARROW = 0.38, 1.8
"""Openness (lid distance over eye width) of a wide open eye, and how far a narrow eye may go towards it."""
FREE_LID, FREE_WIDER, TRUST_LID = 0.12, 0.5, 1.5
"""A nudge may close lids by FREE_LID (openings) and open them by FREE_WIDER, each plus TRUST_LID times the
movement, which is the larger of what geometry and what the blendshape says."""
READ_LID = 1.8
"""Lid openings that a blink coefficient of 1 may mean on a face that hardly reads."""


def lid_ratios(
    source: MotionFrame, motion: MotionFrame, reference: MotionFrame, mode: str
) -> tuple[float, float]:
    """Opening of each eye over the source's own as plain geometry gives it: 0 closed, 1 as in the photo."""
    base = (reference.eyes if mode == "relative" else source.eyes).astype(np.float64)
    ratio = 1 + (motion.eyes - base) / np.maximum(base, NARROW_EYE)
    ratio = np.where(ratio < 1, np.clip((ratio - LID_REST) / (1 - LID_REST), 0, 1), ratio)
    return float(ratio[0]), float(ratio[1])


def widest_eyes(source: MotionFrame) -> F64:
    """(2,) largest opening of each eye over the source's own."""
    own = np.maximum(source.eyes.astype(np.float64), NARROW_EYE)
    widest: F64 = np.clip(WIDE_EYE / own, WIDEST_EYE, WIDEST_NARROW)
    return widest


def nudged_lids(
    source: MotionFrame, motion: MotionFrame, reference: MotionFrame, mode: str, nudge: tuple[float, float]
) -> F64:
    """(2,) opening of each eye over the source's own: plain geometry and a nudge kept in proportion to it."""
    plain = np.array(lid_ratios(source, motion, reference, mode))
    read = np.array([motion.blendshapes[eye.blink] - reference.blendshapes[eye.blink] for eye in EYES])
    bound = TRUST_LID * np.maximum(np.abs(plain - 1), READ_LID * np.abs(read))
    nudged: F64 = plain + np.clip(nudge, -FREE_LID - bound, FREE_WIDER + bound)
    return nudged


def lid_field(shape: F64, eye: EyeIndices) -> tuple[NDArray[np.intp], F64]:
    """(468,) nearest point of the lid margin and (468,) how far it carries the skin; shape (478, 3)."""
    margin = np.concatenate([eye.upper, eye.lower[1:-1]])
    away = shape[:MESH_POINTS, None, :2] - shape[None, margin, :2]
    distance = np.sqrt((away**2).sum(axis=2))
    half_width = max(float(np.linalg.norm(shape[eye.upper[0], :2] - shape[eye.upper[-1], :2])), 1e-6) / 2
    t = np.clip(1 - distance.min(axis=1) / (LID_REACH * half_width), 0.0, 1.0)
    return distance.argmin(axis=1), t * t * (3 - 2 * t)


def lid_displacement(
    shape: F64, delta: F64, eye: EyeIndices, lid: float, field: tuple[NDArray[np.intp], F64] | None = None
) -> F64:
    """(478, 3) what lids and the skin they carry do beyond ``delta``, so that the lids open to ``lid``."""
    upper, lower = shape[eye.upper], shape[eye.lower]
    meet = lower + LID_MEET * (upper - lower)
    margin = np.concatenate([eye.upper, eye.lower[1:-1]])
    goal = np.concatenate([meet + lid * (upper - meet), (meet + lid * (lower - meet))[1:-1]]) - shape[margin]
    corners = (delta[eye.upper[0]] + delta[eye.upper[-1]]) / 2
    nearest, carried = field or lid_field(shape, eye)
    result = np.zeros_like(shape)
    result[:MESH_POINTS] = carried[:, None] * (goal[nearest] + corners - delta[:MESH_POINTS])
    result[eye.iris] = corners - delta[eye.iris]
    return result
