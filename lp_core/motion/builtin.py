"""Motions made by code: ``demo:expressive``, ``demo:blink``, ``demo:nod``, ``demo:still``.

They move a neutral face (``neutral_face.npy``: the canonical face mesh of MediaPipe's face geometry module,
Apache-2.0, in this project's head space, with irises added in the middle of the eyes). Every motion begins
and ends at rest, so it can be looped. In the LivePortrait rig the same acts are played through its sliders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MotionError
from lp_core.geometry.facemesh import EYES, JAW_OPEN, LEFT_EYE, RIGHT_EYE, SMILE_LEFT, SMILE_RIGHT
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.implicit.motion import ImplicitMotion
from lp_core.motion.implicit.regions import NEUTRAL_EXPRESSION
from lp_core.motion.landmarks.edit import WIDE_OPEN, brow_shape
from lp_core.motion.landmarks.lids import lid_displacement
from lp_core.motion.landmarks.measured_opening import measured_opening
from lp_core.motion.landmarks.motion import frame_of_points
from lp_core.motion.landmarks.transfer import MAX_GAZE, smile_field
from lp_core.motion.sequence import MotionFrame, MotionSequence, frame_shapes, stack
from lp_core.settings.sliders import SLIDERS, Slider
from lp_core.timing import FrameRate

DEFAULT_RATE = FrameRate.parse(25)
BROW_UP = (3, 4, 5)
"""browInnerUp, browOuterUpLeft, browOuterUpRight among the blendshapes."""
_OPEN_EYE = 0.3  # ratio of an eye at rest
_WIDE_LIPS = 0.6  # ratio of a wide open mouth

CODED_RIGS = ("mesh478", "liveportrait21", "liveportrait21-animals")
"""Rigs whose faces code can move: a landmark mesh, and the rigs that the sliders are tables over."""

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class _Act:
    """What the face does at one moment; 0 is rest everywhere."""

    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0
    jaw: float = 0.0
    smile: float = 0.0
    brows: float = 0.0
    blink: tuple[float, float] = (0.0, 0.0)
    gaze: float = 0.0


def builtin_motion(name: str, rate: FrameRate | None = None, rig: str = "mesh478") -> MotionSequence:
    """A built-in motion by name (without ``demo:``), at 25 frames a second unless set otherwise.

    Args:
        name: which one.
        rate: frames per second.
        rig: a key of RIGS.

    Raises:
        MotionError: there is not a motion or no rig of that name.
    """
    frame_shapes(rig)
    if rig not in CODED_RIGS:
        raise MotionError(f"No built-in motion plays on the rig {rig}; extract one from a video.")
    if name not in _MOTIONS:
        known = ", ".join(f"demo:{other}" for other in _MOTIONS)
        raise MotionError(f"There is no built-in motion demo:{name}; choose one of: {known}.")
    return _played(name, rate or DEFAULT_RATE, rig)


@lru_cache(maxsize=4)
def _played(name: str, rate: FrameRate, rig: str) -> MotionSequence:
    """The motion, made once: a frame that is rendered alone needs it as a whole."""
    seconds, act = _MOTIONS[name]
    count = max(int(seconds * rate.fps), 1)
    face = neutral_face()
    acts = (act(float(rate.time_s(index))) for index in range(count))
    frames = [_frame(face, now) if rig == "mesh478" else _implicit_frame(now) for now in acts]
    return stack(frames, rate, rig, origin=f"demo:{name}")


def neutral_face() -> F64:
    """(478, 3) a neutral, symmetric face in head space."""
    with files("lp_core.motion").joinpath("neutral_face.npy").open("rb") as stream:
        return np.asarray(np.load(stream, allow_pickle=False), np.float64)


def _bump(time_s: float, start: float, end: float, rise: float = 0.25) -> float:
    """0 outside start..end, 1 inside, with smooth flanks of ``rise`` seconds."""
    t = float(np.clip(min(time_s - start, end - time_s) / rise, 0.0, 1.0))
    return t * t * (3 - 2 * t)


def _blinks(time_s: float, *moments: float) -> float:
    """A natural blink at each moment: closed within 0.1 s, open again after 0.18 s."""
    closing = [_bump(time_s, moment, moment + 0.32, 0.12) for moment in moments]
    return max(closing, default=0.0)


def _expressive(time_s: float) -> _Act:
    talking = _bump(time_s, 4.6, 7.0, 0.3)
    stress = 0.6 + 0.4 * np.sin(2.3 * time_s) ** 2
    syllables = (0.5 - 0.5 * np.cos(2 * np.pi * 3.1 * (time_s - 4.6))) * stress
    turn = _bump(time_s, 2.3, 4.2, 0.8) * np.sin((time_s - 2.3) / 1.9 * 2 * np.pi)
    blink = _blinks(time_s, 0.35, 2.2, 4.3, 7.3)
    wink = _bump(time_s, 7.75, 8.25, 0.15)
    return _Act(
        pitch=5 * _bump(time_s, 4.6, 7.0, 0.5) * float(np.sin(2 * np.pi * 0.9 * (time_s - 4.6))),
        yaw=13 * float(turn),
        roll=5 * _bump(time_s, 0.8, 2.2, 0.5) - 4 * _bump(time_s, 7.3, 8.6, 0.5),
        jaw=float(0.62 * talking * syllables) + 0.25 * _bump(time_s, 1.2, 2.0, 0.3),
        smile=0.85 * _bump(time_s, 0.7, 2.3, 0.4) + 0.75 * _bump(time_s, 7.2, 8.7, 0.35),
        brows=0.8 * _bump(time_s, 4.4, 5.3, 0.3) + 0.5 * _bump(time_s, 1.0, 1.8, 0.3),
        blink=(max(blink, wink), blink),
        gaze=0.16 * float(turn),
    )


def _blink(time_s: float) -> _Act:
    closed = _blinks(time_s, 0.4, 1.5, 1.95)
    return _Act(blink=(closed, closed))


def _nod(time_s: float) -> _Act:
    return _Act(pitch=9 * _bump(time_s, 0.0, 3.0, 0.6) * float(np.sin(2 * np.pi * time_s)))


def _still(time_s: float) -> _Act:
    return _Act()


_MOTIONS: dict[str, tuple[int, Callable[[float], _Act]]] = {
    "expressive": (9, _expressive),
    "blink": (3, _blink),
    "nod": (3, _nod),
    "still": (2, _still),
}
"""Name -> (seconds, what the face does at a time)."""


def _frame(face: F64, act: _Act) -> MotionFrame:
    delta = act.jaw * WIDE_OPEN * measured_opening()
    delta += act.smile * smile_field(face) + act.brows * brow_shape(face)
    points = face + delta
    for eye, closed in zip(EYES, act.blink, strict=True):
        points += lid_displacement(face, delta, eye, 1 - closed)
        width = np.linalg.norm(face[eye.upper[0]] - face[eye.upper[-1]])
        points[eye.iris, 0] += act.gaze * width
    return frame_of_points(points, (act.pitch, act.yaw, act.roll), _readings(act))


def _implicit_frame(act: _Act) -> MotionFrame:
    """The same act in the LivePortrait rig, by its sliders; a head of size 1 in the middle of the crop."""
    both, left_alone = min(act.blink), act.blink[0] - min(act.blink)
    sliders = {
        "pitch": act.pitch,
        "yaw": -act.yaw,
        "roll": act.roll,
        "lip_open": 120 * act.jaw,
        "smile": act.smile,
        "eyebrow": 15 * act.brows,
        "blink": -20 * both,
        "wink": 25 * left_alone,
        "gaze_x": 30 * act.gaze / MAX_GAZE,
    }
    values = {name: _within(SLIDERS[name], value) for name, value in sliders.items()}
    rest = ImplicitMotion(np.eye(3), NEUTRAL_EXPRESSION.copy(), 1.0, np.zeros(3))
    posed = Edit(values).applied(rest)
    return MotionFrame(
        rotation=posed.rotation.T.astype(np.float32),
        scale=np.float32(1),
        translation=np.zeros(2, np.float32),
        expression=posed.expression.astype(np.float32),
        eyes=np.array([_OPEN_EYE * (1 - closed) for closed in act.blink], np.float32),
        gaze=np.array([(act.gaze, 0.0)] * 2, np.float32),
        lips=np.float32(_WIDE_LIPS * act.jaw),
        blendshapes=_readings(act),
        confidence=np.float32(1),
    )


def _within(slider: Slider, value: float) -> float:
    return float(np.clip(value, slider.minimum, slider.maximum))


def _readings(act: _Act) -> NDArray[np.float32]:
    """(52,) the blendshapes that a landmarker would read."""
    shapes = np.zeros(52, np.float32)
    shapes[[JAW_OPEN, SMILE_LEFT, SMILE_RIGHT]] = act.jaw, act.smile, act.smile
    shapes[[LEFT_EYE.blink, RIGHT_EYE.blink]] = 0.85 * np.array(act.blink)
    shapes[list(BROW_UP)] = act.brows
    return shapes
