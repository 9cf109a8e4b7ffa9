"""Small corrections of a performance for one portrait, known at key frames and interpolated between them.

This is pose-space deformation (Lewis, Cordner, Fong, SIGGRAPH 2000) with a handful of control values in the
place of a shape: ridge regression over a feature vector of the performance, and Gaussian kernel regression of
what it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.rotation import angles_deg
from lp_core.motion.landmarks.transfer import Nudge
from lp_core.motion.sequence import MotionFrame

F64 = NDArray[np.float64]
CONTROLS = 7
"""Pitch, yaw, roll, jaw, smile, left lid, right lid."""
GAP_SHARE = 0.5
"""Part of the jaw's control that opens the lips; the rest lowers mouth and chin as one. Where a beard hides
the lips only the latter reads, and on lips that stay closed only the latter is wanted."""
_SOFT = 0.03
_RIDGE = 1.0
_AT_REST = 0.15


@dataclass(frozen=True)
class LandmarkTuning:
    """Corrections for one portrait under one performance."""

    keys: F64
    """(K, F) features of the key frames."""
    weights: F64
    """(K, CONTROLS) kernel weights, of what the slope leaves."""
    slope: F64
    """(F, CONTROLS) linear trend over the features' distance from rest."""
    width: float
    """Kernel width in feature space."""
    rest: F64
    """(F,) features of the reference frame, where every correction is 0."""
    limits: F64
    """(CONTROLS,) largest correction of each control."""

    def nudge(self, motion: MotionFrame) -> Nudge:
        """The correction at a frame of the performance."""
        return make_nudge(self.controls(motion))

    def controls(self, motion: MotionFrame) -> F64:
        """(CONTROLS,) the same as plain numbers."""
        feature = features(motion)
        kernel = np.exp(-((self.keys - feature) ** 2).sum(axis=1) / (2 * self.width**2))
        away = 1 - np.exp(-((feature - self.rest) ** 2).sum() / (2 * _AT_REST**2))
        found = (feature - self.rest) @ self.slope + kernel @ self.weights
        corrections: F64 = away * np.clip(found, -self.limits, self.limits)
        return corrections


def tuning_arrays(tuning: LandmarkTuning) -> dict[str, NDArray[Any]]:
    """The tuning as plain float64 arrays, to be stored."""
    return {item.name: np.asarray(getattr(tuning, item.name), np.float64) for item in fields(tuning)}


def tuning_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> LandmarkTuning:
    """The tuning that ``tuning_arrays`` took apart; the same to the last bit."""
    kinds = {item.name: item.type for item in fields(LandmarkTuning)}
    values: dict[str, Any] = {
        name: float(arrays[name]) if kind == "float" else arrays[name] for name, kind in kinds.items()
    }
    return LandmarkTuning(**values)


def make_nudge(controls: F64) -> Nudge:
    """A nudge from the (CONTROLS,) vector."""
    pitch, yaw, roll, jaw, smile, left, right = (float(value) for value in controls)
    return Nudge((pitch, yaw, roll), jaw * GAP_SHARE, jaw * (1 - GAP_SHARE), smile, (left, right))


def features(motion: MotionFrame) -> F64:
    """(F,) where a frame stands: blendshapes without gaze, lids, lips, head angles, place and size."""
    shapes = np.delete(motion.blendshapes.astype(np.float64), [0, *range(11, 19)])
    angles = np.array(angles_deg(motion.rotation.astype(np.float64))) / 15
    place = motion.translation.astype(np.float64) / max(float(motion.scale), 1e-6) / 4
    size = 2 * np.log(max(float(motion.scale), 1e-6))
    return np.concatenate(
        [shapes, 2 * motion.eyes.astype(np.float64), [2 * float(motion.lips)], angles, place, [size]]
    )


def fit(
    frames: list[MotionFrame],
    corrections: F64,
    reference: MotionFrame,
    limits: F64,
) -> LandmarkTuning:
    """Interpolates corrections found at key frames.

    Args:
        frames: K key frames.
        corrections: (K, CONTROLS) what each of them needs.
        reference: the performance's neutral frame.
        limits: (CONTROLS,) largest correction of each control.
    """
    keys = np.stack([features(frame) for frame in frames])
    square = ((keys[:, None] - keys[None]) ** 2).sum(axis=2)
    width = max(float(np.sqrt(np.median(square[square > 0]))) if (square > 0).any() else 1.0, 1e-3) * 0.6
    kernel = np.exp(-square / (2 * width**2)) + _SOFT * np.eye(len(keys))
    rest = features(reference)
    away = keys - rest
    ridge = away.T @ away + _RIDGE * np.eye(keys.shape[1])
    slope = np.asarray(np.linalg.solve(ridge, away.T @ corrections), np.float64)
    weights = np.asarray(np.linalg.solve(kernel, corrections - away @ slope), np.float64)
    return LandmarkTuning(keys, weights, slope, width, rest, limits)
