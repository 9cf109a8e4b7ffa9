"""What is in front of a source's face: it keeps its place, and the face moves behind it.

The engine draws from the frame with those things filled in, so that no part of them moves along; then the source's own
pixels come back where they are (lp_core.render.holdout).

Convention:
    Mattes are (H, W) float32 on the source frame, 1 = in front.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face
from lp_core.frame import Frame

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Front:
    """What is in front of the face in one frame of a source."""

    matte: F32 | None
    """(H, W) what keeps its place; None: nothing."""
    behind: Frame
    """The frame without it: filled from around; the frame itself where there is nothing."""
    note: str = ""
    """What the summary must say of this frame; usually nothing."""


class Fronts(AbstractContextManager["Fronts"], Protocol):
    """Finds what is in front of a source's face, frame by frame."""

    @property
    def memory(self) -> int:
        """Frames before one that have a say in what is found in it."""
        ...

    def covered(self, image: NDArray[np.uint8], face: Face) -> tuple[float, float, float]:
        """Share of the face, of the eyes with their lids, and of the mouth that something is in front of.

        Args:
            image: (H, W, 3) RGB of any frame, such as a performer's.
            face: in it.
        """
        ...

    def at(self, frame: Frame, face: Face | None) -> Front:
        """What is in front of the face.

        Args:
            frame: of the source; frames come in order, and one that follows another is its successor.
            face: that is animated; None where it is lost.
        """
        ...
