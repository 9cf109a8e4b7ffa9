"""What a voice is: it turns a sentence into sound, and says when each phone and word is spoken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.speech.phones import Phone

F32 = NDArray[np.float32]

SLOWEST, FASTEST = 0.5, 2.0
"""Speeds that voices take; 1 is the voice's own."""
MARKED = re.compile(r"\[([^\]\n]{1,200})\]\(/([^)\n]{1,200})/\)")
"""``[word](/phones/)``: a word with its pronunciation in IPA."""


@dataclass(frozen=True)
class SpokenWord:
    """A word with its time."""

    text: str
    """As it was written."""
    start_s: float
    """Seconds."""
    end_s: float
    """Seconds."""


@dataclass(frozen=True)
class Delivery:
    """How a sentence is spoken."""

    language: str = ""
    """BCP 47 tag, such as en-US; empty: the voice's own."""
    speed: float = 1.0
    """0.5..2."""
    seed: int = 0
    """The same number gives the same sound."""

    def __post_init__(self) -> None:
        if not SLOWEST <= self.speed <= FASTEST:
            raise SettingError(f"speed = {self.speed:g} is out of range; give {SLOWEST:g} to {FASTEST:g}.")


@dataclass(frozen=True)
class VoiceInfo:
    """What is known of a voice."""

    id: str
    """Name that selects it, such as hibari:heart."""
    title: str
    """For people."""
    language: str
    """BCP 47 tag; empty: any language."""
    gender: str
    """female, male, or empty."""
    license: str
    """License of the voice: an SPDX identifier, or words."""
    fingerprint: str
    """Changes when the voice sounds different: hash of its model, version of its program."""


@dataclass(frozen=True)
class Utterance:
    """Something that was spoken."""

    samples: F32
    """(n,) mono, -1..1."""
    rate: int
    """Samples per second."""
    phones: tuple[Phone, ...] = ()
    """In order of time; none where the voice does not report them."""
    words: tuple[SpokenWord, ...] = ()
    """In order of time; none where the voice does not report them."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate


class TextVoice(Protocol):
    """Speaks sentences."""

    @property
    def info(self) -> VoiceInfo:
        """What is known of it."""
        ...

    def speak(self, text: str, delivery: Delivery) -> Utterance:
        """Speaks one sentence.

        Args:
            text: plain text; words may be marked with their pronunciation, see MARKED.
            delivery: how.

        Raises:
            LpError: the voice cannot speak it.
        """
        ...


def unmarked(text: str) -> str:
    """The text without pronunciations."""
    return MARKED.sub(lambda match: match[1], text)
