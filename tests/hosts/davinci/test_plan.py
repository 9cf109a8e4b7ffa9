"""Ranges, rates and names: from a clip on a timeline to a job, without Resolve and without a worker."""

from fractions import Fraction

import pytest
from fakes.plates import write_plate
from fakes.resolve import Host
from fakes.resolve_pool import described
from hypothesis import given
from hypothesis import strategies as some

from hosts.davinci.lp_resolve import placement
from hosts.davinci.lp_resolve.api_results import ResolveRefused, frame_of, is_drop_frame, number, rate_of
from hosts.davinci.lp_resolve.facade import Pool, ResolveSession, Timeline
from hosts.davinci.lp_resolve.media import is_pattern, media_of, split_brackets
from hosts.davinci.lp_resolve.plan import ClipPlan, DrivingClip, Use, output_name, plan, restated, timecode_at
from lp_core.settings import InputSettings
from lp_core.timing import FrameRange, FrameRate

R24, R25, NTSC = (FrameRate.parse(text) for text in ("24", "25", "29.97"))


def media(path="/x/plate.mov", frames=100, rate=R24, start="01:00:00:00"):
    return media_of("plate", path, frames, rate, start, "", "")


def use(of=None, left=10, duration=20, rate=R24, start=86500, drop=False):
    return Use("id", "plate", 1, start, duration, left, of or media(), rate, drop)


@pytest.mark.parametrize(
    ("text", "fps", "drop"),
    [("24", "24", False), ("29.97 DF", "30000/1001", True), ("29,97", "30000/1001", False), ("23.976", "24000/1001", 0),
     ("59.94 DF", "60000/1001", True), (25.0, "25", False), ("24.0", "24", False)],
)  # fmt: skip
def test_rates_as_resolve_writes_them(text, fps, drop):
    assert rate_of(text).fps == Fraction(fps)
    assert is_drop_frame(text) == drop


def test_the_hour_in_drop_frame_and_without():
    assert frame_of("01:00:00:00", NTSC, False) == 108000
    assert frame_of("01:00:00;00", NTSC, True) == 107892
    assert frame_of("01:00:00:00", NTSC, True) == 107892  # the timeline says it, not the sign
    with pytest.raises(ResolveRefused, match="which is none"):
        frame_of("01:00", NTSC, True)
    with pytest.raises(ResolveRefused, match="where a number is expected"):
        number("n/a")


def test_names_of_sequences():
    assert split_brackets("/a/ü b.[0099-1200].exr") == ("/a/ü b.%04d.exr", 99, 1200)
    assert split_brackets("/a/b[1001-1099].dpx") == ("/a/b%04d.dpx", 1001, 1099)
    assert split_brackets("/a/take[2].mov") == ("/a/take[2].mov", None, None)
    assert split_brackets("/50%0d/100%done.[1-2].exr") == ("/50%0d/100%done.%01d.exr", 1, 2)
    assert split_brackets("/a/take[1-2].mov") == ("/a/take[1-2].mov", None, None)


@pytest.mark.parametrize(
    ("path", "is_numbered"),
    [("/a/b.%04d.exr", True), ("/%04d/b.exr", False), ("/a/b.%04d.mov", False), ("/a/100%done.png", False)],
)
def test_only_the_last_part_of_an_images_name_is_a_pattern(path, is_numbered):
    assert is_pattern(path) is is_numbered


def test_a_film_counts_from_0_and_a_sequence_by_its_numbers():
    film = plan(use(), DrivingClip("demo:nod"), {}, "/o/a.mov", 4)
    assert film.settings["input"] == {"frames": "6-33", "handles": 0, "driving_offset": -10}
    assert (film.before, film.count, film.start) == (4, 20, "01:00:00:06")
    numbered = plan(use(media("/x/p.[1001-1100].exr", 0)), DrivingClip("demo:nod"), {}, "/o/a.%04d.exr", 4)
    assert numbered.settings["input"]["frames"] == "1007-1034"
    assert numbered.numbers == FrameRange(1007, 1034)
    assert numbered.settings["output"] == {"fps": "24"}


