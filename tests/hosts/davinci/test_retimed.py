"""Retimed clips and clips without a file: at the clip's own speed by OTIO, or rendered in place by Resolve first."""

import json
from fractions import Fraction

import numpy as np
import opentimelineio as otio
import pytest
from fakes.plates import told_index
from fakes.resolve_desk import FAST, User, desk
from fakes.timelines import as_otio

from hosts.davinci.lp_resolve.animate import animate, update
from hosts.davinci.lp_resolve.api_results import ResolveRefused
from hosts.davinci.lp_resolve.media import Media
from hosts.davinci.lp_resolve.plan import Use
from hosts.davinci.lp_resolve.retime import Retime, retime_of, timeline_text
from lp_core.media.open import open_source
from lp_core.timing import FrameRate

ANSWERS = {"driver": "demo:nod", "engine": "mesh", **FAST}
TWICE = Fraction(2)


@pytest.fixture
def fast(cut):
    """The plate at twice its speed: its frames 2 to 17 in 8 frames of the timeline."""
    host, timeline, clip, item = cut
    host.otio = as_otio
    item.first, item.count, item.length, item.speed = 2, 16, 8, TWICE
    return host, timeline, item


def indices(path):
    with open_source(path) as source:
        return [told_index(frame.pixels) for frame in source]


def data_of(item):
    return json.loads(item.markers[0.0]["customData"])


class TestAtTheClipsSpeed:
    def test_a_timeline_of_one_clip_has_it(self, worker, fast):
        host, timeline, item = fast
        made, said = desk(host, worker, User(in_place=False, **ANSWERS))
        placed = animate(made)
        (result,) = timeline.tracks[2]
        assert (result.start, result.length) == (item.start, 8)
        assert result.clip.properties["Type"] == "Timeline"
        assert host.project.current is timeline
        nested = next(found for found in host.project.timelines if found.own_clip is result.clip)
        (inner,) = nested.tracks[1]
        assert (inner.speed, inner.length) == (TWICE, 8)
        assert inner.clip.properties["File Path"] == data_of(result)["output"]
        # Frame for frame of the media, and what is seen is what is below.
        shown = indices(data_of(result)["output"])
        assert shown == list(range(2, 20))
        seen = [shown[inner.first + int(at * inner.speed)] for at in range(8)]
        assert seen == [2 + 2 * at for at in range(8)]
        assert placed.clip.says("Start TC") == "10:00:00:02"
        assert "the performance runs at that speed too" in said[-1]

    def test_update_renders_it_again_and_keeps_the_look(self, worker, fast):
        host, timeline, item = fast
        made, _ = desk(host, worker, User(in_place=False, **ANSWERS))
        animate(made)
        old = timeline.tracks[2][0]
        old.grade, old.look["Pan"] = "warm", 3.0
        item.first = 4
        update(made)
        (result,) = [found for items in timeline.tracks.values() for found in items if found.markers]
        assert (result.grade, result.look["Pan"], result.start) == ("warm", 3.0, item.start)
        assert indices(data_of(result)["output"])[0] == 4

    def test_it_is_proposed_where_the_speed_is_known(self, worker, fast):
        host, timeline, item = fast
        seen = []

        def look(dispatcher, window):
            seen.append(window.GetItems()["in_place"].Checked)
            window.On.call("Cancel", "Clicked")

        made, _ = desk(host, worker, look)
        animate(made)
        item.speed = Fraction(1)  # a ramp: the export has no LinearTimeWarp
        animate(made)
        assert seen == [False, True]


class TestRenderedInPlace:
    def test_a_ramp_is_animated_at_the_timelines_rate(self, worker, fast):
        host, timeline, item = fast
        user = User(in_place=True, **ANSWERS)
        made, said = desk(host, worker, user)
        animate(made)
        (result,) = timeline.tracks[2]
        assert (result.start, result.length) == (item.start, 8)
        assert indices(data_of(result)["output"]) == [2 + 2 * at for at in range(8)]
        copy, settings = host.rendered[0]
        assert (settings["MarkIn"], settings["MarkOut"]) == (item.start, item.start + 7)
        assert host.project.timelines == [timeline]  # the copy is gone
        assert host.project.current is timeline
        assert host.project.format == {"format": "mp4", "codec": "H264"}
        assert host.project.jobs == {}
        assert copy.hidden == set()
        assert "grade, transform and retime are in it" in "".join(said)

    def test_a_title_of_the_track_above_shows_alone(self, worker, cut, pictures):
        host, timeline, clip, item = cut
        host.otio = as_otio
        title = timeline.put(2, clip, item.start, 0, 6)
        title.clip, title.shown = None, pictures[10:16]
        # The switch is on where nothing else can be done.
        made, _ = desk(host, worker, User(folder=str(worker.data / "titles"), **ANSWERS))
        animate(made)
        copy, _ = host.rendered[0]
        assert copy.hidden == {1}
        (result,) = timeline.tracks[3]
        assert indices(data_of(result)["output"]) == [10, 11, 12, 13, 14, 15]
        title.shown = pictures[11:17]
        update(made)
        (result,) = timeline.tracks[3]
        assert indices(data_of(result)["output"])[0] == 11

    @pytest.mark.parametrize("why", ["no codec", "refused"])
    def test_what_resolve_does_not_do_is_told(self, worker, fast, why, monkeypatch):
        host, timeline, item = fast
        made, _ = desk(host, worker, User(in_place=True, **ANSWERS))
        if why == "no codec":
            host.codecs = {"H.264": "H264"}
        else:
            monkeypatch.setattr("fakes.resolve.render", lambda *_: None)
        with pytest.raises(
            ResolveRefused, match="10 bits" if why == "no codec" else r"did not render .* \(Fertig\)"
        ):
            animate(made)
        assert host.project.timelines == [timeline]
        assert host.project.current is timeline
        assert 2 not in timeline.tracks

    def test_without_it_a_ramp_is_refused_with_the_way_out(self, worker, fast):
        host, _, item = fast
        item.speed = Fraction(1)
        made, _ = desk(host, worker, User(in_place=False, **ANSWERS))
        with pytest.raises(ResolveRefused, match="retimed to about 188%.*switch on 'Render in place first'"):
            animate(made)


