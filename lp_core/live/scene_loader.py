"""Makes scenes ready in a separate thread, so that the image goes on meanwhile, and calibrates them."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import LpError
from lp_core.faces.open import open_analyzer
from lp_core.geometry.facemesh import NEUTRAL
from lp_core.live.scenes import Scene, SceneKey, make_scene
from lp_core.motion.reference import unrest
from lp_core.motion.sequence import MotionFrame, stack
from lp_core.render.drawing import in_batches
from lp_core.render.performance_sample import DENSITIES, PerformanceSample
from lp_core.settings import RenderSettings
from lp_core.timing import FrameRate

LISTEN_S = 5.0
"""How long a performance is sampled before the portrait is calibrated for it."""
_NICENESS = 10
_NOMINAL = FrameRate.parse(30)


class Loader:
    """Loads what was asked for last; then, once enough of the performance was seen, calibrates it."""

    def __init__(
        self,
        take: Callable[[Scene], None],
        say: Callable[[str | None], None],
        admit: Callable[[str], object] = str,
    ) -> None:
        """Begins its thread.

        Args:
            take: gets each scene that is ready.
            say: takes a sentence when something is wrong, None when it is right again.
            admit: see ``make_scene``.
        """
        self._admit = admit
        self._take, self._say = take, say
        self._there = threading.Condition()
        self._wanted: tuple[SceneKey, RenderSettings] | None = None
        self._is_closed = False
        self._scene: Scene | None = None
        self._settings = RenderSettings()
        self._sample: PerformanceSample | None = None
        self._calm: tuple[float, MotionFrame] | None = None
        self._since: float | None = None
        self._tunes = False
        self._thread = threading.Thread(target=self._run, name="live-load", daemon=True)
        self._thread.start()

    def load(self, wanted: SceneKey, settings: RenderSettings) -> None:
        """Asks for a scene; an earlier request that has not begun is dropped."""
        with self._there:
            self._wanted = wanted, settings
            self._there.notify()

    def forget_samples(self) -> None:
        """Another performer: what was seen of the last one does not count."""
        self._sample, self._calm, self._since, self._tunes = None, None, None, False

    def offer(
        self, motion: MotionFrame, picture: NDArray[np.uint8] | None, landmarks: NDArray[np.float32] | None
    ) -> None:
        """Looks at a measured frame; once enough were seen the calibration begins. Called by one thread."""
        calibration = self._settings.mesh.calibration
        if calibration == "off" or self._scene is None or self._tunes:
            return
        if self._sample is None or self._since is None:
            self._sample, self._since = PerformanceSample(DENSITIES[calibration]), time.monotonic()
        self._sample.offer(motion, picture, landmarks)
        pair = stack([motion, motion], _NOMINAL, self._scene.engine.info.rig)
        rest = float(unrest(pair)[0])
        if self._calm is None or rest < self._calm[0]:
            self._calm = rest, motion
        if time.monotonic() - self._since > LISTEN_S:
            with self._there:
                self._tunes = True
                self._there.notify()

    def close(self) -> None:
        """Ends the thread, after what it is at; may be called twice."""
        with self._there:
            self._is_closed = True
            self._there.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._there:
                while not (self._is_closed or self._wanted or self._may_tune()):
                    self._there.wait()
                if self._is_closed:
                    return
                request, self._wanted = self._wanted, None
            try:
                if request is not None:
                    self._load(*request)
                else:
                    self._tune()
            except LpError as error:
                self._say(str(error))

    def _may_tune(self) -> bool:
        return self._tunes and self._sample is not None

    def _load(self, wanted: SceneKey, settings: RenderSettings) -> None:
        scene = make_scene(wanted, settings, self._scene, self._admit)
        self._say(None)
        self._scene, self._settings = scene, settings
        self.forget_samples()
        self._take(scene)

    def _tune(self) -> None:
        scene, sample, calm = self._scene, self._sample, self._calm
        self._sample = None  # seen once: another performer or portrait makes a new one
        if scene is None or sample is None or calm is None or not scene.engine.info.calibrates:
            return
        found: list[Scene] = []
        failed: list[LpError] = []

        def tune() -> None:
            _give_way()
            engine = scene.engine.with_settings(self._settings)
            is_voice = calm[1].blendshapes[NEUTRAL] > 0.5
            analyzers = partial(open_analyzer, is_video=not is_voice)
            try:
                tuning = engine.tune(scene.portrait, sample.samples, calm[1], analyzers, in_batches)
                portrait = engine.prepare(scene.portrait.source, scene.face, tuning)
            except LpError as error:
                failed.append(error)
            else:
                found.append(replace(scene, portrait=portrait))

        thread = threading.Thread(target=tune, name="live-calibrate", daemon=True)
        thread.start()
        thread.join()
        for error in failed:
            raise error
        with self._there:
            is_stale = self._is_closed or self._wanted is not None or not self._tunes
        if not is_stale:
            self._scene = found[0]
            self._take(found[0])


def _give_way() -> None:
    """This thread and those it starts leave the processor to the live image, where the system can do that."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
