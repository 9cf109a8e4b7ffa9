import json
from dataclasses import replace

import numpy as np
import pytest
from fakes.films import write_tone

from lp_core.cli.main import run
from lp_core.speech.analysis import Voice
from lp_core.speech.fit import FilmedMouth
from lp_core.speech.mouth_features import blurred
from lp_core.speech.mouth_map import OUTPUTS
from lp_core.speech.sync import SyncCheck, compare


def pair(late_s=0.0, noise=1.0, seconds=12):
    """Predicted curves, their voice, and a video of the same mouth whose sound is late."""
    rng = np.random.default_rng(2)
    curves = blurred(rng.standard_normal((seconds * 100, len(OUTPUTS))), 8)
    seen = curves + noise * blurred(rng.standard_normal(curves.shape), 8)
    ones = np.ones(len(curves), np.float32)
    times = np.arange(50, seconds * 25 - 50) / 25
    filmed = {
        name: np.interp(times, np.arange(len(seen)) / 100, seen[:, k]) for k, name in enumerate(OUTPUTS)
    }
    return curves, Voice(ones, ones, ones, ones), FilmedMouth(times - late_s, filmed)


@pytest.mark.parametrize("late_s", [0.0, 0.27, -0.4, 0.6])
def test_a_planted_offset_is_found(late_s):
    found = compare(*pair(late_s))
    assert found.offset_s == pytest.approx(late_s, abs=0.02)
    assert found.belongs
    assert found.verdict == ("in sync" if late_s == 0 else "shifted")


def test_another_mouth_is_not_in_sync():
    predicted, voice, mouth = pair()
    other = replace(mouth, curves={name: curve[::-1].copy() for name, curve in mouth.curves.items()})
    assert compare(predicted, voice, other).verdict == "not in sync"


def test_without_speech_nothing_is_compared():
    predicted, voice, mouth = pair()
    silent = replace(voice, activity=np.zeros_like(voice.activity))
    assert compare(predicted, silent, mouth).verdict == "too little speech"
    assert compare(predicted[:0], replace(voice, activity=voice.activity[:0]), mouth).score == 0


def test_weak_matches_are_unsure():
    assert SyncCheck(0.0, 0.35, 0.3, 8.0).verdict == "unsure"
    assert SyncCheck(0.0, 0.42, 0.1, 8.0).verdict == "unsure"
    assert SyncCheck(0.0, 0.2, 0.1, 8.0).verdict == "not in sync"


def test_the_shared_speaker_is_270_ms_late(recognizer, media, capsys):
    assert run(["sync", "check", str(media / "driving" / "d20.mp4"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "shifted"
    assert found["offset_s"] == pytest.approx(0.27, abs=0.04)


def test_a_film_without_a_face_is_named(recognizer, tmp_path, capsys):
    write_tone(tmp_path / "tone.wav", seconds=1)
    assert run(["sync", "check", str(tmp_path / "tone.wav")]) != 0
    assert "tone.wav" in capsys.readouterr().err
