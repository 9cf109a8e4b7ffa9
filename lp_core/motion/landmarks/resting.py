"""The mouth of a filmed face at rest: what is left of a plate's face when its own speech is taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import RIGID
from lp_core.geometry.rotation import angles_deg
from lp_core.motion.landmarks.lips import WIDE_MOUTH, inner_gap, mouth_width
from lp_core.motion.landmarks.motion import F64, best_rotation, lip_openness
from lp_core.motion.landmarks.transfer import DOWN, face_fields
from lp_core.motion.sequence import MotionFrame

REST_QUANTILE = 0.2
"""Part of a plate's frames whose lips are less open than the mouth at rest."""
MOST_FACES, MOST_SHAPES = 512, 48
"""Faces that are compared, and shapes that are kept."""
NEAR_DEG = 7.0
"""Width of the Gaussian by which shapes seen from another side count less."""
FREE_OPENING, MOST_OPENING = 0.24, 0.42
"""Lip gap over mouth width up to which speech opens a mouth as it is, and that it never reaches."""
NOSE = np.array([2, 98, 327, 94, 4])
"""Base and tip of the nose: a mouth at rest keeps its place below them."""


@dataclass(frozen=True)
class RestingMouth:
    """A face with its mouth at rest, as it was seen under several poses."""

    shapes: F64
    """(M, 478, 3) in head space."""
    angles: F64
    """(M, 3) pitch, yaw and roll in degrees under which each was seen."""
    gap: float
    """Inner lip gap at rest, head units."""

    def face(self, now: MotionFrame, rest: float) -> MotionFrame:
        """The face of a frame with its mouth at rest; from the nose up it is the frame's own.

        Args:
            now: the frame's face.
            rest: 1: the lips are as far open as at rest; 0: closed.
        """
        own = now.expression.astype(np.float64)
        away = (self.angles - np.array(angles_deg(now.rotation.astype(np.float64))) + 180) % 360 - 180
        square = (away**2).sum(axis=1) / (2 * NEAR_DEG**2)
        weights = np.exp(square.min() - square)
        shape = np.tensordot(weights / weights.sum(), self.shapes, axes=1)
        shape = shape @ best_rotation(shape[RIGID], own[RIGID]).T
        shape = shape + (own[NOSE] - shape[NOSE]).mean(axis=0)
        fields = face_fields(shape)
        shape = shape + fields.opening[:, None] * DOWN * (rest * self.gap - inner_gap(shape))
        face = own + fields.mouth[:, None] * (shape - own)
        return replace(now, expression=face.astype(np.float32), lips=np.float32(lip_openness(face)))


def fitted_lips(face: MotionFrame, motion: MotionFrame, reference: MotionFrame) -> MotionFrame:
    """A performance whose lips open as far on a face as on the performer, in head units, and never too wide.

    Relative motion opens a broad mouth farther than a small one; speech does not.
    """
    shape = face.expression.astype(np.float64)
    own, width = inner_gap(shape), mouth_width(shape)
    more = inner_gap(motion.expression.astype(np.float64)) - inner_gap(
        reference.expression.astype(np.float64)
    )
    free, most = FREE_OPENING * width, MOST_OPENING * width
    wanted = own + more
    if wanted > free:
        wanted = free + (most - free) * np.tanh((wanted - free) / (most - free))
    if wanted <= own:
        return motion
    # the inverse of ``transfer.lip_gap``
    wide = max(WIDE_MOUTH * width - own, WIDE_MOUTH * width / 2)
    then = float(reference.lips)
    opened = then + (wanted - own) * max(WIDE_MOUTH - then, WIDE_MOUTH / 2) / wide
    now_width, then_width = (mouth_width(each.expression.astype(np.float64)) for each in (motion, reference))
    return replace(motion, lips=np.float32(opened * then_width / now_width))


class RestingSurvey:
    """Collects the faces of a plate; memory does not grow with its length."""

    def __init__(self) -> None:
        self._faces: list[tuple[NDArray[np.float32], tuple[float, float, float]]] = []
        self._stride, self._seen = 1, 0

    def add(self, face: MotionFrame) -> None:
        """Takes the face of the next frame that shows it."""
        if self._seen % self._stride == 0:
            self._faces.append((face.expression, angles_deg(face.rotation.astype(np.float64))))
            if len(self._faces) > MOST_FACES:
                self._faces = self._faces[::2]
                self._stride *= 2
        self._seen += 1

    def result(self) -> RestingMouth | None:
        """The mouth at rest; None where no frame showed a face."""
        if not self._faces:
            return None
        gaps = np.array([inner_gap(shape.astype(np.float64)) for shape, _ in self._faces])
        rest = float(np.quantile(gaps, REST_QUANTILE))
        nearest = np.sort(np.argsort(np.abs(gaps - rest), kind="stable")[: max(len(gaps) // 3, 1)])
        kept = nearest[np.unique(np.linspace(0, len(nearest) - 1, MOST_SHAPES).round().astype(int))]
        shapes, angles = zip(*(self._faces[index] for index in kept), strict=True)
        return RestingMouth(np.stack(shapes).astype(np.float64), np.array(angles), max(rest, 0.0))


def resting_arrays(mouth: RestingMouth) -> dict[str, NDArray[Any]]:
    """The mouth as plain arrays, to be stored."""
    return {"rest_shapes": mouth.shapes, "rest_angles": mouth.angles, "rest_gap": np.array(mouth.gap)}


def resting_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> RestingMouth:
    """The mouth that ``resting_arrays`` took apart; the same to the last bit."""
    return RestingMouth(arrays["rest_shapes"], arrays["rest_angles"], float(arrays["rest_gap"]))
