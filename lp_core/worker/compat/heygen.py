"""Routes of HeyGen: videos from photos and voices, assets, voices, avatars, lip-sync."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from lp_core.errors import NotThere, SettingError
from lp_core.worker.compat.answers import Body, base_of, body_of, known_client, route_class
from lp_core.worker.compat.clients import ApiClient
from lp_core.worker.compat.did import duration_of, has_subtitles
from lp_core.worker.compat.heygen_lipsync import VENDOR, NamedMedia, add_lipsyncs
from lp_core.worker.compat.records import Asset, Talk
from lp_core.worker.compat.talks import DAY_S, SCHEME, Compat, Order, Wanted
from lp_core.worker.compat.voices import matching_voice, voices

KINDS = ("video",)
PREFIXES = ("/v1", "/v2", "/v3")
_STATES = {
    "queued": "pending", "running": "processing", "done": "completed", "failed": "failed", "cancelled": "failed",
}  # fmt: skip
_CODES = {
    400: "invalid_parameter", 401: "unauthorized", 402: "insufficient_credit", 403: "forbidden", 404: "not_found",
    413: "payload_too_large", 429: "rate_limit_exceeded",
}  # fmt: skip
_KIND_OF = {"image": "image", "audio": "audio", "video": "video"}
_EMOTIONS = {"excited": "happy", "friendly": "happy", "serious": "serious", "soothing": "neutral"}


class _Character(Body):
    type: Literal["avatar", "talking_photo"] = "talking_photo"
    avatar_id: str = ""
    talking_photo_id: str = ""
    avatar_style: str = "normal"


class _Voice(Body):
    type: Literal["text", "audio", "silence"] = "text"
    input_text: str = ""
    voice_id: str = ""
    speed: float = Field(1.0, ge=0.5, le=2.0)
    locale: str = ""
    emotion: str = ""
    audio_url: str = ""
    audio_asset_id: str = ""


class _Background(Body):
    type: str = "color"
    value: str = ""


class _Input(Body):
    character: _Character = Field(default_factory=lambda: _Character.model_validate({}))
    voice: _Voice = Field(default_factory=lambda: _Voice.model_validate({}))
    background: _Background | None = None


class _Dimension(Body):
    width: int = Field(1280, ge=64, le=4096)
    height: int = Field(720, ge=64, le=4096)


class _Generate(Body):
    video_inputs: list[_Input] = Field(min_length=1, max_length=50)
    dimension: _Dimension | None = None
    title: str = Field("", max_length=500)
    caption: bool = False
    callback_id: str = Field("", max_length=500)
    callback_url: str = ""


class _Video3(Body):
    type: Literal["avatar", "image"] = "image"
    avatar_id: str = ""
    image: NamedMedia = Field(default_factory=lambda: NamedMedia.model_validate({}))
    script: str = Field("", max_length=200_000)
    voice_id: str = ""
    audio_url: str = ""
    audio_asset_id: str = ""
    aspect_ratio: str = Field("", pattern=r"^(\d{1,4}:\d{1,4})?$")
    resolution: Literal["", "720p", "1080p", "4k"] = ""
    title: str = Field("", max_length=500)
    callback_id: str = Field("", max_length=500)
    callback_url: str = ""


_ROWS = {"": 0, "720p": 720, "1080p": 1080, "4k": 2160}


def _shape(status: int, sentence: str) -> dict[str, Any]:
    return {"data": None, "error": {"code": _CODES.get(status, "internal_error"), "message": sentence}}


def heygen_router(compat: Compat) -> APIRouter:
    """The routes over what they share."""
    router = APIRouter(route_class=route_class(_shape), tags=["heygen"])
    known = known_client(compat.clients)
    _generate(router, compat, known)
    add_lipsyncs(router, compat, known, as_video)
    _states(router, compat, known)
    _removal(router, compat, known)
    _assets(router, compat, known)
    _facts(router, compat, known)
    return router


def _generate(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    @router.post("/v2/video/generate")
    async def generate(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Makes a video of one scene or several."""
        wanted, sent, ignored = await body_of(request, _Generate)
        order = _order(wanted)
        talk = compat.order(client, VENDOR, "video", order, sent, ignored, wanted.callback_url)
        return {"error": None, "data": {"video_id": talk.id}}

    @router.post("/v3/videos")
    async def videos(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Makes a video of one scene."""
        wanted, sent, ignored = await body_of(request, _Video3)
        source = _photo(wanted.avatar_id) if wanted.type == "avatar" else wanted.image.address("image")
        sound = wanted.audio_url or (
            f"{SCHEME}audio/{wanted.audio_asset_id}" if wanted.audio_asset_id else ""
        )
        if bool(sound) == bool(wanted.script.strip()):
            raise SettingError("Give a script or a sound, not both.")
        voice, language = matching_voice(wanted.voice_id)
        scene = Wanted(source, "" if sound else wanted.script, sound, voice, language)
        order = Order((scene,), aspect=wanted.aspect_ratio, height=_ROWS[wanted.resolution])
        talk = compat.order(client, VENDOR, "video", order, sent, ignored, wanted.callback_url)
        return {"error": None, "data": {"video_id": talk.id, "status": "pending"}}


def _order(wanted: _Generate) -> Order:
    size = wanted.dimension
    backgrounds = [item.background for item in wanted.video_inputs if item.background is not None]
    if any(item.type != "color" for item in backgrounds):
        raise SettingError("background: only a color can be put behind a photo here.")
    aspect = "" if size is None else f"{size.width}:{size.height}"
    is_close = any(item.character.avatar_style == "closeUp" for item in wanted.video_inputs)
    return Order(
        tuple(map(_scene, wanted.video_inputs)),
        aspect=aspect,
        height=0 if size is None else size.height - size.height % 2,
        head_height=0.6 if is_close else 0.0,
        subtitles=wanted.caption,
    )


def _scene(item: _Input) -> Wanted:
    character, voice = item.character, item.voice
    source = _photo(character.talking_photo_id or character.avatar_id)
    if voice.type == "silence":
        raise SettingError("voice.type silence is not made here; give a text or a sound.")
    if voice.type == "audio":
        sound = voice.audio_url or (f"{SCHEME}audio/{voice.audio_asset_id}" if voice.audio_asset_id else "")
        if not sound:
            raise SettingError("voice.audio_url or voice.audio_asset_id is missing.")
        return Wanted(source, sound=sound)
    if not voice.input_text.strip():
        raise SettingError("voice.input_text is empty.")
    name, language = matching_voice(voice.voice_id, voice.locale)
    text = voice.input_text
    if "<break" in text and not text.lstrip().startswith("<speak"):
        text = f"<speak>{text}</speak>"
    return Wanted(source, text, "", name, language, voice.speed, _EMOTIONS.get(voice.emotion.lower(), ""))


def _photo(name: str) -> str:
    if not name:
        raise SettingError("character: talking_photo_id is missing.")
    return f"{SCHEME}image/{name}"


def _states(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    @router.get("/v1/video_status.get")
    def status(
        request: Request,
        client: Annotated[ApiClient, Depends(known)],
        video_id: Annotated[str, Query(min_length=1, max_length=64)],
    ) -> dict[str, Any]:
        """State of a video, first version."""
        talk = compat.records.talk(client.name, VENDOR, video_id)
        shown = as_video(compat, talk, base_of(request))
        if shown["status"] == "failed":
            shown["error"] = {
                "code": 40000,
                "message": shown["failure_message"],
                "detail": shown["failure_message"],
            }
        return {"code": 100, "data": shown, "message": "Success"}

    @router.get("/v2/videos/{name}")
    @router.get("/v3/videos/{name}")
    def one(request: Request, name: str, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """State of a video."""
        talk = compat.records.talk(client.name, VENDOR, name)
        return {"error": None, "data": as_video(compat, talk, base_of(request))}

    @router.get("/v1/video.list")
    def listed(
        request: Request,
        client: Annotated[ApiClient, Depends(known)],
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
        token: Annotated[str | None, Query(pattern=r"^\d{1,18}$")] = None,
    ) -> dict[str, Any]:
        """The client's videos, newest first."""
        found, following = compat.records.talks(
            client.name, VENDOR, KINDS, limit, None if token is None else int(token)
        )
        items = [as_video(compat, talk, base_of(request)) for talk in found]
        shown = [
            {
                "video_id": item["id"], "status": item["status"], "created_at": item["created_at"],
                "video_title": item["title"], "type": "GENERATED",
            }
            for item in items
        ]  # fmt: skip
        data = {"videos": shown, "token": None if following is None else str(following), "total": len(shown)}
        return {"code": 100, "data": data, "message": "Success"}


def _removal(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    def dropped(name: str, client: ApiClient) -> dict[str, Any]:
        compat.drop(compat.records.talk(client.name, VENDOR, name))
        return {"code": 100, "data": None, "message": "Success", "error": None}

    @router.delete("/v1/video.delete")
    def drop(
        client: Annotated[ApiClient, Depends(known)],
        video_id: Annotated[str, Query(min_length=1, max_length=64)],
    ) -> dict[str, Any]:
        """Removes a video."""
        return dropped(video_id, client)

    @router.delete("/v3/videos/{name}")
    def drop_newer(name: str, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Removes a video."""
        return dropped(name, client)


def as_video(compat: Compat, talk: Talk, base: str) -> dict[str, Any]:
    """A video in the vendor's format."""
    row = compat.row(talk)
    state = _STATES[row.state]
    summary = row.summary or {}
    is_done = state == "completed"
    failure = (row.error or {}).get("message", "The video was cancelled.") if state == "failed" else None
    return {
        "id": talk.id,
        "status": state,
        "title": talk.body.get("title") or "",
        "video_url": compat.link(talk, base) if is_done else None,
        "thumbnail_url": None,
        "gif_url": None,
        "caption_url": compat.link(talk, base, "result.srt") if is_done and has_subtitles(talk) else None,
        "video_url_caption": None,
        "duration": duration_of(summary) if is_done else None,
        "created_at": int(row.created_s),
        "callback_id": talk.body.get("callback_id") or None,
        "error": None,
        "failure_code": None if failure is None else "rendering_failed",
        "failure_message": failure,
        "metadata": {"ignored": list(talk.ignored), "voice": summary.get("voice")},
    }


def _assets(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    async def kept(request: Request, client: ApiClient, kind: str | None = None) -> Asset:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        found = kind or _KIND_OF.get(media_type.partition("/")[0])
        if found is None:
            raise SettingError(
                f"Content-Type '{media_type}' is not taken; send an image, a sound or a video."
            )
        return await compat.keep(client, found, found, media_type, request.stream())

    @router.post("/v1/asset")
    async def add(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Keeps a file that is sent as the body."""
        asset = await kept(request, client)
        data = {
            "id": asset.id, "name": asset.name, "file_type": asset.kind, "url": f"{SCHEME}{asset.kind}/{asset.id}",
            "image_key": f"image/{asset.id}/original" if asset.kind == "image" else None, "folder_id": "",
            "meta": None, "created_ts": int(asset.created_s),
        }  # fmt: skip
        return {"code": 100, "data": data, "msg": None, "message": None}

    @router.post("/v1/talking_photo")
    async def add_photo(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Keeps a photo that can talk."""
        asset = await kept(request, client, "image")
        return {
            "code": 100,
            "data": {"talking_photo_id": asset.id, "talking_photo_url": None},
            "message": "Success",
        }

    @router.delete("/v1/asset/{name}")
    @router.post("/v1/asset/{name}/delete")
    def drop(name: str, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Removes a file."""
        compat.forget_asset(client, name)
        return {"code": 100, "data": {"id": name}, "message": "Success"}

    @router.post("/v2/photo_avatar/avatar_group/create")
    async def group(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Makes a photo that was uploaded an avatar, which it is already."""
        wanted, _, _ = await body_of(request, _Group)
        name = wanted.image_key.removeprefix("image/").partition("/")[0]
        asset = compat.records.asset(client.name, name)
        data = {
            "id": asset.id,
            "group_id": asset.id,
            "name": wanted.name,
            "status": "completed",
            "created_at": asset.created_s,
        }
        return {"error": None, "data": data}


class _Group(Body):
    image_key: str = Field(min_length=1, max_length=200)
    name: str = Field("", max_length=200)


def _facts(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    @router.get("/v2/voices")
    def all_voices(client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Voices."""
        found = [
            {
                "voice_id": info.id, "name": info.title, "language": info.language, "gender": info.gender,
                "preview_audio": "", "support_pause": True, "emotion_support": False,
                "support_interactive_avatar": False, "support_locale": False,
            }
            for info in voices()
        ]  # fmt: skip
        return {"error": None, "data": {"voices": found}}

    @router.get("/v2/avatars")
    def avatars(client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """The client's photos."""
        photos = [
            {"talking_photo_id": asset.id, "talking_photo_name": asset.name, "preview_image_url": ""}
            for asset in compat.records.assets(client.name, "image")
        ]
        return {"error": None, "data": {"avatars": [], "talking_photos": photos}}

    @router.get("/v2/user/remaining_quota")
    def quota(client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """What the client may still make within 24 hours, 60 for each video."""
        left = max(client.per_day - compat.records.made_since(client.name, compat.clock() - DAY_S), 0)
        return {"error": None, "data": {"remaining_quota": 60 * left, "details": {"api": 60 * left}}}

    @router.post("/v1/webhook/endpoint.add")
    async def add_webhook(request: Request, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """Tells the secret with which calls to a video's callback_url are signed."""
        wanted, _, _ = await body_of(request, _Endpoint)
        compat.remote.check_call(wanted.url)
        data = {
            "endpoint_id": client.name, "url": wanted.url, "status": "enabled", "events": wanted.events,
            "secret": client.webhook_secret,
        }  # fmt: skip
        return {"code": 100, "data": data, "message": "Success"}

    @router.get("/v2/avatar/{name}/details")
    def details(name: str, client: Annotated[ApiClient, Depends(known)]) -> dict[str, Any]:
        """One of the client's photos."""
        asset = compat.records.asset(client.name, name)
        if asset.kind != "image":
            raise NotThere(f"There is no avatar '{name}'.")
        data = {
            "type": "talking_photo",
            "id": asset.id,
            "name": asset.name,
            "gender": "",
            "preview_image_url": "",
        }
        return {"error": None, "data": data}


class _Endpoint(Body):
    url: str = Field(min_length=1, max_length=4096)
    events: list[str] = Field(default_factory=list, max_length=32)
