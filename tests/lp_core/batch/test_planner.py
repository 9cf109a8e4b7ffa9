"""Timeline -> plan: media of every kind, retimes, handles, transitions, drivers, what is passed over."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from fakes.cuts import RT, TR, clip_of, file_at, gap_of, timeline_of, write
from fakes.films import write_turning

from lp_core.batch.assemble_shot import assemble_shot
from lp_core.batch.plan import read_plan
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.cli.main import run
from lp_core.errors import SettingError
from lp_core.media.image.stills import write_image
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.settings import InputSettings, OutputSettings, RenderSettings, UpscaleSettings

COUNT = 72


def plan_of(tmp_path, video, **request):
    path = write(timeline_of("t", video), tmp_path / "t.otio")
    plan, _ = make_plan(PlanRequest(path, tmp_path / "out", **request))
    return plan


def film(stage, start=0, count=20, driver="demo:nod", name="film", offset=0, **settings):
    reference = file_at(stage / "film.mkv", 25, COUNT, offset)
    return clip_of(name, reference, 25, start + offset, count, driver, **settings)


def handled(frames):
    return RenderSettings(input=InputSettings(handles=frames))


def numbers_of(shot):
    return shot.job.settings.input.frames


@pytest.mark.parametrize("offset", [0, 90000])
def test_a_films_frames_are_counted_from_its_first_whatever_its_clock(stage, tmp_path, offset):
    (shot,) = plan_of(tmp_path, [[film(stage, 10, offset=offset)]], settings=handled(8)).shots
    assert (numbers_of(shot), shot.frames) == ("2-37", 36)
    assert (shot.clock_start, shot.clock_rate) == (offset + 2, 25)


def test_handles_stop_where_the_media_does_and_say_so(stage, tmp_path):
    (shot,) = plan_of(tmp_path, [[film(stage, 5, 60)]], settings=handled(8)).shots
    assert numbers_of(shot) == "0-71"
    assert "4 frames" in shot.notes[0]


@pytest.mark.parametrize(
    "effect,frames",
    [
        (otio.schema.LinearTimeWarp(time_scalar=2.0), "10-49"),
        (otio.schema.LinearTimeWarp(time_scalar=0.5), "10-19"),
        (otio.schema.LinearTimeWarp(time_scalar=-1.0), "10-29"),
        (otio.schema.FreezeFrame(), "10"),
        (otio.schema.TimeEffect(effect_name="ramp"), "0-71"),
    ],
)
def test_retimes_are_kept_and_their_frames_rendered(stage, tmp_path, effect, frames):
    clip = film(stage, 10)
    clip.effects.append(effect.deepcopy())
    (shot,) = plan_of(tmp_path, [[clip]]).shots
    assert numbers_of(shot) == frames if "-" in frames else numbers_of(shot) == f"{frames}-{frames}"


def test_the_performance_runs_by_the_timeline_however_fast_the_media_does(stage, tmp_path):
    clip = film(stage, 10, driver=stage / "film.mkv")
    clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    (shot,) = plan_of(tmp_path, [[clip]], settings=handled(4)).shots
    assert Fraction(shot.driver_speed) == Fraction(1, 2)
    assert Fraction(shot.driver_start_s) == Fraction(-2, 25)  # four frames of handle are two of the timeline
    assert shot.driver_frames == (0, 22)


@pytest.mark.parametrize("speed", [-1.0, -2.0, 2.0, 0.5])
def test_every_frame_gets_the_motion_that_the_timeline_shows_beside_it(stage, tmp_path, speed):
    path = write_turning(tmp_path / "turning.lpmotion", stage / "portrait.png", COUNT)
    clip = film(stage, 10, driver=path)
    clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=speed))
    plan = plan_of(tmp_path, [[clip]])
    render = assemble_shot(plan, plan.shots[0], False)
    with render.driving.open() as motion, MotionReader(path) as performance:
        for frame in range(plan.shots[0].frames):
            place = (render.part.performance_s + Fraction(frame, 25)) * motion.rate.fps
            behind = plan.shots[0].frames - 1 - frame if speed < 0 else frame
            wanted = Fraction(behind) / abs(Fraction(speed))
            if place.denominator == wanted.denominator == 1:
                ours, theirs = motion.frame(int(place)), performance.frame(int(wanted))
                np.testing.assert_array_equal(ours.rotation, theirs.rotation)


def test_transitions_get_the_frames_they_need(stage, tmp_path):
    items = [
        film(stage, 10),
        otio.schema.Transition("x", "SMPTE_Dissolve", RT(3, 25), RT(4, 25)),
        film(stage, 30),
    ]
    shots = plan_of(tmp_path, [items]).shots
    assert [numbers_of(shot) for shot in shots] == ["10-33", "27-49"]


def test_a_performance_from_another_clip_begins_with_its_head(stage, tmp_path):
    acting = film(stage, 15, 30, driver=None, name="acting")
    (shot,) = plan_of(tmp_path, [[film(stage, 10, driver="clip:acting")], [acting]]).shots
    assert (shot.driver_frames, Fraction(shot.driver_start_s)) == ((15, 35), Fraction(15, 25))


@pytest.mark.parametrize("name", ["track:V2", "track:acting"])
def test_a_performance_from_a_track_is_in_step_with_the_timeline(stage, tmp_path, name):
    timeline = timeline_of(
        "t", [[gap_of(25, 10), film(stage, 30, driver=name)], [film(stage, 5, 60, None, "b")]]
    )
    timeline.tracks[1].name = "acting" if name.endswith("acting") else ""
    plan, _ = make_plan(PlanRequest(write(timeline, tmp_path / "t.otio"), tmp_path / "out"))
    assert not plan.problems
    assert Fraction(plan.shots[0].driver_start_s) == Fraction(15, 25)


def test_a_still_lasts_as_long_as_its_clip(stage, tmp_path):
    clip = clip_of("still", file_at(stage / "portrait.png", 25, 1), 25, 86400, 30, "demo:nod")
    (shot,) = plan_of(tmp_path, [[clip]], settings=handled(8)).shots
    assert (shot.frames, shot.clock_start, shot.fps, shot.is_still) == (46, 86392, "25", True)
    clip = clip_of("still", file_at(stage / "portrait.png", 25, 1), 25, 0, 30, "demo:nod")
    (shot,) = plan_of(tmp_path, [[clip]], settings=handled(8)).shots
    assert (shot.frames, shot.clock_start) == (38, 0)  # no program knows a time before 0


@pytest.fixture
def sequence(tmp_path):
    for number in range(1001, 1021):
        write_image(tmp_path / f"plate.{number}.png", np.full((64, 64, 3), 90, np.uint8))
    return tmp_path


def image_sequence(folder, start=1001, count=20, rate=24):
    return otio.schema.ImageSequenceReference(
        f"file://{folder}", "plate.", ".png", start, 1, rate, 4,
        available_range=TR(RT(start, rate), RT(count, rate)),
    )  # fmt: skip


def test_image_sequences_keep_their_numbers(sequence, tmp_path):
    references = (image_sequence(sequence), file_at(f"{sequence}/plate.[1001-1020].png", 24, 20, 1001))
    for reference in references:
        clip = clip_of("plate", reference, 24, 1005, 10, "demo:nod")
        (shot,) = plan_of(tmp_path, [[clip]], settings=handled(2)).shots
        assert (numbers_of(shot), shot.fps, shot.clock_start) == ("1003-1016", "24", 1003)
        assert shot.output.endswith(".%04d.png")


def test_a_nested_clip_is_rendered_once_for_each_range(stage, tmp_path):
    inner = otio.schema.Stack("nested")
    track = otio.schema.Track("V1", kind="Video")
    track.append(film(stage, 10))
    inner.append(track)
    plan = plan_of(tmp_path, [[film(stage, 10), inner, film(stage, 40)]])
    assert [len(shot.clips) for shot in plan.shots] == [2, 1]


def test_what_is_passed_over_is_counted_and_what_is_wrong_is_told(stage, tmp_path):
    off = film(stage)
    off.enabled = False
    generated = otio.schema.Clip(
        "bars", otio.schema.GeneratorReference("bars", "bars"), TR(RT(0, 25), RT(9, 25))
    )
    generated.metadata["lp_suite"] = {"driver": "demo:nod"}
    remote = clip_of("far", file_at("https://host/a.mov", 25, 9), 25, 0, 9, "demo:nod")
    wrong = film(stage, sped=2)
    outside = film(stage, 90, 10)
    plan = plan_of(
        tmp_path, [[film(stage), film(stage, driver=None), off, generated, remote, wrong, outside]]
    )
    assert plan.counts == {"clips": 7, "marked": 4, "not marked": 1, "disabled": 1, "generators": 1}
    assert [(item.clip, item.kind) for item in plan.problems] == [(4, "missing"), (5, "mark"), (6, "range")]
    assert "sped" in plan.problems[1].message


def test_a_shot_keeps_its_name_when_the_cut_changes_around_it(stage, tmp_path):
    one = plan_of(tmp_path, [[film(stage, 10)]]).shots[0]
    two = plan_of(tmp_path, [[film(stage, 40), gap_of(25, 3), film(stage, 10)]]).shots[1]
    assert (one.id, one.output) == (two.id, two.output)
    assert plan_of(tmp_path, [[film(stage, 10, strength=0.5)]]).shots[0].id != one.id


def test_a_plan_is_read_as_it_was_written(cut, tmp_path):
    plan, _ = make_plan(PlanRequest(cut, tmp_path / "out"))
    again = read_plan(plan.write())
    assert again.to_json() == plan.to_json()
    assert [shot.render_job(Path("/x")) for shot in again.shots] == [
        shot.render_job(Path("/x")) for shot in plan.shots
    ]


@pytest.mark.parametrize(
    "settings",
    [
        RenderSettings(input=InputSettings(frames="1-2")),
        RenderSettings(output=OutputSettings(fps="25")),
        RenderSettings(upscale=UpscaleSettings(upscale="x4plus")),
    ],
)
def test_settings_that_contradict_a_timeline_are_refused(cut, tmp_path, settings):
    with pytest.raises(SettingError):
        make_plan(PlanRequest(cut, tmp_path / "out", settings))


def test_the_plan_is_shown_and_nothing_rendered(cut, tmp_path, capsys):
    assert run(["batch", str(cut), "-o", str(tmp_path / "out"), "--plan"]) == 0
    said = capsys.readouterr().out
    assert "60 frames" in said and "2 shots, 100 frames" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plan.json"]


def test_a_thousand_clips_are_a_thousand_shots(stage, tmp_path):
    """How fast and in how much memory, benchmarks/batch_plan.py prints."""
    items = [film(stage, index % 50, 20, strength=0.5 + index / 1000) for index in range(1000)]
    plan = plan_of(tmp_path, [items], settings=handled(8))
    assert (len(plan.shots), len(plan.chunks()), plan.problems) == (1000, 1000, ())
    assert len({shot.id for shot in plan.shots}) == 1000
    assert plan.frames == sum(min(index % 50 + 28, COUNT) - max(index % 50 - 8, 0) for index in range(1000))
