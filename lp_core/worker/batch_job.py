"""Jobs of the kind ``batch``: a whole timeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lp_core.batch.marks import read_map
from lp_core.batch.plan import WORK, BatchPlan
from lp_core.batch.planner import MEDIA, PlanRequest, make_plan
from lp_core.batch.run import deliver, run_plan
from lp_core.batch.steps import RenderResources
from lp_core.engines.registry import WarmEngines
from lp_core.errors import SettingError
from lp_core.performance_name import with_file
from lp_core.settings import RenderSettings
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.checked_files import check_files
from lp_core.worker.job_context import Accepted, JobContext
from lp_core.worker.schema import BatchRequest, SettingsModel, to_settings


@dataclass(frozen=True)
class Batch:
    """The marked clips of a timeline rendered and put back into it."""

    folders: Folders
    engines: WarmEngines
    check: Callable[[BaseModel, Folders], RenderSettings]
    """Checks settings and the files they name."""
    lane_of: Callable[[RenderSettings], str]

    def accept(self, request: BatchRequest) -> Accepted:
        """Checks paths and settings; see the contract."""
        given = request.parameters
        model: BaseModel = given.settings
        settings = self.check(model, self.folders)
        output = self.folders.writable(given.output)
        if Path(output).is_file():
            raise SettingError(f"{given.output} is a file; a batch needs a folder for its results.")
        parameters = {
            "timeline": self.folders.readable(given.timeline),
            "output": output,
            "map": None if given.map is None else self.folders.readable(given.map),
            "relink": [self.folders.readable(folder) for folder in given.relink],
            "file_type": given.file_type,
            "settings": model.model_dump(),
        }
        return Accepted(parameters, output, self.lane_of(settings))

    def run(self, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
        """Renders what is not up to date; see the contract."""
        for name in filter(None, (parameters["timeline"], parameters["map"], *parameters["relink"])):
            self.folders.readable(name)
        self.folders.writable(parameters["output"])
        for part in (WORK, MEDIA):  # written into before the plan says where
            self.folders.check_tree(Path(parameters["output"]) / part)
        request = replace(_plan_request(parameters), admit=self.folders.readable)
        check_files(request.settings, self.folders)
        plan, timeline = make_plan(request)
        self._check_media(plan)
        plan = replace(plan, overwrite=request.settings.output.overwrite)
        plan.write()
        context.check()
        results = run_plan(plan, RenderResources(make=self.engines.make), context.progress)
        return deliver(plan, results, timeline).as_json()

    def abandon(self, context: JobContext) -> None:
        """Finished shots and parts stay for the next run of the same timeline; see the contract."""

    def _check_media(self, plan: BatchPlan) -> None:
        """What a timeline and its marks name is just as bound to the allowed folders than what a request names."""
        for shot in plan.shots:
            self.folders.readable(shot.job.source)
            with_file(shot.job.driving, self.folders.readable)
            job = shot.render_job(plan.folder)
            self.folders.writable(job.output)
            check_files(job.settings, self.folders)


def _plan_request(parameters: dict[str, Any]) -> PlanRequest:
    lines = () if parameters["map"] is None else read_map(Path(parameters["map"]))
    return PlanRequest(
        timeline=Path(parameters["timeline"]),
        output=Path(parameters["output"]),
        settings=to_settings(SettingsModel.model_validate(parameters["settings"])),
        lines=lines,
        relink=tuple(parameters["relink"]),
        file_type=parameters["file_type"],
    )
