"""What a job may name: nothing that another file names, and nothing outside the allowed folders by way of a cast."""

import json
import threading

import pytest

from lp_core.errors import NotAllowed, SettingError
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.job_kinds import job_kinds
from lp_core.worker.schema import AnimateRequest, BatchRequest, ExtractRequest, SayRequest, UpscaleRequest


@pytest.fixture
def stage(tmp_path):
    """(allowed folder, one next to it)."""
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
        for file in ("a.png", "b.mp4", "edit.json"):
            (tmp_path / name / file).write_text("{}")
    return tmp_path / "in", tmp_path / "out"


def animate(stage, **settings):
    folder = stage[0]
    given = {"source": str(folder / "a.png"), "driving": "demo:nod", "output": str(folder / "o.mp4")}
    request = AnimateRequest(kind="animate", parameters={**given, "settings": settings})
    return job_kinds(Folders.of([folder]))["animate"].accept(request)


@pytest.mark.parametrize("kind", ["animate", "extract", "upscale", "batch"])
def test_media_that_another_file_names_is_not_read(stage, kind):
    folder = stage[0]
    settings = {"input": {"references": "follow"}}
    files = {
        "animate": {"source": "a.png", "driving": "b.mp4", "output": "o.mp4"},
        "extract": {"driving": "b.mp4", "output": "o.lpmotion"},
        "upscale": {"source": "b.mp4", "output": "o.mp4"},
        "batch": {"timeline": "t.otio", "output": "o"},
    }[kind]
    given = {name: str(folder / file) for name, file in files.items()}
    models = {
        "animate": AnimateRequest,
        "extract": ExtractRequest,
        "upscale": UpscaleRequest,
        "batch": BatchRequest,
    }
    kinds = job_kinds(Folders.of([folder]))
    if kind not in kinds:
        pytest.skip("opentimelineio is not installed")
    request = models[kind](kind=kind, parameters={**given, "settings": settings})
    with pytest.raises(NotAllowed, match="no media that only another file names"):
        kinds[kind].accept(request)


def cast(folder, **row):
    path = folder / "cast.json"
    path.write_text(json.dumps({"faces": [{"face": "0", "driving": "demo:nod", **row}]}))
    return str(path)


def test_a_cast_is_bound_to_the_allowed_folders(stage):
    inside, outside = stage
    (inside / "link.mp4").symlink_to(outside / "b.mp4")
    (inside / "link.json").symlink_to(outside / "edit.json")
    assert animate(stage, face={"cast": cast(inside)})
    assert animate(stage, face={"cast": cast(inside, driving="b.mp4")})
    assert animate(
        stage, face={"cast": cast(inside, driving=str(inside / "b.mp4"), edit_file=str(inside / "edit.json"))}
    )
    for row in (
        {"driving": str(outside / "b.mp4")},
        {"driving": "../out/b.mp4"},
        {"driving": str(inside / ".." / "out" / "b.mp4")},
        {"driving": "link.mp4"},
        {"edit_file": str(outside / "edit.json")},
        {"edit_file": str(inside / "link.json")},
        {"weights": str(outside)},
        {"driving": f"speech:{outside / 'b.mp4'}"},
    ):
        with pytest.raises(NotAllowed):
            animate(stage, face={"cast": cast(inside, **row)})
    with pytest.raises(NotAllowed):
        animate(stage, face={"cast": cast(outside)})
    for entry in (f"0={outside / 'b.mp4'}", f"0={inside / 'link.mp4'}"):
        with pytest.raises(NotAllowed):
            animate(stage, face={"face": [entry]})


def test_a_cast_is_looked_at_again_when_the_job_begins(stage, tmp_path):
    from lp_core.worker.job_context import JobContext

    accepted = animate(stage, face={"cast": cast(stage[0])})
    cast(stage[0], edit_file=str(stage[1] / "edit.json"))
    context = JobContext("a", tmp_path, lambda *_: None, lambda *_: None, None)
    with pytest.raises(NotAllowed):
        job_kinds(Folders.of([stage[0]]))["animate"].run(accepted.parameters, context)


