"""Routes of HeyGen's lip-sync: a filmed face that speaks another sound."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from lp_core.errors import NotThere, SettingError
from lp_core.worker.compat.answers import Body, base_of, body_of
from lp_core.worker.compat.clients import ApiClient
from lp_core.worker.compat.records import Talk
from lp_core.worker.compat.talks import SCHEME, Compat, Order, Wanted

VENDOR = "heygen"
LIPSYNC = "lipsync"
AsVideo = Callable[[Compat, Talk, str], dict[str, Any]]


class NamedMedia(Body):
    """A file that a client names."""

    type: Literal["url", "asset_id"] = "url"
    url: str = ""
    asset_id: str = ""

    def address(self, kind: str) -> str:
        """Its address, of an upload or elsewhere.

        Raises:
            SettingError: there is none.
        """
        if self.type == "asset_id":
            return f"{SCHEME}{kind}/{self.asset_id}"
        if not self.url:
            raise SettingError(f"{kind}.url is missing.")
        return self.url


class _Lipsync(Body):
    video: NamedMedia
    audio: NamedMedia
    title: str = Field("", max_length=500)
    callback_id: str = Field("", max_length=500)
    callback_url: str = ""


class _Title(Body):
    title: str = Field(min_length=1, max_length=500)


def add_lipsyncs(router: APIRouter, compat: Compat, known: Any, as_video: AsVideo) -> None:  # noqa: ANN401 - a dependency
    """Adds the routes under ``/v3/lipsyncs``.

    Args:
        router: takes them.
        compat: what all routes share.
        known: dependency that gives the client of a request.
        as_video: the state of a video as the vendor shows it.
    """
    Known = Annotated[ApiClient, Depends(known)]  # noqa: N806 - a type
    _changing(router, compat, known)

    def shown(request: Request, talk: Talk) -> dict[str, Any]:
        return {"lipsync_id": talk.id, **as_video(compat, talk, base_of(request))}

    @router.post("/v3/lipsyncs")
    async def create(request: Request, client: Known) -> dict[str, Any]:
        """Lets the face of a video speak a sound."""
        wanted, sent, ignored = await body_of(request, _Lipsync)
        scene = Wanted(wanted.video.address("video"), sound=wanted.audio.address("audio"))
        order = Order((scene,), settings={"speech": {"lipsync": True}})
        talk = compat.order(client, VENDOR, LIPSYNC, order, sent, ignored, wanted.callback_url)
        return {"error": None, "data": {"lipsync_id": talk.id, "id": talk.id, "status": "pending"}}

    @router.get("/v3/lipsyncs")
    def listed(
        request: Request,
        client: Known,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
        token: Annotated[str | None, Query(pattern=r"^\d{1,18}$")] = None,
    ) -> dict[str, Any]:
        """The client's lip-syncs, newest first."""
        before = None if token is None else int(token)
        talks, following = compat.records.talks(client.name, VENDOR, (LIPSYNC,), limit, before)
        return {
            "error": None,
            "data": [shown(request, talk) for talk in talks],
            "has_more": following is not None,
            "next_token": None if following is None else str(following),
        }

    @router.get("/v3/lipsyncs/{name}")
    def one(request: Request, name: str, client: Known) -> dict[str, Any]:
        """State of a lip-sync."""
        return {"error": None, "data": shown(request, _found(compat, client, name))}


def _found(compat: Compat, client: ApiClient, name: str) -> Talk:
    talk = compat.records.talk(client.name, VENDOR, name)
    if talk.kind != LIPSYNC:
        raise NotThere(f"There is no lip-sync '{name}'.")
    return talk


def _changing(router: APIRouter, compat: Compat, known: Any) -> None:  # noqa: ANN401 - a dependency
    Known = Annotated[ApiClient, Depends(known)]  # noqa: N806 - a type

    @router.patch("/v3/lipsyncs/{name}")
    async def rename(request: Request, name: str, client: Known) -> dict[str, Any]:
        """Gives a lip-sync another title."""
        given, _, _ = await body_of(request, _Title)
        talk = _found(compat, client, name)
        compat.records.rename(talk.id, {**talk.body, "title": given.title})
        return {"error": None, "data": {"id": talk.id, "title": given.title}}

    @router.delete("/v3/lipsyncs/{name}")
    def drop(name: str, client: Known) -> dict[str, Any]:
        """Removes a lip-sync and its video."""
        compat.drop(_found(compat, client, name))
        return {"error": None, "data": {"id": name}}
