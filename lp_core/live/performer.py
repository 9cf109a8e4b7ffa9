"""The two hard-working parts of a live stream: reading the performer's face, and drawing the portrait."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import DrivingPicture
from lp_core.faces.open import open_analyzer
from lp_core.faces.track import FaceTrack
from lp_core.frame import Frame
from lp_core.geometry.dense_field import DenseReference
from lp_core.live.config import StreamConfig
from lp_core.live.drivers import DriverFrame
from lp_core.live.scene_loader import Loader
from lp_core.live.scenes import Rgba, Scene, finished, marked
from lp_core.motion.implicit.edit import EditCurves
from lp_core.motion.live import LiveMotion
from lp_core.motion.sequence import MotionFrame
from lp_core.provenance.open_watermark import WatermarkReader
from lp_core.render.face_watch import FaceWatch
from lp_core.settings import RenderSettings


@dataclass(frozen=True)
class Measured:
    """A driver's frame, read."""

    motion: MotionFrame | None
    """The performer's face; None where it is lost."""
    driving: DrivingPicture | None
    """The image it was read from; None for motions."""
    index: int
    """Number of the driver's frame."""
    time_ns: int
    """When it was there, monotonic clock."""


class Analysis:
    """Reads the performer's face off driving images."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._watch: FaceWatch | None = None
        self._track: FaceTrack | None = None
        self._selector = ""
        self._last_ms = -1

    def read(self, frame: DriverFrame, scene: Scene, config: StreamConfig) -> Measured:
        """The frame's motion; None in it where there is no face."""
        if frame.motion is not None:
            self._loader.offer(frame.motion, None, None)
            return Measured(frame.motion, None, frame.index, frame.time_ns)
        if frame.pixels is None:
            return Measured(None, None, frame.index, frame.time_ns)
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
            return Measured(None, None, frame.index, frame.time_ns)
        picture = Frame(pixels, frame.index, Fraction(frame.time_ns, 10**9))
        motion = scene.engine.read_motion(picture, face)
        self._loader.offer(motion, pixels, face.landmarks_frame)
        return Measured(motion, DrivingPicture(pixels, face.landmarks_frame), frame.index, frame.time_ns)

    def close(self) -> None:
        """Releases the landmarker."""
        if self._watch is not None:
            self._watch.close()


class Renderer:
    """Draws what was measured, and the last of it again where only the settings changed."""

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._under: Scene | None = None
        self._settings: RenderSettings | None = None
        self._live: LiveMotion | None = None
        self._last: tuple[MotionFrame, DrivingPicture | None] | None = None
        self._neutral: DenseReference | None = None
        self._neutral_of: MotionFrame | None = None
        self._count = 0
        self._time_ns = -1

    def recentre(self) -> None:
        """Takes the face as it is now for the neutral one."""
        if self._live is not None:
            self._live.recentre()
            driving = None if self._last is None else self._last[1]
            if driving is not None and driving.pixels is not None:
                self._take_neutral(driving.pixels, driving.landmarks_frame, self._live)

    def draw(
        self,
        measured: Measured | None,
        scene: Scene,
        config: StreamConfig,
        edits: EditCurves,
        mark: WatermarkReader | None = None,
    ) -> Rgba:
        """The frame now, with the invisible mark where one is given."""
        under, live = self._configure(scene, config)
        if measured is not None and measured.time_ns > self._time_ns:
            self._step(measured, live)
        self._count += 1
        reference = live.reference
        if self._last is None or reference is None or self._last[0].confidence == 0:
            return scene.picture
        motion, driving = self._last
        edit = edits.at(self._count)
        drawn = under.engine.animate(under.portrait, motion, reference, driving, edit)
        drawn = marked(drawn, mark, self._count, Fraction(self._time_ns, 10**9))
        return finished(drawn, config.live)

    def _configure(self, scene: Scene, config: StreamConfig) -> tuple[Scene, LiveMotion]:
        motion, on_lost = config.motion, config.settings.face.on_lost
        if self._scene is not None and self._scene.engine.info.rig != scene.engine.info.rig:
            self._live = self._last = None
        if self._live is None:
            self._live = LiveMotion(motion, on_lost)
        if self._under is None or scene is not self._scene or config.settings is not self._settings:
            self._live.configure(motion, on_lost)
            self._under = scene.under(config.settings)
            self._scene, self._settings = scene, config.settings
        return self._under, self._live

    def _step(self, measured: Measured, live: LiveMotion) -> None:
        self._time_ns = measured.time_ns
        time_s = Fraction(measured.time_ns, 10**9)
        motion = live.step(measured.motion, measured.index, time_s)
        if motion is not None:
            held = None if self._last is None or measured.motion is not None else self._last[1]
            driving = measured.driving or held
            self._last = motion, self._with_dense_motion(driving, live)

    def _with_dense_motion(self, driving: DrivingPicture | None, live: LiveMotion) -> DrivingPicture | None:
        """The driving image with its dense motion, where the engine uses it; a held one keeps what it has."""
        if self._under is None or not self._under.engine.info.uses_dense_motion:
            return driving
        if driving is None or driving.pixels is None:
            return driving
        if live.goal is not self._neutral_of:
            self._take_neutral(driving.pixels, driving.landmarks_frame, live)
        if driving.dense is not None or self._neutral is None:
            return driving
        with_shade = self._under.engine.info.uses_shading
        dense = self._neutral.motion(driving.pixels, driving.landmarks_frame, with_shade)
        return replace(driving, dense=dense)

    def _take_neutral(
        self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32], live: LiveMotion
    ) -> None:
        self._neutral_of, self._neutral = live.goal, DenseReference.of(pixels, landmarks)
