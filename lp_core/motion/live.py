"""A performance as it happens: smoothed without looking ahead, with a reference that settles and can be renewed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lp_core.motion.reference import unrest
from lp_core.motion.sequence import RIGS, MotionFrame, stack
from lp_core.motion.smoothing import OneEuroFilter, OneEuroRotation, OneEuroTuning
from lp_core.motion.timeline import between
from lp_core.settings import MotionSettings
from lp_core.timing import FrameRate, whole_number

SETTLING_S = 2.0
"""How long after its first face a stream looks for the most neutral frame."""
EASE_S = Fraction(3, 10)
"""How long a change of the reference takes, so that the image does not jump."""
_NOMINAL = FrameRate.parse(30)
_RESTING_HZ = 1.2
"""Cut-off of a resting face at full smoothing; it rises as smoothing is turned down."""
_BETA = {
    "rotation": 8.0, "scale": 20.0, "translation": 20.0, "expression": 20.0, "eyes": 10.0, "gaze": 10.0,
    "lips": 10.0, "blendshapes": 5.0,
}  # fmt: skip
"""Array -> how fast its cut-off rises with speed, so that blinks and turns hardly lag."""


class _Smoother:
    """One-Euro filters over all arrays of a motion."""

    def __init__(self, strength: float) -> None:
        hz = _RESTING_HZ / strength
        self._rotation = OneEuroRotation(OneEuroTuning(hz, _BETA["rotation"]))
        self._others = {
            name: OneEuroFilter(OneEuroTuning(hz, beta)) for name, beta in _BETA.items() if name != "rotation"
        }

    def step(self, motion: MotionFrame, time_s: Fraction) -> MotionFrame:
        """The smoothed motion at a time."""
        arrays: dict[str, NDArray[np.float32]] = {
            name: np.float32(one.filter(np.asarray(getattr(motion, name)), time_s))  # type: ignore[misc]
            for name, one in self._others.items()
        }
        rotation = self._rotation.filter(motion.rotation, time_s).astype(np.float32)
        return replace(motion, rotation=rotation, **arrays)  # type: ignore[arg-type]


class LiveMotion:
    """Takes what is measured, frame by frame, and gives what is to be drawn.

    The reference of relative motion: the most neutral frame of the first two seconds, taken over bit by bit as
    better ones come, or the frame whose number the settings name; ``recentre`` takes the face as it is now.
    """

    def __init__(self, settings: MotionSettings, on_lost: str) -> None:
        self._settings, self._on_lost = settings, on_lost
        self._smoother = _Smoother(settings.smoothing) if settings.smoothing > 0 else None
        self._measured: MotionFrame | None = None
        self._shown: MotionFrame | None = None
        self._lost_at: Fraction | None = None
        self._back_at: Fraction | None = None
        self._held: MotionFrame | None = None
        self._begun: Fraction | None = None
        self._unrest = np.inf
        self._goal: MotionFrame | None = None
        self._from: MotionFrame | None = None
        self._eased_since = Fraction(0)
        self._time_s = Fraction(0)

    def configure(self, settings: MotionSettings, on_lost: str) -> None:
        """Other settings, from the next frame on."""
        if settings.smoothing != self._settings.smoothing:
            self._smoother = _Smoother(settings.smoothing) if settings.smoothing > 0 else None
        if settings.reference != self._settings.reference:
            self._begun, self._unrest = None, np.inf
        self._settings, self._on_lost = settings, on_lost

    def step(self, measured: MotionFrame | None, index: int, time_s: Fraction) -> MotionFrame | None:
        """What is to be drawn now; None before the first face, confidence 0 where the source shall show.

        Args:
            measured: the performer's face; None where it is lost.
            index: number of the driver's frame, for a reference that is named by number.
            time_s: when, seconds; later than the last time.
        """
        self._time_s = time_s
        if measured is None:
            return self._without_face(time_s)
        smoothed = measured if self._smoother is None else self._smoother.step(measured, time_s)
        self._settle(measured, smoothed, index, time_s)
        self._measured = measured
        if self._lost_at is not None:
            self._held, self._back_at, self._lost_at = self._shown, time_s, None
        self._shown = self._eased_back(smoothed, time_s)
        return self._shown

    @property
    def reference(self) -> MotionFrame | None:
        """The reference now; None before the first face."""
        if self._from is None or self._goal is None:
            return self._goal
        share = float((self._time_s - self._eased_since) / EASE_S)
        if share >= 1:
            self._from = None
            return self._goal
        return between(self._from, self._goal, max(share, 0.0))

    @property
    def goal(self) -> MotionFrame | None:
        """The frame that the reference is, or is on its way to; None before the first face."""
        return self._goal

    def recentre(self) -> None:
        """Takes the face as it is now for the neutral one."""
        if self._shown is not None and self._shown.confidence > 0:
            self._aim(self._shown)
            self._begun, self._unrest = self._time_s - Fraction(SETTLING_S), 0.0

    def _aim(self, goal: MotionFrame) -> None:
        self._from, self._eased_since, self._goal = self.reference, self._time_s, goal

    def _settle(self, measured: MotionFrame, smoothed: MotionFrame, index: int, time_s: Fraction) -> None:
        if self._goal is None:
            self._goal = smoothed
        wanted = whole_number(self._settings.reference)
        if wanted is not None:
            if index == wanted and self._unrest > 0:
                self._aim(smoothed)
                self._unrest = 0.0
            return
        if self._begun is None:
            self._begun = time_s
        if time_s - self._begun > SETTLING_S or self._unrest == 0:
            return
        pair = [measured if self._measured is None else self._measured, measured]
        found = float(unrest(stack(pair, _NOMINAL, _rig_of(measured)))[1])
        if found < 0.8 * self._unrest:
            self._unrest = found
            self._aim(smoothed)

    def _without_face(self, time_s: Fraction) -> MotionFrame | None:
        if self._shown is None:
            return None
        if self._lost_at is None:
            self._lost_at = time_s
        if self._on_lost == "source":
            return replace(self._shown, confidence=np.float32(0))
        return self._shown

    def _eased_back(self, smoothed: MotionFrame, time_s: Fraction) -> MotionFrame:
        """Where gaps are interpolated, the image glides from what it held to what is there again."""
        if self._held is None or self._back_at is None or self._on_lost != "interpolate":
            return smoothed
        share = float((time_s - self._back_at) / EASE_S)
        if share >= 1:
            self._held = None
            return smoothed
        return between(self._held, smoothed, max(share, 0.0))


def _rig_of(motion: MotionFrame) -> str:
    return next(rig for rig, points in RIGS.items() if points == len(motion.expression))
