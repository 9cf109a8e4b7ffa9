"""The job bundle, judged and run by Open Job Description's own program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.cuts import read

from lp_core.batch.openjd import template, write_bundle
from lp_core.batch.otio.timeline import SOURCE_KEY, places_of
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.cli.main import run

OPENJD = Path(sys.executable).with_name("openjd")


@pytest.fixture
def plan(cut, tmp_path):
    made, _ = make_plan(PlanRequest(cut, tmp_path / "out", chunk_frames=48))
    made.write()
    return made


def test_the_bundle_passes_the_check_and_names_what_it_reads(plan, stage):
    folder = write_bundle(plan, ("lpsuite",))
    done = subprocess.run([OPENJD, "check", folder / "template.json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assets = json.loads((folder / "asset_references.json").read_text())["assetReferences"]
    assert {str(stage / "portrait.png"), str(stage / "film.mkv")} <= set(assets["inputs"]["filenames"])
    values = json.loads((folder / "parameter_values.json").read_text())["parameterValues"]
    assert {"name": "Results", "value": plan.output} in values


def test_steps_depend_on_each_other_and_cover_every_chunk(plan):
    steps = template(plan, ("lpsuite",))["steps"]
    after = {step["name"]: [item["dependsOn"] for item in step.get("dependencies", [])] for step in steps}
    assert after == {"Solve": [], "Chunks": ["Solve"], "Conform": ["Chunks"], "Deliver": ["Conform"]}
    chunks = steps[1]["parameterSpace"]["taskParameterDefinitions"][0]
    assert (chunks["range"], len(plan.chunks())) == ("0-2", 3)  # 60 frames as 48 and 12, then 40


@pytest.mark.slow
def test_the_bundle_runs_and_delivers_the_timeline(cut, tmp_path):
    output = tmp_path / "out"
    assert run(["batch", str(cut), "-o", str(output), "--chunk", "48", "--run", "openjd-local"]) == 0
    found = read(output / "timeline.otio")
    assert all(SOURCE_KEY in place.clip.media_references() for place in places_of(found))
    states = {
        case["status"]
        for case in json.loads((output / "report.json").read_text())["testsuites"][0]["testcases"]
    }
    assert states == {"rendered"}
