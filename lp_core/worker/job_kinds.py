"""The kinds of jobs that a worker does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any

from pydantic import BaseModel

from lp_core.assemble import assemble, assemble_extraction
from lp_core.engines.registry import WarmEngines, choose_engine
from lp_core.errors import NotAllowed, SettingError
from lp_core.job import RenderJob
from lp_core.media.frame_pattern import split_range
from lp_core.media.resumable import discard_parts
from lp_core.performance_name import is_builtin, speech_file, with_file
from lp_core.render.chunks import render_resumable
from lp_core.settings import RenderSettings
from lp_core.upscaling import DEFAULT_MODEL, assemble_upscale
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.checked_files import check_files
from lp_core.worker.job_context import Accepted, JobContext, JobKind
from lp_core.worker.schema import (
    AnimateRequest,
    ExtractRequest,
    SettingsModel,
    UpscaleRequest,
    to_settings,
)

CPU = "cpu"
BEGUN = "begun"
"""File that is in a job's folder once its output may have been begun."""


def lane_of(settings: RenderSettings) -> str:
    """The device a job needs: the processor for the mesh engine, else the networks' device as it was named."""
    name, _ = choose_engine(settings)
    return CPU if name == "mesh" else settings.engine.device


def lane_of_job(job: RenderJob) -> str:
    """The lane of a render: a single frame, for which someone waits, does not queue behind whole shots."""
    lane = lane_of(job.settings)
    frames = job.settings.input.frame_range or split_range(job.source)[1]
    return f"{lane}, single frames" if frames is not None and len(frames) == 1 else lane


def checked_settings(model: BaseModel, folders: Folders) -> RenderSettings:
    """The settings, when they make sense and name only files that may be touched.

    Raises:
        NotAllowed: a file is elsewhere, or media would be read that the request does not name.
        SettingError: two settings contradict each other.
    """
    settings = to_settings(model)
    if settings.input.references != "refuse":
        raise NotAllowed(
            "The worker reads no media that only another file names; leave references at 'refuse', and give the "
            "video itself."
        )
    check_files(settings, folders)
    return settings


def _performance(name: str, folders: Folders) -> str:
    return with_file(name, folders.readable)


def _going_on(settings: RenderSettings, context: JobContext) -> RenderSettings:
    """The settings of a job that may have begun before: what is there under the output's name is its own then."""
    if not (context.folder / BEGUN).exists():
        return settings
    return replace(settings, output=replace(settings.output, overwrite=True))


@dataclass(frozen=True)
class Animate:
    """A performance laid onto a portrait."""

    folders: Folders
    engines: WarmEngines

    def accept(self, request: AnimateRequest) -> Accepted:
        """Checks paths and settings; see the contract."""
        given = request.parameters
        settings = checked_settings(given.settings, self.folders)
        job = RenderJob(
            self.folders.readable(given.source),
            _performance(given.driving, self.folders),
            self.folders.writable(given.output),
            settings,
        )
        if job.source in (job.output, speech_file(job.driving)):
            raise SettingError(f"{given.source} is named twice; source, driving and output must differ.")
        parameters = {
            name: json.loads(job.to_json())[name] for name in ("source", "driving", "output", "settings")
        }
        return Accepted(parameters, job.output, lane_of_job(job))

    def run(self, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
        """Renders; see the contract."""
        job = _render_job(parameters)
        self._check_again(job)
        begun = context.folder / BEGUN
        render = assemble(job, begun.exists(), self.engines.make)
        begun.touch()
        context.check()
        origin = json.dumps(parameters, sort_keys=True)
        return render_resumable(render, context.folder, context.progress, origin).as_json()

    def abandon(self, context: JobContext) -> None:
        """Removes finished segments and images; see the contract."""
        discard_parts(context.folder / "parts")

    def _check_again(self, job: RenderJob) -> None:
        """A link may have been laid since the job was accepted."""
        check_files(job.settings, self.folders)
        self.folders.readable(job.source)
        _performance(job.driving, self.folders)
        self.folders.writable(job.output)


@dataclass(frozen=True)
class Extract:
    """A performance stored as a motion file."""

    folders: Folders

    def accept(self, request: ExtractRequest) -> Accepted:
        """Checks paths and settings; see the contract."""
        given = request.parameters
        model: BaseModel = given.settings
        settings = checked_settings(model, self.folders)
        if is_builtin(given.driving):
            raise SettingError(f"{given.driving} is a motion already; give a video or an image.")
        driving, output = _performance(given.driving, self.folders), self.folders.writable(given.output)
        parameters = {"driving": driving, "output": output, "settings": model.model_dump()}
        return Accepted(parameters, output, lane_of(settings))

    def run(self, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
        """Reads the performance; see the contract."""
        settings = to_settings(SettingsModel.model_validate(parameters["settings"]))
        check_files(settings, self.folders)
        driving = _performance(parameters["driving"], self.folders)
        output = self.folders.writable(parameters["output"])
        run = assemble_extraction(driving, output, _going_on(settings, context))
        (context.folder / BEGUN).touch()
        context.check()
        return run.run(context.progress).as_json()

    def abandon(self, context: JobContext) -> None:
        """Nothing stands half-finished; see the contract."""


@dataclass(frozen=True)
class Upscale:
    """A video or images made larger; begun again where it was cut off, for each frame leans on those before it."""

    folders: Folders

    def accept(self, request: UpscaleRequest) -> Accepted:
        """Checks paths and settings; see the contract."""
        given = request.parameters
        settings = checked_settings(given.settings, self.folders)
        if settings.upscale.upscale is None:
            settings = replace(settings, upscale=replace(settings.upscale, upscale=DEFAULT_MODEL))
        source, output = self.folders.readable(given.source), self.folders.writable(given.output)
        if source == output:
            raise SettingError(f"{given.source} is named twice; source and output must differ.")
        parameters = {"source": source, "output": output, "settings": asdict(settings)}
        return Accepted(parameters, output, settings.engine.device)

    def run(self, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
        """Makes it larger; see the contract."""
        settings = to_settings(SettingsModel.model_validate_json(json.dumps(parameters["settings"])))
        check_files(settings, self.folders)
        source = self.folders.readable(parameters["source"])
        output = self.folders.writable(parameters["output"])
        run = assemble_upscale(source, output, _going_on(settings, context))
        (context.folder / BEGUN).touch()
        context.check()
        return run.run(context.progress).as_json()

    def abandon(self, context: JobContext) -> None:
        """Nothing stands half-finished; see the contract."""


def _render_job(parameters: Mapping[str, Any]) -> RenderJob:
    return RenderJob.from_json(json.dumps({"schema": "lpsuite.job", "version": 1, **parameters}))


def job_kinds(folders: Folders) -> dict[str, JobKind]:
    """Name -> who does such jobs; those whose code or libraries are not installed are left out."""
    engines = WarmEngines()
    found: dict[str, JobKind] = {
        "animate": Animate(folders, engines),
        "extract": Extract(folders),
        "upscale": Upscale(folders),
    }
    from lp_core.worker.say_job import SayKind

    found["say"] = SayKind(folders, engines, checked_settings, lane_of)
    if find_spec("opentimelineio") is not None:
        from lp_core.worker.batch_job import Batch

        found["batch"] = Batch(folders, engines, checked_settings, lane_of)
    return found
