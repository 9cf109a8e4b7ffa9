"""Jobs for farms: the bundle, judged and run by Open Job Description's own program, and the job of OpenCue."""

import json
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.cuts import read

from lp_core.assemble import assemble
from lp_core.batch.job_plan import plan_job
from lp_core.batch.opencue import specification, write_job
from lp_core.batch.openjd import template, write_bundle
from lp_core.batch.otio.timeline import SOURCE_KEY, places_of
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.batch.task_steps import parse_needs
from lp_core.cli.main import run
from lp_core.errors import SettingError
from lp_core.job import RenderJob
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values

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


def test_what_machines_must_have_is_asked_for(plan):
    steps = template(plan, ("lpsuite",), needs={"gpu": 1, "gpu-memory": 8192, "memory": 16000, "vcpu": 4})[
        "steps"
    ]
    amounts = [
        {item["name"]: item["min"] for item in step.get("hostRequirements", {}).get("amounts", [])}
        for step in steps
    ]
    wanted = {
        "amount.worker.gpu": 1, "amount.worker.gpu.memory": 8192,
        "amount.worker.memory": 16000, "amount.worker.vcpu": 4,
    }  # fmt: skip
    assert amounts == [wanted, wanted, {}, {}]


@pytest.mark.parametrize("pair", ["memory", "memory=", "memory=x", "memory=0", "disk=5"])
def test_needs_that_make_no_sense_are_refused(pair):
    with pytest.raises(SettingError, match="write NAME=NUMBER"):
        parse_needs([pair])


class TestOneJob:
    @pytest.fixture
    def job_file(self, stage, tmp_path):
        settings = with_values(RenderSettings(), {"engine": "mesh", "calibration": "off", "frames": "2-11"})
        job = RenderJob(
            str(stage / "film.mkv"), "demo:nod", str(tmp_path / "out" / "shot.%04d.png"), settings
        )
        path = tmp_path / "job.json"
        path.write_text(job.to_json())
        return path

    def test_its_steps_end_with_conform_and_the_bundle_passes_the_check(self, job_file, tmp_path):
        assert (
            run(["batch", "job", str(job_file), "--chunk", "4", "--submit", "openjd", "--submit", "opencue"])
            == 0
        )
        folder = tmp_path / "out"
        done = subprocess.run(
            [OPENJD, "check", folder / "openjd" / "template.json"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        steps = json.loads((folder / "openjd" / "template.json").read_text())["steps"]
        assert [step["name"] for step in steps] == ["Solve", "Chunks", "Conform"]
        assert steps[1]["parameterSpace"]["taskParameterDefinitions"][0]["range"] == "0-2"  # 10 frames by 4
        assets = json.loads((folder / "openjd" / "asset_references.json").read_text())["assetReferences"]
        assert str(job_file) in assets["inputs"]["filenames"]
        assert assets["outputs"]["directories"] == [str(folder)]

    def test_its_steps_give_what_one_render_gives(self, job_file, tmp_path):
        assert run(["batch", "job", str(job_file), "--chunk", "4"]) == 0
        plan = str(tmp_path / "out" / "plan.json")
        assert run(["batch", "solve", plan, "--shot", "0"]) == 0
        for number in (2, 0, 1):
            assert run(["batch", "chunk", plan, "--chunk", str(number)]) == 0
        assert run(["batch", "conform", plan, "--shot", "0"]) == 0
        alone = replace(
            RenderJob.from_json(job_file.read_text()), output=str(tmp_path / "alone" / "shot.%04d.png")
        )
        assemble(alone).run()
        made, wanted = (sorted((tmp_path / name).glob("*.png")) for name in ("out", "alone"))
        assert [path.name for path in made] == [path.name for path in wanted]
        assert len(made) == 10
        assert all(ours.read_bytes() == its.read_bytes() for ours, its in zip(made, wanted, strict=True))
        assert run(["batch", "deliver", plan]) != 0

    def test_what_cannot_be_cut_is_refused_in_words(self, job_file):
        job = RenderJob.from_json(job_file.read_text())
        with pytest.raises(SettingError, match="cannot be rendered in chunks"):
            plan_job(replace(job, settings=with_values(job.settings, {"passes": "landmarks"})), job_file)
        with pytest.raises(SettingError, match="lpsuite animate"):
            plan_job(replace(job, settings=with_values(job.settings, {"upscale": "x4plus"})), job_file)


class TestOpenCue:
    def test_a_layer_a_step_with_the_commands_themselves(self, plan):
        spec = ElementTree.fromstring(  # noqa: S314 - our own text
            specification(plan, ("lpsuite",), {"memory": 8000, "gpu-memory": 4000, "vcpu": 2})
        )
        layers = {layer.get("name"): layer for layer in spec.iter("layer")}
        assert list(layers) == ["solve", "chunks", "conform", "deliver"]
        chunks = layers["chunks"]
        assert (
            chunks.findtext("cmd")
            == f"lpsuite batch chunk {plan.folder}/plan.json --chunk #IFRAME# --progress none"
        )
        told = {
            tag: chunks.findtext(tag) for tag in ("range", "chunk", "cores", "memory", "gpus", "gpu_memory")
        }
        assert told == {
            "range": "0-2", "chunk": "1", "cores": "2.0", "memory": "8000m", "gpus": "1", "gpu_memory": "4000m",
        }  # fmt: skip
        assert layers["conform"].find("gpus") is None
        depends = [
            (one.get("type"), one.findtext("deplayer"), one.findtext("onlayer"))
            for one in spec.iter("depend")
        ]
        assert depends == [
            ("LAYER_ON_LAYER", "chunks", "solve"),
            ("LAYER_ON_LAYER", "conform", "chunks"),
            ("LAYER_ON_LAYER", "deliver", "conform"),
        ]

    def test_the_order_of_elements_is_that_of_pyoutline(self, plan):
        """As pyoutline 1.37 writes them: the specification is checked against a DTD, where order counts."""
        spec = ElementTree.fromstring(  # noqa: S314 - our own text
            specification(plan, ("lpsuite",), {"memory": 8000, "gpu": 1, "vcpu": 2})
        )
        assert [item.tag for item in spec] == ["facility", "show", "shot", "user", "uid", "job", "depends"]
        assert [item.tag for item in spec.find("job")] == [
            "paused",
            "priority",
            "maxretries",
            "autoeat",
            "env",
            "layers",
        ]
        assert [item.tag for item in spec.find("job/layers/layer")] == [
            "cmd", "range", "chunk", "cores", "memory", "gpus", "gpu_memory", "env", "services", "outputs",
        ]  # fmt: skip

    def test_names_with_spaces_reach_the_program_whole(self, cut, tmp_path):
        plan, _ = make_plan(PlanRequest(cut, tmp_path / "two words"))
        path = write_job(plan, ("lpsuite",))
        assert path == tmp_path / "two words" / "opencue" / "job.xml"
        read = ElementTree.parse(path)  # noqa: S314 - our own text
        words = shlex.split(read.find("job/layers/layer").findtext("cmd"))
        assert words[3] == str(tmp_path / "two words" / "plan.json")
