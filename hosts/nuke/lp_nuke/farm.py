"""The command line that renders a node's job on another machine. Pure."""

import shlex
from dataclasses import fields
from typing import List

from lp_core.job import RenderJob
from lp_core.settings import setting_fields


def command(job: RenderJob, program: str = "lpsuite") -> str:
    """One line for a farm's task: only settings that differ from their defaults are named."""
    words: List[str] = [program, "animate", job.source, job.driving, "-o", job.output]
    for group in fields(job.settings):
        values = getattr(job.settings, group.name)
        for name, default, _ in setting_fields(values):
            value = getattr(values, name)
            if value != default:
                words += _option(name, value)
    return " ".join(shlex.quote(word) for word in words)


def _option(name: str, value: object) -> List[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return ["--" + flag if value else "--no-" + flag]
    if isinstance(value, tuple):
        return [part for item in value for part in ("--" + flag, str(item))]
    return ["--" + flag, str(value)]
