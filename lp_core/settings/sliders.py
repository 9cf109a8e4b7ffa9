"""The sliders of expression editing: names, ranges and help, the same for every engine, host and panel.

What a slider does is each engine's (lp_core.motion.implicit.edit). Standard library only, Python 3.7 syntax: host
programs load this file.
"""

import math
from dataclasses import dataclass
from typing import Dict


@dataclass(frozen=True)
class Slider:
    """One slider."""

    minimum: float
    """Lowest value."""
    maximum: float
    """Highest value."""
    help: str
    """What it does, for people."""
    neutral: float = 0.0
    """Value that changes nothing; NaN: none does, only leaving the slider unset."""

    @property
    def has_neutral(self) -> bool:
        """Whether a value of the range changes nothing."""
        return not math.isnan(self.neutral)


SLIDERS: Dict[str, Slider] = {
    "pitch": Slider(-15, 15, "nod, degrees added to the source's"),
    "yaw": Slider(-25, 25, "turn, degrees added to the source's"),
    "roll": Slider(-15, 15, "tip, degrees added to the source's"),
    "mov_x": Slider(-0.19, 0.19, "shift of the head sideways"),
    "mov_y": Slider(-0.19, 0.19, "shift of the head up or down"),
    "mov_z": Slider(0.9, 1.2, "size of the head, a factor", neutral=1.0),
    "pouting": Slider(-0.09, 0.09, "pouting, to one side or the other"),
    "pursing": Slider(-20, 15, "pursing"),
    "grin": Slider(0, 15, "grin"),
    "lip_open": Slider(-90, 120, "lips closed to open"),
    "smile": Slider(-0.3, 1.3, "smile"),
    "wink": Slider(0, 39, "wink of one eye"),
    "blink": Slider(-20, 5, "lids of both eyes: closed below zero, wide above"),
    "eyebrow": Slider(-30, 30, "brows: raised above zero, drawn together below"),
    "gaze_x": Slider(-30, 30, "gaze sideways"),
    "gaze_y": Slider(-63, 63, "gaze up or down, lids following"),
    "eye_ratio": Slider(0, 0.8, "openness of the eyes aimed at; unset keeps the source's", neutral=math.nan),
    "lip_ratio": Slider(0, 0.8, "openness of the lips aimed at; unset keeps the source's", neutral=math.nan),
}
"""All sliders by name."""

WEIGHTS: Dict[str, Slider] = {
    "weight_all": Slider(0, 2, "how much of the expression is taken, a factor", neutral=1.0),
    "weight_lips": Slider(0, 2, "the same for lips and chin", neutral=1.0),
    "weight_eyes": Slider(0, 2, "the same for lids and gaze", neutral=1.0),
    "weight_gaze": Slider(0, 2, "the same for the gaze alone", neutral=1.0),
    "weight_brows": Slider(0, 2, "the same for brows and forehead", neutral=1.0),
    "weight_cheeks": Slider(0, 2, "the same for cheeks and sides of the face", neutral=1.0),
    "weight_nose": Slider(0, 2, "the same for the nose", neutral=1.0),
}
"""How much of a performance's expression each region takes; keyed like sliders, by regions that a model names."""
