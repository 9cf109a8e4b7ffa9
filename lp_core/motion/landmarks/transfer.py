"""Lays a performance onto another face: relative or absolute, by region, in the face's own proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import (
    CHIN,
    EYES,
    JAW_OPEN,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    NOSE_BASE,
    RIGID,
)
from lp_core.geometry.rotation import angles_deg, from_angles_deg
from lp_core.motion.landmarks.change import NO_CHANGE, Change
from lp_core.motion.landmarks.lids import lid_displacement, lid_field, nudged_lids, widest_eyes
from lp_core.motion.landmarks.lips import (
    OUTER_EYES,
    WIDE_MOUTH,
    inner_gap,
    lip_gap,
    mouth_width,
    relaxed_smile,
    spoken_share,
)
from lp_core.motion.landmarks.measured_opening import measured_opening
from lp_core.motion.landmarks.motion import F64, best_rotation
from lp_core.motion.landmarks.spoken_lips import pursed, spoken_lips
from lp_core.motion.sequence import MotionFrame
from lp_core.settings import MotionSettings

UNITS_IN_FACE = 3.2
"""Head units in the height of a face."""
FIELD_OF_VIEW_DEG = 63.0
"""Vertical field of view of the camera in which the landmarker reads rotations."""
STRAIGHT = 0.75
"""Part of a limit up to which movement is exact."""
SCALE_RANGE = (0.5, 2.0)
MAX_GAZE = 0.22
SMILE_REACH = 0.42
"""Width of the Gaussian that a smile carries around the corners of the mouth, in head units."""
UPPER_SHARE = 0.15
"""Part of the lip opening that the upper lip gives."""
FREE_GAP, TRUST_GAP = 0.04, 1.0
"""A nudge may change lip gap and drop of the mouth (head units) by this much plus TRUST_GAP times the movement,
which is the larger of what geometry and what the blendshape says."""
LEAST_PHILTRUM = 0.8
"""What nudges leave of the distance from nose to upper lip: a mouth must not come up to the nose to read as a smile."""
DOWN = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Limits:
    """How far a head may go from the photo; movement is exact up to STRAIGHT of a limit, and bent softly beyond."""

    turn_deg: float = 40.0
    """Turn of the head: far beyond 30 degrees the far cheek would show what the photo does not."""
    shift: float = UNITS_IN_FACE
    """Shift of the head in head units."""


@dataclass(frozen=True)
class Nudge:
    """Small changes to what plain geometry transfers; all zero changes nothing."""

    angles_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Added to pitch, yaw and roll."""
    gap: float = 0.0
    """Added to the lip gap, in head units."""
    drop: float = 0.0
    """Head units by which mouth and chin go down as one."""
    smile: float = 0.0
    """Strong smiles (``smile_field``), added to the mouth."""
    lids: tuple[float, float] = (0.0, 0.0)
    """Added to the opening of the eyes over the source's own."""
    narrow: float = 0.0
    """Outer eye distances by which a speaking mouth narrows further."""


NO_NUDGE = Nudge()
LIMITS = Limits()


@dataclass(frozen=True)
class FaceFields:
    """How the points of one face follow its mouth and lids; depends on the face's shape alone."""

    mouth: F64
    """(478,) 1 at lips, jaw and lower cheeks, 0 from the nose up."""
    opening: F64
    """(478,) how far each point follows when the lips open by 1."""
    smile: F64
    """(478, 3) change at a strong smile."""
    lids: tuple[tuple[NDArray[np.intp], F64], tuple[NDArray[np.intp], F64]]
    """By eye: (468,) nearest point of the lid margin, (468,) how far it carries the skin."""


@dataclass(frozen=True)
class TransferTarget:
    """Where the face shall be."""

    points: NDArray[np.float64]
    """(478, 3) in head units around the source's own head origin, camera axes (pose applied)."""
    rigid_points: NDArray[np.float64]
    """(478, 3) the same for the pose alone, without expression."""
    lids: tuple[float, float]
    """Lid opening over the source's own, left and right: 0 closed, 1 as in the photo."""
    gaze: NDArray[np.float64]
    """(2, 2) shift of each iris in eye widths, along and across the eye."""


