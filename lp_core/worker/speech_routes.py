"""Route of the page's view of a voice: its waveform, and what is heard in it."""

from __future__ import annotations

import threading
from itertools import takewhile
from pathlib import Path

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from lp_core.media.video.samples import mono_samples
from lp_core.settings import SpeechSettings
from lp_core.speech.activity import SPEECH
from lp_core.speech.features import RATE
from lp_core.speech.performance import check_voice, heard_sound
from lp_core.speech.sound import MonoSound, sound_of
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.schema import Name, Wire

SHOWN_S = 120
"""Seconds of a voice that are shown."""
COLUMNS_PER_S = 50


class VoiceRequest(Wire):
    """Asks for what is heard in a voice."""

    voice: Name = Field(description="Absolute path of a sound file, or of a video with sound.")
    speech_track: int = Field(0, ge=0, le=64, description="Audio track, from 1; 0: the first.")


class HeardPhone(Wire):
    """A sound of speech with its time."""

    name: str = Field(description="Name of ARPAbet.")
    start_s: float
    end_s: float


class VoiceHeard(Wire):
    """The beginning of a voice, as it is heard."""

    seconds: float = Field(description=f"What is shown: at most {SHOWN_S} s.")
    is_whole: bool = Field(description="Whether that is all of it.")
    peaks: list[float] = Field(description=f"{COLUMNS_PER_S} a second: loudest sample, 0..1.")
    speech_s: float = Field(description="Seconds of speech in it.")
    phones: list[HeardPhone]


class Ear:
    """Listens to voices, one at a time, as each takes a processor."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._lock = threading.Lock()

    def heard(self, request: VoiceRequest) -> VoiceHeard:
        """What is heard.

        Raises:
            NotAllowed: the voice is elsewhere.
            MediaError: it cannot be read.
            MissingDependency: the extra 'speech' is not installed.
        """
        path = Path(self._folders.readable(request.voice))
        settings = SpeechSettings(speech_track=request.speech_track)
        with self._lock:
            check_voice(path, settings)
            sound, is_whole = _beginning(path, request.speech_track)
            heard = heard_sound(path, sound, settings)
        return VoiceHeard(
            seconds=round(sound.seconds, 3),
            is_whole=is_whole,
            peaks=_peaks(sound),
            speech_s=round(float((heard.voice.activity > SPEECH).mean()) * sound.seconds, 2)
            if sound.ticks
            else 0.0,
            phones=[
                HeardPhone(name=phone.name, start_s=round(phone.start_s, 3), end_s=round(phone.end_s, 3))
                for phone in heard.phones
            ],
        )


def _beginning(path: Path, track: int) -> tuple[MonoSound, bool]:
    """The first seconds of a sound, and whether that is all."""
    taken = 0

    def wanted(block: np.ndarray) -> bool:
        nonlocal taken
        was, taken = taken, taken + len(block)
        return was < SHOWN_S * RATE

    sound = sound_of(takewhile(wanted, mono_samples(path, track)))
    return MonoSound(sound.samples[: SHOWN_S * RATE]), taken <= SHOWN_S * RATE


def _peaks(sound: MonoSound) -> list[float]:
    """The loudest sample of each column."""
    width = RATE // COLUMNS_PER_S
    samples = np.abs(sound.part(0, -(-len(sound) // width) * width)).reshape(-1, width)
    return [round(float(value), 3) for value in samples.max(axis=1)] if len(samples) else []


def speech_router(folders: Folders) -> APIRouter:
    """The route of the page's view of a voice."""
    router = APIRouter(tags=["page"])
    ear = Ear(folders)

    @router.post("/speech/heard", operation_id="speech_heard")
    def heard(request: VoiceRequest) -> VoiceHeard:
        """The waveform of a voice, and the sounds of speech in it with their times."""
        return ear.heard(request)

    return router
