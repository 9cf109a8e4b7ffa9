"""Live streams on the wire: what a client or a host asks for, and what it hears."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field, JsonValue, ValidationError

from lp_core.errors import SettingError
from lp_core.live.config import StreamConfig
from lp_core.live.drivers import check_driver
from lp_core.settings.live import LiveSettings
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.job_kinds import checked_settings
from lp_core.worker.schema import STRICT, LiveModel, Name, SettingsModel


class StreamRequest(BaseModel):
    """A live stream as it shall be."""

    model_config = STRICT

    portrait: Name = Field(description="Absolute path of a still image.")
    driver: Name = Field(
        description="camera:0, camera:/dev/video0, the address of a stream (rtsp, http, udp, ...), the absolute path "
        "of a video or motion, demo:NAME, or push for frames that the client sends."
    )
    settings: SettingsModel = Field(default_factory=SettingsModel)  # type: ignore[valid-type]
    live: LiveModel = Field(default_factory=LiveModel)  # type: ignore[valid-type]
    freeze: bool = Field(False, description="The image stands still.")
    portrait_step: int = Field(
        0, ge=-(10**6), le=10**6, description="Show the portrait so many places further in its folder."
    )


class StreamChange(BaseModel):
    """What shall change of a live stream; all else stays, setting by setting."""

    model_config = STRICT

    portrait: Name | None = Field(None, description="Absolute path of a still image.")
    driver: Name | None = Field(None, description="As in the request.")
    settings: dict[str, dict[str, JsonValue]] | None = Field(
        None, description='Groups and settings, such as {"motion": {"strength": 0.5}}.'
    )
    live: dict[str, JsonValue] | None = Field(None, description='Such as {"mirror": true}.')
    freeze: bool | None = Field(None, description="The image stands still.")
    portrait_step: int | None = Field(
        None, ge=-(10**6), le=10**6, description="Places further in the folder."
    )


class Stream(BaseModel):
    """A live stream as it is."""

    model_config = STRICT

    id: str = Field(description="Its name.")
    state: str = Field(description="starting, running, frozen, no_face or failed.")
    message: str = Field(description="A sentence for the user; empty where all is well.")
    notes: list[str] = Field(description="What the user should know, such as settings without effect.")
    ring: str = Field(description="File of its shared-memory ring.")
    width: int = Field(description="Of the image, pixels; 2 before the first.")
    height: int = Field(description="Of the image, pixels.")
    frames: int = Field(description="Images so far.")
    dropped: int = Field(description="Frames of the driver that newer ones overtook.")
    fps: float = Field(description="Images a second at present.")
    made_ms: list[float] = Field(
        description="Driver's frame to finished image: median and 95th percentile, ms."
    )
    shown_ms: list[float] = Field(
        description="Driver's frame to the host's screen: the same, where a host reports it."
    )
    request: StreamRequest = Field(description="What is shown.")


class StreamList(BaseModel):
    """All live streams."""

    model_config = STRICT

    streams: list[Stream]


def to_config(request: StreamRequest, folders: Folders) -> StreamConfig:
    """The request, checked.

    Raises:
        NotAllowed: a file is elsewhere.
        SettingError: something contradicts itself.
    """
    return StreamConfig(
        portrait=folders.readable(request.portrait),
        driver=check_driver(request.driver, folders.readable),
        settings=checked_settings(request.settings, folders),
        live=LiveSettings(**request.live.model_dump()),  # type: ignore[attr-defined]
        freeze=request.freeze,
        portrait_step=request.portrait_step,
    )


def to_request(config: StreamConfig) -> StreamRequest:
    """The request that a configuration is for."""
    return parse_request(json.loads(json.dumps(asdict(config))))


def changed(config: StreamConfig, change: StreamChange) -> StreamRequest:
    """The request after a change.

    Raises:
        SettingError: a name or a value is wrong.
    """
    whole: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    for name, value in change.model_dump(exclude_none=True).items():
        if name == "settings":
            for group, settings in value.items():
                whole["settings"].setdefault(group, {}).update(settings)
        elif name == "live":
            whole["live"].update(value)
        else:
            whole[name] = value
    return parse_request(whole)


def parse_request(values: object) -> StreamRequest:
    """A request of plain JSON values.

    Raises:
        SettingError: a name or a value is wrong.
    """
    try:
        return StreamRequest.model_validate(values)
    except ValidationError as error:
        words = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'the request'}: {fault['msg']}"
            for fault in error.errors()[:3]
        ]
        raise SettingError(f"The live stream cannot be understood: {'; '.join(words)}.") from error