@pytest.mark.parametrize("name", ["portrait", "sound", "music", "background", "matte", "holdout"])
def test_what_is_said_opens_no_link_that_was_laid_since(stage, tmp_path, name):
    from lp_core.worker.job_context import JobContext

    inside, outside = stage
    file = inside / f"own.{'wav' if name in ('sound', 'music') else 'png'}"
    file.write_text("{}")
    scene = {"portrait": str(inside / "a.png"), "text": "" if name == "sound" else "Hello."}
    framing, settings = {}, {}
    (scene if name in ("portrait", "sound", "music") else framing)[name] = str(file)
    if name == "holdout":
        framing, settings = {}, {"input": {"holdout": str(file)}}
    given = {"scenes": [scene], "output": str(inside / "o.mp4"), "framing": framing, "settings": settings}
    who = job_kinds(Folders.of([inside]))["say"]
    accepted = who.accept(SayRequest(kind="say", parameters=given))
    file.unlink()
    file.symlink_to(outside / "a.png")
    context = JobContext("a", tmp_path, lambda *_: None, lambda *_: None, threading.Event())
    with pytest.raises(NotAllowed):
        who.run(accepted.parameters, context)


def test_music_plays_under_a_single_scene(stage, tmp_path, monkeypatch):
    from lp_core.worker import say_job
    from lp_core.worker.job_context import JobContext

    class Enough(Exception):  # noqa: N818 - it ends the work as soon as it is seen
        pass

    seen = []

    def say(job, *_):
        seen.append(job.scenes[0].music)
        raise Enough

    inside = stage[0]
    (inside / "bed.wav").write_text("{}")
    scene = {"portrait": str(inside / "a.png"), "text": "Hello.", "music": str(inside / "bed.wav")}
    given = {"scenes": [scene], "output": str(inside / "o.mp4")}
    who = job_kinds(Folders.of([inside]))["say"]
    accepted = who.accept(SayRequest(kind="say", parameters=given))
    monkeypatch.setattr(say_job, "say", say)
    with pytest.raises(Enough):
        who.run(accepted.parameters, JobContext("a", tmp_path, print, print, threading.Event()))
    assert seen == [str(inside / "bed.wav")]
    scene |= {"text": "", "sound": scene["music"]}
    with pytest.raises(SettingError, match="no music"):
        who.accept(SayRequest(kind="say", parameters=given))


@pytest.mark.parametrize("kind", ["extract", "upscale"])
def test_a_job_that_was_killed_after_its_output_was_written_is_done_again(stage, tmp_path, monkeypatch, kind):
    from lp_core.worker import job_kinds as kinds
    from lp_core.worker.job_context import JobContext

    class Run:
        def run(self, _progress):
            raise KeyboardInterrupt  # as a kill before the end is kept in the table

    seen = []

    def assemble(_first, _second, settings):
        seen.append(settings.output.overwrite)
        return Run()

    monkeypatch.setattr(
        kinds, {"extract": "assemble_extraction", "upscale": "assemble_upscale"}[kind], assemble
    )
    given = {
        "extract": {"driving": "b.mp4", "output": "o.lpmotion"},
        "upscale": {"source": "b.mp4", "output": "o.mp4"},
    }
    model = {"extract": ExtractRequest, "upscale": UpscaleRequest}[kind]
    request = model(kind=kind, parameters={name: str(stage[0] / file) for name, file in given[kind].items()})
    who = job_kinds(Folders.of([stage[0]]))[kind]
    parameters = who.accept(request).parameters
    context = JobContext("a", tmp_path, lambda *_: None, lambda *_: None, threading.Event())
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            who.run(parameters, context)
    assert seen == [False, True]
