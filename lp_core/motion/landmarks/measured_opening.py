"""How the lower face follows lips that a voice, a slider or a built-in motion opens: measured on filmed mouths.

The jaw turns, so the chin goes down half as far as the lower lip and back with it, and the corners of the mouth go
down a little. A lower face that follows its lip as one looks and reads as a funnel. ``measured_opening.npy`` is written
by ``benchmarks/measured_opening.py``.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.motion.landmarks.motion import F64

_MIDDLE = slice(4, 7)


@lru_cache(maxsize=1)
def measured_opening() -> F64:
    """(478, 3) change of a face whose inner lips are 1 further apart, lower lip below upper lip."""
    data = files("lp_core.motion.landmarks").joinpath("measured_opening.npy").read_bytes()
    return of_unit_gap(np.load(BytesIO(data)).astype(np.float64))


def of_unit_gap(field: NDArray[np.floating]) -> F64:
    """The field for inner lips that are 1 further apart."""
    upper, lower = field[LIPS_INNER_UPPER[_MIDDLE]], field[LIPS_INNER_LOWER[_MIDDLE]]
    scaled: F64 = field.astype(np.float64) / float((lower - upper)[:, 1].mean())
    return scaled
