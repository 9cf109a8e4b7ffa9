"""What renders a node's job on another machine: a command line, and jobs for farms, which LP Suite itself writes."""

import shlex
from pathlib import Path
from typing import List

from lp_core.job import RenderJob
from lp_core.link.program import run_program
from lp_core.settings.table import changed_values

PROGRAM = "lpsuite"
LIMIT_S = 120
"""How long LP Suite may take: it opens the plates, and no more."""


def command(job: RenderJob) -> str:
    """One line for a farm's task."""
    return " ".join(shlex.quote(word) for word in [PROGRAM, *arguments(job)])


def write_bundles(job_file: Path) -> str:
    """Has LP Suite write a plan in chunks, a bundle of Open Job Description and a job of OpenCue next to the job.

    Args:
        job_file: of the node, written already, with its plates.

    Returns:
        What it printed.

    Raises:
        WorkerError: LP Suite was not found, or refused the job; the sentence is its own.
    """
    words = ["batch", "job", str(job_file), "--submit", "openjd", "--submit", "opencue"]
    return run_program(words, limit_s=LIMIT_S).text


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
