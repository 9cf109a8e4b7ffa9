"""A portrait that talks, without a network: frames, sound and events on one clock."""

import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from fakes.engine import ToyEngine

from lp_core.errors import ConsentMissing, TooBusy, UnreadableMedia
from lp_core.frame import Frame
from lp_core.live.config import StreamConfig
from lp_core.live.phrases import FPS, LEAD_S, SOUND_RATE, phrase_of
from lp_core.live.scenes import Scene
from lp_core.live.talking import BLOCK, MOST_WAITING, TalkingPortrait, TalkText
from lp_core.settings import EngineSettings, RenderSettings, SpeechSettings
from lp_core.settings.table import with_values
from lp_core.speech.phones import Phone
from lp_core.speech.voices.base import Utterance, VoiceInfo
from lp_core.speech.voices.cache import SpeechCache
from lp_core.speech.voices.script import Piece

RATE = 16000
PLAIN = RenderSettings(engine=EngineSettings(engine="mesh"))


class Tone:
    """Says every text as half a second of a tone: an open vowel between two closures."""

    info = VoiceInfo("tone", "a tone", "", "", "CC0-1.0", "1")

    def speak(self, text, delivery):
        if text == "fail":
            raise UnreadableMedia("The voice is hoarse.")
        time_s = np.arange(RATE // 2) / RATE
        samples = (0.5 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
        return Utterance(samples, RATE, (Phone("M", 0.0, 0.1), Phone("AA", 0.1, 0.4), Phone("M", 0.4, 0.5)))


def text_of(name, *words):
    return TalkText(name, tuple(Piece(word, pause_s=0.2) for word in words), Tone())


def talking(settings=PLAIN, side=64):
    picture = np.full((side, side, 4), 255, np.uint8)
    engine = ToyEngine()
    engine.with_settings = lambda settings: engine
    key = StreamConfig("a.png", "speech:text", settings)
    face = type("Face", (), {"pose": type("Pose", (), {"roll_deg": 0.0})()})()
    scene = Scene(
        key.wanted, engine, engine.prepare(Frame(picture, 0, Fraction(0)), face), face, picture, "a.png"
    )
    return TalkingPortrait(key, scene, SpeechCache(None))


@pytest.fixture
def portrait():
    with talking() as made:
        yield made


class Screen:
    def __init__(self):
        self.frames, self.there = [], threading.Condition()

    def show(self, frame):
        with self.there:
            self.frames.append(frame)
            self.there.notify_all()

    def events(self):
        return [(frame.index, event.kind, event.utterance) for frame in self.frames for event in frame.events]

    def until(self, kind, count=1):
        def found():
            return [entry for entry in self.events() if entry[1] == kind][count - 1 :]

        with self.there:
            assert self.there.wait_for(found, 10), self.events()
            return found()[0]


def loudness(portrait, block):
    return float(np.abs(portrait.sound(block).astype(np.float32)).mean())


def test_a_phrase_is_sound_and_curves_of_the_same_length():
    phrase = phrase_of(Tone().speak("a", None), 0.2, SpeechSettings())
    assert phrase.frames == round((LEAD_S + 0.5 + 0.2) * FPS + 0.49)
    assert len(phrase.samples) == phrase.frames * SOUND_RATE // FPS
    lead = phrase.samples[: int((LEAD_S - 0.01) * SOUND_RATE)]
    assert np.abs(lead.astype(int)).max() < 300
    middle = round((LEAD_S + 0.25) * FPS)
    assert phrase.curves["open"][middle] > 0.05
    assert phrase.curves["open"][round((LEAD_S + 0.05) * FPS)] < 0.02, "the lips are closed for m"
    assert phrase.curves["open"][0] == phrase.curves["open"][-1] == 0


def test_sound_and_events_are_on_the_clock_of_the_frames(portrait):
    screen = Screen()
    portrait.say(text_of("one", "a", "b"))
    portrait.begin(screen.show)
    first = screen.until("started")[0]
    begun = first * 2
    heard = [loudness(portrait, block) for block in range(begun, begun + 90)]
    lead = round(LEAD_S / 0.02)
    assert max(heard[: lead - 1]) < 100 < 3000 < heard[lead + 2]
    done = screen.until("done")[0]
    assert abs((done - first) / FPS - 2 * (LEAD_S + 0.5 + 0.2)) < 0.1
    assert portrait.sound(begun).shape == (BLOCK,)
    indices = [frame.index for frame in screen.frames]
    assert indices == sorted(set(indices))


def test_an_interruption_drops_what_waits(portrait):
    screen = Screen()
    portrait.begin(screen.show)
    for name in ("one", "two", "three"):
        portrait.say(text_of(name, *"abcdefgh"))
    screen.until("started")
    portrait.interrupt()
    screen.until("done", 3)
    assert [entry[2] for entry in screen.events()] == ["one", "one", "two", "three"]
    time.sleep(0.3)
    last = screen.frames[-1].index * 2
    assert max(loudness(portrait, block) for block in range(last, last + 10)) == 0
    portrait.say(text_of("four", "a"))
    assert screen.until("started", 2)[2] == "four"


def test_a_voice_that_fails_is_an_event_and_the_next_text_is_said(portrait):
    screen = Screen()
    portrait.begin(screen.show)
    portrait.say(text_of("bad", "fail"))
    portrait.say(text_of("good", "a"))
    assert screen.until("error")[2] == "bad"
    assert screen.until("started")[2] == "good"


def test_too_many_texts_are_refused(portrait):
    for number in range(MOST_WAITING):
        portrait.say(text_of(str(number), "a"))
    with pytest.raises(TooBusy):
        portrait.say(text_of("more", "a"))


def test_consent_holds():
    with pytest.raises(ConsentMissing):
        talking(with_values(PLAIN, {"require_consent": True}))


def test_frames_are_marked():
    pytest.importorskip("reedsolo")
    screen = Screen()
    with talking(with_values(PLAIN, {"watermark": "0xBEEF"}), 128) as portrait:
        portrait.begin(screen.show)
        with screen.there:
            assert screen.there.wait_for(lambda: len(screen.frames) >= 4, 10)
    change = screen.frames[1].pixels.astype(int) - screen.frames[1].pixels.astype(int).mean()
    assert 0.3 < change.std() < 4, "the engine's image is of one value, the mark is not"
