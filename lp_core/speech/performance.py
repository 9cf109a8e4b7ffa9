"""A voice as a performance: analyzed when it is first read, played on the rig of any engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError, missing_extra
from lp_core.geometry.rotation import angles_deg
from lp_core.leftovers import temporary_folder
from lp_core.media.speech_sheet import read_sheet
from lp_core.media.video.samples import mono_samples
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.motion.files.template_pkl import read_pkl, to_sequence
from lp_core.motion.sequence import MotionFrame, MotionSequence, stack
from lp_core.performance_name import BUILTIN, TEMPLATE_SUFFIX, is_motion, motion_suffix, parse
from lp_core.settings import RenderSettings, SpeechSettings
from lp_core.speech.align import align_sound
from lp_core.speech.analysis import HeardSpeech, analyze, listen
from lp_core.speech.features import TICKS_PER_S
from lp_core.speech.joyvasa.about import NAME as JOYVASA
from lp_core.speech.joyvasa.about import RIG as JOYVASA_RIG
from lp_core.speech.joyvasa.about import obstacle
from lp_core.speech.motion import SpeechMotion, perform, settled, with_head
from lp_core.speech.mouth_map import MouthMap, read_map
from lp_core.speech.natural import Manner
from lp_core.speech.phone_table import heard_from_phones
from lp_core.speech.phones import PHONES, Phone
from lp_core.speech.recognizer import load_recognizer
from lp_core.speech.rig import RIG_FRAMES
from lp_core.speech.sound import MonoSound, store_sound
from lp_core.speech.transcript import check_match, transcript_phones
from lp_core.timing import FrameRate

F32 = NDArray[np.float32]
DEFAULT_RATE = FrameRate.parse(25)
"""Frames per second of a voice where nothing else gives a rate."""


@dataclass(frozen=True)
class Voiced:
    """A voice that was analyzed."""

    heard: HeardSpeech
    """What is heard."""
    motion: SpeechMotion
    """What the face does."""


def check_voice(path: Path, settings: SpeechSettings) -> None:
    """Refuses a file without usable sound, and settings that name unusable files, before any costly work.

    Raises:
        LpError: something cannot be used.
    """
    if settings.speech_driver == JOYVASA:
        _check_joyvasa(settings)
        next(iter(mono_samples(path, settings.speech_track)), None)
        return
    next(iter(mono_samples(path, settings.speech_track)), None)
    mouth_map_of(settings)
    if settings.transcript is not None:
        transcript_phones(Path(settings.transcript), settings.transcript_language)
    if settings.transcript is not None or not _known_phones(path):
        load_recognizer()
    if settings.head_from is not None:
        head_angles(settings.head_from)


def _check_joyvasa(settings: SpeechSettings) -> None:
    """Refuses JoyVASA where it cannot be used."""
    if settings.lipsync:
        raise SettingError("JoyVASA makes the whole head, so it has no --lipsync; use --speech-driver map.")
    why_not = obstacle()
    if why_not is not None:
        raise why_not
    if find_spec("torch") is None:
        raise missing_extra("JoyVASA", "neural")


def hear(path: Path, settings: SpeechSettings, step: Callable[[float], None] | None = None) -> Voiced:
    """Analyzes the voice of a file and makes the face's motion.

    Args:
        path: a sound file, or a video with sound.
        settings: how the face moves.
        step: called with the share that is done, 0..1.

    Raises:
        LpError: the sound cannot be read, or the extra 'speech' is not installed.
    """
    mouth_map = mouth_map_of(settings)
    with temporary_folder() as folder:
        sound = store_sound(mono_samples(path, settings.speech_track), Path(folder) / "sound.raw")
        heard = heard_sound(path, sound, settings, step)
        del sound
    return Voiced(heard, face_motion(heard, mouth_map, settings, path.name))


def heard_sound(
    path: Path, sound: MonoSound, settings: SpeechSettings, step: Callable[[float], None] | None = None
) -> HeardSpeech:
    """What is heard in a file's sound.

    Args:
        path: the file.
        sound: its sound, or the beginning of it.
        settings: transcript and mouth map count.
        step: told the share that is done, 0..1.

    Raises:
        LpError: the transcript does not fit, or the extra 'speech' is not installed.
    """
    if settings.transcript is not None:
        return _heard_by_text(path, sound, settings, step)
    if phones := _known_phones(path):
        return heard_from_phones(sound, phones)
    return analyze(sound, load_recognizer(), mouth_map_of(settings), step)


def _heard_by_text(
    path: Path, sound: MonoSound, settings: SpeechSettings, step: Callable[[float], None] | None
) -> HeardSpeech:
    """What is heard where a transcript says what is said.

    Raises:
        SettingError: the voice says something else.
    """
    text = Path(settings.transcript or "")
    names = transcript_phones(text, settings.transcript_language)
    voice = listen(sound)
    phones: tuple[Phone, ...] = ()
    if voice.has_speech:
        phones = align_sound(sound, voice, names, load_recognizer(), step)
        check_match(phones, len(names), text, path)
    return heard_from_phones(sound, phones, voice)


def _known_phones(path: Path) -> tuple[Phone, ...]:
    """Phones that the file itself states: it is synthetic speech; none for other files.

    Raises:
        UnreadableMedia: what it states is damaged.
    """
    sheet = read_sheet(path)
    known = () if sheet is None else sheet.phones
    return tuple(Phone(name, start, end) for name, start, end in known if name in PHONES)


def face_motion(
    heard: HeardSpeech, mouth_map: MouthMap, settings: SpeechSettings, source: str
) -> SpeechMotion:
    """What the face does with what is heard, under the settings."""
    manner = Manner(settings.speech_seed, settings.head, settings.blink_rate, settings.expressiveness)
    motion = perform(heard, mouth_map, manner, settings.mouth_strength, settings.moods, source)
    if settings.head_from is not None:
        motion = with_head(motion, head_angles(settings.head_from))
    return settled(motion) if settings.lipsync else motion


def head_angles(name: str) -> tuple[F32, F32, F32]:
    """Pitch, yaw and roll of another performance against its first frame, degrees, a value each 10 ms.

    Raises:
        SettingError: the name is not a motion.
        BadMotionFile: the file is damaged.
    """
    if not is_motion(name):
        raise SettingError(
            f"{name} is not a motion; store the head's performance first with: lpsuite extract {name} -o head.lpmotion."
        )
    motion = _opened(name)
    angles = np.array([angles_deg(rotation.astype(np.float64)) for rotation in motion.rotation])
    angles = np.degrees(np.unwrap(np.radians(angles - angles[0]), axis=0))
    at = np.arange(int(len(angles) / float(motion.rate.fps) * TICKS_PER_S) + 1) / TICKS_PER_S
    frames = np.arange(len(angles)) / float(motion.rate.fps)
    pitch, yaw, roll = (np.interp(at, frames, column).astype(np.float32) for column in angles.T)
    return pitch, yaw, roll


def _opened(name: str) -> MotionSequence:
    parsed = parse(name)
    if parsed.kind == BUILTIN:
        return builtin_motion(parsed.name)
    if motion_suffix(name) == TEMPLATE_SUFFIX:
        return to_sequence(read_pkl(Path(name)), Path(name).name)
    with MotionReader(name) as reader:
        return reader.rows(0, len(reader))


def mouth_map_of(settings: SpeechSettings) -> MouthMap:
    """The mouth map that the settings name.

    Raises:
        LpError: its file cannot be read.
    """
    return read_map(None if settings.mouth_map is None else Path(settings.mouth_map))


class SpokenMotion:
    """A voice as motion of a rig, frame by frame; the sound is analyzed when a frame or the length is asked for."""

    def __init__(
        self, path: Path, settings: SpeechSettings, rate: FrameRate, rig: str,
        step: Callable[[float], None] | None = None,
    ) -> None:  # fmt: skip
        """Names the voice.

        Args:
            path: a sound file, or a video with sound.
            settings: how the face moves.
            rate: frames per second.
            rig: a key of RIGS.
            step: called with the share of the analysis that is done, 0..1.
        """
        self._path, self._settings, self._rate, self._rig, self._step = path, settings, rate, rig, step

    @property
    def rate(self) -> FrameRate:
        """Exact frames per second."""
        return self._rate

    @property
    def rig(self) -> str:
        """Kind of rig."""
        return self._rig

    @property
    def origin(self) -> str:
        """Name of the sound."""
        return self._path.name

    @property
    def metadata(self) -> dict[str, str]:
        """What the motion is made of."""
        return {"driver": "speech", "seed": str(self._settings.speech_seed)}

    @cached_property
    def motion(self) -> SpeechMotion:
        """The curves."""
        return hear(self._path, self._settings, self._step).motion

    def __len__(self) -> int:
        return self.motion.frames(self._rate)

    def frame(self, index: int) -> MotionFrame:
        """The performance at one frame, 0 <= index < len."""
        return self.rows(index, index + 1).frame(0)

    def rows(self, start: int, stop: int) -> MotionSequence:
        """The frames of a half-open range, 0 <= start < stop <= len."""
        return rig_rows(self.motion, self._rate, self._rig, start, stop, self.origin)

    def column(self, name: str, start: int, stop: int) -> F32:
        """One array's rows of a half-open range: (stop - start, *its shape)."""
        array: Any = getattr(self.rows(start, stop), name)
        result: F32 = array
        return result