def test_handles_end_where_the_media_ends():
    made = plan(use(left=3, duration=95), DrivingClip("demo:nod"), {}, "/o/a.mov", 10)
    assert made.settings["input"]["frames"] == "0-99"
    assert made.before == 3


def test_frames_on_disk_before_the_clips_own_count_for_the_performance(tmp_path):
    for frame in range(990, 1010):
        (tmp_path / f"p.{frame:04d}.exr").touch()
    made = plan(
        use(media(f"{tmp_path}/p.[1000-1009].exr", 0), 2, 4), DrivingClip("demo:nod"), {}, "/o/a.%04d.exr"
    )
    assert made.settings["input"] == {"frames": "1002-1005", "handles": 0, "driving_offset": -12}


def test_a_portrait_lasts_as_long_as_the_clip():
    made = plan(use(media("/x/p.png", 1)), DrivingClip("/d.mov", Fraction(50, 24)), {}, "/o/a.mov", 5)
    assert made.settings["input"] == {"frames": "0-29", "handles": 0, "driving_offset": 45}
    assert made.settings["output"] == {"codec": "prores4444", "fps": "24"}
    assert (made.before, made.count, made.start) == (5, 20, "")
    numbered = plan(use(media("/x/p.png", 1)), DrivingClip("/d.%04d.png", first=1001), {}, "/o/a.mov")
    assert numbered.settings["input"]["frames"] == "1001-1020"


def test_users_own_settings_stay():
    made = plan(
        use(), DrivingClip("demo:nod"), {"output": {"codec": "hevc"}, "motion": {"strength": 0.5}}, "/o/a.mov"
    )
    assert made.settings["output"]["codec"] == "hevc"
    assert made.settings["motion"] == {"strength": 0.5}
    InputSettings(**made.settings["input"])


def test_a_clip_beyond_its_media_is_refused():
    with pytest.raises(ResolveRefused, match="trim it"):
        plan(use(left=90, duration=20), DrivingClip("demo:nod"), {}, "/o/a.mov")


@pytest.mark.parametrize(
    ("start", "rate", "drop", "at", "wanted"),
    [("00:00:59;28", NTSC, False, 2, "00:01:00;02"), ("00:00:59:28", NTSC, False, 2, "00:01:00:00"),
     ("00:00:59:28", NTSC, True, 2, "00:01:00;02"), ("01:00:00:00", R25, True, 30, "01:00:01:05"), ("", R25, 0, 3, "")],
)  # fmt: skip
def test_the_timecode_of_a_result(start, rate, drop, at, wanted):
    assert timecode_at(media(rate=rate, start=start), at, drop) == wanted


def test_names_that_are_free(tmp_path):
    first = output_name(str(tmp_path), "sh 010.[1001-1100].exr", "/x/sh.%04d.exr")
    assert first == str(tmp_path / "sh_010_lp_v001" / "sh_010_lp_v001.%04d.exr")
    (tmp_path / "sh_010_lp_v001").mkdir()
    assert "v002" in output_name(str(tmp_path), "sh 010.[1001-1100].exr", "/x/sh.%04d.exr")
    assert output_name(str(tmp_path), "Größe.mov", "/x/a.mov").endswith("Größe_lp_v001.mov")
    assert output_name(str(tmp_path), "...", "/x/a.mov").endswith("clip_lp_v001.mov")


def test_a_driver_on_a_track_moves_with_the_timeline_others_with_the_clip():
    data = {
        "driving": {"path": "/d.mov", "starts_s": "2", "item": "id-7"},
        "start": 86490,
        "settings": {"a": {}},
    }
    assert restated(use(), data)[0].starts_s == 2 + Fraction(10, 24)
    data["driving"]["item"] = None
    assert restated(use(), data)[0].starts_s == 2


