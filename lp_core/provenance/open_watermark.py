"""The mark of a job, whose pattern is made when the first frame gives the size."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import missing_extra
from lp_core.frame import Box, Frame

WatermarkReader = Callable[[Frame, NDArray[np.float32], Box], Frame]
"""See ``lp_core.provenance.watermark.Marker``."""


def number_of(text: str) -> int:
    """The mark's number as the setting has it, decimal or hexadecimal."""
    return int(text, 16 if text.lower().startswith("0x") else 10)


def open_marker(text: str | None) -> WatermarkReader | None:
    """Marks frames with a number; None where none is wanted.

    Raises:
        MissingDependency: the library of its error correction is not installed.
    """
    if text is None:
        return None
    if find_spec("reedsolo") is None:
        raise missing_extra("A watermark", "provenance")
    from lp_core.provenance.watermark import Marker

    make, number = lru_cache(maxsize=1)(Marker), number_of(text)

    def mark(frame: Frame, matte: NDArray[np.float32], region: Box) -> Frame:
        height, width = frame.pixels.shape[:2]
        return make(number, width, height)(frame, matte, region)

    return mark
