"""The mouth of a filmed speaker, frame by frame: opening, width, rounding and blendshapes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from itertools import takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import FaceAnalyzer
from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.media.open import open_source
from lp_core.speech.fit import FilmedMouth, curves_from_blendshapes

BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""The 52 coefficients in the landmarker's order."""
_EYES, _CORNERS = (33, 263), (61, 291)
_LIPS = ((13, 14), (82, 87), (312, 317))
_FUNNEL, _PUCKER = BLENDSHAPES.index("mouthFunnel"), BLENDSHAPES.index("mouthPucker")


def mouth_geometry(
    landmarks: NDArray[np.floating], shapes: NDArray[np.floating]
) -> tuple[float, float, float]:
    """Opening and width of the mouth in outer eye distances, and rounding.

    Args:
        landmarks: (478, 3) points in any unit.
        shapes: (52,) blendshapes.
    """
    points = landmarks.astype(np.float64)
    eyes = max(float(np.linalg.norm(points[_EYES[0]] - points[_EYES[1]])), 1e-6)
    gap = float(np.mean([np.linalg.norm(points[a] - points[b]) for a, b in _LIPS])) / eyes
    width = float(np.linalg.norm(points[_CORNERS[0]] - points[_CORNERS[1]])) / eyes
    return gap, width, float(shapes[_FUNNEL] + shapes[_PUCKER])


def read_mouth(frames: Iterable[Frame], analyzer: FaceAnalyzer, sound_late_s: float = 0.0) -> FilmedMouth:
    """Reads the largest face's mouth in every frame; frames without a face are left out.

    Args:
        frames: of a clip, in order.
        analyzer: for single images, so that nothing is smoothed over time.
        sound_late_s: how late the clip's sound is against its frames.
    """
    times, geometry, shapes = [], [], []
    for frame in frames:
        faces = analyzer.analyze(frame.as_rgb8())
        if not faces:
            continue
        face = max(faces, key=lambda each: each.box.area)
        times.append(float(frame.time_s) + sound_late_s)
        shapes.append(face.coefficients)
        geometry.append(mouth_geometry(face.landmarks_frame, face.coefficients))
    rows = np.array(geometry, np.float32).reshape(-1, 3)
    curves = {name: rows[:, index] for index, name in enumerate(("open", "width", "round"))}
    table = np.array(shapes, np.float32).reshape(-1, len(BLENDSHAPES))
    return FilmedMouth(np.array(times, np.float64), curves_from_blendshapes(curves, table, BLENDSHAPES))


def filmed_mouth(path: Path, most_s: float | None = None) -> FilmedMouth:
    """The mouth in every frame of a video that shows a face.

    Args:
        path: the video.
        most_s: seconds from its beginning that are read; None: all.

    Raises:
        LpError: the video cannot be read.
    """
    with closing(open_analyzer(is_video=False)) as analyzer, open_source(str(path)) as source:
        frames = iter(source)
        if most_s is not None:
            frames = takewhile(lambda frame: frame.time_s < most_s, frames)
        return read_mouth(frames, analyzer)