def rig_rows(
    motion: SpeechMotion, rate: FrameRate, rig: str, start: int, stop: int, origin: str = ""
) -> MotionSequence:
    """Frames start to stop, half-open, of a speech motion on a rig."""
    sampled = motion.sampled(rate, start, stop)
    make = RIG_FRAMES[rig]
    frames = [
        make({name: float(curve[index]) for name, curve in sampled.items()}) for index in range(stop - start)
    ]
    return stack(frames, rate, rig, origin)


class JoyvasaMotion:
    """A voice as JoyVASA's motion at the network's rate; the network runs when a frame or the length is asked for."""

    def __init__(
        self, path: Path, settings: SpeechSettings, device: str, step: Callable[[float], None] | None = None
    ) -> None:
        """Names the voice.

        Args:
            path: a sound file, or a video with sound.
            settings: how the face moves.
            device: where the network runs.
            step: told the share that is done, 0..1.
        """
        self._path, self._settings, self._device, self._step = path, settings, device, step

    @property
    def rig(self) -> str:
        """Kind of rig."""
        return JOYVASA_RIG

    @property
    def origin(self) -> str:
        """Name of the sound."""
        return self._path.name

    @property
    def metadata(self) -> dict[str, str]:
        """What the motion is made of."""
        return {"driver": "speech", "speech_driver": JOYVASA, "seed": str(self._settings.speech_seed)}

    @cached_property
    def _sequence(self) -> MotionSequence:
        from lp_core.speech.joyvasa.driver import spoken_by_joyvasa  # loads PyTorch

        return spoken_by_joyvasa(self._path, self._settings, self._device, self._step)

    @cached_property
    def rate(self) -> FrameRate:
        """Exact frames per second."""
        from lp_core.speech.joyvasa.driver import stated_rate

        return stated_rate()

    def __len__(self) -> int:
        return len(self._sequence)

    def frame(self, index: int) -> MotionFrame:
        """The performance at one frame, 0 <= index < len."""
        return self._sequence.frame(index)

    def rows(self, start: int, stop: int) -> MotionSequence:
        """The frames of a half-open range, 0 <= start < stop <= len."""
        return self._sequence.rows(start, stop)

    def column(self, name: str, start: int, stop: int) -> F32:
        """One array's rows of a half-open range: (stop - start, *its shape)."""
        return self._sequence.column(name, start, stop)


