from dataclasses import replace

import numpy as np
import pytest
from fakes.films import CROP, write_portrait

from lp_core.assemble import assemble
from lp_core.errors import ConsentMissing, InputChanged, OutputExists, SettingError
from lp_core.finishing.captions import captions_of, write_captions
from lp_core.finishing.finish import Finish, Framing
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_source
from lp_core.media.speech_sheet import SpeechSheet
from lp_core.provenance.detect import detect
from lp_core.saying.say import SayJob, say
from lp_core.saying.scenes import ScriptScene
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.phones import Phone
from lp_core.speech.voices.base import SpokenWord, Utterance, VoiceInfo
from lp_core.speech.voices.cache import SpeechCache


class Fake:
    """Says every sentence in 0.4 s."""

    info = VoiceInfo("fake:one", "fake", "en", "", "CC0-1.0", "1")

    def speak(self, text, delivery):
        samples = (0.4 * np.sin(np.arange(6400) * 0.1)).astype(np.float32)
        phones = (Phone("M", 0.0, 0.1), Phone("AA", 0.1, 0.3), Phone("P", 0.3, 0.4))
        return Utterance(samples, 16000, phones, (SpokenWord(text, 0.0, 0.4),))


def settings(**values):
    return with_values(
        RenderSettings(), {"engine": "mesh", "calibration": "off", "sign": False, "fps": "10", **values}
    )


def run(job):
    return say(job, open_named=lambda *_: Fake(), cache=SpeechCache(None))


@pytest.fixture
def portrait(tmp_path, astronaut):
    return str(write_portrait(tmp_path / "portrait.png", astronaut))


def test_a_portrait_says_a_text(portrait, tmp_path):
    job = SayJob(
        (ScriptScene("Hello.", portrait),),
        str(tmp_path / "out.mp4"),
        settings(),
        Finish(Framing("9:16", 0.6, 128)),
        subtitles=str(tmp_path / "out.vtt"),
        burned=True,
        sound=str(tmp_path / "said.wav"),
    )
    done = run(job)
    assert done.sheets[0].voice == "fake:one"
    with open_source(job.output) as source:
        assert (source.info.width, source.info.height, source.info.has_audio) == (72, 128, True)
        frames = [frame.as_rgb8().astype(int) for frame in source]
    assert len(frames) == done.render.frames == 12
    band = [frame[100:125].max() for frame in frames]
    assert band[5] > 240  # the caption is white
    text = (tmp_path / "out.vtt").read_text()
    assert text.startswith("WEBVTT\n")
    assert "00:00:00.300 --> " in text
    assert (tmp_path / "said.wav").stat().st_size > 16000
    with pytest.raises(OutputExists):
        run(job)


def test_scenes_are_joined_with_one_sound(portrait, tmp_path):
    otio = pytest.importorskip("opentimelineio")
    scenes = (
        ScriptScene("One.", portrait, pause=0.5, title="First"),
        ScriptScene("Two.", portrait, emotion="happy", music=""),
    )
    job = SayJob(scenes, str(tmp_path / "out.mp4"), settings(), timeline=str(tmp_path / "out.otio"),
                 subtitles=str(tmp_path / "out.srt"))  # fmt: skip
    done = run(job)
    assert done.starts_s == (0.0, 1.7)
    with open_source(job.output) as source:
        assert source.info.has_audio
        assert sum(1 for _ in source) == done.render.frames == 29
    clips = list(otio.adapters.read_from_file(job.timeline).video_tracks()[0])
    assert [(clip.name, clip.source_range.duration.value) for clip in clips] == [
        ("First", 17),
        ("Scene 2", 12),
    ]
    assert "00:00:02,000 --> " in (tmp_path / "out.srt").read_text()


def test_scenes_of_different_sizes_are_refused(portrait, tmp_path, astronaut):
    other = tmp_path / "other.png"
    write_image(other, np.ascontiguousarray(astronaut[:300, 60:380]))
    scenes = (ScriptScene("One.", portrait), ScriptScene("Two.", str(other)))
    job = SayJob(scenes, str(tmp_path / "out.mp4"), settings())
    with pytest.raises(SettingError, match="differ in size"):
        run(job)
    assert not (tmp_path / "out.mp4").exists()


def test_a_background_is_seen_where_the_portrait_is_transparent(portrait, tmp_path, astronaut):
    pixels = astronaut[CROP]
    matte = np.zeros_like(pixels)
    matte[:, 64:192] = 255
    write_image(tmp_path / "matte.png", matte)
    finish = Finish(background="#00ff00", matte=str(tmp_path / "matte.png"))
    job = SayJob((ScriptScene("Hi.", portrait),), str(tmp_path / "out.mp4"), settings(), finish)
    run(job)
    with open_source(job.output) as source:
        first = next(iter(source)).as_rgb8().astype(int)
    assert np.abs(first[128, 8] - (0, 255, 0)).max() < 12
    assert np.abs(first[128, 128] - pixels[128, 128].astype(int)).max() < 40
    with pytest.raises(SettingError, match="opaque"):
        run(replace(job, output=str(tmp_path / "b.mp4"), finish=Finish(background="#00ff00")))


