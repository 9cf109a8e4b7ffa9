"""Routes of D-ID: images, audios, talks, voices, credits."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.datastructures import UploadFile

from lp_core.errors import SettingError
from lp_core.worker.compat.answers import Body, base_of, body_of, known_client, moment, route_class
from lp_core.worker.compat.clients import ApiClient
from lp_core.worker.compat.did_script import Script, speed_of, spoken_text
from lp_core.worker.compat.did_streams import add_streams
from lp_core.worker.compat.records import Asset, Talk
from lp_core.worker.compat.talks import DAY_S, SCHEME, Compat, Order, Wanted
from lp_core.worker.compat.voices import matching_voice, voices

VENDOR = "did"
KINDS = ("talk",)
PREFIXES = ("/talks", "/images", "/audios", "/tts", "/credits")
_EMOTIONS = {"neutral": "neutral", "happy": "happy", "surprise": "surprised", "serious": "serious"}
_FPS = 25
_BLOCK = 1 << 20
_WORDS = {
    400: "BadRequestError", 401: "AuthorizationError", 402: "InsufficientCreditsError", 403: "PermissionError",
    404: "NotFoundError", 413: "PayloadTooLargeError", 429: "TooManyRequestsError", 451: "ModerationError",
}  # fmt: skip
_STATES = {
    "queued": "created",
    "running": "started",
    "done": "done",
    "failed": "error",
    "cancelled": "rejected",
}


class _Expression(Body):
    start_frame: int = Field(0, ge=0, le=10_000_000)
    expression: str = "neutral"


class _Expressions(Body):
    expressions: list[_Expression] = Field(default_factory=list, max_length=200)


class _Config(Body):
    result_format: Literal["mp4", "gif", "mov", "wav"] = "mp4"
    stitch: bool = False
    pad_audio: float = Field(0.0, ge=0, le=60)
    motion_factor: float = Field(1.0, ge=0, le=2)
    output_resolution: int | None = Field(None, ge=64, le=2160)
    driver_expressions: _Expressions = Field(default_factory=lambda: _Expressions.model_validate({}))


class _Talk(Body):
    source_url: str = Field(min_length=1)
    script: Script
    config: _Config = Field(default_factory=lambda: _Config.model_validate({}))
    name: str = Field("", max_length=500)
    user_data: str = Field("", max_length=1000)
    webhook: str = ""


def _shape(status: int, sentence: str) -> dict[str, Any]:
    return {"kind": _WORDS.get(status, "InternalServerError"), "description": sentence}


def did_router(compat: Compat) -> APIRouter:
    """The routes over what they share."""
    router = APIRouter(route_class=route_class(_shape), tags=["d-id"])
    known = known_client(compat.clients)
    _files(router, compat, known)
    add_streams(router, compat, known)
    _talks(router, compat, known)
    _facts(router, compat, known)
    return router


def _files(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    async def kept(request: Request, client: ApiClient, field: str) -> Asset:
        async with request.form(max_files=1, max_fields=8, max_part_size=_BLOCK) as form:
            sent = form.get(field)
            if not isinstance(sent, UploadFile):
                raise SettingError(f"The form has no file '{field}'; send one.")
            kind = (sent.content_type or "").partition(";")[0].strip().lower()
            return await compat.keep(client, field, sent.filename or field, kind, _pieces(sent))

    @router.post("/images", status_code=201)
    async def add_image(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Keeps an image."""
        asset = await kept(request, client, "image")
        return {"id": asset.id, "url": _address(asset)}

    @router.post("/audios", status_code=201)
    async def add_audio(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Keeps a sound."""
        asset = await kept(request, client, "audio")
        return {
            "id": asset.id, "url": _address(asset), "duration": asset.seconds, "moderation_metadata": {},
        }  # fmt: skip

    @router.delete("/images/{name}")
    @router.delete("/audios/{name}")
    def drop_file(name: str, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Removes a file."""
        compat.forget_asset(client, name)
        return {"id": name}


async def _pieces(sent: UploadFile) -> AsyncIterator[bytes]:
    while block := await sent.read(_BLOCK):
        yield block


def _address(asset: Asset) -> str:
    return f"{SCHEME}{asset.kind}/{asset.id}"


def _talks(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    @router.post("/talks", status_code=201)
    async def create(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Makes a talk."""
        wanted, sent, ignored = await body_of(request, _Talk)
        talk = compat.order(client, VENDOR, "talk", order_of(wanted), sent, ignored, wanted.webhook)
        return {
            "id": talk.id, "object": "talk", "created_at": moment(talk.created_s), "created_by": client.name,
            "status": "created",
        }  # fmt: skip

    @router.get("/talks")
    def listed(
        request: Request,
        client: Annotated[ApiClient, Depends(known)],
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
        token: Annotated[str | None, Query(pattern=r"^\d{1,18}$")] = None,
    ) -> dict[str, Any]:
        """The client's talks, newest first."""
        found, following = compat.records.talks(
            client.name, VENDOR, KINDS, limit, None if token is None else int(token)
        )
        items = [as_talk(compat, talk, base_of(request)) for talk in found]
        return {"talks": items, **({} if following is None else {"token": str(following)})}

    @router.get("/talks/{name}")
    def one(request: Request, name: str, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """One talk."""
        return as_talk(compat, compat.records.talk(client.name, VENDOR, name), base_of(request))

    @router.delete("/talks/{name}")
    def drop(request: Request, name: str, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Removes a talk and its video."""
        talk = compat.records.talk(client.name, VENDOR, name)
        shown = as_talk(compat, talk, base_of(request))
        compat.drop(talk)
        return shown


def order_of(wanted: _Talk) -> Order:
    """The order of a request.

    Raises:
        SettingError: it cannot be done.
    """
    script, config = wanted.script, wanted.config
    text = spoken_text(script) if script.type == "text" else ""
    if script.type == "audio" and not script.audio_url:
        raise SettingError("Failed to validate script: audio_url is missing.")
    if config.result_format not in ("mp4", "mov"):
        raise SettingError(f"result_format '{config.result_format}' is not made here; ask for mp4 or mov.")
    voice, language = matching_voice(script.provider.voice_id, script.provider.language)
    settings: dict[str, dict[str, Any]] = {}
    if config.motion_factor != 1:
        settings["speech"] = {"head": config.motion_factor}
    scene = Wanted(
        wanted.source_url,
        text,
        script.audio_url if script.type == "audio" else "",
        voice,
        language,
        speed_of(script.provider),
        _emotion(config.driver_expressions.expressions),
        min(config.pad_audio, 30.0),
    )
    square = {"aspect": "1:1", "head_height": 0.55} if not config.stitch else {}
    return Order(
        (scene,), f".{config.result_format}", height=config.output_resolution or (0 if config.stitch else 512),
        subtitles=script.subtitles, settings=settings, **square,  # type: ignore[arg-type]
    )  # fmt: skip


def _emotion(found: list[_Expression]) -> str:
    words = [
        f"{item.start_frame / _FPS:g}:{_EMOTIONS[item.expression]}"
        for item in found
        if item.expression in _EMOTIONS
    ]
    return ",".join(words)


def as_talk(compat: Compat, talk: Talk, base: str) -> dict[str, Any]:
    """A talk in the vendor's format."""
    row = compat.row(talk)
    state = _STATES[row.state]
    shown: dict[str, Any] = {
        **{
            name: talk.body.get(name)
            for name in ("source_url", "script", "config", "name", "user_data", "webhook")
        },
        "id": talk.id,
        "object": "talk",
        "user_id": talk.client,
        "status": state,
        "created_at": moment(row.created_s),
        "started_at": moment(row.started_s),
        "modified_at": moment(row.ended_s or row.started_s or row.created_s),
        "metadata": {"ignored": list(talk.ignored)},
    }
    if state == "done":
        summary = row.summary or {}
        shown["result_url"] = compat.link(talk, base)
        shown["duration"] = duration_of(summary)
        if has_subtitles(talk):
            shown["subtitles_url"] = compat.link(talk, base, "result.srt")
        shown["metadata"]["voice"] = summary.get("voice")
    elif state == "error":
        shown["error"] = _shape(500, (row.error or {}).get("message", ""))
    else:
        shown["pending_url"] = None
    return shown


def has_subtitles(talk: Talk) -> bool:
    """Whether subtitles were written next to the video."""
    return Path(talk.output).with_suffix(".srt").is_file()


def duration_of(summary: dict[str, Any]) -> float | None:
    """Seconds of a result."""
    try:
        above, _, below = str(summary["rate"]).partition("/")
        return round(float(summary["frames"]) * float(below or 1) / float(above), 3)
    except (KeyError, ValueError, ZeroDivisionError):
        return None


def _facts(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    @router.get("/tts/voices")
    def all_voices(client: Annotated[ApiClient, Depends(known)]) -> list[dict[str, Any]]:
        """Voices."""
        return [
            {
                "id": info.id, "name": info.title, "gender": info.gender, "access": "public",
                "provider": info.id.partition(":")[0],
                "languages": [{"language": info.language, "locale": info.language}], "license": info.license,
            }
            for info in voices()
        ]  # fmt: skip

    @router.get("/credits")
    def credit(client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """What the client may still make within 24 hours."""
        left = max(client.per_day - compat.records.made_since(client.name, compat.clock() - DAY_S), 0)
        entry = {"owner_id": client.name, "remaining": left, "total": client.per_day, "expire_at": None}
        return {"credits": [entry], "remaining": left, "total": client.per_day}
