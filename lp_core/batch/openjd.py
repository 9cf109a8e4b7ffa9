"""A batch, or one job, as an Open Job Description bundle: solve -> chunks -> conform (-> deliver).

The bundle is what ``openjd run`` executes and ``deadline bundle submit`` sends. Every task runs the command line of
this suite on the plan file, so that any other manager can do the same with its own words.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lp_core.batch.plan import PLAN_FILE, BatchPlan
from lp_core.batch.task_steps import NO_NEEDS, TaskStep, steps_of
from lp_core.batch.up_to_date import setting_files
from lp_core.errors import BatchError, MissingDependency
from lp_core.files import ensure_folder, write_whole
from lp_core.media.frame_pattern import files_of
from lp_core.performance_name import is_builtin, speech_file

BUNDLE = "openjd"
"""Folder of the bundle within the batch's folder."""
TEMPLATE = "template.json"
_NAME_LIMIT = 128
_AMOUNTS = {
    "gpu": "amount.worker.gpu",
    "gpu-memory": "amount.worker.gpu.memory",
    "memory": "amount.worker.memory",
    "vcpu": "amount.worker.vcpu",
}
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def write_bundle(
    plan: BatchPlan,
    command: Sequence[str],
    variables: Mapping[str, str] = NO_VARIABLES,
    needs: Mapping[str, int] = NO_NEEDS,
) -> Path:
    """Writes template, parameter values and asset references; returns their folder.

    Args:
        plan: written already.
        command: how the command line of this suite is called on a worker's machine, such as ('lpsuite',).
        variables: of the tasks' environment.
        needs: what a machine must have; see ``lp_core.batch.task_steps``.

    Raises:
        SettingError: there is nothing to render.
    """
    folder = plan.folder / BUNDLE
    ensure_folder(folder)
    files = {
        TEMPLATE: template(plan, command, variables, needs),
        "parameter_values.json": {
            "parameterValues": [
                {"name": "BatchPlan", "value": str(plan.folder / PLAN_FILE)},
                {"name": "Results", "value": str(plan.folder)},
            ]
        },
        "asset_references.json": {"assetReferences": _assets(plan)},
    }
    for name, values in files.items():
        write_whole(folder / name, json.dumps(values, indent=1) + "\n")
    return folder


def template(
    plan: BatchPlan,
    command: Sequence[str],
    variables: Mapping[str, str] = NO_VARIABLES,
    needs: Mapping[str, int] = NO_NEEDS,
) -> dict[str, Any]:
    """The job template of a plan; see ``write_bundle``."""
    steps = [_step(step, command) for step in steps_of(plan, needs)]
    surroundings = [{"name": "Surroundings", "variables": dict(variables)}] if variables else []
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "name": f"LP Suite {Path(plan.timeline).name}"[:_NAME_LIMIT],
        "description": f"{len(plan.shots)} shots, {plan.frames} frames, {len(plan.chunks())} chunks.",
        "parameterDefinitions": [
            {
                "name": "BatchPlan",
                "type": "PATH",
                "objectType": "FILE",
                "dataFlow": "IN",
                "description": "What is to be rendered, as lpsuite batch wrote it.",
                "default": f"../{PLAN_FILE}",
            },
            {
                "name": "Results",
                "type": "PATH",
                "objectType": "DIRECTORY",
                "dataFlow": "INOUT",
                "description": "Folder of the results; shared by all machines.",
                "default": "..",
            },
        ],
        **({"jobEnvironments": surroundings} if surroundings else {}),
        "steps": steps,
    }


def _step(step: TaskStep, command: Sequence[str]) -> dict[str, Any]:
    words = step.words("{{Param.BatchPlan}}", f"{{{{Task.Param.{step.parameter}}}}}")
    arguments = [*command[1:], *words, "--results", "{{Param.Results}}"]
    arguments += ["--progress", "openjd", "--path-rules", "{{Session.PathMappingRulesFile}}"]
    made: dict[str, Any] = {"name": step.name}
    if step.after:
        made["dependencies"] = [{"dependsOn": step.after}]
    if step.needs:
        made["hostRequirements"] = {
            "amounts": [
                {"name": _AMOUNTS[name], "min": number} for name, number in sorted(step.needs.items())
            ]
        }
    if step.parameter:
        numbers = {"name": step.parameter, "type": "INT", "range": f"0-{step.count - 1}"}
        made["parameterSpace"] = {"taskParameterDefinitions": [numbers]}
    made["script"] = {"actions": {"onRun": {"command": command[0], "args": arguments}}}
    return made


def _assets(plan: BatchPlan) -> dict[str, Any]:
    """What a farm that copies files must copy; weights are shared or installed there."""
    names = {plan.timeline, str(plan.folder / PLAN_FILE)}
    weights = set()
    for shot in plan.shots:
        job = shot.render_job(plan.folder)
        for name in (job.source, job.driving):
            if not is_builtin(name):
                names.update(map(str, files_of(speech_file(name))))
        names.update(str(path.resolve()) for _, path in setting_files(job))
        if job.settings.engine.weights:
            weights.add(job.settings.engine.weights)
    return {
        "inputs": {"filenames": sorted(names), "directories": []},
        "outputs": {"directories": [str(plan.folder)]},
        "referencedPaths": sorted(weights),
    }


def local_bundle(plan: BatchPlan) -> Path:
    """The bundle for this machine: this Python, this code, this configuration; a session inherits nothing."""
    root = Path(__file__).resolve().parents[2]
    own = {name: value for name, value in os.environ.items() if name.startswith("LPSUITE_")}
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    return write_bundle(
        plan, (sys.executable, "-m", "lp_core"), {**own, "PYTHONPATH": os.pathsep.join(paths)}
    )


def run_locally(bundle: Path) -> None:
    """Checks the bundle and runs it with the program ``openjd``.

    Raises:
        MissingDependency: it is not installed.
        BatchError: a task failed.
    """
    program = shutil.which("openjd", path=_program_path())
    if program is None:
        raise MissingDependency("The program openjd is not installed; get it with: pip install openjd-cli.")
    path, results = bundle / TEMPLATE, bundle.parent
    last = json.loads(path.read_text(encoding="utf-8"))["steps"][-1]["name"]
    values = ["-p", f"BatchPlan={results / PLAN_FILE}", "-p", f"Results={results}"]
    for arguments in (
        ["check", str(path)],
        ["run", str(path), "--step", last, "--run-dependencies", *values],
    ):
        done = subprocess.run([program, *arguments], check=False)  # noqa: S603 - a program found by its name
        if done.returncode:
            raise BatchError(
                f"openjd {arguments[0]} ended with code {done.returncode}; its lines above say why. What is rendered "
                "stays; run it again."
            )


def _program_path() -> str:
    """Where programs are looked for: next to this Python first, as virtual environments keep them."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
