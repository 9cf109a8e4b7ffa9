"""Live streams: driver -> analysis -> engine -> ring, each in a separate thread, the newest frame first.

Nothing queues: anyone who is free takes the newest frame there is. A change of settings takes effect with the next
image; only another portrait, engine or size is prepared while the old one goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lp_core.errors import LpError
from lp_core.faces.track import FaceTrack
from lp_core.link.ring import RingWriter
from lp_core.live.config import StreamConfig
from lp_core.live.defects import reporting_defects
from lp_core.live.drivers import DriverFrame, LiveDriver, SpeechWishes
from lp_core.live.latest import LatestValue
from lp_core.live.meter import LiveMeter
from lp_core.live.performer import Analysis, Measured, Renderer
from lp_core.live.scene_loader import Loader
from lp_core.live.scenes import Rgba, Scene
from lp_core.speech.lead import ShownImage

_WAIT_S = 0.1
_READER_S = 1.0
"""A reader that has not reported for so long shows nothing."""
_NEXT_S = 0.017
"""What a viewer that reports nothing adds, half an image of a screen at 30 a second."""
LOST_AFTER_S = 0.7
"""How long a face may be away before the stream says so."""


class LiveStream:
    """One stream; all its threads end with ``close``."""

    def __init__(
        self, name: str, config: StreamConfig, ring: Path, admit: Callable[[str], object] = str
    ) -> None:
        """Begins.

        Args:
            name: of the stream.
            config: what is shown.
            ring: file of its frames.
            admit: is given each file's name before it is opened; raises NotAllowed for what may not be read.

        Raises:
            WorkerError: the ring cannot be made.
            SettingError: a slider is wrong, or ``strict`` forbids a setting that has no effect.
            ConsentMissing: consent is demanded and not given.
            MissingDependency: the library of the watermark is not installed.
        """
        self.name, self.ring_path = name, ring
        self._config, self._admit = config, admit
        self._edits, self._notes, self._mark = config.edits(), config.notes(), config.open_mark()
        FaceTrack(config.settings.face.driving_face)
        self._ring = RingWriter(ring, 2, 2)
        self.meter = LiveMeter()
        self._problems: dict[str, str] = {}
        self._remark = ""
        self._told = ("", "")
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._scene: Scene | None = None
        self._picture: Rgba | None = None
        self._recentre = False
        self._made: ShownImage | None = None
        self._lost_since: float | None = None
        self._frames: LatestValue[DriverFrame] = LatestValue()
        self._measured: LatestValue[Measured] = LatestValue()
        self._loader = Loader(self._take_scene, partial(self._problem, "portrait"), admit)
        self._loader.load(config.wanted, config.settings)
        self._driver: LiveDriver | None = None
        self._retired: list[LiveDriver] = []
        self._threads = [
            threading.Thread(
                target=reporting_defects,
                args=(work, f"The live stream {name}", partial(self._problem, "defect")),
                name=f"live-{word}",
                daemon=True,
            )
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
            SettingError, ConsentMissing, MissingDependency: as when it begins; nothing has changed.
        """
        edits, notes, mark = config.edits(), config.notes(), config.open_mark()
        FaceTrack(config.settings.face.driving_face)
        with self._lock:
            before, self._config, self._edits = self._config, config, edits
            self._notes, self._mark = notes, mark
            if config.wanted != before.wanted:
                self._loader.load(config.wanted, config.settings)
            if config.driver != before.driver and self._scene is not None:
                self._start_driver(self._scene.engine.info.rig)
        self._changed.set()
        self._measured.wake()

    def recentre(self) -> None:
        """Takes the performer's face as it is now for the neutral one."""
        self._recentre = True

    def push(self, data: bytes) -> None:
        """Takes a frame of the client's.

        Raises:
            SettingError: it is not an image, or the stream has another driver.
        """
        with self._lock:
            driver = self._driver
        if driver is None:
            return  # the portrait is not ready; the newest frame counts anyway
        driver.push(data)

    def complain(self, sentence: str | None) -> None:
        """Reports a problem with what was asked of the stream; None clears it."""
        self._problem("request", sentence)

    @property
    def is_open(self) -> bool:
        """False once the stream ends."""
        return not self._stop.is_set()

    def beat(self) -> None:
        """Says that the stream lives; call it a few times a second."""
        with self._lock:
            if not self.is_open:
                return
            self._ring.beat()
            self.meter.see(self._ring.reader()[1])
            self._tell()

    @property
    def picture(self) -> Rgba | None:
        """The newest image, not to be written to; None before the first."""
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
            "notes": list(self._notes),
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
            drivers = [*self._retired, *([self._driver] if self._driver is not None else [])]
        for driver in drivers:
            driver.close()
        with self._lock:
            self._ring.close()

    def _problem(self, part: str, sentence: str | None) -> None:
        if sentence is None:
            self._problems.pop(part, None)
        else:
            self._problems[part] = sentence

    def _inform(self, sentence: str) -> None:
        """What is worth knowing while all is well."""
        self._remark = sentence

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
        return "running", self._remark

    def _shown(self) -> ShownImage | None:
        """The newest image that the ring's reader drew; where none reads, the newest that was made."""
        with self._lock:
            if not self.is_open:
                return None
            beat_ns, drawn = self._ring.reader()
            if drawn is None or time.monotonic_ns() - beat_ns > _READER_S * 1e9:
                return self._made
        return ShownImage(drawn.number, (drawn.drawn_ns - drawn.time_ns) / 1e9)

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
                self._start_driver(rig)
        self._changed.set()
        self._measured.wake()

    def _start_driver(self, rig: str) -> None:
        if self._driver is not None:
            self._driver.retire()
            self._retired = [old for old in [*self._retired, self._driver] if old.is_alive]
        self._problem("driver", None)
        self._inform("")
        self._lost_since = time.monotonic()
        self._driver = LiveDriver(
            self._config.driver, rig, self._frames, partial(self._problem, "driver"), self._admit,
            SpeechWishes(lambda: self._config.settings.speech, self._inform, self._shown),
        )  # fmt: skip
        self._loader.forget_samples()

    def _analyse(self) -> None:
        analysis = Analysis(self._loader)
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
        artist = Renderer()
        while not self._stop.is_set():
            measured = self._measured.take(_WAIT_S)
            changed = self._changed.is_set()
            if changed:  # cleared before the settings are read, so that no change is missed
                self._changed.clear()
            scene, config, edits, mark = self._scene, self._config, self._edits, self._mark
            if scene is None or not (changed or measured):
                continue
            if measured is not None:
                self._lost_since = (
                    None if measured.motion is not None else self._lost_since or time.monotonic()
                )
            if config.freeze and self._picture is not None:
                continue
            if self._recentre:
                self._recentre = False
                artist.recentre()
            try:
                picture = artist.draw(measured, scene, config, edits, mark)
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
            number = self._ring.write(picture, time_ns)
            self._made = ShownImage(number, (time.monotonic_ns() - time_ns) / 1e9 + _NEXT_S)
            self._tell()
            self.meter.drawn(time_ns, self._frames.dropped + self._measured.dropped)
        self._picture = picture
