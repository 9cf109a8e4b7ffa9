"""A whole batch: rendered, delivered, found up to date, cut up in any way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from fakes.cuts import RT, TR, clip_of, file_at, read, timeline_of, write
from fakes.films import read_pictures

from lp_core.batch.media_links import path_of
from lp_core.batch.otio.timeline import SOURCE_KEY, places_of
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.batch.run import deliver, results_of, run_plan
from lp_core.batch.steps import RenderResources, conform_shot, render_shot_chunk, solve_shot
from lp_core.batch.up_to_date import read_key, read_record
from lp_core.cli.main import run
from lp_core.errors import MediaMissing, ShotsFailed
from lp_core.media.image.stills import write_image
from lp_core.provenance.config import KeyConfig, write_config
from lp_core.provenance.keys import make_chain

ROOT = Path(__file__).resolve().parents[3]


def planned(cut, output, chunk_frames=48):
    plan, timeline = make_plan(PlanRequest(cut, output, chunk_frames=chunk_frames))
    assert not plan.problems
    plan.write()
    return plan, timeline


def films(output):
    return {path.name: path.read_bytes() for path in sorted((output / "media").glob("*"))}


def test_a_batch_gives_media_in_place_and_a_second_run_renders_nothing(cut, tmp_path):
    plan, timeline = planned(cut, tmp_path / "out")
    assert [(shot.name, shot.frames) for shot in plan.shots] == [("still", 60), ("film", 40)]
    told = []
    results = run_plan(plan, RenderResources(), told.append)
    assert [result.message for result in results] == ["", ""]
    assert [event.frame for event in told] == sorted(event.frame for event in told)
    assert (told[-1].frame, told[-1].total) == (100, 100)
    summary = deliver(plan, results, timeline)
    assert summary.exit_code == 0
    found = read(tmp_path / "out" / "timeline.otio")
    for place, name, count in zip(places_of(found), ("still", "film"), (60, 40), strict=True):
        reference = place.clip.media_reference
        assert place.clip.media_references()[SOURCE_KEY].target_url.endswith(("portrait.png", "film.mkv"))
        assert reference.metadata["lp_suite"]["engine"] == "mesh"
        assert len(read_pictures(Path(reference.target_url))) == count, name
    assert found.tracks[0][2].media_reference.available_range.start_time == otio.opentime.RationalTime(10, 25)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "media").glob("*")}
    again, _ = planned(cut, tmp_path / "out")
    assert [result.state for result in run_plan(again, RenderResources())] == ["up to date", "up to date"]
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_picture_sequence_stays_one_with_its_numbers(stage, tmp_path):
    for index, picture in enumerate(read_pictures(stage / "film.mkv")[:12]):
        write_image(tmp_path / f"plate.{1001 + index}.png", picture)
    reference = otio.schema.ImageSequenceReference(
        tmp_path.as_uri(), "plate.", ".png", 1001, 1, 24, 4, available_range=TR(RT(1001, 24), RT(12, 24))
    )
    clip = clip_of("plate", reference, 24, 1004, 6, "demo:nod", audio="none")
    path = write(timeline_of("plates", [[clip]]), tmp_path / "plates.otio")
    assert run(["batch", str(path), "-o", str(tmp_path / "out"), "--handles", "1", "--progress", "none"]) == 0
    made = next(iter(read(tmp_path / "out" / "timeline.otio").find_clips())).media_reference
    assert (made.start_frame, made.end_frame(), made.frame_zero_padding) == (1003, 1010, 4)
    assert made.available_range == TR(RT(1003, 24), RT(8, 24))
    files = [path_of(made.target_url_for_image_number(index), tmp_path) for index in range(8)]
    assert all(Path(file).is_file() for file in files)
    plan, _ = planned(path, tmp_path / "out")
    assert plan.shots[0].estimate_s > 0


def test_the_estimate_learns_from_finished_shots(cut, tmp_path):
    plan, _ = planned(cut, tmp_path / "out")
    work = plan.work(plan.shots[0])
    work.mkdir(parents=True)
    summary = {"engine": "mesh", "seconds": 600.0, "frames": 60}
    (work / "shot.json").write_text(json.dumps({"summary": summary, "size": [256, 256]}))
    again, _ = planned(cut, tmp_path / "out")
    assert again.shots[0].estimate_s == pytest.approx(600, abs=1)
    assert again.shots[1].estimate_s > 10 * plan.shots[1].estimate_s


def test_a_changed_input_is_rendered_again_and_nothing_else(cut, tmp_path, stage):
    driver = tmp_path / "driver.mkv"
    driver.write_bytes((stage / "film.mkv").read_bytes())
    timeline = read(cut)
    timeline.tracks[0][2].metadata["lp_suite"]["driver"] = str(driver)
    otio.adapters.write_to_file(timeline, str(cut))
    run_plan(planned(cut, tmp_path / "out")[0], RenderResources())
    os.utime(driver)  # read again, found the same
    assert [item.state for item in run_plan(planned(cut, tmp_path / "out")[0], RenderResources())] == [
        "up to date"
    ] * 2
    from fakes.films import write_film

    write_film(driver, read_pictures(stage / "film.mkv")[::-1], rate="25", codec="ffv1")
    states = [item.state for item in run_plan(planned(cut, tmp_path / "out")[0], RenderResources())]
    assert states == ["up to date", "rendered"]


LONG = 330
"""Frames of a still that make seven segments."""


@pytest.fixture(scope="module")
def long(stage, tmp_path_factory):
    """A timeline of one long still, and the video that an undisturbed run makes of it."""
    folder = tmp_path_factory.mktemp("long")
    still = clip_of("still", file_at(stage / "portrait.png", 25, 1), 25, 0, LONG, "demo:expressive")
    path = write(timeline_of("long", [[still]]), folder / "long.otio")
    plan, _ = planned(path, folder / "whole")
    assert [item.state for item in run_plan(plan, RenderResources())] == ["rendered"]
    return path, films(folder / "whole")


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_bytes_are_the_same_however_many_chunks(long, tmp_path, count):
    path, whole = long
    plan, _ = planned(path, tmp_path / "out", -(-LONG // count))
    assert len(plan.chunks()) == count
    solve_shot(plan, plan.shots[0])
    for chunk in reversed(plan.chunks()):
        render_shot_chunk(plan, chunk)
    conform_shot(plan, plan.shots[0])
    assert films(tmp_path / "out") == whole
    assert deliver(plan, results_of(plan)).exit_code == 0


def test_a_kill_costs_at_most_one_chunk_and_no_byte(long, tmp_path):
    path, whole = long
    output = tmp_path / "out"
    command = [sys.executable, "-m", "lp_core", "batch", str(path), "-o", str(output), "--chunk", "48"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while (
        len(list(output.glob("work/*/parts/0*"))) < 4
    ):  # so three are in the journal, which follows the file
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not films(output)
    finished = {part: part.stat().st_mtime_ns for part in output.glob("work/*/parts/0*")}
    assert len(finished) >= 3
    plan, _ = planned(path, output)
    before = read_key(plan, plan.shots[0])
    told = []
    run_plan(plan, RenderResources(), told.append)
    assert before is not None
    assert films(output) == whole
    drawn = [event.frame for event in told if event.frame > LONG * 0.3]
    assert drawn[0] >= LONG * (0.3 + 0.7 * 144 / LONG) - 1  # three segments were not drawn again


def test_a_finished_film_is_neither_joined_nor_signed_again(long, tmp_path):
    path, _ = long
    plan, _ = planned(path, tmp_path / "out")
    run_plan(plan, RenderResources())
    film = tmp_path / "out" / plan.shots[0].output
    time_ns = film.stat().st_mtime_ns
    record = read_record(plan, plan.shots[0])
    for chunk in plan.chunks():
        render_shot_chunk(plan, chunk)
    assert conform_shot(plan, plan.shots[0]) == record
    assert film.stat().st_mtime_ns == time_ns


def test_a_shot_that_fails_stops_no_other_and_is_reported(stage, tmp_path):
    blank = stage / "blank.png"
    write_image(blank, np.full((64, 64, 3), 90, np.uint8))
    clips = [
        clip_of("faceless", file_at(blank, 25, 1), 25, 0, 10, "demo:nod"),
        clip_of("lost", file_at(tmp_path / "nowhere.mov", 25, 100), 25, 0, 10, "demo:nod"),
        clip_of("good", file_at(stage / "portrait.png", 25, 1), 25, 0, 10, "demo:nod"),
    ]
    path = write(timeline_of("mixed", [clips]), tmp_path / "mixed.otio")
    assert run(["batch", str(path), "-o", str(tmp_path / "out")]) == ShotsFailed.exit_code
    figures = json.loads((tmp_path / "out" / "report.json").read_text())["testsuites"][0]
    assert (figures["tests"], figures["failures"], figures["skipped"]) == (3, 1, 1)
    assert "No face" in figures["testcases"][0]["failure"]["message"]
    found = read(tmp_path / "out" / "timeline.otio")
    names = [SOURCE_KEY in place.clip.media_references() for place in places_of(found)]
    assert names == [False, False, True]
    assert "data:image/jpeg" in (tmp_path / "out" / "report.html").read_text()


def test_missing_media_alone_has_an_exit_code_of_its_own(stage, tmp_path, capsys):
    clips = [clip_of("lost", file_at(tmp_path / "nowhere.mov", 25, 100), 25, 0, 10, "demo:nod")]
    path = write(timeline_of("lost", [clips]), tmp_path / "lost.otio")
    assert run(["batch", str(path), "-o", str(tmp_path / "out")]) == MediaMissing.exit_code
    assert "--relink" in capsys.readouterr().out
    assert read(tmp_path / "out" / "timeline.otio").is_equivalent_to(read(path))


def test_a_result_is_signed_once_when_it_is_joined(long, tmp_path, monkeypatch):
    pytest.importorskip("c2pa")
    (tmp_path / "keys").mkdir()
    make_chain(tmp_path / "keys", "Studio", 30)
    write_config(tmp_path / "keys", KeyConfig())
    monkeypatch.setenv("LPSUITE_CONFIG", str(tmp_path / "keys"))
    path, whole = long
    for _ in range(2):
        plan, _ = planned(path, tmp_path / "out")
        results = run_plan(plan, RenderResources())
        assert results[0].figures["signature"] == "signed"
        film = tmp_path / "out" / plan.shots[0].output
        manifests = (film.read_bytes(), film.stat().st_mtime_ns)
        again = conform_shot(plan, plan.shots[0])
        assert again == results[0].record
        assert (film.read_bytes(), film.stat().st_mtime_ns) == manifests
    assert results[0].state == "up to date"
    assert manifests[0] != whole[film.name]  # it carries its manifest inside


def test_a_shot_notes_what_it_cannot_use_but_not_the_device_of_the_run(cut, tmp_path):
    from lp_core.batch.assemble_shot import assemble_shot
    from lp_core.settings import LivePortraitSettings, OutputSettings, RenderSettings

    settings = RenderSettings(liveportrait=LivePortraitSettings(detail="source"))
    plan, _ = make_plan(PlanRequest(cut, tmp_path / "a", settings=settings))
    notes = assemble_shot(plan, plan.shots[0], False, "cpu").notes
    assert [note for note in notes if "Without effect" in note] == [
        "Without effect here: --detail (not used by the mesh engine)."
    ]
    strict = RenderSettings(liveportrait=settings.liveportrait, output=OutputSettings(strict=True))
    plan, timeline = make_plan(PlanRequest(cut, tmp_path / "b", settings=strict))
    plan.write()
    results = run_plan(plan, RenderResources())
    assert [result.state for result in results] == ["failed", "failed"]
    assert all("--detail" in result.message for result in results)
    assert deliver(plan, results, timeline).exit_code == ShotsFailed.exit_code
