"""A mouth map fitted on a user's own clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lp_core.errors import SettingError
from lp_core.files import check_folder, refuse_existing, write_whole
from lp_core.media.video.samples import mono_samples
from lp_core.speech.fit import Speaker, fit_map, speaker_of
from lp_core.speech.mouth_map import default_map
from lp_core.speech.read_mouth import filmed_mouth
from lp_core.speech.recognizer import load_recognizer
from lp_core.speech.score import agreement
from lp_core.speech.sound import sound_of
from lp_core.speech.sync import SyncCheck, compare


@dataclass(frozen=True)
class TrainedClip:
    """What a clip gave."""

    name: str
    """File name."""
    check: SyncCheck
    """Its own lip-sync, taken out before the fit."""
    used: bool
    """False: sound and mouth do not belong together, so the clip is left out."""
    r_open: float = 0.0
    """Correlation of the opening under a map of the other clips; 0 with fewer than two clips."""
    r_width: float = 0.0
    """The same of the width."""


def train_map(
    clips: Sequence[Path], output: Path, overwrite: bool = False, hear: Callable[[str], None] | None = None
) -> list[TrainedClip]:
    """Fits a mouth map on clips of speakers and writes it.

    Args:
        clips: videos with sound that show one speaker each.
        output: ``.npz`` file to write.
        overwrite: replace a file that exists.
        hear: called with the name of each clip when it is read.

    Raises:
        SettingError: no clip can be used.
        LpError: a clip cannot be read, or the file cannot be written.
    """
    check_folder(output)
    refuse_existing(output, overwrite)
    read = []
    for clip in clips:
        if hear is not None:
            hear(str(clip))
        read.append(_read(clip))
    used = [speaker for speaker, check in read if check.belongs]
    if not used:
        raise SettingError(
            "Sound and mouth belong together in no clip; give videos of speakers (lpsuite sync check)."
        )
    write_whole(output, fit_map(used).to_bytes())
    return [_judged(speaker, check, used) for speaker, check in read]


def _read(clip: Path) -> tuple[Speaker, SyncCheck]:
    sound = sound_of(mono_samples(clip))
    mouth = filmed_mouth(clip)
    speaker = speaker_of(str(clip), sound, mouth, load_recognizer())
    check = compare(default_map().deviations(speaker.features), speaker.voice, mouth)
    return replace(speaker, mouth=replace(mouth, times_s=mouth.times_s + check.offset_s)), check


def _judged(speaker: Speaker, check: SyncCheck, used: Sequence[Speaker]) -> TrainedClip:
    others = [each for each in used if each is not speaker]
    if not check.belongs or not others:
        return TrainedClip(Path(speaker.name).name, check, check.belongs)
    found = agreement(fit_map(others).deviations(speaker.features), speaker.voice, speaker.mouth)
    return TrainedClip(Path(speaker.name).name, check, True, found["open"], found["width"])
