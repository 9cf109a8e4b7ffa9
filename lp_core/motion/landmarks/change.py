"""What expression editing asks of a face of the 478-point rig; made by ``lp_core.motion.landmarks.edit``."""

from __future__ import annotations

from dataclasses import dataclass

from lp_core.motion.landmarks.motion import F64


@dataclass(frozen=True)
class Change:
    """What the user's sliders change beyond the performance, whatever region and strength it has."""

    angles_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Added to pitch, yaw and roll."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Added to the place of the head, in head units."""
    scale: float = 1.0
    """Times the size of the head."""
    delta: F64 | float = 0.0
    """(478, 3) added to the face, in the source's head units; or 0."""
    lids: tuple[float, float] = (0.0, 0.0)
    """Added to the opening of the eyes over the source's own."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Added to the shift of both irises, along and across the eye, in eye widths."""


NO_CHANGE = Change()
"""Changes nothing."""