@given(left=some.integers(0, 40), duration=some.integers(1, 40), rates=some.sampled_from([
    (R24, R24), (R25, R24), (R24, R25), (NTSC, R25), (R24, NTSC), (FrameRate.parse("50"), R25)]))  # fmt: skip
def test_the_media_frames_of_a_range_cover_it_and_no_more(left, duration, rates):
    own, timeline = rates
    found = use(media(frames=1000, rate=own), left, duration, timeline)
    begin, end = timeline.time_s(left), timeline.time_s(left + duration)
    assert own.time_s(found.first) <= begin < own.time_s(found.first + 1)
    assert own.time_s(found.first + found.count - 1) < end <= own.time_s(found.first + found.count)


@pytest.fixture(scope="module")
def films(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    return {
        rate: write_plate(folder / f"{rate}.mov", pictures[:24], rate, "01:00:00:00") for rate in ("24", "25")
    }


@pytest.mark.parametrize("counts_in", [True, False])
@pytest.mark.parametrize("rate", ["24", "25"])
def test_the_length_is_corrected_whether_the_end_counts_in_or_not(films, record, rate, counts_in):
    """Also where the media has another rate than the timeline, and Resolve rounds."""
    host = Host(end_is_included=counts_in)
    record(host)
    raw = host.project.timeline("Schnitt", "24", "01:00:00:00")
    session = ResolveSession.open(host.resolve)
    about = described(films[rate])
    clip = host.project.pool.add(about)
    item = raw.put(1, clip, 86400, 2, 15, 14)
    source = session.pool().clips()[0].media()
    place = Use(item.uid, "a", 1, 86400, 14, 2, source, R24, False)
    made = ClipPlan("a", "b", films[rate], {}, FrameRange(0, 23), place.first, place.count, "")
    placed = placement.place(Timeline(raw), Pool(host.project.pool), session.pool().clips()[0], made, place)
    assert (placed.item.start, placed.item.duration) == (86400, 14)
    assert [found.uid for found in raw.tracks[2]] == [placed.item.id]


def test_a_placement_that_is_dropped_in_silence_is_told(films, record):
    """What Resolve returned was a ghost: the track is read again."""
    host = Host()
    record(host)
    raw = host.project.timeline("Schnitt", "24", "01:00:00:00")
    session = ResolveSession.open(host.resolve)
    item = raw.put(1, host.project.pool.add(described(films["24"])), 86400, 2, 15)
    clip = session.pool().clips()[0]
    place = Use(item.uid, "a", 1, 86400, 15, 2, clip.media(), R24, False)
    made = ClipPlan("a", "b", films["24"], {}, FrameRange(0, 23), 2, 15, "")
    other = session.pool().bring_in(session.pool().bin("LivePortrait"), films["24"], 0, 23)
    with pytest.raises(ResolveRefused, match="place it by hand"):
        placement.place(Timeline(raw), session.pool(), other, made, place, track=1)
    assert raw.tracks == {1: [item]}


def test_what_resolve_does_not_take_is_told(films, record):
    host = Host()
    record(host)
    session = ResolveSession.open(host.resolve)
    place = use(media(films["24"], 24))
    made = ClipPlan(films["24"], "b", films["24"], {}, FrameRange(0, 23), 0, 20, "02:00:00:00")
    clip, told = placement.bring_in(session.pool(), made, place, "job")
    assert told == []
    assert clip.says("Start TC") == "02:00:00:00"
    assert clip.raw.notes == {"lpsuite.job": "job"}
    host.settings_are_ignored = True
    assert "did not set Start TC" in placement.bring_in(session.pool(), made, place, "job")[1][0]
    with pytest.raises(ResolveRefused, match="did not import"):
        placement.bring_in(
            session.pool(), ClipPlan("a", "b", "/no/film.mov", {}, FrameRange(0, 1), 0, 2, ""), place, "job"
        )
