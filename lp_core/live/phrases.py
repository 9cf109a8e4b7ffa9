"""A spoken sentence for a portrait that talks live: sound for the wire, and curves for the face, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.media.video.samples import resampled
from lp_core.settings import SpeechSettings
from lp_core.speech.analysis import HeardSpeech, analyze, speaking
from lp_core.speech.features import RATE, TICKS_PER_S
from lp_core.speech.motion import settled
from lp_core.speech.mouth_map import OUTPUTS
from lp_core.speech.natural import stressed
from lp_core.speech.performance import face_motion, mouth_map_of
from lp_core.speech.phone_table import heard_from_phones
from lp_core.speech.phones import PHONES, Phone
from lp_core.speech.recognizer import load_recognizer
from lp_core.speech.sound import sound_of
from lp_core.speech.voices.base import Utterance
from lp_core.timing import FrameRate

F32 = NDArray[np.float32]
I16 = NDArray[np.int16]

FPS = 25
SOUND_RATE = 48_000
"""Samples per second on the wire."""
LEAD_S = 0.12
"""Silence before a sentence, in which the mouth prepares."""
MOUTH = (*OUTPUTS, "press", "speaking")
"""Curves that a sentence decides; head, lids and gaze go on across sentences."""
_RATE = FrameRate.parse(FPS)
_SAMPLES = SOUND_RATE // FPS


@dataclass(frozen=True)
class Phrase:
    """A sentence, ready to be shown."""

    samples: I16
    """(n,) mono at SOUND_RATE; a whole number of frames."""
    curves: Mapping[str, F32]
    """Each of MOUTH -> (frames,) at FPS; longer than the sound by the time in which the mouth comes to rest."""
    nods: tuple[tuple[float, float], ...]
    """(seconds since its first frame, height) of stressed syllables."""

    @property
    def frames(self) -> int:
        """Frames until the next sentence may begin."""
        return len(self.samples) // _SAMPLES

    @property
    def settled_frames(self) -> int:
        """Frames until the mouth is at rest."""
        return len(next(iter(self.curves.values())))


def phrase_of(spoken: Utterance, pause_s: float, settings: SpeechSettings) -> Phrase:
    """A spoken sentence with a pause after it.

    Args:
        spoken: by a voice.
        pause_s: seconds of silence that follow.
        settings: how the face moves.

    Raises:
        MissingDependency: the voice reports no phones, and the extra 'speech' is not installed.
        LpError: the mouth map cannot be read.
    """
    lead = round(LEAD_S * spoken.rate)
    samples = np.pad(spoken.samples, (lead, round(pause_s * spoken.rate)))
    heard = _heard(Utterance(samples, spoken.rate, _later(spoken.phones)), settings)
    motion = settled(face_motion(heard, mouth_map_of(settings), settings, ""))
    sampled = motion.sampled(_RATE, 0, motion.frames(_RATE))
    ticks, heights = stressed(heard.voice, speaking(heard.voice))
    return Phrase(
        _whole_frames(resampled(samples, spoken.rate, SOUND_RATE)),
        {name: sampled[name] for name in MOUTH},
        tuple(
            (float(tick) / TICKS_PER_S, float(height)) for tick, height in zip(ticks, heights, strict=True)
        ),
    )


def _later(phones: tuple[Phone, ...]) -> tuple[Phone, ...]:
    return tuple(
        Phone(phone.name, phone.start_s + LEAD_S, phone.end_s + LEAD_S)
        for phone in phones
        if phone.name in PHONES
    )


def _heard(spoken: Utterance, settings: SpeechSettings) -> HeardSpeech:
    sound = sound_of([resampled(spoken.samples, spoken.rate, RATE)])
    if spoken.phones:
        return heard_from_phones(sound, spoken.phones)
    return analyze(sound, load_recognizer(), mouth_map_of(settings))


def _whole_frames(samples: F32) -> I16:
    missing = -len(samples) % _SAMPLES
    packed: I16 = np.round(np.clip(np.pad(samples, (0, missing)), -1, 1) * 32767).astype(np.int16)
    return packed
