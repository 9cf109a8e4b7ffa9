"""Marks in every way an editor or a pipeline can write them."""

import json

import opentimelineio as otio
import pytest
from fakes.cuts import clip_of, file_at, timeline_of

from lp_core.batch.marks import ClipMark, read_map, read_mark, read_marker
from lp_core.batch.otio.clips import mark_of
from lp_core.batch.otio.marking import WRITERS, write_marks
from lp_core.batch.otio.timeline import places_of
from lp_core.cli.main import run
from lp_core.errors import SettingError


def place_of(clip):
    return places_of(timeline_of("t", [[clip]]))[0]


def plain():
    return clip_of("a", file_at("/x.mov", 25, 100), 25, 0, 10)


@pytest.mark.parametrize(
    "name,notes,values",
    [
        ("LP: driver=acting.mov, engine=mesh", [], {"driver": "acting.mov", "engine": "mesh"}),
        ("LP:driver=my acting take.mov engine=mesh", [], {"driver": "my acting take.mov", "engine": "mesh"}),
        ('LP: driver="a, b.mov"; strength=0.5', [], {"driver": "a, b.mov", "strength": 0.5}),
        (
            "LP",
            ['{"driver": "clip:acting", "stitching": false}'],
            {"driver": "clip:acting", "stitching": False},
        ),
        ("LP", ['{"lp_suite": {"driver": "track:V2"}}'], {"driver": "track:V2"}),
        ("LP", ["driver=demo:nod, on-lost=source"], {"driver": "demo:nod", "on_lost": "source"}),
        ("LP: driver=C:\\takes\\a.mov", [], {"driver": "C:\\takes\\a.mov"}),
        ("LP: engine=mesh", ["driver=a.mov"], {"driver": "a.mov", "engine": "mesh"}),
        ("LP: driver=a.mov, driver_start=12", [], {"driver": "a.mov", "driver_start": 12}),
        ("LP: driver=a.mov", ["please make her smile"], {"driver": "a.mov"}),
        ('LP: driver=a.mov, edit="smile=0.5;yaw=3"', [], {"driver": "a.mov", "edit": ("smile=0.5", "yaw=3")}),
    ],
)
def test_markers(name, notes, values):
    assert read_marker(name, notes, "clip 'a'").as_dict() == values


@pytest.mark.parametrize(
    "values,words",
    [
        ({}, "no driver"),
        ({"driver": "a.mov", "smooothing": 0.2}, "smooothing"),
        ({"driver": "a.mov", "strength": "much"}, "strength"),
        ({"driver": "a.mov", "strength": 7}, "strength"),
        ({"driver": "a.mov", "frames": "1-2"}, "whole run"),
        ({"driver": "a.mov", "batch": 1.5}, "batch"),
        ({"driver": "a.mov", "stitching": "perhaps"}, "stitching"),
    ],
)
def test_a_slip_of_the_pen_is_an_error(values, words):
    with pytest.raises(SettingError, match=words):
        read_mark(values, "clip 'a'")


@pytest.mark.parametrize("key", ["lp_suite", "liveportrait"])
def test_the_order_of_precedence(key):
    clip = plain()
    assert mark_of(place_of(clip), ()) is None
    clip = plain()
    clip.markers.append(otio.schema.Marker("LP: driver=marker.mov"))
    assert mark_of(place_of(clip.deepcopy()), ()).driver == "marker.mov"
    clip.metadata[key] = {"driver": "metadata.mov"}
    assert mark_of(place_of(clip.deepcopy()), ()).driver == "metadata.mov"
    clip.effects.append(
        otio.schema.Effect(effect_name="LivePortrait", metadata={key: {"driver": "effect.mov"}})
    )
    assert mark_of(place_of(clip), ()).driver == "effect.mov"


def test_notes_of_editing_programs_are_read():
    clip = plain()
    marker = otio.schema.Marker("LP", metadata={"Resolve_OTIO": {"Note": json.dumps({"driver": "r.mov"})}})
    clip.markers.append(marker)
    assert mark_of(place_of(clip), ()) == ClipMark("r.mov")


