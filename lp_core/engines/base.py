"""The contract between a render and whatever draws the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face
from lp_core.frame import Frame, Pixels
from lp_core.motion.sequence import MotionFrame


@dataclass(frozen=True)
class EngineInfo:
    """What a render needs to know of an engine before using it."""

    name: str
    """Name in settings and reports."""
    rig: str
    """Kind of motion it plays; motion of another rig is refused."""
    uses_driving_picture: bool
    """True when ``animate`` gains from being handed the driving picture."""


@dataclass(frozen=True)
class DrivingPicture:
    """The driving frame that a motion frame was read from, for engines that borrow pixels from it."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    landmarks_frame: NDArray[np.float32]
    """(478, 3) in pixels of that picture."""


@dataclass(frozen=True)
class Animation:
    """One animated picture."""

    pixels: Pixels
    """Same shape, dtype and colour state as the portrait's source frame."""
    matte: NDArray[np.float32]
    """(H, W) 0..1, what was touched; where it is 0 the pixels equal the source's bit for bit."""
    flow: NDArray[np.float32]
    """(H, W, 2) pixels: output pixel (x, y) shows the source at (x, y) + flow (inverse flow)."""


class Portrait(Protocol):
    """A prepared source: whatever an engine computes once for a still, or once a frame for a plate."""

    @property
    def source(self) -> Frame:
        """The frame it was made of."""
        ...


class Engine(Protocol):
    """Costly step once (``prepare``), cheap step many times (``animate``); holds no state between calls."""

    info: EngineInfo

    def read_motion(self, face: Face, width: int, height: int) -> MotionFrame:
        """Motion of a face found in a driving picture of the given size; storable, not yet relative to anything."""
        ...

    def prepare(self, source: Frame, face: Face) -> Portrait:
        """Everything about the source that does not change with the motion."""
        ...

    def animate(
        self, portrait: Portrait, motion: MotionFrame, reference: MotionFrame, driving: DrivingPicture | None
    ) -> Animation:
        """Draws the portrait under a motion.

        Args:
            portrait: result of ``prepare`` of the same engine.
            motion: the performance at this frame.
            reference: the performance's reference frame (its neutral), for relative motion.
            driving: the driving picture, where one is at hand.
        """
        ...


