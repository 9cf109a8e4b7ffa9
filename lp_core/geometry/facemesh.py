"""The 478-point face mesh as index tables: contours in order, rigid points, pairs.

Convention:
    "left" and "right" are sides of the image, not of the person. Contours run from the image's left to
    its right unless said otherwise; indices are those of MediaPipe's Face Landmarker (468 mesh points, then
    5 an iris).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MESH_POINTS = 468

OVAL = np.array(
    [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377]
    + [152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
)
"""Face outline, clockwise in the image from the top of the forehead (10) over the chin (152)."""

RIGID = np.array(
    [10, 109, 338, 67, 297, 151, 9, 8, 168, 6, 197, 195, 5, 4, 33, 133, 362, 263, 127, 356, 234, 454]
)
"""Points that hardly move with expression: forehead, nose bridge and tip, eye corners, temples."""

LIPS_INNER_UPPER = np.array([78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308])
LIPS_INNER_LOWER = np.array([78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308])
LIPS_OUTER_UPPER = np.array([61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291])
LIPS_OUTER_LOWER = np.array([61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291])
CHIN, NOSE_BASE = 152, 2


@dataclass(frozen=True)
class EyeIndices:
    """Index tables of one eye."""

    upper: NDArray[np.intp]
    """(9,) upper lid margin, corner to corner."""
    lower: NDArray[np.intp]
    """(9,) lower lid margin, same corners."""
    iris: NDArray[np.intp]
    """(5,) iris center, then four points on its edge."""
    blink: int
    """Position of this eye's blink among the 52 blendshapes (named for the person's side)."""


LEFT_EYE = EyeIndices(
    upper=np.array([33, 246, 161, 160, 159, 158, 157, 173, 133]),
    lower=np.array([33, 7, 163, 144, 145, 153, 154, 155, 133]),
    iris=np.array([468, 469, 470, 471, 472]),
    blink=10,
)
RIGHT_EYE = EyeIndices(
    upper=np.array([362, 398, 384, 385, 386, 387, 388, 466, 263]),
    lower=np.array([362, 382, 381, 380, 374, 373, 390, 249, 263]),
    iris=np.array([473, 474, 475, 476, 477]),
    blink=9,
)
EYES = (LEFT_EYE, RIGHT_EYE)
NEUTRAL, JAW_OPEN = 0, 25
SMILE_LEFT, SMILE_RIGHT = 44, 45
ROUNDING = [32, 38]
"""Funnel and pucker: their sum is how round lips are."""

_EPS = 1e-6
"""Keeps a collapsed eye or mouth finite, as in LivePortrait's formula."""


def gap_over_width(
    points: NDArray[Any], upper: NDArray[np.intp], lower: NDArray[np.intp], ends: tuple[int, int]
) -> float:
    """How far an eye or a mouth is open: mean distance of paired points over the distance of its ends.

    Args:
        points: (P, 2) or (P, 3) points of any layout, in any unit.
        upper: (G,) indices along the upper margin.
        lower: (G,) their partners along the lower margin.
        ends: indices of the two corners.
    """
    gap = np.linalg.norm(points[upper] - points[lower], axis=1).mean()
    return float(gap / (np.linalg.norm(points[ends[0]] - points[ends[1]]) + _EPS))
