"""The parts of a face as masks, from its 478 landmarks.

Convention:
    Masks (h, w) bool; points (x, y) on the same pixels, integer = pixel center.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import EYES, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER, OVAL

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
_NOSTRILS = (2, 97, 98, 64, 48, 115, 220, 45, 4, 275, 440, 344, 278, 294, 327, 326)
"""Outline of the lower half of the nose."""
_EYE_GROWN, _LIPS_GROWN = 0.45, 0.18
"""By how much of its size an eye with its lids, and lips, are larger than their outline."""


@dataclass(frozen=True)
class FaceParts:
    """Where the parts of a face are."""

    face: Mask
    """The outline of the face and what is in it."""
    features: Mask
    """Eyes, brows, nostrils and lips: what has another color than skin."""
    lips: Mask
    """Lips and what is between them."""
    eyes: Mask
    """Eyes and lids."""
    mouth: Mask
    """Lips and their surroundings."""
    size_px: float
    """Root of the face's area, pixels."""
    points: F32
    """(478, 2) the landmarks."""

    @classmethod
    def of(cls, points: F32, size: tuple[int, int]) -> FaceParts:
        """The parts of a face.

        Args:
            points: (478, 2).
            size: width and height of the masks.
        """
        points = np.asarray(points, np.float32)
        lips = points[np.concatenate([LIPS_OUTER_UPPER, LIPS_OUTER_LOWER[-2:0:-1]])]
        eyes = [points[np.concatenate([eye.upper, eye.lower[-2:0:-1]])] for eye in EYES]
        face = _filled([points[OVAL]], size)
        lids = _filled([_grown(eye, _EYE_GROWN) for eye in eyes], size)
        near_lips = _filled([_grown(lips, _LIPS_GROWN)], size)
        brows = _filled([_grown(cv2.convexHull(points[list(brow)])[:, 0], 0.25) for brow in _BROWS], size)
        nostrils = _filled([cv2.convexHull(points[list(_NOSTRILS)])[:, 0]], size)
        return cls(
            face,
            lids | near_lips | brows | nostrils,
            _filled([lips], size),
            lids,
            near_lips,
            float(np.sqrt(max(cv2.contourArea(points[OVAL].astype(np.float32)), 1.0))),
            points,
        )

    def share(self, mask: Mask) -> float:
        """Part of the face that a mask covers, 0..1."""
        whole = int(self.face.sum())
        return float((mask & self.face).sum() / whole) if whole else 0.0


def _grown(outline: F32, by: float) -> F32:
    middle = outline.mean(axis=0)
    return np.asarray(middle + (outline - middle) * (1 + by), np.float32)


def _filled(outlines: list[F32], size: tuple[int, int]) -> Mask:
    mask = np.zeros((size[1], size[0]), np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    return np.asarray(mask > 0)
