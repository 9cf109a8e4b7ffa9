"""A portrait that talks live: text in, frames and sound out on one clock, idle motion between utterances.

Time is the portrait's own: frame n and the sound block of the same time belong together. Sentences are spoken one by
one in a separate thread and placed on the time line as they are ready, so the first begins while others are spoken.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.errors import LpError, TooBusy
from lp_core.live.config import StreamConfig
from lp_core.live.phrases import FPS, MOUTH, SOUND_RATE, Phrase, phrase_of
from lp_core.live.scenes import Scene, finished, marked, over_color
from lp_core.speech.live_manner import LiveManner
from lp_core.speech.natural import MOODS, Manner
from lp_core.speech.rig import RIG_FRAMES, resting_values
from lp_core.speech.voices.base import Delivery, TextVoice, VoiceInfo
from lp_core.speech.voices.cache import SpeechCache
from lp_core.speech.voices.script import Piece
from lp_core.speech.voices.speaking import spoken_piece

Rgb = NDArray[np.uint8]
I16 = NDArray[np.int16]

AHEAD_S = 0.08
"""How long before its time a frame is drawn."""
BLOCK_S = 0.02
BLOCK = round(BLOCK_S * SOUND_RATE)
"""Samples of a block of sound."""
MOST_WAITING = 32
"""Utterances that may wait."""
_SCHEDULED_S = 8.0
"""Sentences are spoken until so much is ready."""
_FADE = 4
"""Frames in which an interrupted mouth comes to rest."""
_MOOD_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TalkText:
    """Something to say."""

    name: str
    """Of the utterance."""
    pieces: tuple[Piece, ...]
    """Sentences."""
    voice: TextVoice
    """Who says it."""
    delivery: Delivery = field(default_factory=Delivery)
    """How."""


@dataclass(frozen=True)
class TalkEvent:
    """Something that happens to an utterance."""

    kind: str
    """started, done or error."""
    utterance: str
    """Its name."""
    voice: VoiceInfo
    """Whose voice is heard."""
    words: str = ""
    """A sentence for the user."""


@dataclass(frozen=True)
class TalkFrame:
    """A frame with what happens at its time."""

    index: int
    """Its time is index / FPS."""
    pixels: Rgb
    """(H, W, 3) uint8 RGB."""
    events: tuple[TalkEvent, ...]
    """In order."""


@dataclass
class _Placed:
    """A phrase on the time line."""

    phrase: Phrase
    first: int
    """Its first frame."""
    stop: int | None = None
    """Frame from which it fades; None: it is not interrupted."""
    is_seen: bool = False

    def weight(self, index: int) -> float:
        """What an interruption leaves of the mouth, 0..1."""
        return 1.0 if self.stop is None else min(max(1 - (index - self.stop) / _FADE, 0.0), 1.0)

    def is_over(self, index: int) -> bool:
        return index - self.first >= self.phrase.settled_frames or self.weight(index) <= 0

    def sound(self, start: int) -> NDArray[np.float32]:
        """(BLOCK,) samples from a sample of the time line on; an interrupted phrase ends within a block."""
        offset = start - self.first * (SOUND_RATE // FPS)
        inside = self.phrase.samples[max(offset, 0) : max(offset + BLOCK, 0)].astype(np.float32)
        block = np.pad(inside, (min(max(-offset, 0), BLOCK), 0))
        block = np.pad(block[:BLOCK], (0, BLOCK - len(block[:BLOCK])))
        if self.stop is not None:
            stop = self.stop * (SOUND_RATE // FPS)
            block *= np.clip(1 - (np.arange(start, start + BLOCK) - stop) / BLOCK, 0, 1)
        return block


class TalkingPortrait(ClosesOnExit):
    """One portrait; ``begin`` starts its clock, ``close`` ends its threads."""

    def __init__(self, config: StreamConfig, scene: Scene, cache: SpeechCache) -> None:
        """Prepares; the first frame is the portrait at rest.

        Args:
            config: settings of face and engine.
            scene: the portrait.
            cache: of sentences.

        Raises:
            ConsentMissing: consent is demanded and not given.
            MissingDependency: the library of the watermark is not installed.
            SettingError: a slider is wrong, or ``strict`` forbids a setting that has no effect.
        """
        self.notes = config.notes()
        self._edits, self._mark = config.edits(), config.open_mark()
        self._settings, self._live = config.settings.speech, config.live
        self._scene, self._cache = scene.under(config.settings), cache
        self._frame_of = RIG_FRAMES[scene.engine.info.rig]
        self._reference = self._frame_of(resting_values())
        speech = self._settings
        self._natural = LiveManner(speech.speech_seed)
        self._manner = Manner(speech.speech_seed, speech.head, speech.blink_rate, speech.expressiveness)
        self._is_opaque = bool(scene.picture[..., 3].min() == 255)
        self._lock = threading.Lock()
        self._texts: queue.Queue[TalkText | None] = queue.Queue(MOST_WAITING)
        self._placed: list[_Placed] = []
        self._events: list[tuple[int, TalkEvent]] = []
        self._open: dict[str, TalkText] = {}
        self._drawn, self._free = 0, 0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.start_s: float | None = None
        """When time 0 was, monotonic clock; None: it has not begun."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self._scene.picture.shape[:2]
        return width, height

    def begin(self, show: Callable[[TalkFrame], None]) -> None:
        """Starts the clock; called once.

        Args:
            show: takes each frame a little before its time, in a thread of this portrait.
        """
        self.start_s = time.monotonic()
        works = (("talk-draw", lambda: self._draw_all(show)), ("talk-speak", self._speak_all))
        self._threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in works]
        for thread in self._threads:
            thread.start()

    def say(self, text: TalkText) -> None:
        """Says something after what waits already.

        Raises:
            TooBusy: too much waits.
        """
        with self._lock:
            self._open[text.name] = text
        try:
            self._texts.put_nowait(text)
        except queue.Full:
            with self._lock:
                self._open.pop(text.name, None)
            raise TooBusy(f"{MOST_WAITING} texts wait for this portrait; interrupt it, or wait.") from None

    def interrupt(self) -> None:
        """Ends what is said, and drops what waits."""
        with self._lock:
            following = self._drawn + 1
            for placed in self._placed:
                placed.stop = following if placed.stop is None else placed.stop
            self._events = [entry for entry in self._events if entry[1].utterance not in self._open]
            self._events += [
                (following, TalkEvent("done", text.name, text.voice.info, "interrupted"))
                for text in self._open.values()
            ]
            self._open.clear()
            self._free = following + _FADE

    def close(self) -> None:
        """Ends the threads; may be called twice."""
        self._stop.set()
        with self._lock:
            self._open.clear()
        while self._threads and self._threads[-1].is_alive():
            try:
                self._texts.put_nowait(None)
                break
            except queue.Full:
                self._drain()
        for thread in self._threads:
            thread.join()

    def _drain(self) -> None:
        try:
            self._texts.get_nowait()
        except queue.Empty:
            return

    def sound(self, block: int) -> I16:
        """(BLOCK,) the sound from block * BLOCK_S on."""
        start = block * BLOCK
        with self._lock:
            placed = list(self._placed)
        total = np.zeros(BLOCK, np.float32)
        for item in placed:
            total += item.sound(start)
        mixed: I16 = np.clip(total, -32767, 32767).astype(np.int16)
        return mixed

    def _speak_all(self) -> None:
        while (text := self._texts.get()) is not None and not self._stop.is_set():
            try:
                self._speak(text)
            except LpError as error:
                with self._lock:
                    self._open.pop(text.name, None)
                    self._events.append(
                        (self._drawn + 1, TalkEvent("error", text.name, text.voice.info, str(error)))
                    )

    def _speak(self, text: TalkText) -> None:
        """Speaks sentence by sentence; a silent piece lengthens the pause before."""
        is_first = True
        last = max(number for number, piece in enumerate(text.pieces) if piece.text)
        for number, piece in enumerate(text.pieces[: last + 1]):
            if text.name not in self._open:
                return
            if not piece.text:
                self._wait(piece.pause_s, text)
                continue
            spoken = spoken_piece(piece, text.voice, text.delivery, self._cache)
            phrase = phrase_of(spoken, piece.pause_s, self._settings)
            if not self._place(phrase, text, is_first, number == last):
                return
            is_first = False
            while self._free - self._drawn > _SCHEDULED_S * FPS and not self._stop.wait(0.1):
                pass
        self._cache.trim()

    def _wait(self, pause_s: float, text: TalkText) -> None:
        with self._lock:
            if text.name in self._open:
                self._free = max(self._free, self._drawn + 2) + round(pause_s * FPS)

    def _place(self, phrase: Phrase, text: TalkText, is_first: bool, is_last: bool) -> bool:
        """Puts a phrase behind what is there; False: the text was interrupted."""
        with self._lock:
            if text.name not in self._open:
                return False
            first = max(self._free, self._drawn + 2)
            self._free = first + phrase.frames
            self._placed.append(_Placed(phrase, first))
            if is_first:
                self._events.append((first, TalkEvent("started", text.name, text.voice.info)))
            if is_last:
                self._events.append((self._free, TalkEvent("done", text.name, text.voice.info)))
        return True

    def _draw_all(self, show: Callable[[TalkFrame], None]) -> None:
        index, start_s = 0, self.start_s or 0.0
        pixels: Rgb = np.ascontiguousarray(self._scene.picture[..., :3])
        while not self._stop.wait(max(start_s + index / FPS - AHEAD_S - time.monotonic(), 0)):
            with self._lock:
                self._drawn = index
            try:
                pixels = self._drawn_at(index)
            except LpError as error:  # the last frame stays
                _log.warning("The portrait cannot be drawn: %s", error)
            show(TalkFrame(index, pixels, self._due(index)))
            index = max(index + 1, int((time.monotonic() - start_s) * FPS))

    def _due(self, index: int) -> tuple[TalkEvent, ...]:
        with self._lock:
            due = [event for at, event in self._events if at <= index]
            self._events = [entry for entry in self._events if entry[0] > index]
            for event in due:
                if event.kind == "done":
                    self._open.pop(event.utterance, None)
        return tuple(due)

    def _drawn_at(self, index: int) -> Rgb:
        scene, values = self._scene, self._values(index)
        edit = self._edits.at(index)
        drawn = scene.engine.animate(scene.portrait, self._frame_of(values), self._reference, None, edit)
        pixels = finished(marked(drawn, self._mark, index, Fraction(index, FPS)), self._live)
        if not self._is_opaque or self._live.background != "photo":
            pixels = over_color(pixels, self._live.background_color)
        return np.ascontiguousarray(pixels[..., :3])

    def _values(self, index: int) -> dict[str, float]:
        """The curves at a frame: phrases add up, as each is a deviation from rest."""
        time_s = index / FPS
        with self._lock:
            self._placed = [item for item in self._placed if not item.is_over(index)]
            placed = [item for item in self._placed if item.first <= index]
        sums = dict.fromkeys(MOUTH, 0.0)
        for item in placed:
            weight = item.weight(index)
            for name in MOUTH:
                sums[name] += weight * float(item.phrase.curves[name][index - item.first])
            if not item.is_seen:
                item.is_seen = True
                for at_s, height in item.phrase.nods:
                    self._natural.nod(item.first / FPS + at_s, height)
        speaking = min(sums["speaking"], 1.0)
        values = self._natural.at(time_s, speaking, self._manner)
        ease = min(time_s / _MOOD_S, 1.0)
        for name, value in MOODS[self._settings.moods[0][1]].items():
            values[name] += ease * value
        return {**values, **sums, "speaking": speaking}
