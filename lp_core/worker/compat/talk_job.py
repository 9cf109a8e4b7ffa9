"""The kind of job behind a talk: fetches what is named by address, then says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lp_core.errors import SettingError
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.compat.fetched import REMOTE, fetched
from lp_core.worker.compat.remote import Remote
from lp_core.worker.job_context import Accepted, JobContext, JobKind
from lp_core.worker.job_kinds import job_kinds
from lp_core.worker.say_job import SayKind
from lp_core.worker.schema import SayParameters, SayRequest
from lp_core.worker.sent_files import look_into

TALKS = "lp_core.worker.compat.talk_job:talk_kinds"
"""Kinds of the processes that do talks."""


@dataclass(frozen=True)
class TalkJob:
    """A talk; ``say`` does the work."""

    say: SayKind
    remote: Remote

    def accept(self, request: dict[str, Any]) -> Accepted:
        """Checks what needs no network; see the contract."""
        local = {
            **request,
            "scenes": [_without_remote(scene, request["output"]) for scene in request["scenes"]],
        }
        accepted = self.say.accept(_say_request(local))
        return Accepted(
            {**request, "source": request["scenes"][0]["portrait"]}, accepted.output, accepted.lane
        )

    def run(self, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
        """Fetches and says; see the contract."""
        scenes = []
        for number, scene in enumerate(parameters["scenes"]):
            local = dict(scene)
            for name, kind in (("portrait", "image"), ("sound", "audio")):
                if scene[name].startswith(REMOTE):
                    place = context.folder / f"{kind}{number}"
                    local[name] = fetched(self.remote, scene[name], kind, place, parameters["seconds"])
                elif scene[name] and kind == "audio":
                    look_into(Path(scene[name]), kind, parameters["seconds"])
            scenes.append(local)
        say = self.say.within(context.folder)
        return say.run(say.accept(_say_request({**parameters, "scenes": scenes})).parameters, context)

    def abandon(self, context: JobContext) -> None:
        """Removes finished segments; see the contract."""
        self.say.abandon(context)


def talk_kinds(folders: Folders, fetch: Sequence[str]) -> dict[str, JobKind]:
    """The kind of job behind talks, for the process that does them.

    Args:
        folders: that may be touched.
        fetch: hosts that files may be fetched from.
    """
    say = job_kinds(folders)["say"]
    if not isinstance(say, SayKind):
        raise SettingError("This worker cannot say texts.")
    return {"talk": TalkJob(say, Remote(tuple(fetch)))}


def _without_remote(scene: dict[str, Any], stand_in: str) -> dict[str, Any]:
    """The scene with files that are not here yet replaced by one that may be named."""
    names = ("portrait", "sound")
    return {**scene, **{name: stand_in for name in names if scene[name].startswith(REMOTE)}}


def _say_request(parameters: dict[str, Any]) -> SayRequest:
    known = {name: value for name, value in parameters.items() if name in SayParameters.model_fields}
    return SayRequest.model_validate({"kind": "say", "parameters": known})
