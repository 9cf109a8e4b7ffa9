import shutil
import sys

import numpy as np
import pytest

from lp_core.errors import MissingDependency, ModelMissing, SettingError, UnreadableMedia
from lp_core.media.speech_sheet import read_sheet
from lp_core.speech.phones import Phone
from lp_core.speech.voices.base import Delivery, SpokenWord, Utterance, VoiceInfo
from lp_core.speech.voices.cache import SpeechCache, default_cache
from lp_core.speech.voices.letters import closed_gaps, letters_of_ipa, timed_phones
from lp_core.speech.voices.registry import default_voice, open_voice
from lp_core.speech.voices.script import Piece, read_script
from lp_core.speech.voices.speaking import speak_script, spoken_piece


class Fake:
    """Speaks a tone of 0.1 s for each letter, silence around it."""

    info = VoiceInfo("fake:one", "fake", "en", "", "CC0-1.0", "1")

    def __init__(self):
        self.calls = []

    def speak(self, text, delivery):
        self.calls.append((text, delivery))
        rate = 8000
        count = int(0.1 * len(text) * rate / delivery.speed)
        tone = 0.5 * np.sin(np.arange(count) * 0.5)
        samples = np.concatenate([np.zeros(rate // 2), tone, np.zeros(rate // 2)]).astype(np.float32)
        end = 0.5 + count / rate
        phones = (Phone("M", 0.5, 0.6), Phone("AA", 0.6, end))
        words = tuple(
            SpokenWord(word, 0.5 + index * 0.1, 0.6 + index * 0.1) for index, word in enumerate(text.split())
        )
        return Utterance(samples, rate, phones, words)


@pytest.fixture
def hibari():
    pytest.importorskip("hibari")
    return open_voice("hibari:heart")


def test_hibari_speaks_with_phones_and_words(hibari):
    spoken = hibari.speak("Mom bought five apples.", Delivery())
    assert spoken.rate == 24000
    assert 1 < spoken.seconds < 4
    assert [phone.name for phone in spoken.phones][:6] == ["M", "AA", "M", "B", "AO", "T"]
    assert [word.text for word in spoken.words] == ["Mom", "bought", "five", "apples."]
    starts = [phone.start_s for phone in spoken.phones]
    assert starts == sorted(starts)
    assert all(phone.end_s > phone.start_s for phone in spoken.phones)
    loud = np.abs(spoken.samples) > 0.02
    first = np.flatnonzero(loud)[0] / spoken.rate
    assert abs(first - spoken.phones[0].start_s) < 0.1


def test_hibari_is_repeatable_and_takes_pronunciations(hibari):
    text = "I say [tomato](/təmˈɑːtoʊ/) on May 3, 2024."
    one, two = (hibari.speak(text, Delivery(seed=3)) for _ in range(2))
    np.testing.assert_array_equal(one.samples, two.samples)
    names = [phone.name for phone in one.phones]
    assert "AA" in names
    assert not np.array_equal(one.samples, hibari.speak(text, Delivery(seed=4)).samples)
    assert hibari.speak(text, Delivery(speed=1.6)).seconds < one.seconds / 1.3


def test_phones_of_letters():
    found = timed_phones("həlˈO w", [0, 0.1, 0.2, 0.3, 0.35, 0.5, 0.55, 0.7])
    assert [phone.name for phone in found] == ["HH", "AH", "L", "OW", "W"]
    assert (found[3].start_s, found[4].start_s) == (0.3, pytest.approx(0.55))
    assert letters_of_ipa("t͡ʃeɪndʒ") == "ʧAnʤ"
    closed = closed_gaps([Phone("AA", 0, 0.1), Phone("T", 0.15, 0.2), Phone("S", 0.4, 0.5)])
    assert (closed[0].end_s, closed[1].end_s) == (0.15, 0.2)


def test_names_of_voices():
    assert default_voice("") == default_voice("en-GB") == "hibari:heart"
    assert default_voice("de-AT") == "espeak:de-at"
    for name in ("nobody", "hibari:nobody", "espeak:../x", "command:nothing-there {output}", "command:echo"):
        with pytest.raises((SettingError, MissingDependency)):
            open_voice(name)
    with pytest.raises((ModelMissing, MissingDependency)):
        open_voice("hibari:emma")
    with pytest.raises(UnreadableMedia):
        open_voice("piper:/nowhere/voice.onnx")
    with pytest.raises(SettingError, match="out of range"):
        Delivery(speed=3)


def test_a_program_speaks(tmp_path):
    script = tmp_path / "speak.py"
    script.write_text(
        "import sys, wave\nwith wave.open(sys.argv[1], 'wb') as file:\n"
        " file.setparams((1, 2, 8000, 0, 'NONE', ''))\n file.writeframes(b'\\1\\2' * len(sys.stdin.read()))\n"
    )
    voice = open_voice(f"command:{sys.executable} {script} {{output}} {{speed}}")
    spoken = voice.speak("with; $(touch x) 'quotes'", Delivery())
    assert (spoken.rate, len(spoken.samples), spoken.phones) == (8000, 25, ())
    failing = open_voice(f"command:{sys.executable} -c fail {{output}}")
    with pytest.raises(UnreadableMedia, match="ended with code"):
        failing.speak("a", Delivery())
    silent = open_voice(f"command:{sys.executable} -c pass {{output}}")
    with pytest.raises(UnreadableMedia, match="no WAV file"):
        silent.speak("a", Delivery())


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize(("language", "text"), [("de", "Guten Morgen, Mama."), ("fr", "Bonjour, maman.")])
def test_espeak_speaks_other_languages(language, text, recognizer):
    spoken = open_voice(f"espeak:{language}").speak(text, Delivery(language=language))
    assert 0.5 < spoken.seconds < 4
    assert [phone.name for phone in spoken.phones].count("M") >= 2
    assert len(spoken.words) == len(text.split())
    with pytest.raises(SettingError, match="does not speak"):
        open_voice("espeak:xx")


def test_sentences_are_kept_by_content(tmp_path):
    cache, voice = SpeechCache(tmp_path / "cache"), Fake()
    first = cache.speak(voice, "Hello", Delivery())
    again = cache.speak(voice, "Hello", Delivery())
    assert len(voice.calls) == 1
    np.testing.assert_allclose(first.samples, again.samples, atol=2e-5)
    assert (again.phones, again.words, again.rate) == (first.phones, first.words, first.rate)
    cache.speak(voice, "Hello", Delivery(seed=1))
    cache.speak(voice, "Hallo", Delivery())
    assert len(voice.calls) == 3
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(b"damaged")
    cache.speak(voice, "Hello", Delivery())
    assert len(voice.calls) == 4
    SpeechCache(tmp_path / "cache", 1000).trim()
    assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) <= 1000


def test_the_cache_can_be_switched_off(monkeypatch, tmp_path):
    monkeypatch.setenv("LPSUITE_SPEECH_CACHE", "off")
    assert default_cache().folder is None
    monkeypatch.setenv("LPSUITE_SPEECH_CACHE", str(tmp_path))
    assert default_cache().folder == tmp_path


def test_a_script_becomes_a_file_with_a_sheet(tmp_path):
    path, voice = tmp_path / "said.wav", Fake()
    pieces = read_script("Hello there. Bye.")
    sheet = speak_script(pieces, voice, Delivery("en-US"), path, SpeechCache(None))
    assert read_sheet(path) == sheet
    assert (sheet.voice, sheet.license, sheet.language) == ("fake:one", "CC0-1.0", "en-US")
    assert [text for text, _, _ in sheet.sentences] == ["Hello there.", "Bye."]
    first_end, second_start = sheet.sentences[0][2], sheet.sentences[1][1]
    assert second_start - first_end == pytest.approx(0.25, abs=0.01)
    assert sheet.sentences[0][1] == pytest.approx(0.3, abs=0.01)
    assert all(start <= end for _, start, end in (*sheet.phones, *sheet.words, *sheet.sentences))
    assert sheet.phones[0][1] == pytest.approx(0.35, abs=0.01)  # silence of the voice's own is cut


def test_emphasis_makes_words_louder():
    voice = Fake()
    plain = spoken_piece(Piece("one two three"), voice, Delivery(), SpeechCache(None))
    loud = spoken_piece(Piece("one two three", gains=((1, 2, 1.5),)), voice, Delivery(), SpeechCache(None))
    ratio = np.abs(loud.samples).max() / np.abs(plain.samples).max()
    assert ratio == pytest.approx(1.5, abs=0.05)
    np.testing.assert_allclose(loud.samples[:400], plain.samples[:400], atol=1e-6)


@pytest.mark.parametrize("damage", [b"{}", b"[", b'{"schema": 1}', b"\xff\xff"])
def test_a_damaged_sheet_is_told(tmp_path, damage):
    path = tmp_path / "said.wav"
    speak_script(read_script("Hi."), Fake(), Delivery(), path, SpeechCache(None))
    content = path.read_bytes()
    at = content.index(b"lpsp")
    path.write_bytes(content[: at + 4] + len(damage).to_bytes(4, "little") + damage)
    with pytest.raises(UnreadableMedia, match="speech sheet"):
        read_sheet(path)


def test_other_files_have_no_sheet(tmp_path, write_wav):
    assert read_sheet(write_wav(np.zeros(100))) is None
    (tmp_path / "short.wav").write_bytes(b"RIFF")
    assert read_sheet(tmp_path / "short.wav") is None
    assert read_sheet(tmp_path / "absent.wav") is None
    assert read_sheet(tmp_path / "talk.mp3") is None
