"""Smoothing in time: zero-phase over a shot, One-Euro for a live stream, and the mean of rotations both need.

Zero-phase rule. The result at a frame is the weighted mean of symmetric pairs of neighbors, so that nothing
lags and straight lines stay straight. A pair weighs

    ``kernel * confidence(before) * confidence(after)``

with a Gaussian kernel whose width is stated in seconds. Near the ends of the shot the window shrinks on both
sides alike. For the face (expression, lids, gaze, lips, blendshapes) a pair also counts the less, the further
its lids, irises or lips are from those of the frame itself: jitter of a resting face goes, but a blink of
three frames, a plosive or a saccade keeps its depth. Head pose has no such short events and takes the kernel
as it is. The rule for the face is a joint bilateral filter (Petschnigg et al. 2004) along time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MotionError
from lp_core.geometry.rotation import nearest_rotation
from lp_core.motion.sequence import MOTION_ARRAYS, MotionFrame, MotionSequence, stack
from lp_core.timing import FrameRate

F64 = NDArray[np.float64]

_SIGMA_S = 0.1  # standard deviation of the kernel at strength 1
_REACH = 3.0  # standard deviations after which the kernel ends
_LEAST_SIGMA = 0.1  # frames; a narrower kernel leaves the neighbors less than a millionth
_FACE_RANGE = 0.03  # eye or mouth widths: a change of lids, irises or lips above jitter and far below a blink
_FACE = ("expression", "eyes", "gaze", "lips", "blendshapes")


def zero_phase_kernel(strength: float, rate: FrameRate) -> F64:
    """Symmetric weights of the frames around a frame.

    A Gaussian of standard deviation ``0.1 s * strength``, integrated over each frame's duration and cut off
    after three standard deviations: 24 and 60 frames per second are smoothed over the same time.

    Args:
        strength: 0 (no smoothing) to 1.
        rate: frames per second of the motion.

    Returns:
        (2 R + 1,) positive, sum 1; ``[1]`` for strength 0.
    """
    sigma = strength * _SIGMA_S * float(rate.fps)  # frames
    if sigma < _LEAST_SIGMA:
        return np.ones(1)
    radius = math.ceil(_REACH * sigma)
    edges = np.arange(radius + 2) - 0.5
    below = np.array([math.erf(edge / (sigma * math.sqrt(2))) for edge in edges])
    half = np.diff(below)
    weights = np.concatenate([half[:0:-1], half])
    total: F64 = weights / weights.sum()
    return total


def smooth_frame(rows: MotionSequence, index: int, kernel: F64) -> MotionFrame:
    """One frame of a motion, smoothed by the rule at the head of this module.

    Args:
        rows: the frames around it; up to half the kernel on either side has an influence.
        index: position of the frame in ``rows``.
        kernel: weights of ``zero_phase_kernel``.

    Returns:
        The smoothed frame with its own confidence; the very same values where the kernel is ``[1]``, at the
        first and last row, and where the frame itself is lost.
    """
    radius = len(kernel) // 2
    reach = min(radius, index, len(rows) - 1 - index)
    frame = rows.frame(index)
    if reach == 0 or frame.confidence == 0:
        return frame
    window = rows.rows(index - reach, index + reach + 1)
    confidence = window.confidence.astype(np.float64)
    weights = kernel[radius - reach : radius + reach + 1] * confidence * confidence[::-1]
    face_weights = weights * _likeness(window)
    means: dict[str, Any] = {"confidence": frame.confidence}
    for name in MOTION_ARRAYS[:-1]:
        share = face_weights if name in _FACE else weights
        mean = np.tensordot(share / share.sum(), getattr(window, name).astype(np.float64), 1)
        means[name] = np.float32(nearest_rotation(mean) if name == "rotation" else mean)
    return MotionFrame(**means)


def smooth(sequence: MotionSequence, strength: float) -> MotionSequence:
    """A whole motion, smoothed; the same object for strength 0.

    Args:
        sequence: the motion.
        strength: 0 (no smoothing) to 1.
    """
    kernel = zero_phase_kernel(strength, sequence.rate)
    if len(kernel) == 1:
        return sequence
    frames = [smooth_frame(sequence, index, kernel) for index in range(len(sequence))]
    smoothed = stack(frames, sequence.rate, sequence.rig, sequence.origin)
    return replace(smoothed, metadata=sequence.metadata)


def _likeness(window: MotionSequence) -> F64:
    """(N,) 0..1, symmetric: how much the face of each pair of frames is like that of the middle frame."""
    count = len(window)
    parts = (window.eyes, window.gaze.reshape(count, -1), window.lips[:, np.newaxis])
    face = np.concatenate(parts, axis=1).astype(np.float64)
    change = np.abs(face - face[count // 2]).max(axis=1)
    farther = np.maximum(change, change[::-1])
    alike: F64 = np.exp(-0.5 * (farther / _FACE_RANGE) ** 2)
    return alike


@dataclass(frozen=True)
class OneEuroTuning:
    """How a One-Euro filter trades calm for speed."""

    min_cutoff_hz: float
    """Cut-off of a resting signal; lower removes more jitter."""
    beta: float
    """How fast the cut-off rises with speed, Hz per (unit per second); higher lags less."""
    derivative_cutoff_hz: float = 1.0
    """Cut-off of the speed estimate."""


class OneEuroFilter:
    """Low-pass for a live stream of arrays: calm when the signal rests, quick when it moves.

    Casiez, Roussel, Vogel: 1 Euro Filter (CHI 2012). Holds the state of one stream; each element is filtered
    for itself. Time steps may differ.
    """

    def __init__(self, tuning: OneEuroTuning) -> None:
        self._tuning = tuning
        self._time_s: Fraction | None = None
        self._value: F64 = np.zeros(0)
        self._speed: F64 = np.zeros(0)

    def filter(self, value: NDArray[Any], time_s: Fraction) -> F64:
        """The filtered value at a time; the first one passes unchanged.

        Args:
            value: any shape, the same at every call.
            time_s: exact presentation time in seconds, later than the last one.

        Raises:
            MotionError: time stands still or runs backwards.
        """
        if self._time_s is None:
            self._value = np.array(value, np.float64)
            self._speed = np.zeros_like(self._value)
        else:
            step_s = _step_s(self._time_s, time_s)
            change = value - self._value
            self._speed = _speed(self._speed, change, step_s, self._tuning)
            self._value = self._value + _share(np.abs(self._speed), step_s, self._tuning) * change
        self._time_s = time_s
        return self._value.copy()


class OneEuroRotation:
    """The One-Euro filter for rotations; speed is in radians per second.

    Convention:
        The step from the filtered to the new rotation is taken in head axes: ``new = filtered @ exp(step)``.
    """

    def __init__(self, tuning: OneEuroTuning) -> None:
        self._tuning = tuning
        self._time_s: Fraction | None = None
        self._rotation: F64 = np.eye(3)
        self._speed: F64 = np.zeros(3)

    def filter(self, rotation: NDArray[Any], time_s: Fraction) -> F64:
        """The filtered (3, 3) rotation at a time; the first one passes unchanged.

        Raises:
            MotionError: time stands still or runs backwards.
        """
        if self._time_s is None:
            self._rotation = np.array(rotation, np.float64)
        else:
            step_s = _step_s(self._time_s, time_s)
            change = rotation_vector(self._rotation.T @ rotation)
            self._speed = _speed(self._speed, change, step_s, self._tuning)
            share = _share(np.linalg.norm(self._speed), step_s, self._tuning)
            self._rotation = nearest_rotation(self._rotation @ rotation_from_vector(share * change))
        self._time_s = time_s
        return self._rotation.copy()


def _step_s(before_s: Fraction, now_s: Fraction) -> float:
    if now_s <= before_s:
        raise MotionError(
            f"Live motion went from {float(before_s)} s to {float(now_s)} s; give frames in their order."
        )
    return float(now_s - before_s)


def _speed(speed: F64, change: F64, step_s: float, tuning: OneEuroTuning) -> F64:
    """The speed estimate, itself low-passed."""
    return speed + _exponential(np.float64(tuning.derivative_cutoff_hz), step_s) * (change / step_s - speed)


def _share(speed: F64 | np.floating[Any], step_s: float, tuning: OneEuroTuning) -> F64:
    """How much of a new value is taken over at a speed."""
    return _exponential(tuning.min_cutoff_hz + tuning.beta * speed, step_s)


def _exponential(cutoff_hz: F64 | np.floating[Any], step_s: float) -> F64:
    """Weight of the new value in first-order exponential smoothing with a cut-off frequency."""
    weight: F64 = np.asarray(1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * step_s)), np.float64)
    return weight


def rotation_vector(rotation: NDArray[Any]) -> F64:
    """Axis times angle of a rotation, by way of its quaternion (Bar-Itzhack 2000), exact up to half a turn.

    Convention:
        Right-handed about the axis, radians, 0 to pi; the inverse of ``rotation_from_vector``.

    Args:
        rotation: (3, 3) rotation matrix.

    Returns:
        (3,) float64.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.asarray(rotation, np.float64)
    symmetric = np.array(
        [
            [xx - yy - zz, yx + xy, zx + xz, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [zx + xz, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    quaternion = np.linalg.eigh(symmetric)[1][:, -1]
    if quaternion[3] < 0:
        quaternion = -quaternion
    axis = quaternion[:3]
    sine = float(np.linalg.norm(axis))
    if sine == 0.0:
        return np.zeros(3)
    vector: F64 = axis * (2.0 * math.atan2(sine, float(quaternion[3])) / sine)
    return vector


def rotation_from_vector(vector: NDArray[Any]) -> F64:
    """(3, 3) rotation about an axis by the vector's length in radians (Rodrigues' formula), right-handed."""
    x, y, z = np.asarray(vector, np.float64)
    angle = math.sqrt(x * x + y * y + z * z)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn: F64 = (
        np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * cross @ cross
    )
    return turn


def slerp(first: NDArray[Any], second: NDArray[Any], fraction: float) -> F64:
    """The (3, 3) rotation at 0..1 of the way from one to another, by the shortest turn at constant speed."""
    first = np.asarray(first, np.float64)
    way: F64 = first @ rotation_from_vector(fraction * rotation_vector(first.T @ second))
    return way
