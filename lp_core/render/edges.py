"""What a render is handed: a source, a performance and where the result goes; no concrete part."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.frame import ClipInfo, Frame
from lp_core.media.base import AudioTrack, FrameSink, FrameSource, ResumableSink, SinkSpec
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.timeline import MotionRows
from lp_core.render.face_watch import FaceWatch
from lp_core.render.halved_watch import HalvedWatch
from lp_core.render.landmark_lag import without_lag
from lp_core.render.passes import FaceLog
from lp_core.render.pipeline import ReadAhead
from lp_core.settings import OutputSettings
from lp_core.timing import FrameRate, Timecode

BLOCK = 64
"""Motion frames read at a time: one read for each would cost more than the reading."""
QUEUE_DEPTH = 4
"""Frames that wait between two threads: enough to even out their pace, few enough for 4K."""


class Follower(Protocol):
    """Keeps to one face through a clip."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user, once the clip has ended."""
        ...

    def follow(
        self, faces: list[Face], width: int, height: int, picture: NDArray[np.uint8] | None = None
    ) -> Face | None:
        """The followed face among those of the next frame, (H, W, 3) RGB; None where it is not there."""
        ...


@dataclass(frozen=True)
class FilmedFace:
    """A clip in which one face is followed; each part is opened again by every pass that needs it."""

    name: str
    """File name, for messages."""
    info: ClipInfo
    """What its header says."""
    open: Callable[[], FrameSource]
    """Opens the clip."""
    open_analyzer: Callable[[int], FaceAnalyzer]
    """Opens a landmarker for the clip that finds at most so many faces."""
    open_follower: Callable[[], Follower]
    """Starts following the chosen face."""
    require: Callable[[list[Face], int, int], Face]
    """The chosen face of (faces, width, height); raises NoFace or FaceNotThere with the file's name."""
    face: str = ""
    """Which face, in the user's words or as a person's id."""

    def followed(
        self, report: Callable[[str], None], in_halves: bool = False
    ) -> Generator[tuple[Frame, Face | None]]:
        """Every frame with the followed face, None where it is lost; decoding runs in a separate thread.

        Faces do not lag behind their frames (lp_core.render.landmark_lag). A face that appears late is followed from
        then on; a face that never appears is reported after the last frame.

        Args:
            report: takes what the file's reader reports, sentence by sentence, after the last frame.
            in_halves: reads the second half of a long clip at the same time (lp_core.render.halved_watch).

        Raises:
            FaceNotThere: there are faces, but never the chosen one.
            NoFace: no frame of the clip shows a face.
        """
        with closing(self._read(report, in_halves)) as sightings:
            yield from without_lag(sightings)

    def _read(self, report: Callable[[str], None], in_halves: bool) -> Generator[tuple[Frame, Face | None]]:
        width, height = self.info.width, self.info.height
        follower, watch = self.open_follower(), self._open_watch(in_halves)
        found, others = False, list[Face]()
        try:
            with self.open() as source, ReadAhead(source, QUEUE_DEPTH, "decode") as frames:
                for frame in frames:
                    picture = frame.as_rgb8()
                    faces = watch.analyze(picture, None if self.info.is_still else frame.time_ms)
                    face = follower.follow(faces, width, height, picture)
                    watch.tell(faces, face)
                    found = found or face is not None
                    others = others or faces
                    yield frame, face
                for note in (*source.notes, *follower.notes):
                    report(note)
            if not found:
                self.require(others, width, height)
        finally:
            watch.close()

    def _open_watch(self, in_halves: bool) -> FaceWatch | HalvedWatch:
        if in_halves:
            return HalvedWatch(self.open_analyzer, self.open, self.info.frame_count or 0)
        return FaceWatch(self.open_analyzer)


@dataclass(frozen=True)
class Still:
    """A single image and its chosen face."""

    info: ClipInfo
    """What its header says."""
    frame: Frame
    """The image."""
    face: Face
    """The face that is animated."""


