"""Routes of D-ID's real-time talks: a portrait that says texts over WebRTC."""

import asyncio
import secrets
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from lp_core.errors import SettingError
from lp_core.files import ensure_folder
from lp_core.finishing.finish import Framing
from lp_core.settings import RenderSettings
from lp_core.speech.voices.base import Delivery
from lp_core.worker.compat.answers import Body, body_of
from lp_core.worker.compat.clients import ApiClient
from lp_core.worker.compat.did_script import Script, speed_of, spoken_text
from lp_core.worker.compat.fetched import REMOTE, fetched
from lp_core.worker.compat.talks import Compat
from lp_core.worker.compat.voices import matching_voice
from lp_core.worker.schema import SettingsModel, to_settings
from lp_core.worker.talking.sessions import TalkOrder, TalkSession

_ROWS = 512


class _StreamConfig(Body):
    stitch: bool = False
    motion_factor: float = Field(1.0, ge=0, le=2)


class _Stream(Body):
    source_url: str = Field(min_length=1)
    output_resolution: int | None = Field(None, ge=150, le=1080)
    stream_warmup: bool = False
    config: _StreamConfig = Field(default_factory=lambda: _StreamConfig.model_validate({}))


class _Answer(BaseModel):
    type: Literal["answer"]
    sdp: str = Field(min_length=1, max_length=100_000)


class _Session(Body):
    session_id: str = ""


class _Sdp(_Session):
    answer: _Answer


class _Ice(_Session):
    candidate: str = Field("", max_length=4096)
    sdpMid: str | None = Field(None, max_length=64)  # noqa: N815 - the vendor's name
    sdpMLineIndex: int | None = None  # noqa: N815 - the vendor's name


class _Words(_Session):
    script: Script
    name: str = Field("", max_length=500)
    user_data: str = Field("", max_length=1000)


def add_streams(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    """Adds the routes under ``/talks/streams``; they come before ``/talks/{name}``."""
    _connecting(router, compat, known)
    _talking(router, compat, known)


def _found(compat: Compat, client: ApiClient, name: str, given: _Session) -> TalkSession:
    """A client's session, whose key the request bears."""
    session = compat.service.talking.get(client.name, name)
    if not secrets.compare_digest(session.key.encode(), given.session_id.encode()):
        raise SettingError("session_id is not that of the stream; send the one of its creation.")
    return session


def _connecting(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    Known = Annotated[ApiClient, Depends(known)]  # noqa: N806 - a type

    @router.post("/talks/streams", status_code=201)
    async def create(request: Request, client: Known) -> dict[str, Any]:
        """Makes a stream; the client answers its offer."""
        wanted, _, ignored = await body_of(request, _Stream)
        compat.check_day(client)
        session = await _created(compat, client, wanted)
        offer = await session.offer()
        return {
            "id": session.name, "session_id": session.key, "offer": {"type": offer.type, "sdp": offer.sdp},
            "ice_servers": [], "metadata": {"ignored": list(ignored), "notes": list(session.portrait.notes)},
        }  # fmt: skip

    @router.post("/talks/streams/{name}/sdp")
    async def answer(request: Request, name: str, client: Known) -> dict[str, Any]:
        """Takes the client's answer."""
        given, _, _ = await body_of(request, _Sdp)
        session = _found(compat, client, name, given)
        await session.answer(given.answer.sdp)
        return {"status": "ok", "session_id": session.key}

    @router.post("/talks/streams/{name}/ice")
    async def candidate(request: Request, name: str, client: Known) -> dict[str, Any]:
        """Takes a candidate, which is not needed: the client reaches the worker."""
        given, _, _ = await body_of(request, _Ice)
        return {"status": "ok", "session_id": _found(compat, client, name, given).key}


def _talking(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    Known = Annotated[ApiClient, Depends(known)]  # noqa: N806 - a type

    @router.post("/talks/streams/{name}")
    async def say(request: Request, name: str, client: Known) -> dict[str, Any]:
        """Says a text."""
        given, _, ignored = await body_of(request, _Words)
        session = _found(compat, client, name, given)
        text, provider = spoken_text(given.script), given.script.provider
        compat.check_day(client)
        compat.check_text(client, len(text))
        voice, language = matching_voice(provider.voice_id, provider.language)
        said = await session.say(text, voice, Delivery(language, speed_of(provider)))
        compat.count(client, "did", "stream", said.name)
        metadata = {
            "ignored": list(ignored),
            "voice": {"id": said.voice.id, "license": said.voice.license, "synthetic": True},
        }
        return {
            "status": "started", "session_id": session.key, "video_id": said.name, "duration": None,
            "metadata": metadata,
        }  # fmt: skip

    @router.delete("/talks/streams/{name}")
    async def end(request: Request, name: str, client: Known) -> dict[str, Any]:
        """Ends a stream."""
        given, _, _ = await body_of(request, _Session)
        session = _found(compat, client, name, given)
        await compat.service.talking.end(session)
        return {"status": "ok", "session_id": session.key}


async def _created(compat: Compat, client: ApiClient, wanted: _Stream) -> TalkSession:
    """A session with the portrait that the client names; a fetched one is removed once it has been read."""
    address = compat.place(client, wanted.source_url)
    folder = compat.service.results / "compat" / f"strm_{secrets.token_hex(8)}"
    try:
        if address.startswith(REMOTE):
            ensure_folder(folder, mode=0o700)
            address = await asyncio.to_thread(
                fetched, compat.remote, address, "image", folder / "portrait", client.seconds, compat.length
            )
        return await compat.service.talking.create(client.name, _order(compat, wanted, address))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _order(compat: Compat, wanted: _Stream, portrait: str) -> TalkOrder:
    settings: RenderSettings = to_settings(SettingsModel.model_validate(compat.settings))
    if wanted.config.motion_factor != 1:
        settings = replace(settings, speech=replace(settings.speech, head=wanted.config.motion_factor))
    rows = wanted.output_resolution or _ROWS
    whole = Framing(height=rows - rows % 2)
    framing = whole if wanted.config.stitch else Framing("1:1", 0.55, rows - rows % 2)
    return TalkOrder(str(Path(portrait)), settings, framing)