def test_a_background_or_matte_that_changes_meanwhile_fails_the_work(portrait, tmp_path, astronaut):
    pixels = np.full_like(astronaut[CROP], 255)
    for name in ("behind.png", "matte.png"):
        write_image(tmp_path / name, pixels)
    finish = Finish(background=str(tmp_path / "behind.png"), matte=str(tmp_path / "matte.png"))
    for name in ("behind.png", "matte.png"):
        job = RenderJob(portrait, "demo:nod", str(tmp_path / "out.mp4"), settings(frames="0-2"))
        render = assemble(job, finish=finish)
        write_image(tmp_path / name, pixels - 1)
        with pytest.raises(InputChanged, match=name):
            render.run()
        assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "values",
    [{"aspect": "9x16"}, {"aspect": "0:1"}, {"head_height": 2.0}, {"height": 3}, {"aspect": "9:16:1"}],
)
def test_framings_that_are_refused(values):
    with pytest.raises(SettingError):
        Framing(**values)


def test_consent_and_marks_hold(portrait, tmp_path, monkeypatch):
    job = SayJob((ScriptScene("Hi.", portrait),), str(tmp_path / "out.mp4"), settings(require_consent=True))
    with pytest.raises(ConsentMissing):
        run(job)
    assert not (tmp_path / "out.mp4").exists()


def test_the_mark_is_found_in_what_is_said(portrait, tmp_path):
    pytest.importorskip("reedsolo")
    job = SayJob(
        (ScriptScene("Hi.", portrait), ScriptScene("Hi.", portrait)),
        str(tmp_path / "out.mkv"),
        settings(watermark="0xBEEF", codec="ffv1"),
    )
    run(job)
    with open_source(job.output) as source:
        assert detect(frame.as_rgb8() for frame in source).number == 0xBEEF


def test_the_record_of_several_scenes_names_every_voice(portrait, tmp_path, monkeypatch):
    pytest.importorskip("c2pa")
    from lp_core.provenance.config import KeyConfig
    from lp_core.provenance.init_keys import set_up_local
    from lp_core.provenance.sign import read

    monkeypatch.setenv("LPSUITE_CONFIG", str(tmp_path / "config"))
    set_up_local("Test", 30, KeyConfig(), overwrite=False)
    scenes = tuple(ScriptScene("Hi.", portrait, title=name) for name in ("a", "b"))
    assert run(SayJob(scenes, str(tmp_path / "out.mp4"), settings(sign=True))).render.signature == "signed"
    record = read(tmp_path / "out.mp4", ()).record
    assert [scene["voice"] for scene in record["scenes"]] == ["fake:one", "fake:one"]
    assert [scene["license"] for scene in record["scenes"]] == ["CC0-1.0", "CC0-1.0"]


def test_the_record_names_the_synthetic_voice(portrait, tmp_path, monkeypatch):
    pytest.importorskip("c2pa")
    from lp_core.provenance.config import KeyConfig
    from lp_core.provenance.init_keys import set_up_local
    from lp_core.provenance.sign import read

    monkeypatch.setenv("LPSUITE_CONFIG", str(tmp_path / "config"))
    set_up_local("Test", 30, KeyConfig(), overwrite=False)
    job = SayJob((ScriptScene("Hi.", portrait),), str(tmp_path / "out.mp4"), settings(sign=True))
    assert run(job).render.signature == "signed"
    found = read(tmp_path / "out.mp4", ())
    assert found.record["synthetic_voice"] == {"id": "fake:one", "license": "CC0-1.0", "model": "1"}
    assert found.record["driven_by"] == "speech"
    assert "hama-phones" not in {model["set"] for model in found.record["models"]}


def test_captions_are_cut_into_lines():
    words = tuple((f"w{index}", 1 + index * 0.5, 1.5 + index * 0.5) for index in range(24))
    text = " ".join(["something"] * 24)
    sheet = SpeechSheet("v", "l", "m", "", words=words, sentences=((text, 1.0, 13.0),))
    found = captions_of(sheet)
    assert " ".join(item.text.replace("\n", " ") for item in found) == text
    assert all(len(line) <= 42 for item in found for line in item.text.split("\n"))
    assert all(item.text.count("\n") <= 1 for item in found)
    assert found[0].start_s == 1.0
    assert all(left.end_s <= right.start_s for left, right in zip(found, found[1:], strict=False))
    assert found[1].start_s in {word[1] for word in words}


def test_subtitles_need_a_known_suffix(tmp_path):
    with pytest.raises(SettingError, match="cannot hold subtitles"):
        write_captions((), tmp_path / "a.txt")