def transfer(
    source: MotionFrame,
    motion: MotionFrame,
    reference: MotionFrame,
    settings: MotionSettings,
    nudge: Nudge = NO_NUDGE,
    fields: FaceFields | None = None,
    change: Change = NO_CHANGE,
    limits: Limits = LIMITS,
) -> TransferTarget:
    """Where the source's landmarks go under a performance.

    Args:
        source: the source face as motion (its own pose and shape).
        motion: the performance at this frame.
        reference: the performance's neutral frame.
        settings: mode, region and strengths.
        nudge: what calibration adds on this portrait.
        fields: ``face_fields`` of the source, where they are at hand.
        change: what the user's sliders add.
        limits: how far the head may go.

    Convention:
        Result in camera axes, unit and origin of the source's head space, so that a point is in the
        image at ``origin + unit_px * point``.
    """
    region, strength, mode = settings.region, settings.strength, settings.motion
    pose = strength * settings.pose_strength if region in ("all", "pose") else 0.0
    expression = strength * settings.expression_strength if region != "pose" else 0.0
    shape = source.expression.astype(np.float64)
    fields = fields or face_fields(shape)
    delta = expression * _region_delta(source, motion, reference, settings, nudge, fields) + change.delta
    opened, gaze, widest = np.ones(2), np.zeros((2, 2)), widest_eyes(source)
    if region in ("all", "expression", "eyes"):
        lids = nudged_lids(source, motion, reference, mode, nudge.lids)
        opened = np.clip(1 + (lids - 1) * expression, 0.0, widest)
        gaze = _gaze_shift(source, motion, reference, mode) * expression * np.minimum(opened, 1.0)[:, None]
    opened = np.clip(opened + change.lids, 0.0, widest)
    face = shape + delta
    for eye, lid, field in zip(EYES, opened, fields.lids, strict=True):
        face += lid_displacement(shape, delta, eye, lid, field)
    face = pursed(_lips_apart(face, shape), motion, reference)
    rotation, scale, shift = _pose(source, motion, reference, mode, pose, nudge, change, limits)
    offset = np.array([*shift, 0.0])
    return TransferTarget(
        points=scale * face @ rotation.T + offset,
        rigid_points=scale * shape @ rotation.T + offset,
        lids=(float(opened[0]), float(opened[1])),
        gaze=gaze + change.gaze,
    )


def _region_delta(
    source: MotionFrame,
    motion: MotionFrame,
    reference: MotionFrame,
    settings: MotionSettings,
    nudge: Nudge,
    fields: FaceFields,
) -> F64:
    """(478, 3) change of the source's face in its head space, for the animated region."""
    shape = source.expression.astype(np.float64)
    mouth = fields.mouth[:, None]
    delta = plain_delta(source, motion, reference, fields.mouth)
    philtrum = _philtrum(shape + delta)
    if settings.region in ("all", "expression", "lips"):
        filmed = 1 - spoken_share(motion, reference)  # what a made voice asks for needs no correction
        delta += mouth * (filmed * nudge.smile - relaxed_smile(source, motion, reference)) * fields.smile
        delta += spoken_lips(source, motion, reference, nudge.narrow)
        plain = lip_gap(source, motion, reference, settings.motion)
        read = WIDE_MOUTH / 2 * float(motion.blendshapes[JAW_OPEN] - reference.blendshapes[JAW_OPEN])
        moved = max(abs(plain - inner_gap(shape)), abs(read))
        wanted = plain + filmed * _bounded(nudge.gap, moved)
        delta += mouth * DOWN * filmed * _bounded(nudge.drop, moved)
        crossed = min(inner_gap(shape), 0.0)
        opening = filmed * fields.opening[:, None] * DOWN + (1 - filmed) * measured_opening()
        delta += opening * (max(wanted, crossed) - inner_gap(shape + delta))
        lost = max(LEAST_PHILTRUM * philtrum - _philtrum(shape + delta), 0.0)
        follows = float(mouth[LIPS_OUTER_UPPER[5], 0] - mouth[NOSE_BASE, 0])
        delta += filmed * mouth * DOWN * lost / max(follows, 0.1)
    if settings.region == "lips":
        delta *= mouth
    elif settings.region == "eyes":
        delta *= 1 - mouth
    return delta


def _philtrum(face: F64) -> float:
    """How far the upper lip is below the nose, head units."""
    return float(face[LIPS_OUTER_UPPER[5], 1] - face[NOSE_BASE, 1])


def _bounded(nudge: float, movement: float) -> float:
    """Keeps a nudge in proportion to the movement it corrects: no face moves where the performer rests."""
    bound = FREE_GAP + TRUST_GAP * movement
    return min(max(nudge, -bound), bound)


def plain_delta(
    source: MotionFrame, motion: MotionFrame, reference: MotionFrame, mouth: F64 | None = None
) -> F64:
    """(478, 3) change of the face's shape since the reference, in the source's head units and proportions."""
    shape = source.expression.astype(np.float64)
    mouth = mouth_weight(shape) if mouth is None else mouth
    change = _expression_delta(motion, reference)
    return _proportioned(change, shape, reference.expression.astype(np.float64), mouth)


