"""Faces in an image, and the contract of whatever finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FaceBox:
    """An axis-aligned box in frame pixels, half-open: left <= x < right, top <= y < bottom."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def center(self) -> tuple[float, float]:
        """Middle as (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return max(self.right - self.left, 0.0) * max(self.bottom - self.top, 0.0)


@dataclass(frozen=True)
class Pose:
    """Head rotation in degrees.

    Convention:
        Camera looks along +z, x right, y down. Positive pitch: chin down towards the chest. Positive yaw: the
        face turns towards the image's right. Positive roll: the head tips clockwise in the image.
        Rotation matrix = Rz(roll) @ Ry(-yaw) @ Rx(pitch), as lp_core.geometry.rotation states.
    """

    pitch_deg: float
    yaw_deg: float
    roll_deg: float


@dataclass(frozen=True)
class Face:
    """One face in one image."""

    landmarks_frame: NDArray[np.float32]
    """(P, 3): x, y in frame pixels, z in the same unit (smaller is nearer), P = 478, 203 or 68."""
    scheme: str
    """Layout of the landmarks: 'mediapipe478', 'liveportrait203' or 'ibug68'."""
    box: FaceBox
    """Bounding box of the landmarks."""
    score: float
    """Detection confidence, 0..1."""
    head_rotation: NDArray[np.float32]
    """(3, 3) rotation head -> camera; head axes equal the camera's (x right, y down, z away) when frontal."""
    pose: Pose
    """The same rotation as angles."""
    blendshapes: Mapping[str, float]
    """ARKit-style coefficients 0..1 by name (52 for MediaPipe, empty where the landmarker has none)."""
    lag_s: float = 0.0
    """Seconds by which all this trails the image, where a filter that looks back has read it."""

    @property
    def coefficients(self) -> NDArray[np.float32]:
        """(52,) the same as plain numbers in MediaPipe's order; zeros where the landmarker has none."""
        values = np.zeros(52, np.float32)
        values[: len(self.blendshapes)] = list(self.blendshapes.values())[:52]
        return values


@dataclass(frozen=True)
class UnreadFace:
    """A place where a face is, of which no landmarks can be read."""

    box: FaceBox
    """Where, in frame pixels."""
    score: float
    """Detection confidence, 0..1."""
    reason: str
    """Why it was not read, for people."""


@dataclass(frozen=True)
class Sightings:
    """All that was found in one image."""

    faces: tuple[Face, ...]
    """Faces that were read."""
    unread: tuple[UnreadFace, ...] = ()
    """Faces that were found and could not be read, such as full profiles."""


class FaceAnalyzer(Protocol):
    """Finds faces and their landmarks in RGB images. One instance serves one stream; not thread-safe."""

    scheme: str
    """Landmark layout it delivers."""

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None = None) -> list[Face]:
        """Finds the faces of an image, in no particular order; an empty list when there is none.

        Args:
            picture: (H, W, 3) uint8 RGB, display-encoded, C-contiguous.
            time_ms: presentation time in a clip (video mode: strictly increasing), None for a lone image.
        """
        ...

    def survey(self, picture: NDArray[np.uint8]) -> Sightings:
        """The faces of a lone image, and those that were found but cannot be read; as ``analyze`` otherwise."""
        ...

    def close(self) -> None:
        """Releases the model; may be called twice."""
        ...


class Landmarker(Protocol):
    """Finds other landmarks of a face that a FaceAnalyzer has found; thread-safe."""

    scheme: str
    """Landmark layout it delivers."""

    def refined(self, picture: NDArray[np.uint8], face: Face) -> Face:
        """The same face with this layout's landmarks and their box, all else unchanged.

        Args:
            picture: (H, W, 3) uint8 RGB, display-encoded, that the face was found in.
            face: of any layout that can be cropped by.
        """
        ...
