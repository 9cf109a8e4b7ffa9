"""How far eyes and lips are open, from landmarks alone.

Convention:
    Distances are measured in the image, (x, y) only, so a ratio does not change with place, size or roll of
    the face. Closed is about 0; open eyes give 0.25 to 0.45, an open mouth up to 0.7. The formulas are
    LivePortrait's (lid gap over eye width, inner lip gap over mouth width), taken at the matching points of
    each layout.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.faces.schemes import MEDIAPIPE478, Scheme
from lp_core.geometry.facemesh import gap_over_width


def _gap_over_width(
    points: NDArray[Any], gaps: tuple[tuple[int, int], ...], ends: tuple[int, int]
) -> np.float32:
    upper, lower = np.array(gaps).T
    return np.float32(gap_over_width(points, upper, lower, ends))


def _flat_points(landmarks: NDArray[Any], scheme: Scheme) -> NDArray[np.float64]:
    if landmarks.ndim != 2 or len(landmarks) != scheme.count or landmarks.shape[1] not in (2, 3):
        raise SettingError(
            f"Landmarks of shape {landmarks.shape} are not of the layout {scheme.name} with {scheme.count} "
            "points."
        )
    return np.asarray(landmarks[:, :2], np.float64)


def eye_openness(landmarks: NDArray[Any], scheme: Scheme = MEDIAPIPE478) -> NDArray[np.float32]:
    """Lid gap over eye width of both eyes.

    Args:
        landmarks: (P, 2) or (P, 3) points x, y[, z] of the layout, any similarity frame of the image.
        scheme: the layout.

    Returns:
        (2,) float32: the eye on the image's left, then the one on its right.

    Raises:
        SettingError: the number of points is not the layout's.
    """
    points = _flat_points(landmarks, scheme)
    return np.array(
        [
            _gap_over_width(points, scheme.eye_gaps_left, scheme.eye_corners_left),
            _gap_over_width(points, scheme.eye_gaps_right, scheme.eye_corners_right),
        ],
        np.float32,
    )


def lip_openness(landmarks: NDArray[Any], scheme: Scheme = MEDIAPIPE478) -> np.float32:
    """Inner lip gap over outer mouth width; arguments and errors as for ``eye_openness``."""
    return _gap_over_width(_flat_points(landmarks, scheme), (scheme.lip_gap,), scheme.lip_corners)
