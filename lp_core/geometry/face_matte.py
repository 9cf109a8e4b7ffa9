"""The matte of a face inside its crop: what is pasted back where only the face may change.

Convention:
    Points are (x, y) in pixels of the crop, integer = pixel center.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

WIDENED = 1.12
"""Hull of the landmarks over the hull of the matte's solid part, about the middle of the face."""
CHIN_DROP = 0.10
"""How far the hull is carried on below the chin, in face heights: a mouth may open further than as filmed."""
FEATHER = 0.07
"""Width of the soft edge, in face heights."""


def face_mask(points_crop: NDArray[Any], size: int) -> F32:
    """Weights of a crop that show the face alone: 1 over the face, falling to 0 inside the crop.

    Source: PerformRecast keeps the image outside the convex hull of widened landmarks by a training loss; here the
    hull is widened, lowered for an opening mouth, and softened outward.

    Args:
        points_crop: (P, 2) or more columns, landmarks of any layout.
        size: side of the crop.

    Returns:
        (size, size) 0..1.
    """
    points = np.asarray(points_crop, np.float64)[:, :2]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    height = float(np.ptp(points[:, 1]))
    wide = middle + (points - middle) * WIDENED
    below = np.clip((wide[:, 1] - middle[1]) / max(height / 2, 1e-6), 0.0, 1.0)
    wide[:, 1] += CHIN_DROP * height * np.square(below)  # the chin whole, the cheeks hardly
    hull = cv2.convexHull(wide.astype(np.float32)).reshape(-1, 2)
    solid = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(solid, np.rint(hull * 16).astype(np.int32), 1, lineType=cv2.LINE_8, shift=4)
    if not solid.any():
        return np.zeros((size, size), np.float32)
    feather = max(FEATHER * height, 1.0)
    away = cv2.distanceTransform(1 - solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ramp = np.clip(1.0 - away / feather, 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), np.float32)
