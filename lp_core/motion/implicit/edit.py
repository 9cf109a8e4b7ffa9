"""Expression editing: named sliders over pose and expression of the LivePortrait rig, as values and curves.

Every expression slider is linear on each side of zero, and sliders add up. A row of the tables is (point,
axis, amount for a unit of the slider); the numbers are the published editor's, so its presets fit.
The names are the project's words for all engines.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lp_core.errors import SettingError
from lp_core.motion.implicit.motion import F64, ImplicitMotion, degrees_from_rotation, rotation_from_degrees
from lp_core.motion.implicit.regions import KEYPOINTS
from lp_core.motion.implicit.rigs import ImplicitRig
from lp_core.settings.sliders import SLIDERS, WEIGHTS

X, Y, Z = 0, 1, 2
Rows = tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Effect:
    """What a unit of a slider adds to the expression."""

    rows: Rows
    """Above zero."""
    rows_below: Rows | None = None
    """Below zero, where it differs."""


EFFECTS: dict[str, Effect] = {
    "mov_x": Effect(((5, X, -1.0),)),
    "mov_y": Effect(((5, Y, 1.0),)),
    "pouting": Effect(((19, X, 1.0),)),
    "pursing": Effect(
        (
            (14, Y, 0.001),
            (3, Y, -0.0005),
            (7, Y, -0.0005),
            (17, Z, -0.0005),
        )
    ),
    "grin": Effect(
        (
            (20, Z, -0.001),
            (20, Y, -0.001),
            (14, Y, -0.001),
        )
    ),
    "lip_open": Effect(
        (
            (19, Y, 0.001),
            (19, Z, 0.0001),
            (17, Y, -0.0001),
        )
    ),
    "smile": Effect(
        (
            (20, Y, -0.01),
            (14, Y, -0.02),
            (17, Y, 0.0065),
            (17, Z, 0.003),
            (13, Y, -0.00275),
            (16, Y, -0.00275),
            (3, Y, -0.0035),
            (7, Y, -0.0035),
        )
    ),
    "wink": Effect(
        (
            (11, Y, 0.001),
            (13, Y, -0.0003),
            (17, X, 0.0003),
            (17, Y, 0.0003),
            (3, Y, -0.0003),
        )
    ),
    "blink": Effect(
        (
            (11, Y, -0.001),
            (15, Y, -0.001),
            (13, Y, 0.0003),
            (16, Y, 0.0003),
            (1, Y, -0.00025),
            (2, Y, 0.00025),
        )
    ),
    "eyebrow": Effect(
        (
            (1, Y, 0.001),
            (2, Y, -0.001),
        ),
        (
            (1, X, -0.001),
            (2, X, 0.001),
            (1, Y, 0.0003),
            (2, Y, -0.0003),
        ),
    ),
    "gaze_x": Effect(
        (
            (11, X, 0.0007),
            (15, X, 0.001),
        ),
        (
            (11, X, 0.001),
            (15, X, 0.0007),
        ),
    ),
    "gaze_y": Effect(
        (
            (11, Y, -0.0005),
            (15, Y, -0.0005),
            (13, Y, -0.00015),
            (16, Y, -0.00015),
        )
    ),
}
"""Sliders that change the expression; the others change the pose or aim at a ratio."""
NO_EFFECT = Effect(())


@dataclass(frozen=True)
class Edit:
    """Values of sliders at one frame; unset ones are neutral."""

    values: Mapping[str, float]
    """Slider name -> value."""

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            _check(name, value)

    @property
    def sliders(self) -> dict[str, float]:
        """What is added to pose and expression."""
        return {name: value for name, value in self.values.items() if name in SLIDERS}

    @property
    def weights(self) -> dict[str, float]:
        """What multiplies the performance's expression, by region."""
        return {name: value for name, value in self.values.items() if name in WEIGHTS}

    def point_weights(self, rig: ImplicitRig) -> F64:
        """(K, 1) factor of every key point's expression: the product of its regions' weights."""
        factors = np.full((rig.keypoints, 1), self.values.get("weight_all", 1.0))
        for group, points in rig.groups.items():
            factors[list(points)] *= self.values.get(f"weight_{group}", 1.0)
        return factors

    def expression(self) -> F64:
        """(21, 3) what the sliders add to the expression."""
        change = np.zeros((KEYPOINTS, 3))
        for name, value in self.values.items():
            effect = EFFECTS.get(name, NO_EFFECT)
            is_below = value < 0 and effect.rows_below is not None
            for point, axis, amount in (effect.rows_below or ()) if is_below else effect.rows:
                change[point, axis] += amount * value
        return change

    def applied(self, motion: ImplicitMotion) -> ImplicitMotion:
        """The motion with pose, size and expression edited; ratios are left to the retargeting networks."""
        turns = [self.values.get(name, 0.0) for name in ("pitch", "yaw", "roll")]
        rotation = motion.rotation
        if any(turns):
            angles = degrees_from_rotation(rotation)
            pitch, yaw, roll = (np.add(angle, turn) for angle, turn in zip(angles, turns, strict=True))
            rotation = rotation_from_degrees(pitch, yaw, roll)
        return replace(
            motion,
            rotation=rotation,
            expression=motion.expression + self.expression(),
            scale=motion.scale * self.values.get("mov_z", 1.0),
        )


