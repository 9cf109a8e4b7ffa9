"""Chunks share nothing but the solution, and give the same bytes as the undisturbed run, whatever the cut."""

from contextlib import closing
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from fakes.films import read_pictures, write_film, write_portrait, write_tone

from lp_core.assemble import assemble
from lp_core.errors import Cancelled, OutputExists, SettingError
from lp_core.job import RenderJob
from lp_core.render.chunks import (
    conform,
    discard,
    draw_frames,
    open_parts,
    render_chunk,
    render_in_chunks,
)
from lp_core.render.solution import Solution, solve
from lp_core.settings import EngineSettings, InputSettings, MeshSettings, OutputSettings, RenderSettings

PLAIN = RenderSettings(engine=EngineSettings(engine="mesh"), mesh=MeshSettings(calibration="off"))


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A portrait, and a video of 60 frames in which it moves."""
    from skimage import data

    folder = tmp_path_factory.mktemp("stage")
    portrait = write_portrait(folder / "portrait.png", data.astronaut())
    pattern = folder / "acting.%03d.png"
    settings = replace(PLAIN, output=OutputSettings(fps="20"))
    assemble(RenderJob(str(portrait), "demo:nod", str(pattern), settings)).run()
    pictures = read_pictures(pattern)
    pictures[7] = np.zeros_like(pictures[7])  # the face is lost here
    write_film(folder / "film.mkv", pictures, rate="20", codec="ffv1")
    return folder


def job_of(stage, output, settings=PLAIN, driving="demo:blink", source="portrait.png"):
    named = driving if driving.startswith("demo:") else str(stage / driving)
    return RenderJob(str(stage / source), named, str(output), settings)


class Remarking:
    """An engine that says something of some frames."""

    def __init__(self, engine, of):
        self._engine, self._of, self._drawn = engine, of, -1

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def animate_all(self, acts, reference):
        for shown in self._engine.animate_all(acts, reference):
            self._drawn += 1
            yield replace(shown, note="odd things happened" if self._drawn in self._of else "")


def test_what_an_engine_says_of_frames_reaches_the_summary_of_parts(stage, tmp_path):
    def render(of):
        made = assemble(job_of(stage, tmp_path / "out.%04d.png"), resumes=True)
        return told_of_every_frame(replace(made, engine=Remarking(made.engine, of)))

    with pytest.raises(Cancelled):
        render_in_chunks(render({2, 3, 7}), tmp_path / "work", stop_at(20))
    kept = next((tmp_path / "work" / "solution" / "remarks").glob("*.jsonl"))
    with kept.open("a") as file:
        file.write('[9, "cut o')  # what a kill leaves of a line
    summary = render_in_chunks(render(()), tmp_path / "work")
    assert "In 3 frames (2-3, 7) odd things happened." in summary.notes


def told_of_every_frame(render):
    """The render with a clock so fast that no frame is skipped in its reports."""
    ticks = count()
    return replace(render, clock=lambda: float(next(ticks)))


def stop_at(frame, phase="render"):
    def listen(event):
        if event.phase == phase and event.frame >= frame:
            raise Cancelled("stopped by the test")

    return listen


def test_a_sequence_goes_on_after_the_last_finished_picture_and_equals_the_undisturbed_run(stage, tmp_path):
    plain, broken = tmp_path / "plain.%04d.png", tmp_path / "broken.%04d.png"
    assemble(job_of(stage, plain)).run()
    with pytest.raises(Cancelled):
        render_in_chunks(told_of_every_frame(assemble(job_of(stage, broken))), tmp_path / "work", stop_at(20))
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("broken.*.png")}
    assert len(finished) >= 20
    with pytest.raises(OutputExists):
        assemble(job_of(stage, broken))
    summary = render_in_chunks(assemble(job_of(stage, broken), resumes=True), tmp_path / "work")
    assert summary.frames == 75
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    for number in range(1, 76):
        assert (tmp_path / f"broken.{number:04d}.png").read_bytes() == (
            tmp_path / f"plain.{number:04d}.png"
        ).read_bytes()


def test_a_film_of_a_film_is_the_same_however_it_is_cut(stage, tmp_path):
    settings = replace(
        PLAIN,
        engine=EngineSettings(engine="mesh"),
        mesh=MeshSettings(calibration="quick", mouth="driving"),
        output=OutputSettings(codec="ffv1", audio="none"),
    )

    def job(name):
        return job_of(stage, tmp_path / name, settings, driving="film.mkv", source="film.mkv")

    whole = assemble(job("whole.mkv")).run()
    assert whole.lost_source_frames == ((7, 7),)
    first = render_in_chunks(assemble(job("first.mkv")), tmp_path / "one")
    assert replace(first, seconds=0, output="") == replace(whole, seconds=0, output="")
    for ours, theirs in zip(
        read_pictures(tmp_path / "first.mkv"), read_pictures(tmp_path / "whole.mkv"), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)

    render = assemble(job("second.mkv"))
    solution = solve(render, tmp_path / "one" / "solution")
    for run in (range(48, 60), range(48)):  # as two machines would, each with a separate render
        other = assemble(job("second.mkv"), resumes=True)
        parts = open_parts(other, solution, tmp_path / "shared")
        render_chunk(other, solution, parts, run)
    conform(render, solution, open_parts(render, solution, tmp_path / "shared"))
    assert (tmp_path / "second.mkv").read_bytes() == (tmp_path / "first.mkv").read_bytes()


def test_a_film_stopped_anywhere_ends_with_the_same_bytes_and_its_sound(stage, tmp_path):
    film = stage / "film.mkv"
    tone = write_tone(tmp_path / "tone.wav", "3")
    settings = replace(PLAIN, output=OutputSettings(audio="none"))

    def render(name, resumes=False):
        made = assemble(job_of(stage, tmp_path / name, settings, driving=film.name), resumes)
        made = replace(made, target=replace(made.target, settings=OutputSettings(), audio_path=tone))
        return told_of_every_frame(made)

    render_in_chunks(render("calm.mp4"), tmp_path / "calm")
    for stop in (stop_at(30, "analyse"), stop_at(10), stop_at(50), stop_at(0, "join")):
        with pytest.raises(Cancelled):
            render_in_chunks(render("rough.mp4", resumes=True), tmp_path / "rough", stop)
        assert not (tmp_path / "rough.mp4").exists()
    summary = render_in_chunks(render("rough.mp4", resumes=True), tmp_path / "rough")
    assert summary.audio == "driving"
    assert (tmp_path / "rough.mp4").read_bytes() == (tmp_path / "calm.mp4").read_bytes()


def test_any_range_may_be_drawn_alone(stage, tmp_path):
    settings = replace(PLAIN, input=InputSettings(frames="10-40"))
    render = assemble(job_of(stage, tmp_path / "o.mp4", settings, driving="film.mkv", source="film.mkv"))
    solution = solve(render, tmp_path / "solution")
    assert solution.frames == 31
    with closing(draw_frames(render, solution, 0, 31)) as drawn:
        whole = [frame.pixels for frame in drawn]
    with closing(draw_frames(render, solution, 12, 15)) as drawn:
        part = list(drawn)
    assert [frame.index for frame in part] == [12, 13, 14]
    for frame in part:
        np.testing.assert_array_equal(frame.pixels, whole[frame.index])
    with pytest.raises(SettingError):
        next(draw_frames(render, solution, 30, 32))


def test_what_was_finished_is_removed_on_request(stage, tmp_path):
    pattern = tmp_path / "gone.%04d.png"
    render = assemble(job_of(stage, pattern))
    with pytest.raises(Cancelled):
        render_in_chunks(render, tmp_path / "work", stop_at(5))
    assert list(tmp_path.glob("gone.*.png"))
    discard(render, tmp_path / "work")
    assert not list(tmp_path.glob("gone.*.png"))


def test_the_solution_of_another_job_is_refused(stage, tmp_path):
    render = assemble(job_of(stage, tmp_path / "o.mp4"))
    solve(render, tmp_path / "solution", origin="one job")
    assert Solution.open(tmp_path / "nowhere", "one job") is None
    with pytest.raises(SettingError, match="another job"):
        solve(render, tmp_path / "solution", origin="another")


def test_passes_are_the_same_however_the_shot_is_cut(stage, tmp_path):
    pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
    settings = replace(
        PLAIN, output=OutputSettings(passes="stmap,motion"), input=InputSettings(frames="4-10")
    )
    render = assemble(job_of(stage, tmp_path / "cut.%04d.exr", settings, driving="demo:nod"))
    solution = solve(render, tmp_path / "work")
    whole = list(draw_frames(render, solution, 0, 7))
    cut = [frame for first in (0, 3, 6) for frame in draw_frames(render, solution, first, min(first + 3, 7))]
    assert [frame.index for frame in cut] == list(range(7))
    for ours, theirs in zip(cut, whole, strict=True):
        for name in ("stmap", "forward"):
            np.testing.assert_array_equal(ours.layers[name], theirs.layers[name])
    assert whole[6].layers["forward"].any() or whole[5].layers["forward"].any()


def test_files_beside_the_picture_are_not_written_in_parts(stage, tmp_path):
    settings = replace(PLAIN, output=OutputSettings(passes="landmarks"))
    with pytest.raises(SettingError, match="cannot be written in parts"):
        render_in_chunks(assemble(job_of(stage, tmp_path / "a.mkv", settings)), tmp_path / "work")
