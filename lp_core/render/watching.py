"""Watching a performance while it is read: what can be trusted, and what a hand covers."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face
from lp_core.frame import Frame
from lp_core.geometry.sharpness import sharpness
from lp_core.motion.bridging import EYES_REGION, MOUTH, Bridge
from lp_core.motion.reliability import CAUSES, REGIONS, FrameReading, pose_reliability, reliability
from lp_core.motion.sequence import MotionFrame
from lp_core.render.edges import BLOCK, Motion
from lp_core.render.fronts import Fronts
from lp_core.render.report import runs_of, runs_text
from lp_core.render.stored_arrays import load_arrays, save_arrays

F32 = NDArray[np.float32]
TRUST_FILE = "trust.npz"
_FADE = 4
"""Frames before and after one over which the result fades."""


@dataclass(frozen=True)
class Trust:
    """How far each frame of a performance can be trusted."""

    values: F32
    """(N, 3) 0..1 for the face, the eyes and the mouth."""
    causes: NDArray[np.uint8]
    """(N, 3) what lowers them most, numbers of CAUSES."""

    @classmethod
    def of_stored(cls, motion: Motion) -> Trust:
        """Of a stored motion: it knows poses and lost faces, and nothing of blur, size and what was covered."""
        values, causes = [], []
        for start in range(0, len(motion), BLOCK):
            rows = motion.rows(start, min(start + BLOCK, len(motion)))
            for rotation, confidence in zip(rows.rotation, rows.confidence, strict=True):
                value = pose_reliability(rotation) if confidence > 0 else 0.0
                values.append(value)
                causes.append(CAUSES.index("lost" if confidence == 0 else "pose" if value < 1 else ""))
        three = np.array(values, np.float32)[:, None].repeat(3, axis=1)
        return cls(three, np.array(causes, np.uint8)[:, None].repeat(3, axis=1))

    @classmethod
    def load(cls, folder: Path) -> Trust | None:
        """As ``save`` left it; None where nothing was watched."""
        if not (folder / TRUST_FILE).exists():
            return None
        arrays = load_arrays(folder / TRUST_FILE)
        return cls(arrays["values"], arrays["causes"])

    def save(self, folder: Path) -> None:
        """Stores it."""
        save_arrays(folder / TRUST_FILE, {"values": self.values, "causes": self.causes})

    def at(self, index: int) -> tuple[F32, str]:
        """(3,) values of a frame of the performance, and the cause of the lowest; past its end the last one's."""
        at = min(max(index, 0), len(self.values) - 1)
        return self.values[at], CAUSES[int(self.causes[at][int(np.argmin(self.values[at]))])]

    def fade(self, index: int, below: float) -> float:
        """How much of the result is shown at a frame, 0..1: all of it from a trust on, less below; without jumps.

        Args:
            index: frame of the performance.
            below: trust in the face from which all of it is shown, above 0.
        """
        at = np.clip(np.arange(index - _FADE, index + _FADE + 1), 0, len(self.values) - 1)
        return float(np.clip(self.values[at, 0] / np.float32(below), 0, 1).mean())

    def is_covered(self, index: int, region: str) -> bool:
        """Whether something is in front of a region, a name of REGIONS."""
        at = min(max(index, 0), len(self.values) - 1)
        return CAUSES[int(self.causes[at, REGIONS.index(region)])] == "covered"


class PerformanceWatch:
    """Looks at every frame of a performance, and bridges what is covered before it is written."""

    def __init__(
        self, rig: str, write: Callable[[MotionFrame], None], interpolates: bool, fronts: Fronts | None
    ) -> None:
        """Begins.

        Args:
            rig: of the motion.
            write: takes the motion of each frame.
            interpolates: whether covered regions go over to what is seen next; else they hold.
            fronts: finds what is in front of the face; None: nobody looks.
        """
        self._bridge = Bridge(rig, write, interpolates)
        self._fronts = fronts
        self._values, self._causes = array("f"), array("B")  # three of each a frame, for hours of them

    def take(self, motion: MotionFrame, frame: Frame, face: Face | None) -> None:
        """Takes the next frame.

        Args:
            motion: as it was read; where the face is lost, the last one with confidence 0.
            frame: the image.
            face: in it; None where it is lost.
        """
        if face is None:
            self._keep(None)
            self._bridge.add(motion)
            return
        image = frame.as_rgb8()
        covered = (0.0, 0.0, 0.0) if self._fronts is None else self._fronts.covered(image, face)
        box = face.box
        sharp = sharpness(image, (box.left, box.top, box.right, box.bottom))
        self._keep(FrameReading(face.head_rotation, box.bottom - box.top, sharp, covered))
        self._bridge.add(motion, eyes=covered[1], mouth=covered[2])

    def _keep(self, reading: FrameReading | None) -> None:
        values, causes = reliability(reading)
        self._values.extend(values.tolist())
        self._causes.extend(causes.tolist())

    def finish(self) -> tuple[Trust, list[str]]:
        """Hands on what waits; what can be trusted, and sentences for the summary."""
        self._bridge.finish()
        how = "goes over to what is seen next" if self._bridge.interpolates else "holds"
        notes = [
            f"Something covers the performer's {name} in {len(frames)} frames ({runs_text(runs_of(frames))}): the "
            f"motion of that region {how}."
            for name, frames in (
                (MOUTH, self._bridge.gaps[MOUTH]),
                (EYES_REGION, self._bridge.gaps[EYES_REGION]),
            )
            if frames
        ]
        values, causes = np.array(self._values, np.float32), np.array(self._causes, np.uint8)
        return Trust(values.reshape(-1, 3), causes.reshape(-1, 3)), notes
