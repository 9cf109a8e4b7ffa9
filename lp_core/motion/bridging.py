"""Parts of a face that a performance did not show: held, or bridged from before to after.

A hand over a performer's mouth leaves lips that the landmarker has guessed. The rest of the face plays on, and the
mouth keeps what was last seen, or goes over to what is seen next. Works on a stream; a gap longer than LONGEST frames
is held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import EYES
from lp_core.motion.implicit.rigs import IMPLICIT_RIGS
from lp_core.motion.landmarks.transfer import mouth_weight
from lp_core.motion.sequence import MotionFrame

F32 = NDArray[np.float32]

COVERED = 0.25
"""Share of a region that must be covered for it to count as not seen."""
LONGEST = 240
"""Frames that are kept back for what comes after a gap."""
_MOUTH_SHAPES, _EYE_SHAPES = slice(23, 50), slice(9, 23)
"""Blendshapes of jaw and mouth, and of the eyes, in MediaPipe's order."""
_NEAR = 1.0
"""Distance over which the eyes of the 478-point rig fade into the face, in half their width."""
MOUTH, EYES_REGION = "mouth", "eyes"


@dataclass
class Bridge:
    """Takes the frames of a performance in order and hands them on, bridged; call ``finish`` after the last."""

    rig: str
    """Rig of the motion."""
    write: Callable[[MotionFrame], None]
    """Takes the frames."""
    interpolates: bool
    """True: a region goes over to what is seen next; False: it holds."""
    gaps: dict[str, list[int]] = field(default_factory=lambda: {MOUTH: [], EYES_REGION: []})
    """Frames in which a region was not seen; grows."""
    _waiting: list[tuple[MotionFrame, frozenset[str]]] = field(default_factory=list)
    _before: MotionFrame | None = None
    _count: int = 0

    def add(self, frame: MotionFrame, eyes: float = 0.0, mouth: float = 0.0) -> None:
        """Takes the next frame.

        Args:
            frame: as it was read.
            eyes: share of the eyes that is covered, 0..1.
            mouth: share of the mouth.
        """
        hidden = frozenset(name for name, share in ((MOUTH, mouth), (EYES_REGION, eyes)) if share > COVERED)
        for name in hidden:
            self.gaps[name].append(self._count)
        self._count += 1
        if hidden or (self._waiting and frame.confidence == 0):
            self._waiting.append((frame, hidden))
            if len(self._waiting) >= LONGEST:
                self._release(None)
            return
        self._release(frame)
        self._before = frame
        self.write(frame)

    def finish(self) -> None:
        """Hands on what waits: the performance ends while something is covered."""
        self._release(None)

    def _release(self, after: MotionFrame | None) -> None:
        """Hands on the frames of a gap."""
        count = len(self._waiting)
        for index, (frame, hidden) in enumerate(self._waiting):
            shown = self._bridged(frame, hidden, after, (index + 1) / (count + 1))
            self.write(shown)
            if after is None and self._before is not None:
                self._before = shown
        self._waiting = []

    def _bridged(
        self, frame: MotionFrame, hidden: frozenset[str], after: MotionFrame | None, share: float
    ) -> MotionFrame:
        before = self._before or after
        if before is None:
            return frame
        goes_over = self.interpolates and after is not None and self._before is not None
        for name in sorted(hidden):
            first = _with_region(frame, before, name, self.rig, 1.0)
            if goes_over and after is not None:
                second = _with_region(frame, after, name, self.rig, 1.0)
                frame = _between(first, second, share)
            else:
                frame = first
        return frame


def _with_region(frame: MotionFrame, other: MotionFrame, name: str, rig: str, share: float) -> MotionFrame:
    """A frame with a region of another."""
    weight = np.float32(share) * _weight(other, name, rig)
    expression = frame.expression + weight * (other.expression - frame.expression)
    shapes = frame.blendshapes.copy()
    part = _MOUTH_SHAPES if name == MOUTH else _EYE_SHAPES
    shapes[part] = other.blendshapes[part]
    changed = replace(frame, expression=np.asarray(expression, np.float32), blendshapes=shapes)
    if name == MOUTH:
        return replace(changed, lips=other.lips)
    return replace(changed, eyes=other.eyes, gaze=other.gaze)


def _between(first: MotionFrame, second: MotionFrame, share: float) -> MotionFrame:
    """Two frames that differ in regions alone, mixed."""
    mixed: dict[str, Any] = {
        name: np.float32(getattr(first, name) + share * (getattr(second, name) - getattr(first, name)))
        for name in ("expression", "blendshapes", "eyes", "gaze", "lips")
    }
    return replace(first, **mixed)


def _weight(frame: MotionFrame, name: str, rig: str) -> F32:
    """(K, 1 or 3) 1 for what belongs to a region, falling to 0 around it."""
    if rig in IMPLICIT_RIGS:
        return IMPLICIT_RIGS[rig].mask("lips" if name == MOUTH else "eyes").astype(np.float32)
    points = frame.expression.astype(np.float64)
    if name == MOUTH:
        return mouth_weight(points)[:, None].astype(np.float32)
    weight = np.zeros(len(points))
    for eye in EYES:
        outline = points[np.concatenate([eye.upper, eye.lower, eye.iris]), :2]
        half = max(float(np.ptp(outline[:, 0])) / 2, 1e-6)
        away = np.linalg.norm(points[:, None, :2] - outline[None], axis=2).min(axis=1)
        weight = np.maximum(weight, np.clip(1 - away / (_NEAR * half), 0, 1))
    return np.asarray((weight * weight * (3 - 2 * weight))[:, None], np.float32)
