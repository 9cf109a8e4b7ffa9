"""Whatever a shot dies of, the others are done, and the report says which one failed."""

import json

import pytest
from fakes.cuts import clip_of, file_at, timeline_of, write

from lp_core.batch import devices
from lp_core.batch import run as run_module
from lp_core.batch.media_probe import Prober
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.batch.run import DEBUG_LOG, run_plan
from lp_core.batch.steps import RenderResources
from lp_core.cli.main import run
from lp_core.errors import Cancelled, ShotsFailed, UnknownCodec


@pytest.fixture(autouse=True)
def _no_error_logged():
    """The errors are logged on purpose here."""


def failing(monkeypatch, error):
    """The shot named 'film' dies of an error."""
    real = run_module.run_shot

    def run_shot(plan, shot, means):
        if shot.name == "film":
            raise error
        return real(plan, shot, means)

    monkeypatch.setattr(run_module, "run_shot", run_shot)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyError("depth"), "unexpected", "KeyError: 'depth'"),
        (AttributeError("no codec"), "unexpected", "AttributeError: no codec"),
        (RecursionError("deep"), "unexpected", "RecursionError: deep"),
        (OSError(5, "Input/output error"), "unexpected", "Input/output error"),
        (MemoryError(), "unexpected", "memory did not suffice"),
        (UnknownCodec("no such codec"), UnknownCodec.wire_code, "no such codec"),
    ],
)
def test_one_shot_fails_and_the_others_are_done(cut, tmp_path, monkeypatch, error, code, words):
    failing(monkeypatch, error)
    assert (
        run(["batch", str(cut), "-o", str(tmp_path / "out"), "--progress", "none"]) == ShotsFailed.exit_code
    )
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    still, film = report["testsuites"][0]["testcases"]
    assert still["status"] == "rendered"
    assert film["failure"]["type"] == code
    assert words in film["failure"]["message"]
    if code == "unexpected":
        log = next((tmp_path / "out").rglob(DEBUG_LOG)).read_text(encoding="utf-8")
        assert type(error).__name__ in log
        assert "Traceback" in log


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled("stopped")])
def test_a_stop_ends_the_whole_batch(cut, tmp_path, monkeypatch, error):
    failing(monkeypatch, error)
    plan, _ = make_plan(PlanRequest(cut, tmp_path / "out"))
    plan.write()
    with pytest.raises(type(error)):
        run_plan(plan, RenderResources())


@pytest.mark.parametrize(
    "error", [KeyError("codec"), MemoryError(), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad")]
)
def test_planning_goes_on_with_the_other_clips(cut, tmp_path, monkeypatch, capsys, error):
    real = Prober._read

    def read(self, link, fps):
        if link.name.endswith("film.mkv"):
            raise error
        return real(self, link, fps)

    monkeypatch.setattr(Prober, "_read", read)
    plan, _ = make_plan(PlanRequest(cut, tmp_path / "out"))
    assert [shot.name for shot in plan.shots] == ["still"]
    assert [problem.kind for problem in plan.problems] == ["unexpected"]
    assert run(["batch", str(cut), "-o", str(tmp_path / "out"), "--plan"]) == 0
    assert "unexpected: " in capsys.readouterr().out


def test_a_clip_without_decoder_leaves_the_others(stage, tmp_path):
    data = (stage / "film.mkv").read_bytes()
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(data[: len(data) // 50])
    clips = [
        clip_of("bad", file_at(broken, 25, 40), 25, 0, 10, "demo:nod"),
        clip_of("good", file_at(stage / "portrait.png", 25, 1), 25, 0, 4, "demo:nod"),
    ]
    timeline = write(timeline_of("cut", [clips]), tmp_path / "cut.otio")
    assert (
        run(["batch", str(timeline), "-o", str(tmp_path / "out"), "--progress", "none"])
        == ShotsFailed.exit_code
    )
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    states = {case["name"]: case["status"] for case in report["testsuites"][0]["testcases"]}
    assert states["good"] == "rendered"


def test_a_shot_that_fails_on_several_devices_leaves_the_others(cut, tmp_path, monkeypatch):
    plan, _ = make_plan(PlanRequest(cut, tmp_path / "out"))
    plan.write()
    monkeypatch.setattr(devices, "_share", lambda *_: None)

    def conform_shot(plan, shot, means):
        if shot.name == "film":
            raise ZeroDivisionError("rate")
        return {"summary": {"seconds": 1.0}}

    monkeypatch.setattr(devices, "conform_shot", conform_shot)
    results = devices.run_on_devices(plan, ["cpu", "cpu"], None)
    assert [(one.state, one.code) for one in results] == [("rendered", ""), ("failed", "unexpected")]
    assert "ZeroDivisionError: rate" in results[1].message
