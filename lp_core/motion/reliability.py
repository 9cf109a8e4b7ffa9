"""How far a performance can be trusted, frame by frame and region by region.

The published method and the mesh engine have the same limits: extreme poses, covered faces, blur, tiny faces.
Each cause gives a value from 0 to 1, with a straight line between two limits; a region's is the lowest of its causes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.rotation import angles_deg

F32 = NDArray[np.float32]

REGIONS = ("face", "eyes", "mouth")
CAUSES = ("", "lost", "pose", "covered", "blurred", "small")
"""What lowers a value most; empty: nothing does."""
YAW_DEG, PITCH_DEG = (40.0, 80.0), (30.0, 60.0)
"""Turn and nod up to which all is well, and from which nothing can be trusted."""
COVERED = (0.15, 0.7)
"""Share of a region that something covers."""
SHARP = (0.03, 0.01)
"""Sharpness of the face (``lp_core.geometry.sharpness``)."""
FACE_PX = (96.0, 24.0)
"""Height of the face, pixels."""


@dataclass(frozen=True)
class FrameReading:
    """What is known of how well one frame of a performance was read."""

    rotation: F32
    """(3, 3) of the head."""
    face_px: float
    """Height of the face, pixels."""
    sharpness: float
    """Of the face; see ``lp_core.geometry.sharpness``."""
    covered: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Share of each of REGIONS that something is in front of."""


def reliability(reading: FrameReading | None) -> tuple[F32, NDArray[np.uint8]]:
    """(3,) values 0..1 for REGIONS, and (3,) the numbers of their lowest causes in CAUSES.

    Args:
        reading: of the frame; None: the face is lost.
    """
    if reading is None:
        return np.zeros(3, np.float32), np.full(3, CAUSES.index("lost"), np.uint8)
    pose = pose_reliability(reading.rotation)
    blurred = _between(reading.sharpness, *SHARP)
    small = _between(reading.face_px, *FACE_PX)
    values, causes = [], []
    for share in reading.covered:
        found = {"pose": pose, "covered": _between(share, *COVERED), "blurred": blurred, "small": small}
        cause = min(found, key=found.__getitem__)
        values.append(found[cause])
        causes.append(CAUSES.index(cause if found[cause] < 1 else ""))
    return np.array(values, np.float32), np.array(causes, np.uint8)


def pose_reliability(rotation: NDArray[np.floating]) -> float:
    """0..1 by the turn and the nod of a head, (3, 3)."""
    pitch, yaw, _ = angles_deg(np.asarray(rotation, np.float64))
    return min(_between(abs(yaw), *YAW_DEG), _between(abs(pitch), *PITCH_DEG))


def _between(value: float, good: float, bad: float) -> float:
    return float(np.clip((bad - value) / (bad - good), 0, 1))
