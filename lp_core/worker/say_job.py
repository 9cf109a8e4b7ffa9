"""The kind of job that lets a portrait say a text: speech first, then the render in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lp_core.assemble import assemble
from lp_core.engines.registry import WarmEngines
from lp_core.errors import NotAllowed, SettingError
from lp_core.finishing.captions import captions_of, write_captions
from lp_core.finishing.finish import Finish, Framing
from lp_core.job import RenderJob
from lp_core.media.resumable import discard_parts
from lp_core.media.speech_sheet import read_sheet
from lp_core.render.chunks import render_resumable
from lp_core.render.report import Summary
from lp_core.saying.say import SayJob, SpokenScene, say, scene_render, speak_scene
from lp_core.saying.scenes import ScriptScene
from lp_core.settings import RenderSettings
from lp_core.speech.voices.registry import REMOTE_KINDS, default_voice
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.checked_files import check_files
from lp_core.worker.job_context import Accepted, JobContext
from lp_core.worker.schema import SayRequest, SettingsModel, to_settings

BEGUN = "begun"
"""File that is in a job's folder once its output may have been begun."""
_SPEECH = "speech.wav"
_FILES = ("portrait", "music", "sound")


@dataclass(frozen=True)
class SayKind:
    """A portrait that says a text, or lends its mouth to a sound."""

    folders: Folders
    engines: WarmEngines
    checked: Callable[[BaseModel, Folders], RenderSettings]
    lane: Callable[[RenderSettings], str]

    def accept(self, request: SayRequest) -> Accepted:
        """Checks paths, voices and settings; see the contract."""
        given = request.parameters
        settings = self.checked(given.settings, self.folders)
        output = self.folders.writable(given.output)
        scenes = [self._scene(scene.model_dump()) for scene in given.scenes]
        if len(scenes) > 1 and any(scene["sound"] for scene in scenes):
            raise SettingError("A sound can be said by a single scene; give one scene, or texts.")
        if any(scene["sound"] and scene["music"] for scene in scenes):
            raise SettingError("A sound takes no music under it; mix them, or give a text.")
        framing = given.framing.model_dump()
        for name in ("background", "matte"):
            if framing[name] and not framing[name].startswith("#"):
                framing[name] = self.folders.readable(framing[name])
        _finish(framing)
        parameters = {
            "scenes": scenes,
            "source": scenes[0]["portrait"],
            "output": output,
            "seed": given.seed,
            "framing": framing,
            "subtitles": given.subtitles,
            "burned": given.burned,
            "settings": asdict(settings),
        }
        return Accepted(parameters, output, self.lane(settings))

    def within(self, folder: Path) -> SayKind:
        """The same, which may touch another folder of the worker's own as well."""
        return replace(self, folders=Folders((*self.folders.roots, *Folders.of([folder]).roots)))

    def _scene(self, values: dict[str, Any]) -> dict[str, Any]:
        """A scene whose files are resolved and whose voice a client may name."""
        for name in _FILES:
            if values[name]:
                values[name] = self.folders.readable(values[name])
        if bool(values["text"].strip()) == bool(values["sound"]):
            raise SettingError("A scene needs a text or a sound, not both; give one of them.")
        if not values["sound"]:
            check_voice_name(values["voice"], values["language"])
            scene_of(values)
        return values

    def run(self, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
        """Speaks and renders; see the contract."""
        settings = to_settings(SettingsModel.model_validate_json(json.dumps(parameters["settings"])))
        finish = _finish(parameters["framing"])
        self._check_again(parameters, settings, finish)
        output = self.folders.writable(parameters["output"])
        sound = parameters["scenes"][0]["sound"]
        scenes = tuple(map(scene_of, parameters["scenes"]))
        job = SayJob(scenes, output, settings, finish, parameters["seed"], burned=parameters["burned"])
        begun = context.folder / BEGUN
        if job.is_joined:
            return self._whole(job, parameters, context, begun)
        if sound:
            spoken_path = Path(sound)
            named = RenderJob(scenes[0].portrait, f"speech:{sound}", output, settings)
            render = assemble(named, begun.exists(), self.engines.make, finish)
        else:
            spoken = self._spoken(scenes[0], job.seed, context)
            spoken_path = spoken.path
            render = scene_render(job, 0, spoken, output, self.engines.make, begun.exists())
        begun.touch()
        context.check()
        origin = json.dumps(parameters, sort_keys=True)
        summary = render_resumable(render, context.folder, context.progress, origin)
        return self._done(summary, spoken_path, parameters)

    def _check_again(self, parameters: dict[str, Any], settings: RenderSettings, finish: Finish) -> None:
        """A link may have been laid since the job was accepted."""
        check_files(settings, self.folders)
        named = [scene[key] for scene in parameters["scenes"] for key in _FILES]
        for name in filter(None, (*named, *finish.files)):
            self.folders.readable(name)

    def _spoken(self, scene: ScriptScene, seed: int, context: JobContext) -> SpokenScene:
        """The scene's speech, of an earlier start of the job where there was one."""
        path = context.folder / _SPEECH
        sheet = read_sheet(path) if path.exists() else None
        if sheet is not None:
            return SpokenScene(path, sheet)
        return speak_scene(scene, seed, path, listener=context.progress)

    def _whole(
        self, job: SayJob, parameters: dict[str, Any], context: JobContext, begun: Path
    ) -> dict[str, Any]:
        """What is joined is rendered in one go, and begun again after a crash."""
        settings = job.settings
        if begun.exists():
            settings = replace(settings, output=replace(settings.output, overwrite=True))
        begun.touch()
        subtitles = str(Path(job.output).with_suffix(".srt")) if parameters["subtitles"] else ""
        done = say(replace(job, settings=settings, subtitles=subtitles), context.progress, self.engines.make)
        return done.render.as_json()

    def _done(self, summary: Summary, spoken: Path, parameters: dict[str, Any]) -> dict[str, Any]:
        sheet = read_sheet(spoken)
        values = summary.as_json()
        if sheet is not None:
            values["voice"] = {"id": sheet.voice, "license": sheet.license}
        if sheet is not None and parameters["subtitles"]:
            for suffix in (".srt", ".vtt"):
                path = self.folders.writable(str(Path(summary.output).with_suffix(suffix)))
                write_captions(captions_of(sheet), Path(path))
        return values

    def abandon(self, context: JobContext) -> None:
        """Removes finished segments; see the contract."""
        discard_parts(context.folder / "parts")


def check_voice_name(voice: str, language: str) -> None:
    """Refuses voices that would run a program or open a file of the client's choice.

    Raises:
        NotAllowed: the voice is of such a kind.
    """
    kind = (voice or default_voice(language)).partition(":")[0]
    if kind not in REMOTE_KINDS:
        raise NotAllowed(
            f"The worker speaks with {' and '.join(sorted(REMOTE_KINDS))} only, not with '{voice}'."
        )


def scene_of(values: dict[str, Any]) -> ScriptScene:
    """The scene of a job's parameters; a scene with a sound has a text that is never spoken."""
    names = {item.name for item in fields(ScriptScene)}
    kept = {name: value for name, value in values.items() if name in names}
    return ScriptScene(**{**kept, "text": values["text"] or "sound"})


def _finish(values: dict[str, Any]) -> Finish:
    framing = Framing(values["aspect"], values["head_height"], values["height"])
    return Finish(framing, values["background"], values["matte"])
