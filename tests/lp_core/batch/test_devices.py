"""One process for each device, and plans on machines where files lie elsewhere."""

import json
import shutil

from lp_core.batch.devices import run_on_devices
from lp_core.batch.path_mapping import PathRule, moved_plan, read_rules
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.batch.run import run_plan
from lp_core.batch.steps import RenderResources
from lp_core.batch.up_to_date import Hashes, key_of


def test_two_processes_give_the_same_bytes_as_one(cut, tmp_path):
    films = []
    for name in ("one", "two"):
        plan, _ = make_plan(PlanRequest(cut, tmp_path / name, chunk_frames=48))
        plan.write()
        told = []
        if name == "one":
            results = run_plan(plan, RenderResources(), told.append)
        else:
            results = run_on_devices(plan, ("cpu", "cpu"), told.append)
        assert [item.state for item in results] == ["rendered", "rendered"], [
            item.message for item in results
        ]
        assert told[-1].frame == told[-1].total == 100
        films.append({path.name: path.read_bytes() for path in (tmp_path / name / "media").iterdir()})
    assert films[0] == films[1]
    again, _ = make_plan(PlanRequest(cut, tmp_path / "two", chunk_frames=48))
    assert [item.state for item in run_on_devices(again, ("cpu", "cpu"), None)] == [
        "up to date",
        "up to date",
    ]


def test_path_rules_of_a_session_are_followed(cut, stage, tmp_path):
    plan, _ = make_plan(PlanRequest(cut, tmp_path / "out"))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(stage, elsewhere)
    rules = tmp_path / "rules.json"
    rule = {"source_path_format": "POSIX", "source_path": str(stage), "destination_path": str(elsewhere)}
    rules.write_text(json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [rule]}))
    moved = moved_plan(plan, tmp_path / "here", read_rules(rules))
    assert moved.output == str(tmp_path / "here")
    assert moved.shots[0].job.source == str(elsewhere / "portrait.png")
    assert moved.shots[1].job.driving == str(elsewhere / "film.mkv")
    assert moved.shots[0].job.driving == "demo:nod"
    assert [shot.id for shot in moved.shots] == [shot.id for shot in plan.shots]
    keys = {key_of(one, one.shots[1], Hashes(tmp_path / "none")) for one in (plan, moved)}
    assert len(keys) == 1  # the same content elsewhere is the same work
    assert PathRule("C:\\show", "/mnt/show").apply("C:\\show\\a.mov") == "/mnt/show/a.mov"
    assert PathRule("/show", "/mnt").apply("/showreel/a.mov") is None
