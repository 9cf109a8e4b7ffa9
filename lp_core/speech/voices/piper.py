"""Voices of Piper that a user brings: NAME.onnx with NAME.onnx.json next to it. espeak-ng gives their phones."""

from __future__ import annotations

import json
import unicodedata
import wave
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lp_core.errors import MALFORMED, ModelDamaged
from lp_core.files import check_readable, sha256_of
from lp_core.leftovers import temporary_folder
from lp_core.speech.voices.base import Delivery, Utterance, VoiceInfo, unmarked
from lp_core.speech.voices.onnx import open_session
from lp_core.speech.voices.programs import (
    espeak_version,
    ipa_of,
    ipa_words,
    with_aligned_phones,
)

_LARGEST_SETTINGS = 4 << 20


@dataclass(frozen=True)
class PiperVoice:
    """A voice of Piper."""

    info: VoiceInfo
    """What is known of it."""
    path: Path
    """The network."""
    rate: int
    """Samples per second."""
    espeak: str
    """Language that espeak-ng is asked for."""
    ids: dict[str, list[int]]
    """Sign -> ids."""
    scales: tuple[float, float, float]
    """Noise, length, noise of durations."""
    speakers: int
    """Number of speakers in the network."""

    def speak(self, text: str, delivery: Delivery) -> Utterance:
        """Speaks a sentence; see the contract."""
        plain = unmarked(text)
        ipa = ipa_of(plain, self.espeak)
        ids = self._ids(" ".join(ipa.split()))
        noise, length, width = self.scales
        inputs: dict[str, Any] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([noise, length / delivery.speed, width], np.float32),
        }
        if self.speakers > 1:
            inputs["sid"] = np.array([0], np.int64)
        found = _session(self.path).run(None, inputs)[0]
        samples = np.clip(found.reshape(-1).astype(np.float32), -1, 1)
        with temporary_folder() as folder:
            sound = Path(folder) / "said.wav"
            with wave.open(str(sound), "wb") as file:
                file.setparams((1, 2, self.rate, 0, "NONE", ""))
                file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
            return with_aligned_phones(
                Utterance(samples, self.rate), sound, plain, ipa_words(plain, self.espeak)
            )

    def _ids(self, ipa: str) -> list[int]:
        """Start, each sign followed by the pad, end."""
        pad = self.ids.get("_", [0])
        ids = [*self.ids.get("^", [1]), *pad]
        for sign in unicodedata.normalize("NFD", ipa):
            if sign in self.ids:
                ids += [*self.ids[sign], *pad]
        return [*ids, *self.ids.get("$", [2])]


@lru_cache(maxsize=2)
def _session(path: Path) -> Any:  # noqa: ANN401 - onnxruntime's own class
    return open_session(path)


def open_piper(name: str) -> PiperVoice:
    """The voice of a file.

    Raises:
        MissingDependency: onnxruntime or espeak-ng is not installed.
        ModelDamaged: the files are not a Piper voice.
        UnreadableMedia: a file cannot be read.
    """
    path = Path(name).expanduser()
    beside = path.with_name(path.name + ".json")
    check_readable(path)
    check_readable(beside)
    espeak_version()
    try:
        with beside.open(encoding="utf-8") as file:
            values = json.loads(file.read(_LARGEST_SETTINGS))
        ids = {
            str(sign): [int(number) for number in numbers]
            for sign, numbers in values["phoneme_id_map"].items()
        }
        scales = values.get("inference", {})
        rate, espeak = int(values["audio"]["sample_rate"]), str(values["espeak"]["voice"])
        noise = (
            float(scales.get("noise_scale", 0.667)),
            float(scales.get("length_scale", 1.0)),
            float(scales.get("noise_w", 0.8)),
        )
        speakers = int(values.get("num_speakers", 1))
        language = str(values.get("language", {}).get("code", espeak)).replace("_", "-")
    except (OSError, *MALFORMED) as error:
        raise ModelDamaged(
            f"{beside} does not describe a voice of Piper ({error}); get both files of the voice again."
        ) from error
    _session(path)
    info = VoiceInfo(
        f"piper:{path.name}",
        f"Piper {path.stem}",
        language,
        "",
        "see the voice's model card",
        sha256_of(path),
    )
    return PiperVoice(info, path, rate, espeak, ids, noise, speakers)
