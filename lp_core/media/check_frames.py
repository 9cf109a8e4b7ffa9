"""Refuses frames that are not what a sink was made for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lp_core.errors import MediaError
from lp_core.frame import Frame
from lp_core.media.base import SinkSpec


def check_frame(path: Path, frame: Frame, spec: SinkSpec) -> None:
    """Raises MediaError where size, channels or depth differ from the specification."""
    expected = (spec.height, spec.width, 4 if spec.has_alpha else 3)
    dtype = {8: np.uint8, 16: np.uint16, 32: np.float32}[spec.bit_depth]
    if frame.pixels.shape != expected or frame.pixels.dtype != dtype:
        raise MediaError(
            f"Frame {frame.index} for {path} has shape {frame.pixels.shape} and type {frame.pixels.dtype}, "
            f"but {expected} and {np.dtype(dtype)} were announced; hand over frames of one size and depth."
        )
