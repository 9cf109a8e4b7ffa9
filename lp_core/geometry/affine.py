"""Affine maps of the plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fit_affine(from_points: NDArray[np.float64], to_points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine map that brings points closest to others, in the least-squares sense.

    Args:
        from_points: (N, 2), N >= 3 for a unique map.
        to_points: (N, 2) where they should arrive.

    Returns:
        (2, 3): ``to = m[:, :2] @ from + m[:, 2]``.

    Convention:
        Points (x, y), any unit.
    """
    system = np.column_stack([from_points, np.ones(len(from_points))])
    return np.asarray(np.linalg.lstsq(system, to_points, rcond=None)[0].T, np.float64)
