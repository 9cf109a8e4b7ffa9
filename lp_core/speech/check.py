"""The lip-sync check of a video: its sound against its own mouth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import NoFace
from lp_core.media.video.samples import mono_samples
from lp_core.speech.analysis import analyze
from lp_core.speech.features import RATE
from lp_core.speech.mouth_map import MouthMap, default_map
from lp_core.speech.read_mouth import filmed_mouth
from lp_core.speech.recognizer import load_recognizer
from lp_core.speech.sound import sound_of
from lp_core.speech.sync import SyncCheck, compare
from lp_core.timing import FrameRate

PLATE_S = 60.0
"""Seconds of a plate that are compared with its sound."""


def check_film(
    path: Path, track: int = 0, mouth_map: MouthMap | None = None, most_s: float | None = None
) -> SyncCheck:
    """Compares the sound of a video with the mouth it shows.

    Args:
        path: video with sound.
        track: audio track with the voice, from 1; 0: the first.
        mouth_map: predicts the mouth; None: the one that comes with the program.
        most_s: seconds from its beginning that are compared; None: all.

    Raises:
        NoFace: no frame shows a face.
        LpError: the video cannot be read, has no sound, or the extra 'speech' is not installed.
    """
    sound = sound_of(_first(mono_samples(path, track), most_s))
    heard = analyze(sound, load_recognizer(), mouth_map or default_map())
    if not heard.voice.has_speech:
        return SyncCheck(0.0, 0.0, 0.0, 0.0)
    mouth = filmed_mouth(path, most_s)
    if len(mouth.times_s) < 2:
        raise NoFace(
            f"{path} shows no face whose mouth could be compared with the sound; give a video of a speaker."
        )
    return compare(heard.mouth, heard.voice, mouth)


def plate_note(path: Path, rate: FrameRate) -> str:
    """What the summary says of the lip-sync of a plate whose mouth is replaced.

    Raises:
        LpError: the plate cannot be read, or the extra 'speech' is not installed.
    """
    try:
        found = check_film(path, most_s=PLATE_S)
    except NoFace:
        return f"{path} shows no face whose own lip-sync could be measured."
    if not found.belongs:
        return (
            f"The lip-sync of {path} itself could not be measured ({found.verdict}, score {found.score:.2f})."
        )
    late_ms = round(1000 * found.offset_s)
    frames = round(found.offset_s * rate.fps)
    measured = f"score {found.score:.2f}, confidence {found.confidence:.2f}"
    if not frames:
        return f"{path} itself is in sync within a frame ({late_ms:+d} ms, {measured})."
    side = "late" if late_ms > 0 else "early"
    return (
        f"The sound of {path} is {abs(late_ms)} ms {side} against its own lips ({measured}). "
        f"A voice that was recorded to that sound fits with --driving-offset {frames}."
    )


def _first(blocks: Iterator[NDArray[np.float32]], most_s: float | None) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples up to so many seconds."""
    left = None if most_s is None else int(most_s * RATE)
    for block in blocks:
        yield block if left is None else block[:left]
        if left is not None:
            left -= len(block)
            if left <= 0:
                return
