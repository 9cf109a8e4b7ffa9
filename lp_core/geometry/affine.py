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


def fit_similarity(from_points: NDArray[np.float64], to_points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The similarity (turn, scale, shift; no mirroring) that brings points closest to others.

    Args:
        from_points: (N, 2), N >= 2, not all the same.
        to_points: (N, 2) where they should arrive.

    Returns:
        (2, 3): ``to = m[:, :2] @ from + m[:, 2]``.
    """
    middle, other = from_points.mean(axis=0), to_points.mean(axis=0)
    a, b = from_points - middle, to_points - other
    square = max(float((a * a).sum()), 1e-12)
    real, imaginary = (
        float((a * b).sum()) / square,
        float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / square,
    )
    linear = np.array([[real, -imaginary], [imaginary, real]])
    return np.column_stack([linear, other - linear @ middle])
