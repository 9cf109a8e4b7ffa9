"""The sliders of expression editing, on a face of the 478-point rig.

Names, ranges and signs are those of ``lp_core.motion.implicit.edit``; amounts are chosen so that a slider's end
looks about as strong as with the LivePortrait networks. What landmarks cannot do well is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.landmarks.change import Change
from lp_core.motion.landmarks.lids import WIDEST_EYE
from lp_core.motion.landmarks.measured_opening import measured_opening
from lp_core.motion.landmarks.motion import F64
from lp_core.motion.landmarks.transfer import MAX_GAZE, smile_field
from lp_core.motion.sequence import MotionFrame
from lp_core.settings.sliders import SLIDERS

WIDE_OPEN = 0.42
"""Lip gap of a wide open mouth, in head units."""
MESH_SLIDERS = (
    "pitch", "yaw", "roll", "mov_x", "mov_y", "mov_z", "lip_open", "smile", "wink", "blink", "eyebrow",
    "gaze_x", "gaze_y", "eye_ratio", "lip_ratio",
)  # fmt: skip
"""Sliders that can be done."""
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_SHIFT = 2.0  # head units that a unit of mov_x or mov_y moves the head by
_LIDS_FOLLOW = 0.2  # part of the eye's opening that the lids follow a gaze to its end


def make_change(face: MotionFrame, edit: Edit) -> Change:
    """What the sliders change on a face.

    Convention:
        As the sliders: positive pitch lowers the chin, positive yaw turns to the image's left, positive
        roll tips clockwise; mov_x is to the image's right, mov_y down, gaze_x to the image's right,
        gaze_y up. ``wink`` closes the eye on the image's left.

    Args:
        face: the source's face, rig mesh478.
        edit: the sliders at this frame.

    Raises:
        SettingError: a slider cannot be done with landmarks.
    """
    unknown = [name for name in edit.values if name not in MESH_SLIDERS]
    if unknown:
        raise SettingError(
            f"The mesh engine cannot do the slider '{unknown[0]}'; it can do: {', '.join(MESH_SLIDERS)}."
        )
    values = edit.values
    ends = {name: value / SLIDERS[name].maximum for name, value in values.items()}  # 1 at the upper end
    shape = face.expression.astype(np.float64)
    left, right = _lids(face, values)
    return Change(
        angles_deg=(values.get("pitch", 0.0), -values.get("yaw", 0.0), values.get("roll", 0.0)),
        shift=(_SHIFT * values.get("mov_x", 0.0), _SHIFT * values.get("mov_y", 0.0)),
        scale=values.get("mov_z", 1.0),
        delta=_delta(shape, values, ends),
        lids=(left, right),
        gaze=(MAX_GAZE * ends.get("gaze_x", 0.0), -MAX_GAZE * ends.get("gaze_y", 0.0)),
    )


def _delta(shape: F64, values: Mapping[str, float], ends: Mapping[str, float]) -> F64:
    opening = measured_opening()
    delta: F64 = WIDE_OPEN * ends.get("lip_open", 0.0) * opening
    if "lip_ratio" in values:
        width = float(np.linalg.norm(shape[LIPS_INNER_UPPER[0]] - shape[LIPS_INNER_UPPER[-1]]))
        wanted = values["lip_ratio"] * width - face_gap(shape)
        delta += wanted * opening
    if values.get("smile"):
        delta += values["smile"] * smile_field(shape)
    brows = ends.get("eyebrow", 0.0)
    if brows > 0:
        delta += brows * brow_shape(shape)
    elif brows < 0:
        delta += -brows * frown_shape(shape)
    return delta


def _lids(face: MotionFrame, values: Mapping[str, float]) -> tuple[float, float]:
    """Change of each eye's opening, in separate parts."""
    blink = values.get("blink", 0.0)
    both = (
        -blink / SLIDERS["blink"].minimum
        if blink < 0
        else blink / SLIDERS["blink"].maximum * (WIDEST_EYE - 1)
    )
    both += _LIDS_FOLLOW * values.get("gaze_y", 0.0) / SLIDERS["gaze_y"].maximum
    wink = values.get("wink", 0.0) / SLIDERS["wink"].maximum
    change = np.array([both - wink, both])
    if "eye_ratio" in values:
        change += values["eye_ratio"] / np.maximum(face.eyes.astype(np.float64), 1e-3) - 1
    return float(change[0]), float(change[1])


def face_gap(points: F64) -> float:
    """Inner lip gap of (478, 3) points or of their movement, in head units; below 0 where the lips cross."""
    middle = slice(4, 7)
    return float((points[LIPS_INNER_LOWER[middle], 1] - points[LIPS_INNER_UPPER[middle], 1]).mean())


def brow_shape(face: F64) -> F64:
    """(478, 3) what fully raised brows add to a face in head space."""
    raised: F64 = _around(face, _BROWS, 0.28)[:, None] * np.array([0.0, -0.12, 0.0])
    return raised


def frown_shape(face: F64) -> F64:
    """(478, 3) what brows drawn together add to a face in head space."""
    inwards = -0.06 * np.sign(face[:, 0]) * np.clip(np.abs(face[:, 0]) / 0.2, 0.0, 1.0)
    pull = np.stack([inwards, np.full(len(face), 0.05), np.zeros(len(face))], axis=1)
    frown: F64 = _around(face, _BROWS, 0.28)[:, None] * pull
    return frown


def _around(face: F64, centers: tuple[int, ...], reach: float) -> NDArray[Any]:
    """(478,) 1 at the given points, falling off as a Gaussian of the given width in head units."""
    square = ((face[:, None, :2] - face[None, list(centers), :2]) ** 2).sum(axis=2).min(axis=1)
    weight: F64 = np.exp(-square / (2 * reach**2))
    return weight
