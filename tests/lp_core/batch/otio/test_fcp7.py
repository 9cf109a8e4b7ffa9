"""Retimed clips of FCP 7 XML as Premiere writes them, read by OpenTimelineIO's own adapter."""

from fractions import Fraction

import opentimelineio as otio
import pytest

from lp_core.batch.otio.fcp7 import TICKS_PER_SECOND
from lp_core.batch.otio.timeline import read_timeline, speed_of

pytest.importorskip("otio_fcp_adapter")

SEQUENCE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="5"><sequence id="s1"><name>cut</name><duration>50</duration>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><media><video><track>
<clipitem id="c1"><name>film</name><enabled>TRUE</enabled><duration>200</duration>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><start>0</start><end>50</end><in>20</in><out>70</out>
{ticks}<file id="f1"><name>film.mov</name><pathurl>file://localhost/x/film.mov</pathurl>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><duration>400</duration><media><video/></media></file>
<filter><effect><name>Time Remap</name><effectid>timeremap</effectid><effecttype>motion</effecttype>
<mediatype>video</mediatype>
<parameter><parameterid>variablespeed</parameterid><value>{ramp}</value></parameter>
<parameter><parameterid>speed</parameterid><value>{speed}</value></parameter>
<parameter><parameterid>reverse</parameterid><value>{reverse}</value></parameter></effect></filter>
</clipitem></track></video></media></sequence></xmeml>"""
TICKS = f"<pproTicksIn>{40 * TICKS_PER_SECOND // 25}</pproTicksIn>"


def read(tmp_path, ticks=TICKS, ramp="0", speed="200", reverse="FALSE"):
    path = tmp_path / "cut.xml"
    path.write_text(SEQUENCE.format(ticks=ticks, ramp=ramp, speed=speed, reverse=reverse))
    found, _ = read_timeline(path, tmp_path)
    (clip,) = found.find_clips()
    return clip


def test_the_place_in_the_media_is_that_of_the_ticks(tmp_path):
    clip = read(tmp_path)
    assert speed_of(clip) == (Fraction(2), False)
    assert clip.source_range.start_time == otio.opentime.RationalTime(
        40, 25
    )  # in = 20 is in time as it plays
    assert clip.source_range.duration == otio.opentime.RationalTime(50, 25)


@pytest.mark.parametrize(
    "given", [{"ramp": "1"}, {"reverse": "TRUE"}, {"ticks": ""}, {"speed": "0"}, {"speed": "x"}], ids=str
)
def test_what_does_not_tell_its_place_is_not_taken_at_its_word(tmp_path, given):
    _, is_unknown = speed_of(read(tmp_path, **given))
    assert is_unknown


def test_a_clip_without_a_retime_keeps_its_place(tmp_path):
    path = tmp_path / "cut.xml"
    plain = SEQUENCE.format(ticks=TICKS, ramp="0", speed="200", reverse="FALSE").replace("timeremap", "basic")
    path.write_text(plain)
    found, _ = read_timeline(path, tmp_path)
    (clip,) = found.find_clips()
    assert (speed_of(clip), clip.source_range.start_time.value) == ((Fraction(1), False), 20)