def smile_field(shape: F64) -> F64:
    """(478, 3) change of a face, in head space, at a strong smile: the corners of the mouth go out and up."""
    result = np.zeros_like(shape)
    for corner in (LIPS_OUTER_UPPER[0], LIPS_OUTER_UPPER[-1]):
        square = ((shape[:, :2] - shape[corner, :2]) ** 2).sum(axis=1)
        weight = np.exp(-square / (2 * SMILE_REACH**2))
        result += weight[:, None] * np.array([0.15 * np.sign(shape[corner, 0]), -0.13, 0.03])
    return result


def opening_field(shape: F64) -> F64:
    """(478,) how far a point follows when the lips open by 1: lower lip and chin down, upper lip a bit up."""
    upper, lower = shape[LIPS_INNER_UPPER[5]], shape[LIPS_INNER_LOWER[5]]
    half = mouth_width(shape) / 2
    line = (upper[1] + lower[1]) / 2
    side = np.clip(1 - (np.abs(shape[:, 0] - upper[0]) / (2.3 * half)), 0.0, 1.0)
    side = side * side * (3 - 2 * side)
    middle = shape[:, 1] - line
    below = np.clip(middle / (half * 0.5), 0.0, 1.0)
    above = np.clip(1 + middle / (half * 0.9), 0.0, 1.0)
    field = np.where(middle > 0, (1 - UPPER_SHARE) * below, -UPPER_SHARE * above * (middle < 0))
    across = np.clip(1 - ((shape[:, 0] - upper[0]) / half) ** 2, 0.0, 1.0) ** 0.5
    field[LIPS_INNER_LOWER] = (1 - UPPER_SHARE) * across[LIPS_INNER_LOWER]
    field[LIPS_INNER_UPPER] = -UPPER_SHARE * across[LIPS_INNER_UPPER]
    outer = np.maximum(across[LIPS_OUTER_LOWER], side[LIPS_OUTER_LOWER] * 0.3)
    field[LIPS_OUTER_LOWER] = (1 - UPPER_SHARE) * outer
    moved: F64 = field * side
    return moved


def _expression_delta(motion: MotionFrame, reference: MotionFrame) -> F64:
    """(478, 3) change of the face's shape since the reference, head space, rigid motion removed."""
    now, then = motion.expression.astype(np.float64), reference.expression.astype(np.float64)
    change: F64 = now @ best_rotation(now[RIGID], then[RIGID]).T - then
    return change


def mouth_weight(shape: F64) -> F64:
    """(478,) 1 at lips, jaw and lower cheeks, 0 from the nose up, smooth between."""
    top, bottom = shape[4, 1], shape[LIPS_INNER_UPPER[5], 1]
    t = np.clip((shape[:, 1] - top) / (bottom - top + 1e-9), 0.0, 1.0)
    weight: F64 = t * t * (3 - 2 * t)
    return weight


def _proportioned(delta: F64, shape: F64, reference: F64, weight: F64) -> F64:
    """Scales the change region by region to the source's own proportions."""

    def ratio(a: int, b: int, axis: int) -> float:
        own, other = abs(shape[a, axis] - shape[b, axis]), abs(reference[a, axis] - reference[b, axis])
        return float(np.clip(own / max(other, 1e-6), 0.4, 2.5) ** 0.5)

    mouth = weight[:, None]
    lower = np.array([ratio(61, 291, 0), ratio(NOSE_BASE, CHIN, 1), 1.0])
    upper = np.array([ratio(*OUTER_EYES, 0), ratio(105, 33, 1), 1.0])
    scaled: F64 = delta * (mouth * lower + (1 - mouth) * upper)
    return scaled


def _gaze_shift(source: MotionFrame, motion: MotionFrame, reference: MotionFrame, mode: str) -> F64:
    base = reference.gaze if mode == "relative" else source.gaze
    shift = motion.gaze.astype(np.float64) - base
    return np.broadcast_to(np.clip(shift.mean(axis=0), -MAX_GAZE, MAX_GAZE), (2, 2))


def face_fields(shape: F64) -> FaceFields:
    """The fields of a face, (478, 3) in head space."""
    left, right = (lid_field(shape, eye) for eye in EYES)
    return FaceFields(mouth_weight(shape), opening_field(shape), smile_field(shape), (left, right))


