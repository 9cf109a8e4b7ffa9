"""A speech motion as the motion of a rig: landmarks of a neutral face, or LivePortrait's key points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.facemesh import (
    EYES,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    NEUTRAL,
)
from lp_core.motion.builtin import neutral_face
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.implicit.motion import ImplicitMotion
from lp_core.motion.implicit.regions import NEUTRAL_EXPRESSION
from lp_core.motion.landmarks.edit import WIDE_OPEN, brow_shape, frown_shape
from lp_core.motion.landmarks.lids import lid_displacement
from lp_core.motion.landmarks.lips import lips_rounded
from lp_core.motion.landmarks.measured_opening import measured_opening
from lp_core.motion.landmarks.motion import frame_of_points
from lp_core.motion.landmarks.spoken_lips import widening
from lp_core.motion.landmarks.transfer import MAX_GAZE, smile_field
from lp_core.motion.sequence import MotionFrame
from lp_core.settings.sliders import SLIDERS
from lp_core.speech.mouth_map import OUTPUTS

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_OUTER_EYES, _CORNERS = (33, 263), (61, 291)
_PAIRS = ((13, 14), (82, 87), (312, 317))
_PUCKER_FORWARD = 0.16
"""Head units by which fully rounded lips come forward."""
_LID_SHARE = 0.85
"""What a landmarker reads of a closed lid."""
_OPEN_EYE, _WIDE_LIPS = 0.3, 0.6


@dataclass(frozen=True)
class SpeakingFace:
    """A neutral face and what each curve does to it; all in head units."""

    face: F64
    """(478, 3)."""
    eyes: float
    """Outer eye distance."""
    opening: F64
    """(478, 3) for a lip gap of 1."""
    widening: F64
    """(478, 3) for a mouth that is wider by 1."""
    rounding: F64
    """(478, 3) for lips that have fully rounded, at the same width."""

    def points(self, values: Mapping[str, float]) -> F64:
        """(478, 3) the face under curves' values at one moment, lids and irises as well."""
        delta = values["open"] * self.eyes * self.opening
        delta = (
            delta
            + values["width"] * self.eyes * self.widening
            + lips_rounded(values["round"]) * self.rounding
        )
        delta = delta + values["smile"] * smile_field(self.face)
        brow = values["brow"]
        delta = delta + (brow * brow_shape(self.face) if brow >= 0 else -brow * frown_shape(self.face))
        points = self.face + delta
        for eye in EYES:
            points += lid_displacement(self.face, delta, eye, 1 - values["blink"])
            width = np.linalg.norm(self.face[eye.upper[0]] - self.face[eye.upper[-1]])
            points[eye.iris, 0] += values["gaze_x"] * width
            points[eye.iris, 1] += values["gaze_y"] * width
        return points


@lru_cache(maxsize=1)
def speaking_face() -> SpeakingFace:
    """The built-in neutral face."""
    face = neutral_face()
    eyes = float(np.linalg.norm(face[_OUTER_EYES[0]] - face[_OUTER_EYES[1]]))
    opening = measured_opening()
    gap = np.mean([np.linalg.norm(opening[low] - opening[high]) for high, low in _PAIRS])
    return SpeakingFace(face, eyes, opening / gap, widening(face), _protrusion(face))


def _protrusion(face: F64) -> F64:
    """(478, 3) what rounding does to the lips: forward."""
    middle = face[[*LIPS_OUTER_UPPER, *LIPS_OUTER_LOWER]].mean(axis=0)
    half = float(np.linalg.norm(face[LIPS_INNER_UPPER[0]] - face[LIPS_INNER_UPPER[-1]])) / 2
    away = np.linalg.norm((face[:, :2] - middle[:2]) / (0.8 * half), axis=1)
    near = np.exp(-(away**2))
    change = np.zeros_like(face)
    change[:, 2] = -_PUCKER_FORWARD * near
    return change


def mesh_frame(values: Mapping[str, float]) -> MotionFrame:
    """The motion of rig mesh478 at one moment."""
    points = speaking_face().points(values)
    return frame_of_points(points, (values["pitch"], values["yaw"], values["roll"]), blendshapes(values))