RATE = FrameRate.parse("24000/1001")
MEDIA = Media("/m/a.[1001-1100].exr", 1001, 100, RATE, "01:00:00:00", False)


def export(*effects, start=86400 + 39, duration=11, rate=23.976):
    clip = otio.schema.Clip("a", otio.schema.ExternalReference(
        "/m/a.[1001-1100].exr", otio.opentime.TimeRange(otio.opentime.RationalTime(86400, rate),
                                                        otio.opentime.RationalTime(100, rate))),
        otio.opentime.TimeRange(otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(duration, rate)),
        effects=[otio.schema.Effect("", "Resolve Effect"), *effects])  # fmt: skip
    timeline = otio.schema.Timeline("t")
    track = otio.schema.Track("Video 1", kind=otio.schema.TrackKind.Video)
    gap = otio.schema.Gap(duration=otio.opentime.RationalTime(5, rate))
    track.extend([gap, otio.schema.Clip("before"), clip])
    timeline.tracks.append(track)
    return timeline.to_json_string()


class TestTheSpeedInAnExport:
    def test_place_and_speed_are_exact(self):
        found = retime_of(export(otio.schema.LinearTimeWarp(time_scalar=2.0)), 1, 1, "a", MEDIA)
        assert found == Retime(Fraction(2), Fraction(39))

    @pytest.mark.parametrize(
        "effects",
        [
            [],
            [otio.schema.LinearTimeWarp(time_scalar=-1.0)],
            [otio.schema.FreezeFrame()],
            [otio.schema.TimeEffect()],
            [otio.schema.LinearTimeWarp(time_scalar=2.0), otio.schema.TimeEffect()],
        ],
    )
    def test_everything_else_is_rendered_in_place(self, effects):
        assert retime_of(export(*effects), 1, 1, "a", MEDIA) is None

    @pytest.mark.parametrize("place", [(2, 1, "a"), (1, 0, "a"), (1, 1, "b"), (1, 7, "a")])
    def test_another_clip_says_nothing(self, place):
        assert retime_of(export(otio.schema.LinearTimeWarp(time_scalar=2.0)), *place, MEDIA) is None

    def test_frames_of_the_media_and_the_timeline_back(self):
        """OTIO's own reader reads what is written; slow motion between two rates."""
        use = Use("id", "a.mov", 1, 90000, 50, 0, MEDIA, FrameRate.parse(25), False)
        retime = Retime(Fraction(1, 3), Fraction(40))
        source = retime.source_use(use, MEDIA)
        wanted = 50 / 25 * 24000 / 1001 / 3
        assert (source.first, source.count) == (40, int(np.ceil(wanted)) + 2)
        text = timeline_text("t", use, retime, source, "/o/a_v001/a_v001.%04d.exr", 1041, source.count)
        read = otio.adapters.read_from_string(text, "otio_json")
        (clip,) = list(read.find_clips())
        assert clip.media_reference.target_url == f"/o/a_v001/a_v001.[1041-{1040 + source.count}].exr"
        assert clip.effects[0].time_scalar == pytest.approx(1 / 3)
        assert clip.source_range.duration == otio.opentime.RationalTime(50, 25)
        assert clip.source_range.start_time.value == clip.media_reference.available_range.start_time.value
        assert round(clip.source_range.start_time.value) == 86400 + 40
        again = retime_of(text, 1, 0, clip.name, Media("x", 0, source.count, RATE, "01:00:01:16", False))
        assert again == Retime(Fraction(1, 3), Fraction(0))


def test_the_whole_of_the_media_is_not_overrun():
    use = Use("id", "a.mov", 1, 0, 100, 0, MEDIA, RATE, False)
    assert Retime(Fraction(1), Fraction(90)).source_use(use, MEDIA).count == 10
