"""Motion as data: one frame, and a sequence of frames of one rig."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MotionError
from lp_core.timing import FrameRate

RIGS = {"mesh478": 478, "liveportrait21": 21, "liveportrait21-animals": 21, "performrecast49": 49}
"""Number of expression points of every rig."""

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class MotionFrame:
    """The performance at one frame.

    Convention:
        Image axes: x right, y down, z away from the camera. A point of the head is ``scale * rotation @ p +
        (translation, 0)`` in units of the driving image's height, origin at its center.
    """

    rotation: F32
    """(3, 3) head -> camera; identity looks straight into the camera."""
    scale: np.float32
    """Size of the head: image heights per unit of head space (mesh478), or the network's scale."""
    translation: F32
    """(2,) position of the head's origin: x, y from the image's center in image heights."""
    expression: F32
    """(K, 3) points of the face in its own head frame, K by rig; mesh478: landmarks without the pose."""
    eyes: F32
    """(2,) openness of the eye on the image's left and right: lid gap over eye width; closed is about 0."""
    gaze: F32
    """(2, 2) iris center of the same eyes: (along, across) the eye axis in eye widths, 0 in the middle."""
    lips: np.float32
    """Openness of the lips: inner gap over mouth width."""
    blendshapes: F32
    """(52,) ARKit-style coefficients 0..1 in MediaPipe's order; zeros where the landmarker has none."""
    confidence: np.float32
    """1 measured, between 0 and 1 filled in across a gap, 0 lost."""
    extras: Mapping[str, F32] = field(default_factory=dict)
    """What not every motion has, by its name in EXTRAS; kept for templates, played by no engine."""


@dataclass(frozen=True)
class MotionSequence:
    """A performance: the arrays of MotionFrame with a leading axis of N frames."""

    rate: FrameRate
    """Exact frames per second."""
    rig: str
    """Kind of rig, a key of RIGS."""
    rotation: F32
    """(N, 3, 3)"""
    scale: F32
    """(N,)"""
    translation: F32
    """(N, 2)"""
    expression: F32
    """(N, K, 3)"""
    eyes: F32
    """(N, 2)"""
    gaze: F32
    """(N, 2, 2)"""
    lips: F32
    """(N,)"""
    blendshapes: F32
    """(N, 52)"""
    confidence: F32
    """(N,)"""
    origin: str = ""
    """Where it came from: a file name or a built-in motion; shown to the user, never interpreted."""
    metadata: dict[str, str] = field(default_factory=dict)
    """Free text pairs kept with the file."""
    extras: Mapping[str, F32] = field(default_factory=dict)
    """(N, ...) arrays by their name in EXTRAS; empty where the motion has none."""

    def __post_init__(self) -> None:
        shapes = frame_shapes(self.rig)
        possible = EXTRAS.get(self.rig, {})
        if not set(self.extras) <= set(possible):
            raise MotionError(
                f"Motion of the rig {self.rig} holds {', '.join(sorted(possible)) or 'nothing'} besides its "
                f"usual arrays, not {', '.join(sorted(self.extras))}; extract the motion again."
            )
        shapes |= {name: possible[name] for name in self.extras}
        for name, shape in shapes.items():
            array = self.extras[name] if name in self.extras else getattr(self, name)
            wanted = (len(self.scale), *shape)
            if array.shape != wanted or array.dtype != np.float32:
                raise MotionError(
                    f"The motion's '{name}' has shape {array.shape} and type {array.dtype} where {wanted} "
                    f"float32 is needed for rig {self.rig}; extract the motion again."
                )

    def __len__(self) -> int:
        return len(self.scale)

    def frame(self, index: int) -> MotionFrame:
        """The performance at one frame, 0 <= index < len."""
        extras = {name: array[index] for name, array in self.extras.items()}
        return MotionFrame(**{name: getattr(self, name)[index] for name in MOTION_ARRAYS}, extras=extras)

    def frames(self) -> Iterator[MotionFrame]:
        """All frames in order."""
        return (self.frame(index) for index in range(len(self)))

    def rows(self, start: int, stop: int) -> MotionSequence:
        """The frames of a half-open range, 0 <= start < stop <= len, as views; rate, rig and origin stay."""
        arrays: dict[str, Any] = {name: self.column(name, start, stop) for name in MOTION_ARRAYS}
        extras = {name: array[start:stop] for name, array in self.extras.items()}
        return replace(self, **arrays, extras=extras)

    def column(self, name: str, start: int, stop: int) -> F32:
        """One array's rows of a half-open range, as a view: (stop - start, *its shape)."""
        array: F32 = getattr(self, name)
        return array[start:stop]


MOTION_ARRAYS = tuple(item.name for item in fields(MotionFrame) if item.name != "extras")
"""Names of the per-frame arrays that every motion has, in file order."""

_IMPLICIT_EXTRAS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "keypoints": (21, 3),  # canonical key points of the performer
        "points": (21, 3),  # the same in their place, as a template states them
        "depth": (),  # third component of the network's translation, which playing drops
    }
)
EXTRAS: Mapping[str, Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "liveportrait21": _IMPLICIT_EXTRAS,
        "liveportrait21-animals": _IMPLICIT_EXTRAS,
        "performrecast49": MappingProxyType(
            {
                "keypoints": (49, 3),  # canonical key points of the performer
                "stretch": (3,),  # factors of the size along the crop's axes
            }
        ),
    }
)
"""Rig -> name -> shape of one frame of the arrays that a motion may have besides, in file order; 0: unknown."""


def frame_shapes(rig: str) -> dict[str, tuple[int, ...]]:
    """Shape of one frame of every array of a rig.

    Raises:
        MotionError: the rig is not known.
    """
    if rig not in RIGS:
        raise MotionError(f"The rig '{rig}' is not known; this version knows: {', '.join(RIGS)}.")
    return {
        "rotation": (3, 3),
        "scale": (),
        "translation": (2,),
        "expression": (RIGS[rig], 3),
        "eyes": (2,),
        "gaze": (2, 2),
        "lips": (),
        "blendshapes": (52,),
        "confidence": (),
    }


def stack(frames: list[MotionFrame], rate: FrameRate, rig: str, origin: str = "") -> MotionSequence:
    """A sequence from its frames.

    Raises:
        MotionError: there is no frame, or the arrays do not fit the rig.
    """
    if not frames:
        raise MotionError("A motion needs at least one frame.")
    arrays: dict[str, Any] = {
        name: np.stack([getattr(f, name) for f in frames]).astype(np.float32) for name in MOTION_ARRAYS
    }
    return MotionSequence(rate=rate, rig=rig, origin=origin, **arrays)
