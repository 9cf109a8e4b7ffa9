"""Other formats than .otio, in and out, and what they lose."""

import shutil
from pathlib import Path

import opentimelineio as otio
import pytest
from fakes.cuts import clip_of, file_at, gap_of, read, timeline_of, write

from lp_core.batch.otio.losses import losses
from lp_core.batch.otio.timeline import SOURCE_KEY, places_of, read_timeline, write_timeline
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.cli.main import run
from lp_core.errors import MissingDependency, UnreadableMedia


@pytest.fixture
def marked(stage, tmp_path):
    """A timeline that most formats can hold, with a marker for its mark."""
    clip = clip_of("film", file_at(stage / "film.mkv", 25, 72), 25, 10, 20)
    clip.markers.append(otio.schema.Marker("LP: driver=demo:nod, engine=mesh, calibration=off, audio=none"))
    return timeline_of("cut", [[clip, gap_of(25, 10), clip.deepcopy()]])


@pytest.mark.parametrize("suffix", [".otioz", ".otiod"])
def test_bundles_carry_their_media(marked, stage, tmp_path, suffix):
    for clip in marked.find_clips():
        clip.media_reference.target_url = f"file://{stage / 'film.mkv'}"
    path = tmp_path / f"cut{suffix}"
    otio.adapters.write_to_file(marked, str(path))
    output = tmp_path / "out"
    assert run(["batch", str(path), "-o", str(output), "--progress", "none"]) == 0
    clip = next(iter(read(output / "timeline.otio").find_clips()))
    assert SOURCE_KEY in clip.media_references()


def test_final_cut_xml_goes_in_and_out(marked, tmp_path):
    pytest.importorskip("otio_fcp_adapter")
    for clip in marked.find_clips():
        clip.media_reference.target_url = "file://" + clip.media_reference.target_url
    path = tmp_path / "cut.xml"
    otio.adapters.write_to_file(marked, str(path))
    output = tmp_path / "out"
    assert run(["batch", str(path), "-o", str(output), "--progress", "none"]) == 0
    found = read(output / "timeline.xml")
    urls = {clip.media_reference.target_url for clip in found.find_clips()}
    assert len(urls) == 1
    assert Path(urls.pop().removeprefix("file://localhost").removeprefix("file://")).is_file()


def test_what_an_edl_loses_is_told(stage, tmp_path):
    pytest.importorskip("otio_cmx3600_adapter")
    clip = clip_of("film", file_at(stage / "film.mkv", 24, 72), 24, 10, 20)
    clip.effects.append(otio.schema.Effect("blur", "blur"))
    timeline = timeline_of("cut", [[clip]])
    write_timeline(timeline, tmp_path / "cut.edl")
    told = losses(timeline, tmp_path / "cut.edl")
    assert "cut.edl cannot carry" in told and "1 of 1 effects" in told
    write_timeline(timeline, tmp_path / "cut.otio")
    assert losses(timeline, tmp_path / "cut.otio") is None


def test_a_format_without_an_adapter_names_the_extra(tmp_path):
    path = tmp_path / "cut.veg"
    path.touch()
    with pytest.raises(MissingDependency, match="otio-plugins"):
        read_timeline(path, tmp_path)
    with pytest.raises(UnreadableMedia, match="not there"):
        read_timeline(tmp_path / "gone.otio", tmp_path)
    (tmp_path / "bad.otio").write_text("{")
    with pytest.raises(UnreadableMedia):
        read_timeline(tmp_path / "bad.otio", tmp_path)


def test_relative_media_is_found_and_stays_found(stage, tmp_path):
    shutil.copy(stage / "film.mkv", tmp_path / "take.mkv")
    shutil.copy(stage / "film.mkv", tmp_path / "other.mkv")
    clips = [
        clip_of("film", file_at("take.mkv", 25, 72), 25, 10, 5, "demo:nod"),
        clip_of("other", file_at("other.mkv", 25, 72), 25, 10, 5),
    ]
    path = write(timeline_of("cut", [clips]), tmp_path / "cut.otio")
    output = tmp_path / "out"
    assert run(["batch", str(path), "-o", str(output), "--progress", "none"]) == 0
    film, other = (place.clip for place in places_of(read(output / "timeline.otio")))
    addresses = (film.media_reference, film.media_references()[SOURCE_KEY], other.media_reference)
    assert [reference.target_url for reference in addresses][1:] == ["../take.mkv", "../other.mkv"]
    assert all((output / reference.target_url).is_file() for reference in addresses)
    again, _ = make_plan(
        PlanRequest(output / "timeline.otio", tmp_path / "out2")
    )  # what was animated stays the source
    assert again.shots[0].job.source == str(tmp_path / "take.mkv")