class Motion(MotionRows, Protocol):
    """A performance as data: in memory, on disk, or made as it is read."""

    @property
    def metadata(self) -> dict[str, str]:
        """Free text pairs."""
        ...

    def frame(self, index: int) -> MotionFrame:
        """The performance at one frame, 0 <= index < len."""
        ...


@dataclass(frozen=True)
class StoredMotion:
    """A performance that needs no analysis: a motion file or a built-in motion."""

    name: str
    """File name or ``demo:NAME``, for messages."""
    rig: str
    """Kind of rig of the motion."""
    open: Callable[[], AbstractContextManager[Motion]]
    """Opens it."""
    sound: Path | None = None
    """File with the voice that the motion is made of; None: it has none."""
    is_voice: bool = False
    """Whether a voice made it: then no landmarker has read it."""


@dataclass(frozen=True)
class TimeSlice:
    """A part of the whole result; its images are those of the whole at the same place."""

    start_s: Fraction = Fraction(0)
    """Time of its first frame within the whole; negative where held frames precede it."""
    length: int | None = None
    """Number of frames to draw of a still; None: as long as the performance. A video's own length counts."""
    ahead_s: Fraction = Fraction(0)
    """How far the performance runs ahead of the whole; negative where it begins later."""

    @property
    def performance_s(self) -> Fraction:
        """Time of its first frame within the performance."""
        return self.start_s + self.ahead_s


WHOLE = TimeSlice()
"""All of it."""


@dataclass(frozen=True)
class RenderTarget:
    """Where the result goes and how it is stored."""

    name: str
    """Final file name or frame pattern, for the summary."""
    open: Callable[[SinkSpec], FrameSink]
    """Opens the sink."""
    rate: FrameRate | None
    """Output rate; None: the filmed source's, else the performance's."""
    settings: OutputSettings
    """Codec, passes and whose audio track goes into the result."""
    audio_path: Path | None
    """File whose audio is copied; None: the result is silent."""
    first_number: int | None = None
    """Number of the first image of a sequence; None: the source's, else 1."""
    timecode: Timecode | None = None
    """Timecode of the first frame; None: the source's."""
    start_s: Fraction = Fraction(0)
    """Where in the sound's file the output begins."""
    open_log: Callable[[SinkSpec], FaceLog] | None = None
    """Opens what takes landmarks and confidence; None: they are not asked for."""
    discard_parts: Callable[[Path], None] = partial(shutil.rmtree, ignore_errors=True)
    """Removes the parts that a folder has, so that the work can start over."""
    open_parts: Callable[[SinkSpec, Path], ResumableSink] | None = None
    """Opens the same for writing in parts, with a folder for what must outlive a crash; None: it cannot."""

    @property
    def audio(self) -> str:
        """Whose audio the result carries: driving, source or none."""
        return "none" if self.audio_path is None else self.settings.audio

    def spec(self, info: ClipInfo, rate: FrameRate, comment: str) -> SinkSpec:
        """What the sink must know for images shaped like ``info``'s."""
        number = info.first_frame if self.first_number is None else self.first_number
        timecode = self.timecode or info.timecode
        return SinkSpec(
            width=info.width,
            height=info.height,
            rate=rate,
            bit_depth=info.bit_depth,
            has_alpha=info.has_alpha or self.settings.alpha == "matte",
            color=info.color,
            codec=self.settings.codec,
            quality=self.settings.quality,
            overwrite=self.settings.overwrite,
            audio=None if self.audio_path is None else AudioTrack(self.audio_path, self.start_s),
            metadata={"comment": comment},
            start_number=1 if number is None else number,
            alpha=info.alpha,
            sample_type=info.sample_type,
            exr_compression=self.settings.exr_compression,
            windows=info.windows,
            pixel_aspect=info.pixel_aspect,
            timecode=None if timecode is None else timecode.at_rate(rate),
            attributes=info.metadata,
        )