def implicit_frame(values: Mapping[str, float]) -> MotionFrame:
    """The motion of rig liveportrait21 at one moment, by its sliders; a head of size 1 in the middle of the crop."""
    gap = values["open"] * speaking_face().eyes / WIDE_OPEN
    sliders = {
        "pitch": values["pitch"],
        "yaw": -values["yaw"],
        "roll": values["roll"],
        "lip_open": 120 * gap - 12 * values["press"],
        "smile": values["smile"],
        "grin": 15 * max(values["width"], 0.0) / 0.12,
        "pursing": 12 * lips_rounded(values["round"]) + 15 * max(-values["width"], 0.0) / 0.2,
        "eyebrow": 15 * values["brow"],
        "blink": -20 * values["blink"],
        "gaze_x": 30 * values["gaze_x"] / MAX_GAZE,
        "gaze_y": -30 * values["gaze_y"] / MAX_GAZE,
    }
    limited = {
        name: float(np.clip(value, SLIDERS[name].minimum, SLIDERS[name].maximum))
        for name, value in sliders.items()
    }
    rest = ImplicitMotion(np.eye(3), NEUTRAL_EXPRESSION.copy(), 1.0, np.zeros(3))
    posed = Edit(limited).applied(rest)
    return MotionFrame(
        rotation=posed.rotation.T.astype(np.float32),
        scale=np.float32(1),
        translation=np.zeros(2, np.float32),
        expression=posed.expression.astype(np.float32),
        eyes=np.full(2, _OPEN_EYE * (1 - values["blink"]), np.float32),
        gaze=np.array([(values["gaze_x"], values["gaze_y"])] * 2, np.float32),
        lips=np.float32(_WIDE_LIPS * gap),
        blendshapes=blendshapes(values),
        confidence=np.float32(1),
    )


NATURAL = ("pitch", "yaw", "roll", "blink", "brow", "gaze_x", "gaze_y")
"""Curves of head, lids, brows and gaze."""
_PAIRED = {
    "mouthLowerDown": (34, 35), "mouthUpperUp": (48, 49), "mouthPress": (36, 37), "mouthStretch": (46, 47),
    "mouthSmile": (44, 45), "jawOpen": (25,), "mouthPucker": (38,), "mouthRollLower": (40,), "mouthRollUpper": (41,),
}  # fmt: skip
"""Curve -> positions among the 52 coefficients."""


def blendshapes(values: Mapping[str, float]) -> F32:
    """(52,) the coefficients that a landmarker would read; the first one (``_neutral``) is 1 while nothing is said."""
    shapes = np.zeros(52, np.float32)
    shapes[NEUTRAL] = 1 - values.get("speaking", 0.0)
    for name, positions in _PAIRED.items():
        shapes[list(positions)] = values[name]
    shapes[38] = max(values["mouthPucker"], values["round"])
    closed = np.clip(values["press"], 0, 1)
    shapes[[34, 35, 48, 49, 25]] *= 1 - closed
    shapes[[36, 37]] = np.maximum(shapes[[36, 37]], 0.5 * closed)
    shapes[[44, 45]] += max(values["smile"], 0.0)
    shapes[[30, 31]] = max(-values["smile"], 0.0)
    shapes[[9, 10]] = _LID_SHARE * values["blink"]
    shapes[[3, 4, 5]] = max(values["brow"], 0.0)
    shapes[[1, 2]] = max(-values["brow"], 0.0)
    right, down = values["gaze_x"] / MAX_GAZE, values["gaze_y"] / MAX_GAZE
    shapes[[14, 15]] = max(right, 0.0)  # the image's right is the person's left
    shapes[[13, 16]] = max(-right, 0.0)
    shapes[[11, 12]], shapes[[17, 18]] = max(down, 0.0), max(-down, 0.0)
    result: F32 = np.clip(shapes, 0, 1)
    return result


RIG_FRAMES: Mapping[str, Callable[[Mapping[str, float]], MotionFrame]] = {
    "mesh478": mesh_frame, "liveportrait21": implicit_frame, "liveportrait21-animals": implicit_frame,
}  # fmt: skip
"""Rig -> the motion of a frame from the curves' values."""


def resting_values() -> dict[str, float]:
    """The curves of a face at rest."""
    return dict.fromkeys((*OUTPUTS, *NATURAL, "press", "smile", "speaking"), 0.0)
