"""Corrections of a performance, averaged over neighboring frames, so that a calm face does not tremble.

What calibration finds depends on everything the performer's face does, and so it trembles with what the landmarker
trembles. A face drifts away from its reading slowly, if at all: the average is as right, and calm.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Engine
from lp_core.motion.smoothing import zero_phase_kernel
from lp_core.motion.timeline import MotionTimeline

STRENGTH = 0.75
"""Of the smoothing, as the user's own: over about a syllable. Less leaves more of the trembling, and more flattens what
is right for one syllable alone (benchmarks/closed_loop.py, jitter and gain of the jaw)."""

F64 = NDArray[np.float64]


class CalmCorrections:
    """The averages, at any time of a performance; holds those of a few frames."""

    def __init__(self, engine: Engine, timeline: MotionTimeline) -> None:
        self._engine, self._timeline = engine, timeline
        self._kernel = zero_phase_kernel(STRENGTH, timeline.rate)
        self._known: dict[int, tuple[F64, bool]] = {}

    def at(self, portrait: Any, time_s: Fraction) -> F64 | None:  # noqa: ANN401 - the engine's own Portrait
        """The average around a time; None where the portrait's tuning corrects nothing.

        The window shrinks towards both ends of the performance, and pairs of frames of which one is lost do not
        count, as in lp_core.motion.smoothing.

        Args:
            portrait: result of ``prepare`` of the engine.
            time_s: as for MotionTimeline.at.
        """
        index, rest = self._timeline.place(time_s)
        found = self._average(portrait, index)
        if found is None or rest == 0:
            return found
        after = self._average(portrait, index + 1)
        return None if after is None else found + float(rest) * (after - found)

    def _average(self, portrait: Any, index: int) -> F64 | None:  # noqa: ANN401
        radius = len(self._kernel) // 2
        reach = min(radius, index, len(self._timeline) - 1 - index)
        self._known = {at: one for at, one in self._known.items() if abs(at - index) <= radius}
        found, weights = [], self._kernel[radius - reach : radius + reach + 1].copy()
        for place, at in enumerate(range(index - reach, index + reach + 1)):
            value, is_there = self._at_frame(portrait, at)
            if value is None:
                return None
            found.append(value)
            if not is_there:
                weights[[place, -1 - place]] = 0
        weights[reach] = self._kernel[radius]  # the frame itself always counts
        average: F64 = (weights / weights.sum()) @ np.array(found)
        return average

    def _at_frame(self, portrait: Any, index: int) -> tuple[F64 | None, bool]:  # noqa: ANN401
        """The correction at a frame of the performance, and whether its face was seen."""
        if index not in self._known:
            motion = self._timeline.frame(index)
            found = self._engine.slow_correction(portrait, motion)
            if found is None:
                return None, False
            self._known[index] = found, bool(motion.confidence > 0)
        return self._known[index]
