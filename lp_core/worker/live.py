"""Live streams: driver -> analysis -> engine -> ring, each in a thread of its own, the newest frame first.

Nothing queues: whoever is free takes the newest frame there is. A change of settings takes effect with the next
picture; only another portrait, engine or size is made ready aside while the old one goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lp_core.engines.base import DrivingPicture
from lp_core.errors import LpError
from lp_core.faces.open import open_analyzer
from lp_core.faces.track import FaceTrack
from lp_core.frame import Frame
from lp_core.link.ring import RingWriter
from lp_core.motion.live import LiveMotion
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.sliders import EditCurves, make_curves
from lp_core.render.watch import FaceWatch
from lp_core.settings import LiveSettings, RenderSettings
from lp_core.worker.drivers import Driver, DriverFrame
from lp_core.worker.live_meter import LiveMeter
from lp_core.worker.loader import Loader
from lp_core.worker.newest import Newest
from lp_core.worker.scenes import Rgba, Scene, Wanted, finished

_WAIT_S = 0.1
LOST_AFTER_S = 0.7
"""How long a face may be away before the stream says so."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamConfig:
    """What a stream is asked to show."""

    portrait: str
    """Still picture, resolved and allowed."""
    driver: str
    """As ``drivers.check_driver`` gives it."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Face, motion, engine and sliders; the groups about files have no say here."""
    live: LiveSettings = field(default_factory=LiveSettings)
    """What only a live stream knows."""
    freeze: bool = False
    """True: the picture stands still."""
    portrait_step: int = 0
    """How many portraits further in the portrait's folder."""

    @property
    def wanted(self) -> Wanted:
        """The scene it needs."""
        return Wanted.of(self.portrait, self.portrait_step, self.settings, self.live)

    def edits(self) -> EditCurves:
        """Its sliders.

        Raises:
            SettingError: one is wrong.
        """
        sliders = self.settings.sliders
        return make_curves(sliders.edit, None if sliders.edit_file is None else Path(sliders.edit_file))


@dataclass(frozen=True)
class _Measured:
    """A driver's frame, read."""

    motion: MotionFrame | None
    driving: DrivingPicture | None
    index: int
    time_ns: int


