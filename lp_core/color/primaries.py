"""Primaries: 3x3 matrices between linear RGB spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_D65 = (0.3127, 0.3290)
CHROMATICITIES: Mapping[str, tuple[float, ...]] = {
    "bt709": (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65),
    "bt470bg": (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    "smpte170m": (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    "smpte240m": (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    "bt2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    "smpte432": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    "smpte431": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
}
"""H.273's words -> x and y of red, green, blue and white, in the order of EXR's attribute."""

LINEAR_ONLY: Mapping[str, tuple[float, ...]] = {
    "ap0": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "ap1": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767),
    "adobe": (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *_D65),
}
"""The same for spaces that H.273 has no word for; EXR names them by their numbers."""

D50_XYZ = (0.9642, 1.0, 0.8249)
"""White of the space that color profiles relate colors to."""

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def bt709_from(chromaticities: Sequence[float]) -> F64:
    """The matrix to linear BT.709, white to white (Bradford); exactly the identity for BT.709 itself.

    Args:
        chromaticities: eight numbers, as in CHROMATICITIES.

    Returns:
        (3, 3) for column vectors.
    """
    given = np.asarray(chromaticities, np.float64)
    target = np.array(CHROMATICITIES["bt709"])
    if np.allclose(given, target, atol=2e-3):
        return np.eye(3)
    adapted = _adaptation(_white(given), _white(target))
    result: F64 = np.linalg.inv(_xyz_from(target)) @ adapted @ _xyz_from(given)
    return result


def adaptation_to_d50(chromaticities: Sequence[float]) -> F64:
    """(3, 3) for XYZ column vectors: from the white of eight numbers, as in CHROMATICITIES, to D50 (Bradford)."""
    return _adaptation(_white(np.asarray(chromaticities, np.float64)), np.array(D50_XYZ))


def adapted_to_d50(chromaticities: Sequence[float]) -> F64:
    """(3, 3) linear RGB with these primaries to XYZ under D50, as color profiles keep it.

    Raises:
        numpy.linalg.LinAlgError: the primaries are on a line.
    """
    return adaptation_to_d50(chromaticities) @ _xyz_from(np.asarray(chromaticities, np.float64))


def _white(chromaticities: F64) -> F64:
    x, y = chromaticities[6:]
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz_from(chromaticities: F64) -> F64:
    x, y = chromaticities[:6:2], chromaticities[1:6:2]
    columns = np.stack([x / y, np.ones(3), (1 - x - y) / y])
    result: F64 = columns * np.linalg.solve(columns, _white(chromaticities))
    return result


def _adaptation(given: F64, wanted: F64) -> F64:
    gain = (_BRADFORD @ wanted) / (_BRADFORD @ given)
    result: F64 = np.linalg.inv(_BRADFORD) @ (gain[:, None] * _BRADFORD)
    return result
