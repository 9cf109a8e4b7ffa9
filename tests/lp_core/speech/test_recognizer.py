import sys

import numpy as np
import pytest

from lp_core.errors import MissingDependency, ModelDamaged
from lp_core.models import store
from lp_core.speech.recognizer import MODEL, load_recognizer, read_recognizer


def babble(seconds=1.5):
    """A buzz whose two formants wander: not speech, but enough to wake the network."""
    rng = np.random.default_rng(7)
    at = np.arange(int(seconds * 16000)) / 16000
    buzz = np.sign(np.sin(2 * np.pi * 120 * at)) * 0.2
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * at)
    tones = np.sin(2 * np.pi * (500 + 300 * np.sin(4 * at)) * at) + np.sin(2 * np.pi * 1800 * at)
    return ((buzz + 0.1 * tones) * envelope + 0.01 * rng.standard_normal(len(at))).astype(np.float32)


@pytest.mark.skipif(sys.platform == "win32", reason="the package has no library for Windows")
def test_the_numbers_are_those_of_the_package(recognizer):
    asr = pytest.importorskip("hama.asr").ASRModel()
    samples = babble()
    feeds = {
        asr._waveform_input_name: samples[None],
        asr._waveform_lengths_input_name: np.array([len(samples)], np.int64),
    }
    theirs = np.asarray(asr.session.run([asr._log_probs_output_name], feeds)[0])[0]
    ours = recognizer.log_probabilities(samples)
    assert ours.shape == theirs.shape
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).all()
    likely = theirs > np.log(1e-3)
    assert np.abs(ours - theirs)[likely].max() < 0.02


def test_rows_are_probabilities_every_20_ms(recognizer):
    rows = recognizer.log_probabilities(babble(1.0))
    assert rows.shape == (51, 191)
    assert np.allclose(np.exp(rows).sum(axis=1), 1, atol=1e-4)


def test_hardly_any_sound_gives_no_rows(recognizer):
    assert recognizer.log_probabilities(np.zeros(399, np.float32)).shape == (0, 191)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF0000", b"HAMAPK\x01\x02\x05\x00\x00\x00", b"HAMAPK\x01\x02" + bytes(4)]
)
def test_what_is_no_container_of_these_weights_is_refused(tmp_path, content):
    path = tmp_path / "weights.hama"
    path.write_bytes(content)
    with pytest.raises(ModelDamaged, match="cannot be read"):
        read_recognizer(path)


def test_without_the_weights_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(store.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(store, "carried", lambda package, path: None)
    load_recognizer.cache_clear()
    with pytest.raises(MissingDependency, match=rf"extra 'speech'.*models fetch {MODEL}"):
        load_recognizer()
    load_recognizer.cache_clear()
