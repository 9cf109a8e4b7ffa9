"""Marks on clips of Hiero: tags that come out of its OTIO exporter as markers, which a batch reads."""

import importlib
import sys
from types import ModuleType

import pytest
from fakes import hiero as double

otio = pytest.importorskip("opentimelineio", reason="the extra otio is not installed")


@pytest.fixture
def marks(nuke, monkeypatch):
    """The module, loaded in Hiero's double."""
    core, package = double.module(), ModuleType("hiero")
    package.core = core
    monkeypatch.setitem(sys.modules, "hiero", package)
    monkeypatch.setitem(sys.modules, "hiero.core", core)
    monkeypatch.delitem(sys.modules, "hosts.nuke.lp_nuke.hiero_mark", raising=False)
    found = importlib.import_module("hosts.nuke.lp_nuke.hiero_mark")
    found.register()
    return found


def exported(clips):
    """A timeline as Hiero's exporter writes it, tags included."""
    track = otio.schema.Track("Video 1", kind=otio.schema.TrackKind.Video)
    for item in clips:
        time = otio.opentime.RationalTime(0, 25)
        clip = otio.schema.Clip(
            item.name(),
            otio.schema.ExternalReference(
                f"/m/{item.name()}.mov", otio.opentime.TimeRange(time, time + time)
            ),
            otio.opentime.TimeRange(time, otio.opentime.RationalTime(10, 25)),
        )
        for tag in item.tags():
            metadata = {"Hiero": {"tag.note": tag.note(), "source_type": "TrackItem"}}
            clip.markers.append(
                otio.schema.Marker(tag.name(), otio.opentime.TimeRange(time, time), metadata=metadata)
            )
        track.append(clip)
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(track)
    return timeline


def test_a_mark_reaches_the_batch(marks, nuke, tmp_path):
    from lp_core.batch.otio.clips import mark_of
    from lp_core.batch.otio.timeline import places_of

    clips = [double.TrackItem("sh010"), double.TrackItem("sh020"), double.TrackItem("music", "audio")]
    click = double.event(clips[0], clips[2])
    marks.hiero.core.events.heard[marks.EVENT](click)
    nuke.double.inputs = ["driver=/takes/anna take.mov, engine=mesh, strength=0.5"]
    click.menu.entries["LP: mark..."]()
    assert clips[0].undone == ["LP: mark"]
    assert clips[2].tags() == ()
    found = [mark_of(place, ()) for place in places_of(exported(clips[:2]))]
    assert found[1] is None
    assert found[0].driver == "/takes/anna take.mov"
    assert found[0].settings == {"engine": "mesh", "strength": 0.5}


def test_a_mark_is_replaced_and_removed(marks, nuke):
    clip = double.TrackItem("sh010")
    clip.addTag(double.Tag("VFX"))
    for words in ("driver=demo:nod", "driver=demo:still"):
        nuke.double.inputs = [words]
        marks.mark([clip])
    assert [tag.name() for tag in clip.tags()] == ["VFX", "LP: driver=demo:still"]
    click = double.event(clip)
    marks.offer(click)
    click.menu.entries["LP: remove mark"]()
    assert [tag.name() for tag in clip.tags()] == ["VFX"]


def test_a_mark_without_a_driver_is_refused_and_nothing_is_offered_for_sound(marks, nuke):
    clip = double.TrackItem("sh010")
    nuke.double.inputs = ["engine=mesh"]
    marks.mark([clip])
    assert clip.tags() == ()
    assert "names no driver" in nuke.double.messages[-1]
    nuke.double.inputs = [None]
    marks.mark([clip])
    click = double.event(double.TrackItem("music", "audio"))
    marks.offer(click)
    assert click.menu.entries == {}
