"""What renders a node's job on another machine: a command line, and the same as an Open Job Description. Pure."""

import shlex
from typing import Any, Dict, List

from lp_core.job import RenderJob
from lp_core.settings.table import changed_values

PROGRAM = "lpsuite"
TEMPLATE = "template.json"


def command(job: RenderJob) -> str:
    """One line for a farm's task."""
    return " ".join(shlex.quote(word) for word in [PROGRAM, *arguments(job)])


def template(job: RenderJob, name: str) -> Dict[str, Any]:
    """The same as a job template of Open Job Description 2023-09: one step, one task.

    Args:
        job: what is rendered.
        name: of the node.
    """
    action = {"command": PROGRAM, "args": arguments(job)}
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "name": ("LivePortrait " + name)[:128],
        "steps": [{"name": "Render", "script": {"actions": {"onRun": action}}}],
    }


def arguments(job: RenderJob) -> List[str]:
    """The words after the program's name: only settings that differ from their defaults are named."""
    words: List[str] = ["animate", job.source, job.driving, "-o", job.output]
    for values in changed_values(job.settings).values():
        for name, value in values.items():
            words += _option(name, value)
    return words


def _option(name: str, value: object) -> List[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return ["--" + flag if value else "--no-" + flag]
    if isinstance(value, tuple):
        return [part for item in value for part in ("--" + flag, str(item))]
    return ["--" + flag, str(value)]