class LiveStream:
    """One stream; all its threads end with ``close``."""

    def __init__(self, name: str, config: StreamConfig, ring: Path) -> None:
        """Begins.

        Raises:
            WorkerError: the ring cannot be made.
            SettingError: a slider is wrong.
        """
        self.name, self.ring_path = name, ring
        self._config = config
        self._edits = config.edits()
        FaceTrack(config.settings.face.driving_face)
        self._ring = RingWriter(ring, 2, 2)
        self.meter = LiveMeter()
        self._problems: dict[str, str] = {}
        self._told = ("", "")
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._scene: Scene | None = None
        self._picture: Rgba | None = None
        self._recentre = False
        self._lost_since: float | None = None
        self._frames: Newest[DriverFrame] = Newest()
        self._measured: Newest[_Measured] = Newest()
        self._loader = Loader(self._take_scene, partial(self._problem, "portrait"))
        self._loader.load(config.wanted, config.settings)
        self._driver: Driver | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"live-{word}", daemon=True)
            for word, work in (("analyse", self._analyse), ("draw", self._draw_all))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def config(self) -> StreamConfig:
        """What is shown now."""
        return self._config

    def update(self, config: StreamConfig) -> None:
        """Shows something else from the next frame on.

        Raises:
            SettingError: a slider or a face selector is wrong; nothing has changed.
        """
        edits = config.edits()
        FaceTrack(config.settings.face.driving_face)
        with self._lock:
            before, self._config, self._edits = self._config, config, edits
            if config.wanted != before.wanted:
                self._loader.load(config.wanted, config.settings)
            if config.driver != before.driver and self._driver is not None:
                self._start_driver()
        self._changed.set()
        self._measured.wake()

    def recentre(self) -> None:
        """Takes the performer's face as it is now for the neutral one."""
        self._recentre = True

    def push(self, data: bytes) -> None:
        """Takes a frame of the client's.

        Raises:
            SettingError: it is no picture, or the stream has another driver.
        """
        with self._lock:
            driver = self._driver
        if driver is None:
            return  # the portrait is not ready; the newest frame counts anyway
        driver.push(data)

    def beat(self) -> None:
        """Says that the stream lives; call it a few times a second."""
        with self._lock:
            self._ring.beat()
            self.meter.see(self._ring.reader()[1])
            self._tell()

    @property
    def picture(self) -> Rgba | None:
        """The newest picture, not to be written to; None before the first."""
        return self._picture

    def status(self) -> dict[str, Any]:
        """State, message and figures, as plain values."""
        state, message = self._state()
        with self._lock:
            width, height = self._ring.width, self._ring.height
        return {
            "id": self.name,
            "state": state,
            "message": message,
            "ring": str(self.ring_path),
            "width": width,
            "height": height,
            **self.meter.figures(),
        }

    def close(self) -> None:
        """Ends everything and removes the ring; may be called twice."""
        self._stop.set()
        self._measured.wake()
        for thread in self._threads:
            thread.join()
        self._loader.close()
        with self._lock:
            if self._driver is not None:
                self._driver.close()
            self._ring.close()

    def _problem(self, part: str, sentence: str | None) -> None:
        if sentence is None:
            self._problems.pop(part, None)
        else:
            self._problems[part] = sentence

    def _state(self) -> tuple[str, str]:
        problems = " ".join(dict(self._problems).values())
        if self._scene is None:
            return ("failed", problems) if problems else ("starting", "The portrait is being prepared.")
        if problems:
            return "failed", problems
        if self._config.freeze:
            return "frozen", ""
        lost = self._lost_since
        if lost is not None and time.monotonic() - lost > LOST_AFTER_S:
            return "no_face", "The driver shows no face."
        return "running", ""

    def _tell(self) -> None:
        state = self._state()
        if state != self._told:
            self._ring.tell(*state)
            self._told = state

    def _take_scene(self, scene: Scene) -> None:
        """A scene is ready: the next frame shows it."""
        with self._lock:
            before, self._scene = self._scene, scene
            rig = scene.engine.info.rig
            if self._driver is None or before is None or before.engine.info.rig != rig:
                self._start_driver()
        self._changed.set()
        self._measured.wake()

    def _start_driver(self) -> None:
        assert self._scene is not None
        if self._driver is not None:
            self._driver.close()
        self._problem("driver", None)
        self._lost_since = time.monotonic()
        name, rig = self._config.driver, self._scene.engine.info.rig
        self._driver = Driver(name, rig, self._frames, partial(self._problem, "driver"))
        self._loader.forget_samples()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Runs a thread's work; a defect ends the thread and is told, not swallowed."""
        try:
            work()
        except Exception as error:
            _log.exception("The live stream %s ended by a defect", self.name)
            self._problem("defect", f"The stream ended by a defect of LP Suite: {error}.")

    def _analyse(self) -> None:
        analysis = _Analysis(self._loader)
        try:
            while not self._stop.is_set():
                frame, scene = self._frames.take(_WAIT_S), self._scene
                if frame is not None and scene is not None:
                    try:
                        measured = analysis.read(frame, scene, self._config)
                    except LpError as error:
                        self._problem("analysis", str(error))
                        continue
                    self._problem("analysis", None)
                    self._measured.put(measured)
        finally:
            analysis.close()

    def _draw_all(self) -> None:
        artist = _Artist()
        while not self._stop.is_set():
            measured = self._measured.take(_WAIT_S)
            changed = self._changed.is_set()
            self._changed.clear()
            scene, config, edits = self._scene, self._config, self._edits
            if scene is None or not (changed or measured):
                continue
            if measured is not None:
                self._lost_since = None if measured.motion is not None else self._lost_since or time.monotonic()
            if config.freeze and self._picture is not None:
                continue
            if self._recentre:
                self._recentre = False
                artist.recentre()
            try:
                picture = artist.draw(measured, scene, config, edits)
            except LpError as error:
                self._problem("drawing", str(error))
                continue
            self._problem("drawing", None)
            self._show(picture, time.monotonic_ns() if measured is None else measured.time_ns)

    def _show(self, picture: Rgba, time_ns: int) -> None:
        height, width = picture.shape[:2]
        with self._lock:
            if (self._ring.width, self._ring.height) != (width, height):
                old = self._ring
                self._ring = RingWriter(self.ring_path, width, height)
                self._told = ("", "")
                old.close()
            self._ring.write(picture, time_ns)
            self._tell()
            self.meter.drawn(time_ns, self._frames.dropped + self._measured.dropped)
        self._picture = picture


