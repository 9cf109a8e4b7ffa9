"""A voice that drives a live stream: sound in, motion out, a fixed time later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import UnreadableMedia
from lp_core.media.microphone import LiveSound, Microphone, PlayedSound
from lp_core.motion.sequence import MotionFrame
from lp_core.performance_name import MICROPHONE, parse, speech_file
from lp_core.settings import SpeechSettings
from lp_core.speech.features import QUIET_DB, RATE, TICK, TICKS_PER_S
from lp_core.speech.lead import DESIGN_S, Lead, ShownImage
from lp_core.speech.live import LiveVoice, WindowReading, read_window
from lp_core.speech.mouth_map import spectral_map
from lp_core.speech.natural import Manner
from lp_core.speech.performance import mouth_map_of
from lp_core.speech.recognizer import Recognizer, load_recognizer
from lp_core.speech.rig import RIG_FRAMES, resting_values

FPS = 30
_HOP_S = 0.08
"""How often the recognizer hears again, where it keeps up."""
_SLOW_S = 0.16
"""Time of a reading from which on the recognizer does not keep up."""
_TRY_AGAIN_S = 5.0
_SILENT_S = 3.0
_TELL_S = 0.25
_STEP_DB = 6
_BARS = 10

Put = Callable[[MotionFrame, int, int], None]
"""Takes (motion, number of the frame, when its sound was there in ns of the monotonic clock)."""


@dataclass(frozen=True)
class VoiceOut:
    """What takes the results of a voice."""

    put: Put
    """Takes each frame."""
    inform: Callable[[str], object]
    """Takes a sentence with the level of the sound and how much it must be delayed."""
    settings: Callable[[], SpeechSettings]
    """The settings as they are now."""
    shown: Callable[[], ShownImage | None] = lambda: None
    """The newest image that was shown; None: nobody says."""


class _Ear:
    """Runs the recognizer in a separate thread; the newest window counts."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._there = threading.Condition()
        self._asked: tuple[int, NDArray[np.float32]] | None = None
        self._is_over = False
        self.reading: WindowReading | None = None
        self.seconds = 0.0
        """What a reading takes, lately."""
        self._thread = threading.Thread(target=self._run, name="live-ear", daemon=True)
        self._thread.start()

    def ask(self, first: int, samples: NDArray[np.float32]) -> None:
        with self._there:
            self._asked = first, samples
            self._there.notify()

    def close(self) -> None:
        with self._there:
            self._is_over = True
            self._there.notify()
        self._thread.join()

    def _run(self) -> None:
        is_first = True
        while True:
            with self._there:
                self._there.wait_for(lambda: self._is_over or self._asked is not None)
                if self._is_over or self._asked is None:
                    return
                (first, samples), self._asked = self._asked, None
            start = time.monotonic()
            self.reading = read_window(
                first, self._recognizer.log_probabilities(samples), len(samples) // TICK
            )
            took = time.monotonic() - start
            if not is_first:  # the first one also warms up
                self.seconds += 0.3 * (took - self.seconds)
            is_first = False