NO_EDIT = Edit({})
"""Changes nothing."""


def _check(name: str, value: float) -> None:
    slider = SLIDERS.get(name) or WEIGHTS.get(name)
    if slider is None:
        known = ", ".join((*SLIDERS, *WEIGHTS))
        raise SettingError(f"The slider '{name}' is not known; choose one of: {known}.")
    if not slider.minimum <= value <= slider.maximum:
        raise SettingError(
            f"{name} = {value} is out of range; it must lie between {slider.minimum} and {slider.maximum}."
        )


@dataclass(frozen=True)
class EditCurves:
    """Slider values over frames: straight lines between keys, constant beyond the first and the last."""

    curves: Mapping[str, tuple[tuple[float, float], ...]]
    """Slider name -> keys (frame, value) by rising frame."""

    def __post_init__(self) -> None:
        for name, keys in self.curves.items():
            frames = [frame for frame, _ in keys]
            is_rising = all(b > a for a, b in zip(frames, frames[1:], strict=False))  # false for NaN
            if not keys or not is_rising or not all(map(math.isfinite, frames)):
                raise SettingError(f"The curve of '{name}' needs keys with rising frame numbers.")
            for _, value in keys:
                _check(name, value)

    def at(self, frame: float) -> Edit:
        """The sliders at a frame."""
        return Edit({name: _value(keys, frame) for name, keys in self.curves.items()})


NO_EDITS = EditCurves({})
"""Changes nothing."""


def _value(keys: tuple[tuple[float, float], ...], frame: float) -> float:
    after = bisect_right(keys, frame, key=lambda key: key[0])
    if after in (0, len(keys)):
        return keys[min(after, len(keys) - 1)][1]
    (f0, v0), (f1, v1) = keys[after - 1], keys[after]
    return v0 + (v1 - v0) * (frame - f0) / (f1 - f0)


def read_curves(path: Path) -> EditCurves:
    """Reads a file of curves: ``{"smile": [[0, 0.0], [12, 0.8]], "yaw": 10}``; a lone number is held.

    Raises:
        SettingError: the file cannot be read, or a slider or a key is wrong.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        curves = {
            str(name): ((0.0, float(keys)),)
            if isinstance(keys, int | float)
            else tuple((float(frame), float(value)) for frame, value in keys)
            for name, keys in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise SettingError(
            f"{path} cannot be read as slider curves ({error}); write an object of slider -> list of "
            "[frame, value]."
        ) from error
    return EditCurves(curves)


def make_curves(entries: Sequence[str], path: str | Path | None) -> EditCurves:
    """Curves out of lone values, held over the whole video, and a file of curves.

    Args:
        entries: such as ``smile=0.6``.
        path: of ``read_curves``.

    Raises:
        SettingError: an entry or the file is wrong, or a slider is set twice.
    """
    curves = dict(read_curves(Path(path)).curves) if path is not None else {}
    for entry in entries:
        name, _, text = entry.partition("=")
        try:
            value = float(text)
        except ValueError as error:
            raise SettingError(f"{entry} is not a slider and value; write it like smile=0.6.") from error
        if name in curves:
            raise SettingError(f"The slider '{name}' is set twice; set it once.")
        curves[name] = ((0.0, value),)
    return EditCurves(curves)
