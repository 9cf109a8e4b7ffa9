"""The lip-sync check of a film: its sound against its own mouth."""

from __future__ import annotations

from pathlib import Path

from lp_core.errors import NoFace
from lp_core.media.video.samples import mono_samples
from lp_core.speech.analysis import analyze
from lp_core.speech.mouth_map import MouthMap, default_map
from lp_core.speech.read_mouth import filmed_mouth
from lp_core.speech.recognizer import load_recognizer
from lp_core.speech.sound import sound_of
from lp_core.speech.sync import SyncCheck, compare


def check_film(path: Path, track: int = 0, mouth_map: MouthMap | None = None) -> SyncCheck:
    """Compares the sound of a film with the mouth it shows.

    Args:
        path: video with sound.
        track: audio track with the voice, from 1; 0: the first.
        mouth_map: predicts the mouth; None: the one that comes with the program.

    Raises:
        NoFace: no frame shows a face.
        LpError: the video cannot be read, has no sound, or the extra 'speech' is not installed.
    """
    sound = sound_of(mono_samples(path, track))
    heard = analyze(sound, load_recognizer(), mouth_map or default_map())
    mouth = filmed_mouth(path)
    if len(mouth.times_s) < 2:
        raise NoFace(
            f"{path} shows no face whose mouth could be compared with the sound; give a video of a speaker."
        )
    return compare(heard.mouth, heard.voice, mouth)