class _Analysis:
    """Reads the performer's face off driving pictures."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._watch: FaceWatch | None = None
        self._track: FaceTrack | None = None
        self._selector = ""
        self._last_ms = -1

    def read(self, frame: DriverFrame, scene: Scene, config: StreamConfig) -> _Measured:
        """The frame's motion; None in it where there is no face."""
        if frame.motion is not None:
            self._loader.offer(frame.motion, None, None)
            return _Measured(frame.motion, None, frame.index, frame.time_ns)
        assert frame.pixels is not None
        pixels = np.ascontiguousarray(frame.pixels[:, ::-1]) if config.live.mirror else frame.pixels
        if self._watch is None:
            self._watch = FaceWatch(lambda limit: open_analyzer(is_video=True, max_faces=limit))
        if self._track is None or self._selector != config.settings.face.driving_face:
            self._selector = config.settings.face.driving_face
            self._track = FaceTrack(self._selector)
        self._last_ms = max(frame.time_ns // 1_000_000, self._last_ms + 1)
        faces = self._watch.analyze(pixels, self._last_ms)
        face = self._track.follow(faces, pixels.shape[1], pixels.shape[0])
        self._watch.tell(faces, face)
        if face is None:
            return _Measured(None, None, frame.index, frame.time_ns)
        picture = Frame(pixels, frame.index, Fraction(frame.time_ns, 10**9))
        motion = scene.engine.read_motion(picture, face)
        self._loader.offer(motion, pixels, face.landmarks_frame)
        return _Measured(motion, DrivingPicture(pixels, face.landmarks_frame), frame.index, frame.time_ns)

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()


class _Artist:
    """Draws what was measured, and the last of it again where only the settings changed."""

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._under: Scene | None = None
        self._settings: RenderSettings | None = None
        self._live: LiveMotion | None = None
        self._last: tuple[MotionFrame, DrivingPicture | None] | None = None
        self._count = 0
        self._time_ns = -1

    def recentre(self) -> None:
        if self._live is not None:
            self._live.recentre()

    def draw(
        self, measured: _Measured | None, scene: Scene, config: StreamConfig, edits: EditCurves
    ) -> Rgba:
        """The picture now."""
        under = self._configure(scene, config)
        if measured is not None and measured.time_ns > self._time_ns:
            self._step(measured)
        self._count += 1
        assert self._live is not None
        reference = self._live.reference
        if self._last is None or reference is None or self._last[0].confidence == 0:
            return scene.picture
        motion, driving = self._last
        edit = edits.at(self._count)
        return finished(under.engine.animate(under.portrait, motion, reference, driving, edit), config.live)

    def _configure(self, scene: Scene, config: StreamConfig) -> Scene:
        motion, on_lost = config.settings.motion, config.settings.face.on_lost
        if self._scene is not None and self._scene.engine.info.rig != scene.engine.info.rig:
            self._live = self._last = None
        if self._live is None:
            self._live = LiveMotion(motion, on_lost)
        if self._under is None or scene is not self._scene or config.settings is not self._settings:
            self._live.configure(motion, on_lost)
            self._under = scene.under(config.settings)
            self._scene, self._settings = scene, config.settings
        return self._under

    def _step(self, measured: _Measured) -> None:
        assert self._live is not None
        self._time_ns = measured.time_ns
        time_s = Fraction(measured.time_ns, 10**9)
        motion = self._live.step(measured.motion, measured.index, time_s)
        if motion is not None:
            driving = measured.driving or (None if self._last is None else self._last[1])
            self._last = motion, driving

