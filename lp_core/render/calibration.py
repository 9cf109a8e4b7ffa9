"""Calibration: trials on the portrait before a render, and the survey of a filmed source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import NO_TUNING, Performance, Portrait, TrialFrame, Tuning
from lp_core.faces.base import Face, FaceAnalyzer, Sightings
from lp_core.frame import Frame
from lp_core.motion.timeline import MotionTimeline
from lp_core.render.drawing import in_batches
from lp_core.render.edges import FilmedFace
from lp_core.render.report import Listener, Meter

if TYPE_CHECKING:
    from lp_core.render.render import Render


def needs_trials(render: Render, samples: Sequence[TrialFrame]) -> bool:
    """Whether ``tune`` would find anything."""
    return render.trial_analyzer is not None and bool(samples) and render.engine.info.calibrates


def tune(
    render: Render,
    timeline: MotionTimeline,
    samples: Sequence[TrialFrame],
    portrait: Portrait,
    listener: Listener | None,
) -> Tuning:
    """The tuning of a portrait to a performance, found by trial; nothing where the settings ask for no trials."""
    if render.trial_analyzer is None or not needs_trials(render, samples):
        return NO_TUNING
    watched = _watched(render.trial_analyzer, listener, render.clock)
    draw = in_batches if render.helpers is None else render.helpers.draw
    return render.engine.tune(portrait, samples, timeline.reference, watched, draw)


def survey(
    render: Render,
    timeline: MotionTimeline,
    open_followed: Callable[[], AbstractContextManager[Iterator[tuple[Frame, Face | None]]]],
) -> Tuning:
    """What the engine finds in a filmed source before its first frame; nothing where it need not look.

    Args:
        render: the render.
        timeline: its performance.
        open_followed: opens every frame of the source with the face that is animated.
    """
    source = render.source
    if not (isinstance(source, FilmedFace) and render.engine.info.surveys_plates):
        return NO_TUNING
    rate, start_s = source.info.rate, render.part.performance_s
    performance = Performance(
        lambda frame: timeline.at(max(start_s + rate.time_s(frame.index), Fraction(0))),
        timeline.reference,
        len(timeline),
    )
    with open_followed() as followed:
        return render.engine.survey(followed, performance)


class _WatchedAnalyzer:
    """Counts the images that are tried, so that calibration shows progress and can be stopped."""

    def __init__(self, analyzer: FaceAnalyzer, step: Callable[[], None]) -> None:
        self._analyzer, self._step = analyzer, step
        self.scheme = analyzer.scheme

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None = None) -> list[Face]:
        self._step()
        return self._analyzer.analyze(picture, time_ms)

    def survey(self, picture: NDArray[np.uint8]) -> Sightings:
        """All that is found in a lone image; it is not a trial."""
        return self._analyzer.survey(picture)

    def close(self) -> None:
        self._analyzer.close()


def _watched(
    open_analyzer: Callable[[], FaceAnalyzer], listener: Listener | None, clock: Callable[[], float]
) -> Callable[[], FaceAnalyzer]:
    meter, lock = Meter("calibrate", None, listener, clock), threading.Lock()

    def step() -> None:
        with lock:  # trial images are read in separate threads
            meter.step()

    return lambda: _WatchedAnalyzer(open_analyzer(), step)
