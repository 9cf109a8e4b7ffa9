"""A voice as LivePortrait motion by JoyVASA: sound -> network -> motion at the network's own rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lp_core.errors import UnreadableMedia
from lp_core.leftovers import temporary_folder
from lp_core.media.video.samples import mono_samples
from lp_core.models.device import choose_device, with_memory
from lp_core.models.store import cache_dir
from lp_core.motion.files.template_pkl import ANIMAL, PklTemplate, to_sequence
from lp_core.motion.implicit.motion import rotation_from_degrees
from lp_core.motion.implicit.regions import LIP_MASK
from lp_core.motion.sequence import MotionSequence
from lp_core.settings import SpeechSettings
from lp_core.speech.joyvasa.checkpoint import Joyvasa, load_joyvasa, stated_sizes
from lp_core.speech.joyvasa.denoiser import JoyvasaNetwork
from lp_core.speech.joyvasa.sampling import sample_motion
from lp_core.speech.sound import store_sound
from lp_core.timing import FrameRate

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_EXPRESSION, _SCALE, _PLACE, _ANGLES = slice(0, 63), 63, slice(64, 67), slice(67, 70)


def spoken_by_joyvasa(
    path: Path, settings: SpeechSettings, device: str, step: Callable[[float], None] | None = None
) -> MotionSequence:
    """The motion of the rig liveportrait21 for a voice, at the network's own rate.

    Args:
        path: a sound file, or a video with sound.
        settings: seed, track, head motion and mouth strength count.
        device: where the network runs, a word of the setting.
        step: told the share that is done, 0..1.

    Raises:
        ModelMissing, ModelDamaged: the weights cannot be used.
        OutOfMemory: they do not fit on the device.
        UnreadableMedia: the sound cannot be read, or is empty.
    """
    about = path.stat()
    return _spoken(path, (about.st_size, about.st_mtime_ns), settings, device, _Told(step))


def stated_rate() -> FrameRate:
    """Frames per second of the imported network.

    Raises:
        ModelMissing, ModelDamaged: the weights cannot be used.
    """
    return FrameRate(Fraction(stated_sizes(cache_dir()).fps))


@dataclass(frozen=True)
class _Told:
    """Who hears of the progress; all are equal, so that a result is found again."""

    step: Callable[[float], None] | None = field(compare=False)


@lru_cache(maxsize=1)
def _spoken(
    path: Path, _stamp: tuple[int, int], settings: SpeechSettings, device: str, told: _Told
) -> MotionSequence:
    """The motion; a render asks for it more than once."""
    found, chosen = load_joyvasa(cache_dir()), choose_device(device)
    network = found.network.to(torch.device(chosen))
    rows = with_memory(lambda: _sampled(path, settings, network, told.step), chosen)
    if not len(rows):
        raise UnreadableMedia(f"{path} holds no sound; give a file with a voice.")
    return motion_of(rows, found, settings, path.name)


def _sampled(
    path: Path, settings: SpeechSettings, network: JoyvasaNetwork, step: Callable[[float], None] | None
) -> F32:
    """What the network makes of a file's sound, which waits on the disk meanwhile."""
    with temporary_folder() as folder:
        sound = store_sound(mono_samples(path, settings.speech_track), Path(folder) / "sound.raw")
        rows = sample_motion(network, sound, settings.speech_seed, step=step)
        del sound
    return rows


def motion_of(rows: F32, found: Joyvasa, settings: SpeechSettings, origin: str = "") -> MotionSequence:
    """Motion from what the network gives.

    Args:
        rows: (n, 70) of the network, n at least 1.
        found: whose numbers they are.
        settings: ``head`` scales the head's turns and shifts, ``mouth_strength`` the lips, both about their mean.
        origin: name of the sound.
    """
    motion = found.ranges.motion(rows).astype(np.float64)
    expression = motion[:, _EXPRESSION].reshape(-1, 21, 3)
    expression = np.where(LIP_MASK, _scaled(expression, settings.mouth_strength), expression)
    head = {"scale": motion[:, _SCALE], "place": motion[:, _PLACE], "angles": motion[:, _ANGLES]}
    head = {name: _scaled(values, settings.head) for name, values in head.items()}
    template = PklTemplate(
        generation=ANIMAL,
        fps=found.network.sizes.fps,
        rotation=rotation_from_degrees(*head["angles"].T).astype(np.float32),
        scale=head["scale"].astype(np.float32),
        expression=expression.astype(np.float32),
        translation=head["place"].astype(np.float32),
        eyes=None,
        lips=None,
    )
    return to_sequence(template, origin)


def _scaled(values: F64, factor: float) -> F64:
    """(n, ...) values whose distance from their mean is multiplied."""
    mean = values.mean(axis=0, keepdims=True)
    return values if factor == 1 else mean + factor * (values - mean)
