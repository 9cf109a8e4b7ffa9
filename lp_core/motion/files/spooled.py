"""Rows of a motion that is still being written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lp_core.motion.sequence import F32, MOTION_ARRAYS, MotionSequence, frame_shapes
from lp_core.timing import FrameRate


@dataclass(frozen=True)
class SpooledRows:
    """The frames that a writer has taken, each array in a separate file."""

    rate: FrameRate
    """Exact frames per second."""
    rig: str
    """Kind of rig, a key of RIGS."""
    origin: str
    """Where the motion came from, for the user's eyes."""
    count: int
    """Number of frames."""
    folder: Path
    """Where the arrays are, each under its name."""

    def __len__(self) -> int:
        return self.count

    def rows(self, start: int, stop: int) -> MotionSequence:
        """The frames of a half-open range, 0 <= start < stop <= len, read from disk now."""
        arrays: dict[str, Any] = {name: self.column(name, start, stop) for name in MOTION_ARRAYS}
        return MotionSequence(self.rate, self.rig, origin=self.origin, **arrays)

    def column(self, name: str, start: int, stop: int) -> F32:
        """One array's rows of a half-open range, read from disk now: (stop - start, *its shape)."""
        shape = frame_shapes(self.rig)[name]
        numbers = math.prod(shape)
        with (self.folder / name).open("rb") as file:
            read = np.fromfile(file, "<f4", (stop - start) * numbers, offset=4 * start * numbers)
        return read.reshape(stop - start, *shape).astype(np.float32, copy=False)
