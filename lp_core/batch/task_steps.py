"""The steps of a plan as tasks of any manager of work: their order, number, words and needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from lp_core.batch.plan import BatchPlan
from lp_core.errors import SettingError
from lp_core.timing import whole_number

SOLVE, CHUNKS, CONFORM, DELIVER = "Solve", "Chunks", "Conform", "Deliver"
NO_NEEDS: Mapping[str, int] = MappingProxyType({})
NEEDS = ("gpu", "gpu-memory", "memory", "vcpu")
"""What can be asked of a machine: numbers of GPUs and processors, memory in MiB."""


@dataclass(frozen=True)
class TaskStep:
    """One step."""

    name: str
    """Its name, such as Chunks."""
    word: str
    """The command of ``lpsuite batch`` that does it."""
    count: int
    """Number of its tasks."""
    parameter: str = ""
    """What a task is a number of: Shot or Chunk; empty: there is one task."""
    after: str = ""
    """Step that comes before it."""
    needs: Mapping[str, int] = field(default_factory=dict)
    """What a machine must have; keys are those of NEEDS."""

    def words(self, plan_file: str, number: str) -> list[str]:
        """The words after the program's name.

        Args:
            plan_file: the plan, as the machine names it.
            number: of the task, or the manager's own word for it.
        """
        given = [f"--{self.parameter.lower()}", number] if self.parameter else []
        return ["batch", self.word, plan_file, *given]


def steps_of(plan: BatchPlan, needs: Mapping[str, int] = NO_NEEDS) -> list[TaskStep]:
    """The steps, in order.

    Args:
        plan: what is rendered.
        needs: of the machines that solve and draw; where they name no GPU, one is asked for if a shot's device says so.

    Raises:
        SettingError: there is nothing to render.
    """
    if not plan.shots:
        raise SettingError(f"{plan.timeline} has no shot to render; mark clips with lpsuite batch mark.")
    shots = len(plan.shots)
    needs = {**({"gpu": 1} if _names_gpu(plan) else {}), **needs}
    steps = [
        TaskStep(SOLVE, "solve", shots, "Shot", needs=needs),
        TaskStep(CHUNKS, "chunk", len(plan.chunks()), "Chunk", SOLVE, needs),
        TaskStep(CONFORM, "conform", shots, "Shot", CHUNKS),
    ]
    return steps if plan.is_job else [*steps, TaskStep(DELIVER, "deliver", 1, after=CONFORM)]


def parse_needs(pairs: Sequence[str]) -> dict[str, int]:
    """``memory=16384`` and the like as numbers.

    Raises:
        SettingError: a name is not known or a number is none.
    """
    found = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        number = whole_number(value)
        if name not in NEEDS or not number:
            raise SettingError(
                f"--require {pair} is not understood; write NAME=NUMBER, such as memory=16384 (MiB); names are "
                f"{', '.join(NEEDS)}."
            )
        found[name] = number
    return found


def _names_gpu(plan: BatchPlan) -> bool:
    return any(
        shot.job.settings.engine.engine != "mesh" and shot.job.settings.engine.device.startswith("cuda")
        for shot in plan.shots
    )
