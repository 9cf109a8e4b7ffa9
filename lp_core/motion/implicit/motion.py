"""Motion of the implicit rigs: K key points, a head pose, an expression.

Convention:
    Key points are rows (x, y, z) in grid units: x right, y down, z into the image, the crop spans -1..1. A
    rotation acts on rows from the right, ``p' = p @ R``, with ``R = (Rz(roll) @ Ry(yaw) @ Rx(pitch)).T`` and
    the right-handed column matrices Rx, Ry, Rz; stored templates hold this R. Angles are degrees. What differs
    from rig to rig, the order of the turns among it, is in ``lp_core.motion.implicit.rigs``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MotionError
from lp_core.motion.implicit.rigs import LIVEPORTRAIT21, ImplicitRig

F64 = NDArray[np.float64]

BIN_DEGREES = 3.0
"""Width of a bin of the pose heads."""


@dataclass(frozen=True)
class ImplicitMotion:
    """One frame of motion, or the state of a source.

    Convention: see the module. Arrays are float64 so that chains of products do not drift.
    """

    rotation: F64
    """(3, 3) R, acting on rows from the right; identity is frontal."""
    expression: F64
    """(K, 3) added after the rotation, or before it, by the rig; before the scale."""
    scale: float
    """Size of the head."""
    translation: F64
    """(3,) in grid units; z takes no part in the key-point transform."""
    stretch: F64 = field(default_factory=lambda: np.ones(3))
    """(3,) factors of the size along x, y and z of the crop; 1 for rigs with one size."""
    rig: ImplicitRig = LIVEPORTRAIT21
    """Whose numbers these are."""

    def __post_init__(self) -> None:
        shapes = {
            "rotation": (3, 3),
            "expression": (self.rig.keypoints, 3),
            "translation": (3,),
            "stretch": (3,),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float64 or not np.isfinite(array).all():
                raise MotionError(
                    f"The motion's '{name}' must be {shape} finite float64 numbers, not {array.shape} "
                    f"{array.dtype}; extract the motion again."
                )
        if not np.isfinite(self.scale) or self.scale <= 0:
            raise MotionError(
                f"The motion's head size is {self.scale}, which is not positive; extract it again."
            )


def implicit_motion(
    rotation: NDArray[Any],
    expression: NDArray[Any],
    scale: object,
    translation: NDArray[Any],
    rig: ImplicitRig = LIVEPORTRAIT21,
) -> ImplicitMotion:
    """An ImplicitMotion from arrays of any float type and with any axes of length 1.

    Args:
        rotation: 9 numbers.
        expression: 3 K numbers.
        scale: as many numbers as the rig has; several become their mean and a stretch.
        translation: 3 numbers.
        rig: whose numbers these are.

    Raises:
        MotionError: sizes do not fit or a number is not finite.
    """
    try:
        sizes = np.asarray(scale, np.float64).reshape(rig.scales)
        mean = float(sizes[0]) if rig.scales == 1 else float(sizes.mean())
        return ImplicitMotion(
            rotation=np.asarray(rotation, np.float64).reshape(3, 3),
            expression=np.asarray(expression, np.float64).reshape(rig.keypoints, 3),
            scale=mean,
            translation=np.asarray(translation, np.float64).reshape(3),
            stretch=np.ones(3) if rig.scales == 1 or not mean > 0 else sizes / mean,
            rig=rig,
        )
    except (TypeError, ValueError) as error:
        raise MotionError(f"The motion's arrays do not fit the rig ({error}); extract it again.") from error


def bins_to_degrees(logits: NDArray[Any], rig: ImplicitRig = LIVEPORTRAIT21) -> F64:
    """Angle of a pose head: the expectation over its bins.

    Args:
        logits: (..., 66).
        rig: says which angle bin 0 is.

    Returns:
        (...) degrees: 3 * sum(i * softmax_i) + the rig's first bin (-97.5 or -99).
    """
    wide = np.asarray(logits, np.float64)
    weights = np.exp(wide - wide.max(axis=-1, keepdims=True))
    expectation = (weights @ np.arange(wide.shape[-1])) / weights.sum(axis=-1)
    degrees: F64 = BIN_DEGREES * expectation + rig.first_bin_degrees
    return degrees


def rotation_from_degrees(
    pitch: NDArray[Any], yaw: NDArray[Any], roll: NDArray[Any], rig: ImplicitRig = LIVEPORTRAIT21
) -> F64:
    """Rotations from angles.

    Convention: see the module; the result acts on rows from the right.

    Args:
        pitch: (...) degrees about x.
        yaw: (...) degrees about y.
        roll: (...) degrees about z.
        rig: gives the order of the turns, and what its weights take for pi.

    Returns:
        (..., 3, 3).
    """
    if rig.turns == "xyz":  # Rx Ry Rz = (Rz(-z) Ry(-y) Rx(-x)) transposed
        k = -rig.half_turn / math.pi
        x, y, z = (k * np.asarray(angle, np.float64) for angle in (pitch, yaw, roll))
        mirrored = rotation_from_degrees(x, y, z)
        return np.ascontiguousarray(np.swapaxes(mirrored, -1, -2))
    x, y, z = (np.radians(np.asarray(angle, np.float64)) for angle in (pitch, yaw, roll))
    (cx, cy, cz), (sx, sy, sz) = (np.cos(x), np.cos(y), np.cos(z)), (np.sin(x), np.sin(y), np.sin(z))
    rows = [
        [cz * cy, sz * cy, -sy],
        [cz * sy * sx - sz * cx, sz * sy * sx + cz * cx, cy * sx],
        [cz * sy * cx + sz * sx, sz * sy * cx - cz * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def degrees_from_rotation(rotation: NDArray[Any]) -> tuple[F64, F64, F64]:
    """(pitch, yaw, roll) in degrees of rotations (..., 3, 3); the inverse of ``rotation_from_degrees``.

    Convention: see the module; the yaw is within -90..90.
    """
    r = np.asarray(rotation, np.float64)
    pitch = np.arctan2(r[..., 1, 2], r[..., 2, 2])
    yaw = np.arctan2(-r[..., 0, 2], np.hypot(r[..., 0, 0], r[..., 0, 1]))
    roll = np.arctan2(r[..., 0, 1], r[..., 0, 0])
    return np.degrees(pitch), np.degrees(yaw), np.degrees(roll)


def transform_keypoints(keypoints: NDArray[Any], motion: ImplicitMotion, *, keeps_depth: bool = False) -> F64:
    """Where the canonical key points of a face go: scale * (kp @ R + expression) + translation.

    Convention: see the module. The expression is added after the rotation, or before it where the rig says so:
    scale * ((kp + expression) @ R) + translation; the scale multiplies both.

    Args:
        keypoints: (K, 3) canonical points of the source.
        motion: the pose and expression.
        keeps_depth: add the translation's z too, as the official editor does by mistake.

    Returns:
        (K, 3).
    """
    shift = motion.translation * np.array([1.0, 1.0, float(keeps_depth)])
    if motion.rig.is_expression_turned:
        face = np.asarray(keypoints, np.float64) + motion.expression
        placed: F64 = motion.scale * motion.stretch * (face @ motion.rotation) + shift
        return placed
    turned = np.asarray(keypoints, np.float64) @ motion.rotation
    moved: F64 = motion.scale * (turned + motion.expression) + shift
    return moved
