"""What drives a live stream: a camera, a network stream, a looped video, a motion, or frames the client pushes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import count
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import LpError, SettingError
from lp_core.geometry.warp import reduce
from lp_core.live.defects import reporting_defects
from lp_core.live.latest import LatestValue
from lp_core.media.bounds import check_size
from lp_core.media.camera import Camera, is_stream_address
from lp_core.media.image.headers import read_header
from lp_core.media.open import open_source
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.sequence import MotionFrame
from lp_core.performance_name import (
    BUILTIN,
    CAMERA,
    MICROPHONE,
    PUSH,
    SPEECH,
    STORED,
    is_builtin,
    parse,
    speech_file,
    with_file,
)
from lp_core.performances import stored_motion
from lp_core.settings import SpeechSettings
from lp_core.speech.lead import ShownImage

LARGEST_PX = 720
"""Height above which driving images are reduced: more gains nothing for a face and costs time."""
MOST_PUSHED_BYTES = 32 << 20
RETRY_S = 1.0
"""How long after a failure a driver is opened again."""

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class DriverFrame:
    """One frame of the performance."""

    pixels: Rgb | None
    """(H, W, 3) RGB; None where the driver is a motion."""
    motion: MotionFrame | None
    """Where the driver is a motion."""
    index: int
    """Number in the video or motion, or since the start."""
    time_ns: int
    """When it was there, monotonic clock."""


@dataclass(frozen=True)
class SpeechWishes:
    """What a driver that is a voice needs."""

    settings: Callable[[], SpeechSettings] = SpeechSettings
    """The settings as they are now."""
    inform: Callable[[str], object] = str
    """Takes a sentence with the level of the sound and its delay."""
    shown: Callable[[], ShownImage | None] = lambda: None
    """The newest image that was shown; None: nobody says."""


def check_driver(name: str, readable: Callable[[str], str]) -> str:
    """The driver's name with its path resolved.

    Args:
        name: ``camera:0``, ``camera:/dev/video0``, a stream's address, ``push``, ``demo:NAME``, a motion file or
            a video; ``microphone``, ``microphone:NAME``, or a file with a voice.
        readable: resolves a path and refuses what may not be read.

    Raises:
        LpError: it may not be read, or the words are none of these.
    """
    if not name or "\0" in name:
        raise SettingError(
            "The driver is empty; name a camera, a video, a stream's address, a motion or push."
        )
    is_named = is_stream_address(name) or parse(name).kind in (PUSH, CAMERA, BUILTIN, MICROPHONE)
    return name if is_named else with_file(name, readable)


def _decoded(data: bytes) -> Rgb:
    """A pushed image: (H, W, 3) RGB.

    Raises:
        SettingError: it is none.
        UnreadableMedia: it is too large.
    """
    header = read_header(data)
    if header.size is not None:
        check_size("The pushed frame", *header.size)
    known = data and header.kind != "unknown"
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if known else None
    if picture is None:
        raise SettingError("The frame is not an image that can be decoded; push JPEG or PNG.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


class LiveDriver:
    """A thread that delivers a performance, newest frame first; opened again when it fails."""

    def __init__(
        self,
        name: str,
        rig: str,
        out: LatestValue[DriverFrame],
        say: Callable[[str | None], None],
        admit: Callable[[str], object] = str,
        speech: SpeechWishes | None = None,
    ) -> None:
        """Begins.

        Args:
            name: as ``check_driver`` gives it.
            rig: which motion a driver that is a motion must hold.
            out: takes the frames.
            say: takes a sentence when something is wrong, None when it is right again.
            admit: is given a file's name each time before it is opened; raises NotAllowed for what may not be read.
            speech: what a driver that is a voice needs; None: the defaults.
        """
        self._speech = speech or SpeechWishes()
        self._admit = admit
        self.name, self._rig, self._out, self._say = name, rig, out, say
        self._stop = threading.Event()
        self._pushed = count()
        self._next_start: float | None = None
        work = (self._run, f"The driver {name}", say)
        self._thread = threading.Thread(target=reporting_defects, args=work, name="live-driver", daemon=True)
        if name != PUSH:
            self._thread.start()

    def push(self, data: bytes) -> None:
        """Takes an image of the client's: JPEG, PNG or another still format.

        Raises:
            SettingError: the stream takes no pushed frames, or this is not an image.
        """
        if self.name != PUSH:
            raise SettingError(f"This stream is driven by {self.name}; make one with the driver '{PUSH}'.")
        arrived = time.monotonic_ns()
        self._put(_decoded(data), next(self._pushed), arrived)

    @property
    def is_alive(self) -> bool:
        """Whether its thread still runs."""
        return self._thread.is_alive()

    def retire(self) -> None:
        """Delivers nothing from now on; the thread ends when it can (a camera may hold it for seconds)."""
        self._stop.set()

    def close(self) -> None:
        """Ends the thread and waits for it; may be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _put(self, pixels: Rgb, index: int, time_ns: int) -> None:
        if self._stop.is_set():
            return
        height = pixels.shape[0]
        small = reduce(pixels, LARGEST_PX / height) if height > LARGEST_PX else pixels
        self._out.put(DriverFrame(np.ascontiguousarray(small), None, index, time_ns))

    def _run(self) -> None:
        plays = {
            CAMERA: self._camera, BUILTIN: self._motion, STORED: self._motion, SPEECH: self._speak,
            MICROPHONE: self._speak,
        }  # fmt: skip
        is_address = is_stream_address(self.name)
        play = self._camera if is_address else plays.get(parse(self.name).kind, self._film)
        while not self._stop.is_set():
            try:
                play()
            except LpError as error:
                self._say(str(error))
                self._stop.wait(RETRY_S)

    def _camera(self) -> None:
        with Camera(self.name if is_stream_address(self.name) else parse(self.name).name) as camera:
            self._say(None)
            for index in count():
                if self._stop.is_set():
                    return
                pixels = camera.read()
                self._put(pixels, index, time.monotonic_ns())

    def _film(self) -> None:
        """Once through the video, in time; late frames are left out."""
        self._admit(self.name)
        with open_source(self.name) as source:
            self._say(None)
            if source.info.is_still:
                pixels = next(iter(source)).as_rgb8()
                for _ in self._paced(((0, index / 10) for index in count()), 0.1):
                    self._put(pixels, 0, time.monotonic_ns())
                return
            period = float(1 / source.info.rate.fps)
            for frame in self._paced(((frame, float(frame.time_s)) for frame in source), period):
                self._put(frame.as_rgb8(), frame.index, time.monotonic_ns())

    def _motion(self) -> None:
        with self._open_motion() as motion:
            self._say(None)
            rate = motion.rate
            numbers = ((index, float(rate.time_s(index))) for index in range(len(motion)))
            for index in self._paced(numbers, float(1 / rate.fps)):
                frame = motion.rows(index, index + 1).frame(0)
                self._out.put(DriverFrame(None, frame, index, time.monotonic_ns()))

    def _speak(self) -> None:
        """A microphone, or a file with a voice again and again."""
        from lp_core.live.voice import LiveSpeech, VoiceOut  # loads the recognizer's parts

        if parse(self.name).kind == SPEECH:
            self._admit(speech_file(self.name))

        def put(motion: MotionFrame, index: int, time_ns: int) -> None:
            if not self._stop.is_set():
                self._out.put(DriverFrame(None, motion, index, time_ns))

        wishes = self._speech
        out = VoiceOut(put, wishes.inform, wishes.settings, wishes.shown)
        voice = LiveSpeech(self.name, self._rig, out)
        self._say(None)
        voice.play(self._stop)

    def _open_motion(self) -> AbstractContextManager[Any]:
        if is_builtin(self.name):
            return nullcontext(builtin_motion(parse(self.name).name, None, self._rig))
        self._admit(self.name)
        stored = stored_motion(self.name)
        if stored.rig != self._rig:
            raise SettingError(
                f"{self.name} holds motion of the rig {stored.rig}, but the engine plays {self._rig}; choose the "
                "engine it was extracted for."
            )
        return stored.open()

    def _paced(self, items: Iterator[tuple[Any, float]], period_s: float) -> Iterator[Any]:
        """The items at their times; one that is more than a period late is left out.

        A loop begins where the last one ended, so that opening the file again takes nothing from the beat.
        """
        now = time.monotonic()
        start = self._next_start if self._next_start is not None and now - self._next_start < RETRY_S else now
        end_s = 0.0
        for item, due_s in items:
            if self._stop.wait(max(start + due_s - time.monotonic(), 0.0)):
                return
            end_s = due_s + period_s
            if time.monotonic() - start - due_s <= period_s:
                yield item
        self._next_start = start + end_s
