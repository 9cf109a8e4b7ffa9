"""A batch as an Open Job Description bundle: solve -> chunks -> conform -> deliver.

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
from lp_core.batch.up_to_date import setting_files
from lp_core.errors import BatchError, MissingDependency, SettingError
from lp_core.files import ensure_folder, write_whole
from lp_core.media.frame_pattern import files_of
from lp_core.performance_name import is_builtin

BUNDLE = "openjd"
"""Folder of the bundle within the batch's folder."""
TEMPLATE = "template.json"
_SOLVE, _CHUNKS, _CONFORM, _DELIVER = "Solve", "Chunks", "Conform", "Deliver"
_NAME_LIMIT = 128
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def write_bundle(
    plan: BatchPlan, command: Sequence[str], variables: Mapping[str, str] = NO_VARIABLES
) -> Path:
    """Writes template, parameter values and asset references; returns their folder.

    Args:
        plan: written already.
        command: how the command line of this suite is called on a worker's machine, such as ('lpsuite',).
        variables: of the tasks' environment.

    Raises:
        SettingError: there is nothing to render.
    """
    if not plan.shots:
        raise SettingError(f"{plan.timeline} has no shot to render; mark clips with lpsuite batch mark.")
    folder = plan.folder / BUNDLE
    ensure_folder(folder)
    files = {
        TEMPLATE: template(plan, command, variables),
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
    plan: BatchPlan, command: Sequence[str], variables: Mapping[str, str] = NO_VARIABLES
) -> dict[str, Any]:
    """The job template of a plan; see ``write_bundle``."""
    shots, chunks = len(plan.shots), len(plan.chunks())
    needs_gpu = any(
        shot.job.settings.engine.engine != "mesh" and shot.job.settings.engine.device.startswith("cuda")
        for shot in plan.shots
    )
    gpu = [{"name": "amount.worker.gpu", "min": 1}] if needs_gpu else []
    steps = [
        _step(_SOLVE, "solve", command, "Shot", "--shot", shots, [], gpu),
        _step(_CHUNKS, "chunk", command, "Chunk", "--chunk", chunks, [_SOLVE], gpu),
        _step(_CONFORM, "conform", command, "Shot", "--shot", shots, [_CHUNKS], []),
        _step(_DELIVER, "deliver", command, None, "", 0, [_CONFORM], []),
    ]
    surroundings = [{"name": "Surroundings", "variables": dict(variables)}] if variables else []
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "name": f"LP Suite {Path(plan.timeline).name}"[:_NAME_LIMIT],
        "description": f"{shots} shots, {plan.frames} frames, {chunks} chunks.",
        "parameterDefinitions": [
            {
                "name": "BatchPlan",
                "type": "PATH",
                "objectType": "FILE",
                "dataFlow": "IN",
                "description": "What is to be rendered, as lpsuite batch --plan wrote it.",
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


def _step(
    name: str,
    word: str,
    command: Sequence[str],
    parameter: str | None,
    flag: str,
    count: int,
    after: Sequence[str],
    amounts: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    arguments = [*command[1:], "batch", word, "{{Param.BatchPlan}}", "--results", "{{Param.Results}}"]
    arguments += ["--progress", "openjd", "--path-rules", "{{Session.PathMappingRulesFile}}"]
    step: dict[str, Any] = {"name": name}
    if after:
        step["dependencies"] = [{"dependsOn": other} for other in after]
    if amounts:
        step["hostRequirements"] = {"amounts": list(amounts)}
    if parameter is not None:
        arguments += [flag, f"{{{{Task.Param.{parameter}}}}}"]
        step["parameterSpace"] = {
            "taskParameterDefinitions": [{"name": parameter, "type": "INT", "range": f"0-{count - 1}"}]
        }
    step["script"] = {"actions": {"onRun": {"command": command[0], "args": arguments}}}
    return step


def _assets(plan: BatchPlan) -> dict[str, Any]:
    """What a farm that copies files must copy; weights are shared or installed there."""
    names = {plan.timeline, str(plan.folder / PLAN_FILE)}
    weights = set()
    for shot in plan.shots:
        job = shot.render_job(plan.folder)
        for name in (job.source, job.driving):
            if not is_builtin(name):
                names.update(map(str, files_of(name)))
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
    path, results = str(bundle / TEMPLATE), bundle.parent
    values = ["-p", f"BatchPlan={results / PLAN_FILE}", "-p", f"Results={results}"]
    for arguments in (["check", path], ["run", path, "--step", _DELIVER, "--run-dependencies", *values]):
        done = subprocess.run([program, *arguments], check=False)  # noqa: S603 - a program found by its name
        if done.returncode:
            raise BatchError(
                f"openjd {arguments[0]} ended with code {done.returncode}; its lines above say why. What is rendered "
                "stays; run it again."
            )


def _program_path() -> str:
    """Where programs are looked for: beside this Python first, as virtual environments keep them."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
