"""Makes scenes ready in a separate thread, so that the image goes on meanwhile, and calibrates them."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import TrialFrame
from lp_core.errors import LpError
from lp_core.faces.open import open_analyzer
from lp_core.geometry.facemesh import NEUTRAL
from lp_core.live.defects import reporting_defects
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


@dataclass
class _Seen:
    """What was seen of one performance with one portrait."""

    sample: PerformanceSample | None
    """None once the portrait was calibrated with it."""
    since: float = field(default_factory=time.monotonic)
    calm: tuple[float, MotionFrame] | None = None
    """How restless the calmest frame is, and that frame."""
    is_enough: bool = False

    def take_in(
        self,
        motion: MotionFrame,
        rig: str,
        picture: NDArray[np.uint8] | None,
        landmarks: NDArray[np.float32] | None,
    ) -> None:
        """Looks at the next frame."""
        assert self.sample is not None  # noqa: S101 - it is taken only after enough was seen
        self.sample.offer(motion, picture, landmarks)
        rest = float(unrest(stack([motion, motion], _NOMINAL, rig))[0])
        if self.calm is None or rest < self.calm[0]:
            self.calm = rest, motion


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
        self._seen: _Seen | None = None
        work = (self._run, "Loading portraits", say)
        self._thread = threading.Thread(target=reporting_defects, args=work, name="live-load", daemon=True)
        self._thread.start()

    def load(self, wanted: SceneKey, settings: RenderSettings) -> None:
        """Asks for a scene; an earlier request that has not begun is dropped."""
        with self._there:
            self._wanted = wanted, settings
            self._there.notify()

    def forget_samples(self) -> None:
        """Another performer: what was seen of the last one does not count."""
        self._seen = None

    def offer(
        self, motion: MotionFrame, picture: NDArray[np.uint8] | None, landmarks: NDArray[np.float32] | None
    ) -> None:
        """Looks at a measured frame; once enough were seen the calibration begins. Called by one thread."""
        calibration, scene = self._settings.mesh.calibration, self._scene
        if calibration == "off" or scene is None:
            return
        seen = self._seen  # another thread may forget it at any moment
        if seen is None:
            self._seen = seen = _Seen(PerformanceSample(DENSITIES[calibration]))
        if seen.is_enough:
            return
        seen.take_in(motion, scene.engine.info.rig, picture, landmarks)
        if time.monotonic() - seen.since > LISTEN_S:
            with self._there:
                seen.is_enough = True
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
        seen = self._seen
        return seen is not None and seen.is_enough and seen.sample is not None

    def _load(self, wanted: SceneKey, settings: RenderSettings) -> None:
        scene = make_scene(wanted, settings, self._scene, self._admit)
        self._say(None)
        self._scene, self._settings = scene, settings
        self.forget_samples()
        self._take(scene)

    def _tune(self) -> None:
        scene, seen = self._scene, self._seen
        if scene is None or seen is None or seen.sample is None or seen.calm is None:
            return
        samples, calm = seen.sample.samples, seen.calm[1]
        seen.sample = None  # used once: another performer or portrait makes a new one
        if not scene.engine.info.calibrates:
            return
        with ThreadPoolExecutor(1, "live-calibrate", _give_way) as pool:
            tuned = pool.submit(_tuned, scene, self._settings, samples, calm).result()
        with self._there:
            is_stale = self._is_closed or self._wanted is not None or self._seen is not seen
        if not is_stale:
            self._scene = tuned
            self._take(tuned)


def _tuned(scene: Scene, settings: RenderSettings, samples: Sequence[TrialFrame], calm: MotionFrame) -> Scene:
    """The scene with its portrait calibrated for what was seen."""
    engine = scene.engine.with_settings(settings)
    is_voice = calm.blendshapes[NEUTRAL] > 0.5
    analyzers = partial(open_analyzer, is_video=not is_voice)
    tuning = engine.tune(scene.portrait, samples, calm, analyzers, in_batches)
    return replace(scene, portrait=engine.prepare(scene.portrait.source, scene.face, tuning))


def _give_way() -> None:
    """This thread and those it starts leave the processor to the live image, where the system can do that."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
