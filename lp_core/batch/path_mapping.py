"""A plan on a machine where its files are elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lp_core.batch.plan import BatchPlan, Shot
from lp_core.errors import SettingError, UnreadableMedia
from lp_core.performance_name import with_file
from lp_core.render.cast_members import inlined
from lp_core.settings.table import path_values, with_groups


@dataclass(frozen=True)
class PathRule:
    """Files below a folder of the machine that planned lie below another one here."""

    source: str
    destination: str

    def apply(self, path: str) -> str | None:
        """The path here; None where the rule does not concern it."""
        plain, source = path.replace("\\", "/"), self.source.replace("\\", "/").rstrip("/")
        if plain == source or plain.startswith(source + "/"):
            return self.destination.rstrip("/") + plain[len(source) :]
        return None


def read_rules(path: Path) -> tuple[PathRule, ...]:
    """Reads path mapping rules as an Open Job Description session writes them.

    Raises:
        UnreadableMedia: the file is not there.
        SettingError: it is not understood.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableMedia(f"{path} cannot be read ({error.strerror}); check --path-rules.") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{path} is not valid JSON ({error}); check --path-rules.") from error
    try:
        rules = values.get("path_mapping_rules") or []
        return tuple(PathRule(str(rule["source_path"]), str(rule["destination_path"])) for rule in rules)
    except (AttributeError, KeyError, TypeError) as error:
        raise SettingError(f"{path} holds no path mapping rules; check --path-rules.") from error


def moved_plan(plan: BatchPlan, results: Path | None, rules: Sequence[PathRule]) -> BatchPlan:
    """The plan with all its paths as they are here.

    Args:
        plan: as it was made.
        results: folder of the results here; None: by the rules.
        rules: the first that fits a path counts.
    """

    def here(path: str) -> str:
        return next((found for rule in rules if (found := rule.apply(path)) is not None), path)

    output = here(plan.output) if results is None else str(results.resolve())
    if not rules:
        return replace(plan, output=output)
    shots = tuple(_moved_shot(shot, here) for shot in plan.shots)
    return replace(plan, timeline=here(plan.timeline), output=output, shots=shots)


def _moved_shot(shot: Shot, here: Callable[[str], str]) -> Shot:
    job = shot.job
    moved: dict[str, dict[str, str]] = {}
    for (group, name), path in path_values(job.settings).items():
        moved.setdefault(group, {})[name] = here(path)
    driving = with_file(job.driving, here)
    settings = with_groups(job.settings, moved)
    settings = replace(settings, face=inlined(settings.face, here))
    return replace(shot, job=replace(job, source=here(job.source), driving=driving, settings=settings))