class LiveSpeech:
    """Plays one voice into a stream until it is asked to stop."""

    def __init__(self, name: str, rig: str, out: VoiceOut) -> None:
        """Prepares.

        Args:
            name: ``microphone``, ``microphone:NAME``, or a file with a voice.
            rig: that the motion is for.
            out: takes the results.

        Raises:
            MissingDependency: the extra 'speech' is not installed.
            LpError: the mouth map cannot be read.
        """
        settings = out.settings()
        self._voice = LiveVoice(mouth_map_of(settings), spectral_map(), settings.speech_seed)
        self._recognizer = load_recognizer()
        self._name, self._frame, self._out = name, RIG_FRAMES[rig], out
        self._epoch_ns: float | None = None
        self._fed = 0
        self._is_busy_until = 0.0
        self._asked_tick = -100
        self._told_s = 0.0
        self._sounded_s = time.monotonic()
        self._lead = Lead()

    def play(self, stop: threading.Event) -> None:
        """Until ``stop``; a file begins again at its end.

        Raises:
            UnreadableMedia: the device or the file cannot be opened, or gives no more sound.
        """
        ear = _Ear(self._recognizer)
        sound = self._open(None)
        try:
            self._out.put(self._frame(resting_values()), 0, time.monotonic_ns())
            start_s, index = time.monotonic(), 1
            while not stop.is_set():
                sound = self._listen(sound, start_s + index / FPS)
                self._ask(ear)
                self._show(ear, index)
                index = max(index + 1, int((time.monotonic() - start_s) * FPS))
        finally:
            ear.close()
            sound.close()

    def _open(self, start_s: float | None) -> LiveSound:
        kind, name = parse(self._name)
        return Microphone(name) if kind == MICROPHONE else PlayedSound(Path(speech_file(self._name)), start_s)

    def _listen(self, sound: LiveSound, until_s: float) -> LiveSound:
        """Takes sound until a time, and whatever waits then; gives the sound to go on with."""
        while True:
            left_s = until_s - time.monotonic()
            try:
                heard = sound.read(max(left_s, 0.0))
            except EOFError:
                if not isinstance(sound, PlayedSound):
                    raise UnreadableMedia("The microphone ended.") from None
                again = self._open(sound.end_s)
                sound.close()
                sound = again
                continue
            if heard is None:
                if left_s <= 0:
                    return sound
                continue
            samples, end_ns = heard
            self._voice.feed(samples)
            self._fed += len(samples)
            epoch_ns = end_ns - self._fed * 1e9 / RATE
            if self._epoch_ns is None or abs(epoch_ns - self._epoch_ns) > 5e7:
                self._epoch_ns = epoch_ns
            self._epoch_ns += 0.02 * (epoch_ns - self._epoch_ns)

    def _ask(self, ear: _Ear) -> None:
        """Lets the recognizer hear again, or leaves it out while the processor is too busy for it."""
        now_s = time.monotonic()
        if ear.seconds > _SLOW_S and now_s > self._is_busy_until:
            self._is_busy_until, ear.seconds = now_s + _TRY_AGAIN_S, 0.0
        is_busy = now_s < self._is_busy_until
        self._voice.hear(None if is_busy else ear.reading)
        hop = max(_HOP_S, 1.2 * ear.seconds) * TICKS_PER_S
        if not is_busy and self._voice.ticks - self._asked_tick >= hop:
            self._asked_tick = self._voice.ticks
            ear.ask(*self._voice.window())
        self._tell(is_busy, now_s)

    def _show(self, ear: _Ear, index: int) -> None:
        if self._epoch_ns is None:
            return
        self._lead.see(self._out.shown())
        heard_s = (time.monotonic_ns() - self._epoch_ns) / 1e9
        tick = int((heard_s - self._lead.seconds) * TICKS_PER_S)
        tick = min(tick, self._voice.ticks - 1)
        if tick < 0:
            return
        settings = self._out.settings()
        manner = Manner(settings.speech_seed, settings.head, settings.blink_rate, settings.expressiveness)
        values = self._voice.face(tick, manner, settings.mouth_strength)
        time_ns = int(self._epoch_ns + tick * 1e9 / TICKS_PER_S)
        self._out.put(self._frame(values), index, time_ns)

    def _tell(self, is_busy: bool, now_s: float) -> None:
        if now_s - self._told_s < _TELL_S:
            return
        self._told_s = now_s
        level = self._voice.level_db
        if level > QUIET_DB + 15:
            self._sounded_s = now_s
        if now_s - self._sounded_s > _SILENT_S:
            self._out.inform("No sound arrives; check that the microphone is not muted.")
            return
        delay_ms = round(1000 * (DESIGN_S + self._lead.missing_s))
        words = [f"Voice {_bar(level)} Delay the sound by {delay_ms} ms."]
        if is_busy:
            words.append("The processor is busy, so the mouth follows the spectrum of the sound alone.")
        self._out.inform(" ".join(words))


def _bar(level_db: float) -> str:
    """The level as text, in steps of 6 dB."""
    filled = int(np.clip((level_db + _STEP_DB * _BARS) / _STEP_DB, 0, _BARS))
    return "|" * filled + "." * (_BARS - filled)
