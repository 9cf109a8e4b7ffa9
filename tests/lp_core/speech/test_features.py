import numpy as np
import pytest

from lp_core.speech.features import QUIET_DB, loudness_db, mel_bands, pitch_hz
from lp_core.speech.mouth_features import FEATURES, blurred, mouth_features, phone_states
from lp_core.speech.phones import PHONES, Phone


def tone(hertz, seconds=1.0, level=0.5):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * 16000)) / 16000)).astype(np.float32)


@pytest.mark.parametrize("hertz", [80.0, 125.0, 250.0])
def test_pitch_of_a_tone(hertz):
    found = pitch_hz(tone(hertz))[10:-10]
    assert np.abs(found / hertz - 1).max() < 0.02


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(1).standard_normal(16000).astype(np.float32) * 0.1
    assert (pitch_hz(noise) > 0).mean() < 0.1
    assert not pitch_hz(np.zeros(16000, np.float32)).any()


def test_loudness_in_decibels():
    assert loudness_db(tone(440))[20:80] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    assert (loudness_db(np.zeros(8000, np.float32)) == QUIET_DB).all()


def test_a_tone_is_in_its_band():
    low, high = (mel_bands(tone(hertz))[50].argmax() for hertz in (200, 4000))
    assert low < high


def test_a_click_is_in_its_tick():
    samples = np.zeros(16000, np.float32)
    samples[8000] = 1
    assert mel_bands(samples).mean(axis=1).argmax() == 50


def test_kinds_of_silence():
    phones = [Phone("AA", 0.0, 1.0), Phone("P", 1.3, 1.4), Phone("AA", 4.0, 4.5)]
    states = phone_states(phones, 0.0, 500)
    names = [*PHONES, "pause", "onset", "rest"]
    at = [names[states[tick].argmax()] for tick in (50, 105, 125, 135, 200, 390, 420, 480)]
    assert at == ["AA", "pause", "onset", "P", "rest", "onset", "AA", "pause"]
    assert (states.sum(axis=1) == 1).all()


def test_features_do_not_depend_on_the_level_of_the_recording():
    noise = np.random.default_rng(3).standard_normal(32000) * 0.2
    samples = (noise * np.linspace(0.05, 1, 32000)).astype(np.float32)
    states = phone_states([Phone("AA", 0.0, 2.0)], 0.0, 200)
    probabilities = np.zeros((200, len(PHONES)), np.float32)

    def rows(level):
        bands = mel_bands(samples * level)
        quiet, loud = np.percentile(bands.mean(axis=1), [10, 95])
        return mouth_features(states, probabilities, bands, quiet, loud)

    assert rows(1.0).shape == (200, FEATURES)
    assert np.abs(rows(1.0) - rows(0.5)).mean() < 0.05


def test_blur_keeps_the_mean_and_a_constant():
    rows = np.random.default_rng(2).random((80, 3)).astype(np.float32)
    assert blurred(rows, 4).mean(axis=0) == pytest.approx(rows.mean(axis=0), abs=0.05)
    assert blurred(np.ones((5, 1), np.float32), 8) == pytest.approx(1)