def first_rig(settings: SpeechSettings) -> str:
    """The rig that a voice has before an engine is chosen."""
    return JOYVASA_RIG if settings.speech_driver == JOYVASA else "mesh478"


def check_rig(settings: SpeechSettings, rig: str) -> None:
    """Refuses a rig that the driver of a voice does not know.

    Raises:
        SettingError: it does not.
    """
    if settings.speech_driver == JOYVASA and rig != JOYVASA_RIG:
        raise SettingError(
            "JoyVASA moves the model liveportrait of the liveportrait engine; choose --engine liveportrait, or "
            "--speech-driver map."
        )


Spoken = SpokenMotion | JoyvasaMotion


def spoken_motion(
    path: Path,
    settings: RenderSettings,
    rate: FrameRate,
    rig: str,
    step: Callable[[float], None] | None = None,
) -> Spoken:
    """A voice as motion of a rig by the driver that the settings name.

    Args:
        path: a sound file, or a video with sound.
        settings: of the run.
        rate: frames per second; JoyVASA has its own.
        rig: a key of RIGS.
        step: told the share of the analysis that is done, 0..1.

    Raises:
        SettingError: the driver does not know the rig.
    """
    speech = settings.speech
    check_rig(speech, rig)
    if speech.speech_driver == JOYVASA:
        return JoyvasaMotion(path, speech, settings.engine.device, step)
    return SpokenMotion(path, speech, rate, rig, step)


@contextmanager
def open_spoken(path: Path, settings: RenderSettings, rate: FrameRate, rig: str) -> Iterator[Spoken]:
    """A voice as a performance, analyzed on first use."""
    yield spoken_motion(path, settings, rate, rig)