def _lips_apart(face: F64, shape: F64) -> F64:
    """Keeps inner lips from crossing more than the source's own: where they would, both meet half-way."""
    face = face.copy()
    upper, lower = LIPS_INNER_UPPER[1:-1], LIPS_INNER_LOWER[1:-1]
    gap, own = (points[lower, 1] - points[upper, 1] for points in (face, shape))
    crossing = np.minimum(gap - np.minimum(own, 0.0), 0.0) / 2
    face[upper, 1] += crossing
    face[lower, 1] -= crossing
    return face


def _pose(
    source: MotionFrame,
    motion: MotionFrame,
    reference: MotionFrame,
    mode: str,
    strength: float,
    nudge: Nudge,
    change: Change,
    limits: Limits,
) -> tuple[F64, float, F64]:
    """(rotation, scale, shift) of the source's head, in camera axes and the source's head units."""
    own = source.rotation.astype(np.float64)
    angles = np.array(angles_deg(own))
    if mode == "relative":
        turn = _difference(seen_rotation(motion, reference), reference.rotation.astype(np.float64))
    else:
        turn = wanted_turn(source, motion, reference, mode)
    turn *= strength
    turn += np.array(nudge.angles_deg) * min(strength, 1.0) + change.angles_deg
    turned = from_angles_deg(*(angles + _soft(turn, limits.turn_deg))) @ from_angles_deg(*angles).T
    unit = max(float(reference.scale), 1e-6)
    scale = float(np.clip((motion.scale / unit) ** strength * change.scale, *SCALE_RANGE))
    moved = (motion.translation - reference.translation).astype(np.float64) / unit
    if mode == "relative":
        moved = _in_plane(own, reference.rotation.astype(np.float64)) @ moved
    shift = _soft(moved * strength + change.shift, limits.shift)
    if mode == "relative":
        return turned @ own, scale, shift
    at = source.translation.astype(np.float64)
    seen = line_of_sight(at + shift * source.scale).T @ turned @ line_of_sight(at)
    return seen @ own, scale, shift


def _in_plane(rotation: F64, other: F64) -> F64:
    """(2, 2) the turn in the image's plane from another head's roll to this one's: a head moves in its own axes."""
    roll_deg = float(_difference(rotation, other)[2])
    return from_angles_deg(0.0, 0.0, roll_deg)[:2, :2]


def wanted_turn(source: MotionFrame, motion: MotionFrame, reference: MotionFrame, mode: str) -> F64:
    """(3,) pitch, yaw and roll in degrees by which the performance turns the source's head."""
    base = reference.rotation if mode == "relative" else source.rotation
    return _difference(motion.rotation.astype(np.float64), base.astype(np.float64))


def _difference(now: F64, then: F64) -> F64:
    """(3,) pitch, yaw and roll in degrees from one rotation to another."""
    turn: F64 = (np.array(angles_deg(now)) - np.array(angles_deg(then)) + 180) % 360 - 180
    return turn


def seen_rotation(motion: MotionFrame, reference: MotionFrame) -> F64:
    """(3, 3) the rotation under which the reference's rigid points come closest to where they are seen.

    Rotations are read in a perspective camera; what is left of the head's turn in the landmarks is taken back here, so
    that rotation and change of shape together give the landmarks as they were seen.
    """
    now, then = motion.expression.astype(np.float64), reference.expression.astype(np.float64)
    seen: F64 = motion.rotation.astype(np.float64) @ best_rotation(now[RIGID], then[RIGID]).T
    return seen


def line_of_sight(position: F64) -> F64:
    """The rotation from the camera's axis to a point at (2,) ``position``, image heights from the center.

    Rotations are read in a perspective camera (MediaPipe's, FIELD_OF_VIEW_DEG), images drawn in weak
    perspective, where a head is seen along its own line of sight; a head that moves sideways therefore looks
    turned.
    """
    ray = np.array([*position, 0.5 / np.tan(np.radians(FIELD_OF_VIEW_DEG / 2))])
    ray /= np.linalg.norm(ray)
    cross = np.array([[0, 0, ray[0]], [0, 0, ray[1]], [-ray[0], -ray[1], 0]])
    rotation: F64 = np.eye(3) + cross + cross @ cross / (1 + ray[2])
    return rotation


def _soft(vector: F64, limit: float) -> F64:
    """The vector, bent softly so that it never grows longer than ``limit``; exact up to STRAIGHT of it."""
    length = float(np.linalg.norm(vector))
    straight = STRAIGHT * limit
    if length <= straight:
        return vector
    rest = limit - straight
    bent: F64 = vector * ((straight + rest * np.tanh((length - straight) / rest)) / length)
    return bent