def test_other_markers_are_left_alone():
    clip = plain()
    clip.markers.append(otio.schema.Marker("LPs on shelf"))
    assert mark_of(place_of(clip), ()) is None


def test_a_sidecar_counts_first_and_its_first_fit(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(
        '[[clip]]\nname = "sh01*"\ndriver = "one.mov"\nengine = "mesh"\n[[clip]]\ntrack = "V1"\ndriver = "two.mov"\n'
    )
    lines = read_map(path)
    marked = clip_of("sh010", file_at("/x.mov", 25, 100), 25, 0, 10, "own.mov")
    assert mark_of(place_of(marked), lines) == ClipMark("one.mov", settings={"engine": "mesh"})
    assert mark_of(place_of(plain()), lines) == ClipMark("two.mov")
    path.write_text('[[clips]]\ndriver = "one.mov"\n')
    with pytest.raises(SettingError, match="clip"):
        read_map(path)


@pytest.mark.parametrize("way", sorted(WRITERS))
def test_what_is_written_is_read_again(way):
    mark = read_mark(
        {"driver": "a b, c.mov", "strength": 0.25, "edit": ["smile=0.5"], "stitching": False}, "x"
    )
    timeline = timeline_of("t", [[plain()]])
    for _ in range(2):  # a second mark takes the place of the first
        assert len(write_marks(timeline, mark, ["a"], "V1", way)) == 1
    clip = next(iter(timeline.find_clips()))
    assert len(clip.effects) + len(clip.markers) + len(clip.metadata) == 1
    if way == "marker":  # a marker's name holds texts, numbers and switches
        return
    assert mark_of(places_of(timeline)[0], ()) == mark


def test_the_command_marks_and_names_what_it_cannot_find(tmp_path, capsys):
    source, output = tmp_path / "t.otio", tmp_path / "marked.otio"
    otio.adapters.write_to_file(timeline_of("t", [[plain()]]), str(source))
    words = ["batch", "mark", str(source), "-o", str(output), "--driver", "demo:nod", "--set", "engine=mesh"]
    assert run([*words, "--clip", "b"]) == SettingError.exit_code
    assert not output.exists()
    assert "'b'" in capsys.readouterr().err
    assert run([*words, "--clip", "a", "--way", "marker"]) == 0
    place = places_of(otio.adapters.read_from_file(str(output)))[0]
    assert mark_of(place, ()) == ClipMark("demo:nod", settings={"engine": "mesh"})


LOG = (
    "Heading\r\nFIELD_DELIM\tTABS\r\nVIDEO_FORMAT\t1080\r\nFPS\t24\r\n\r\nColumn\r\nName\tTape\tStart\tEnd\tLP\r\n\r\n"
    "Data\r\nsh010 [A]\tA001\t01:00:00:00\t01:00:04:00\tdriver=/takes/ann\u00e9 1.mov, engine=mesh\r\n"
    "sh020\tA002\t01:00:00:00\t01:00:04:00\t\r\n"
)
"""As Avid and OpenTimelineIO's adapter write it."""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_an_avid_log_is_a_sidecar(tmp_path, encoding):
    path = tmp_path / "takes.ale"
    path.write_bytes(LOG.encode(encoding))
    (line,) = read_map(path)
    assert line.fits("sh010 [A]", "V1")
    assert not line.fits("sh010 A", "V1")
    assert line.mark == ClipMark("/takes/ann\u00e9 1.mov", 0, {"engine": "mesh"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks the lines Column and Data"),
        (LOG.replace("\tLP", "\tNotes"), "no column LP"),
        (LOG.replace("driver=", "driver_start="), "names no driver"),
    ],
)
def test_a_log_that_cannot_be_used_is_one_sentence(tmp_path, text, words):
    path = tmp_path / "takes.ale"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(SettingError, match=words):
        read_map(path)
