"""Settings of a performance that is speech: how the face moves with a voice.

Standard library only, Python 3.7 syntax.
"""

import re
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ..errors import SettingError
from .schema import check, setting

SPEECH_DRIVERS = ("map", "joyvasa")
EMOTIONS = ("neutral", "happy", "sad", "serious", "surprised")
_MOMENT = re.compile(r"(?:([0-9]+(?:\.[0-9]+)?):)?([a-z]+)")


@dataclass(frozen=True)
class SpeechSettings:
    """How a face moves with a voice."""

    lipsync: bool = setting(
        False, "a voice replaces the mouth of a video; head, eyes and everything else stay as filmed"
    )
    speech_driver: str = setting(
        "map",
        "what turns a voice into motion: map (comes with the program), or joyvasa, a network whose weights you import "
        "(liveportrait engine)",
        choices=SPEECH_DRIVERS,
    )
    speech_seed: int = setting(
        0, "another number gives other blinks and head motion; the same number the same result", minimum=0,
        maximum=2**31 - 1,
    )  # fmt: skip
    speech_track: int = setting(
        0, "audio track of the file that holds the voice, from 1; 0: the first", minimum=0, maximum=64
    )
    transcript: Optional[str] = setting(
        None,
        "text file with what the voice says, word for word; its sounds are then found in the voice, not guessed",
        path="file",
    )
    transcript_language: str = setting(
        "en-us", "language of the transcript: en-us, en-gb, or one of espeak-ng, such as de"
    )
    mouth_map: Optional[str] = setting(
        None, "mouth map of `lpsuite train speech`; default: the one that comes with the program", path="file"
    )
    mouth_strength: float = setting(1.0, "how far the mouth moves with a voice", minimum=0.0, maximum=2.0)
    head: float = setting(
        1.0, "how much the head moves with a voice; 0: it is still", minimum=0.0, maximum=2.0
    )
    head_from: Optional[str] = setting(
        None, "motion file whose head motion replaces the one made for a voice", path="file"
    )
    blink_rate: float = setting(
        26.0, "blinks per minute while a voice speaks; fewer in silence; 0: none", minimum=0.0, maximum=60.0
    )
    expressiveness: float = setting(
        1.0, "how much brows, gaze and nods follow the stress of a voice", minimum=0.0, maximum=2.0
    )
    emotion: str = setting(
        "neutral",
        "mood of a speaking face: neutral, happy, sad, serious, surprised, or moods from given seconds on, such as "
        "happy,2.5:serious",
    )

    def __post_init__(self) -> None:
        check(self)
        self.moods  # noqa: B018 - checks the text

    @property
    def moods(self) -> Tuple[Tuple[float, str], ...]:
        """(seconds, mood) in order of time.

        Raises:
            SettingError: the text is not understood.
        """
        found: List[Tuple[float, str]] = []
        for part in self.emotion.split(","):
            match = _MOMENT.fullmatch(part.strip())
            if match is None or match.group(2) not in EMOTIONS:
                raise SettingError(
                    f"emotion = {self.emotion!r} is not understood; write one of {', '.join(EMOTIONS)}, or moods "
                    "with their seconds, such as happy,2.5:serious."
                )
            found.append((float(match.group(1) or 0), match.group(2)))
        return tuple(sorted(found))
