"""A result is made of one version of its inputs: a changed one fails the run, or starts resumed work over."""

import cv2
import pytest
from fakes.films import write_film, write_portrait

from lp_core.assemble import assemble, assemble_extraction
from lp_core.errors import Cancelled, InputChanged
from lp_core.job import RenderJob
from lp_core.render.chunks import render_in_chunks
from lp_core.settings import EngineSettings, MeshSettings, RenderSettings

PLAIN = RenderSettings(engine=EngineSettings(engine="mesh"), mesh=MeshSettings(calibration="off"))


@pytest.fixture
def stage(tmp_path, astronaut):
    """A small portrait and a short video of it."""
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    write_portrait(tmp_path / "portrait.png", small)
    write_film(tmp_path / "film.mkv", [small] * 6, rate="25", codec="ffv1")
    return tmp_path


def job_of(stage, output, driving="film.mkv"):
    named = driving if driving.startswith("demo:") else str(stage / driving)
    return RenderJob(str(stage / "portrait.png"), named, str(stage / output), PLAIN)


def at(phase, act):
    """A listener that acts once, when a phase begins."""
    left = [act]

    def hear(event):
        if event.phase == phase and left:
            left.pop()()

    return hear


def stop():
    raise Cancelled("stopped by the test")


def brighter(stage, astronaut):
    write_portrait(stage / "portrait.png", cv2.resize(astronaut, (256, 256)) // 2 + 90)


@pytest.mark.parametrize("output", ["o.mp4", "o.%03d.png"])
@pytest.mark.parametrize("phase", ["analyse", "render"])
@pytest.mark.parametrize("name", ["portrait.png", "film.mkv"])
def test_input_rewritten_while_a_render_runs_fails_it(stage, output, phase, name):
    def touch():
        (stage / name).write_bytes((stage / name).read_bytes() + b"more")

    with pytest.raises(InputChanged, match=f"{name} changed while it was in use"):
        assemble(job_of(stage, output)).run(at(phase, touch))
    assert sorted(path.name for path in stage.iterdir()) == ["film.mkv", "portrait.png"]


@pytest.mark.parametrize("output", ["o.mp4", "o.%03d.png"])
def test_input_rewritten_while_a_resumable_render_runs_fails_it_and_nothing_is_kept(stage, output):
    def touch():
        (stage / "film.mkv").write_bytes((stage / "film.mkv").read_bytes() + b"more")

    with pytest.raises(InputChanged):
        render_in_chunks(assemble(job_of(stage, output)), stage / "work", at("render", touch))
    assert not list(stage.glob("o.*"))
    assert not (stage / "work" / "solution").exists()


@pytest.mark.parametrize("output", ["o.mp4", "o.%03d.png"])
def test_resumed_work_starts_over_with_a_changed_input_and_says_so(stage, astronaut, output):
    with pytest.raises(Cancelled):
        render_in_chunks(assemble(job_of(stage, output, "demo:nod")), stage / "work", at("render", stop))
    brighter(stage, astronaut)
    summary = render_in_chunks(assemble(job_of(stage, output, "demo:nod"), resumes=True), stage / "work")
    assert any(
        "portrait.png changed since the work began, so it was started over." in n for n in summary.notes
    )
    fresh = "fresh" + output[1:]
    assemble(job_of(stage, fresh, "demo:nod")).run()
    made = sorted(stage.glob("o.*"))
    assert made
    for path in made:
        if path.suffix == ".png":  # a video joined of segments has other bytes than one written at once
            assert path.read_bytes() == (stage / path.name.replace("o.", "fresh.")).read_bytes()


def test_resumed_work_goes_on_with_the_same_inputs(stage):
    with pytest.raises(Cancelled):
        render_in_chunks(
            assemble(job_of(stage, "o.%03d.png", "demo:nod")), stage / "work", at("render", stop)
        )
    summary = render_in_chunks(
        assemble(job_of(stage, "o.%03d.png", "demo:nod"), resumes=True), stage / "work"
    )
    assert not any("started over" in note for note in summary.notes)


def test_input_rewritten_while_a_motion_is_extracted_fails_it(stage):
    run = assemble_extraction(str(stage / "film.mkv"), str(stage / "a.lpmotion"), PLAIN)

    def touch():
        (stage / "film.mkv").write_bytes((stage / "film.mkv").read_bytes() + b"more")

    with pytest.raises(InputChanged):
        run.run(at("analyse", touch))
    assert not (stage / "a.lpmotion").exists()


def test_damaged_solution_is_solved_again(stage):
    job = job_of(stage, "o.%03d.png")
    with pytest.raises(Cancelled):
        render_in_chunks(assemble(job), stage / "work", at("render", stop))
    for name in ("faces.bin", "performance.lpmotion"):
        path = stage / "work" / "solution" / name
        data = bytearray(path.read_bytes())
        data[-20] ^= 1
        path.write_bytes(bytes(data))
    phases = []
    render_in_chunks(assemble(job, resumes=True), stage / "work", lambda event: phases.append(event.phase))
    assert "analyse" in phases
    assemble(job_of(stage, "fresh.%03d.png")).run()
    for path in stage.glob("o.*.png"):
        assert path.read_bytes() == (stage / path.name.replace("o.", "fresh.")).read_bytes()
