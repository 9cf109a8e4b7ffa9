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
        self._known: dict[int, F64 | None] = {}

    def at(self, portrait: Any, time_s: Fraction) -> F64 | None:  # noqa: ANN401 - the engine's own Portrait
        """The average around a time; None where the portrait's tuning corrects nothing.

        The window shrinks towards both ends of the performance, and pairs of frames of which one is lost do not
        count, as in lp_core.motion.smoothing.

        Args:
            portrait: result of ``prepare`` of the engine.
            time_s: as for MotionTimeline.at.
        """
        index, rest = self._timeline.place(time_s)
        found = []
        for frame, share in ((index, 1 - rest), (index + 1, rest)):
            average = self._average(portrait, frame) if share > 0 else None
            if average is not None:
                found.append((float(share), average))
        if not found:
            return None
        return np.asarray(sum(share * average for share, average in found) / sum(share for share, _ in found))

    def _average(self, portrait: Any, index: int) -> F64 | None:  # noqa: ANN401
        """The average around a frame of the performance; None where that is lost or not corrected."""
        radius = len(self._kernel) // 2
        reach = min(radius, index, len(self._timeline) - 1 - index)
        self._known = {at: one for at, one in self._known.items() if abs(at - index) <= radius}
        found = [self._at_frame(portrait, at) for at in range(index - reach, index + reach + 1)]
        own = found[reach]
        if own is None:
            return None
        counts = np.array([one is not None for one in found], np.float64)
        weights = self._kernel[radius - reach : radius + reach + 1] * counts * counts[::-1]
        average: F64 = (weights / weights.sum()) @ np.array([own if one is None else one for one in found])
        return average

    def _at_frame(self, portrait: Any, index: int) -> F64 | None:  # noqa: ANN401
        if index not in self._known:
            motion = self._timeline.frame(index)
            is_seen = motion.confidence > 0
            self._known[index] = self._engine.slow_correction(portrait, motion) if is_seen else None
        return self._known[index]
