"""Small corrections of a performance for one portrait, known at key frames and interpolated between them.

This is pose-space deformation (Lewis, Cordner, Fong, SIGGRAPH 2000) with a handful of control values in the
place of a shape: ridge regression over a feature vector of the performance, and Gaussian kernel regression of
what it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.rotation import angles_deg
from lp_core.motion.landmarks.lips import PUCKER, corner_distance, lips_rounded
from lp_core.motion.landmarks.transfer import Nudge
from lp_core.motion.sequence import MotionFrame

F64 = NDArray[np.float64]
CONTROLS = 8
"""Pitch, yaw, roll, jaw, smile, left lid, right lid, narrowing of a speaking mouth."""
SLOW = 5
"""The first of them may be averaged over time; lids and the lips of a consonant are quicker than that."""
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
    """(K, CONTROLS - 1) kernel weights of all controls but the last, of what the slope leaves."""
    slope: F64
    """(F, CONTROLS - 1) linear trend over the features' distance from rest."""
    width: float
    """Kernel width in feature space."""
    rest: F64
    """(F,) features of the reference frame, where every correction is 0."""
    lip_keys: F64
    """(K, L) features of the lips alone, on which the last control depends."""
    lip_weights: F64
    """(K, 1) as ``weights``, of the last control."""
    lip_slope: F64
    """(L, 1) as ``slope``."""
    lip_width: float
    """As ``width``, among the features of the lips."""
    lip_rest: F64
    """(L,) as ``rest``."""
    limits: F64
    """(CONTROLS,) largest correction of each control."""

    def nudge(self, motion: MotionFrame, slow: F64 | None = None) -> Nudge:
        """The correction at a frame of the performance.

        Args:
            motion: the frame.
            slow: (SLOW,) average of ``slow`` over the frames around it; None: the frame's own.
        """
        return make_nudge(self.controls(motion, slow))

    def controls(self, motion: MotionFrame, slow: F64 | None = None) -> F64:
        """(CONTROLS,) the same as plain numbers."""
        lips = _Fitted(self.lip_keys, self.lip_weights, self.lip_slope, self.lip_width, self.lip_rest)
        seen, spoken = features(motion), lip_features(motion)
        found = self._whole.at(seen, self.limits[:-1])
        if slow is not None:
            found[:SLOW] = slow
        narrowed = lips.at(spoken, self.limits[-1:])
        return np.concatenate([self._whole.away(seen) * found, lips.away(spoken) * narrowed])

    def slow(self, motion: MotionFrame) -> F64:
        """(SLOW,) first controls of a frame as they are apart from rest, to be averaged over time."""
        return self._whole.at(features(motion), self.limits[:-1])[:SLOW]

    @property
    def _whole(self) -> _Fitted:
        return _Fitted(self.keys, self.weights, self.slope, self.width, self.rest)


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
    pitch, yaw, roll, jaw, smile, left, right, narrow = (float(value) for value in controls)
    lids = (left, right)
    return Nudge((pitch, yaw, roll), jaw * GAP_SHARE, jaw * (1 - GAP_SHARE), smile, lids, narrow)


def features(motion: MotionFrame) -> F64:
    """(F,) where a frame stands: blendshapes without gaze, lids, lips, head angles, place and size."""
    shapes = np.delete(motion.blendshapes.astype(np.float64), [0, *range(11, 19)])
    angles = np.array(angles_deg(motion.rotation.astype(np.float64))) / 15
    place = motion.translation.astype(np.float64) / max(float(motion.scale), 1e-6) / 4
    size = 2 * np.log(max(float(motion.scale), 1e-6))
    return np.concatenate(
        [shapes, 2 * motion.eyes.astype(np.float64), [2 * float(motion.lips)], angles, place, [size]]
    )


def lip_features(motion: MotionFrame) -> F64:
    """(L,) where the lips stand: how round, how far open and how wide they are."""
    shape = motion.expression.astype(np.float64)
    rounded = lips_rounded(float(motion.blendshapes[PUCKER]))
    return np.array([rounded, 3 * float(motion.lips), 5 * corner_distance(shape)])


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
    whole = _Fitted.of(features, frames, corrections[:, :-1], reference)
    lips = _Fitted.of(lip_features, frames, corrections[:, -1:], reference)
    return LandmarkTuning(
        *(whole.keys, whole.weights, whole.slope, whole.width, whole.rest),
        *(lips.keys, lips.weights, lips.slope, lips.width, lips.rest),
        limits,
    )


@dataclass(frozen=True)
class _Fitted:
    """Corrections known at key frames; fields as in LandmarkTuning."""

    keys: F64
    weights: F64
    slope: F64
    width: float
    rest: F64

    @classmethod
    def of(
        cls,
        see: Callable[[MotionFrame], F64],
        frames: Sequence[MotionFrame],
        corrections: F64,
        reference: MotionFrame,
    ) -> _Fitted:
        """Fits a slope, and a kernel to what it leaves."""
        keys = np.stack([see(frame) for frame in frames])
        square = ((keys[:, None] - keys[None]) ** 2).sum(axis=2)
        width = max(float(np.sqrt(np.median(square[square > 0]))) if (square > 0).any() else 1.0, 1e-3) * 0.6
        kernel = np.exp(-square / (2 * width**2)) + _SOFT * np.eye(len(keys))
        rest = see(reference)
        away = keys - rest
        ridge = away.T @ away + _RIDGE * np.eye(keys.shape[1])
        slope = np.asarray(np.linalg.solve(ridge, away.T @ corrections), np.float64)
        weights = np.asarray(np.linalg.solve(kernel, corrections - away @ slope), np.float64)
        return cls(keys, weights, slope, width, rest)

    def at(self, feature: F64, limits: F64) -> F64:
        """The corrections where a frame stands, apart from rest."""
        kernel = np.exp(-((self.keys - feature) ** 2).sum(axis=1) / (2 * self.width**2))
        found = (feature - self.rest) @ self.slope + kernel @ self.weights
        corrections: F64 = np.clip(found, -limits, limits)
        return corrections

    def away(self, feature: F64) -> float:
        """How much of them counts: 0 at rest, where nothing is corrected, 1 far from it."""
        return 1 - float(np.exp(-((feature - self.rest) ** 2).sum() / (2 * _AT_REST**2)))
