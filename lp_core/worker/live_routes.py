"""Routes of the live streams."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from lp_core.errors import NotThere
from lp_core.live.stream import LiveStream
from lp_core.live.streams import preview, previews
from lp_core.worker.live_schema import (
    Stream,
    StreamChange,
    StreamList,
    StreamRequest,
    changed,
    to_config,
    to_request,
)
from lp_core.worker.schema import ErrorBody
from lp_core.worker.service import Service
from lp_core.worker.streaming import EndlessResponse

StreamId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the live stream.")]
NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody, "description": "There is none."}}
TOO_MANY: dict[int | str, dict[str, Any]] = {409: {"model": ErrorBody, "description": "There are too many."}}
JPEG: dict[int | str, dict[str, Any]] = {
    200: {"description": "The newest image.", "content": {"image/jpeg": {}}}
}
MOST_PREVIEWS = 8
"""Previews at a time; each holds one of the threads that also answer requests."""
_BOUNDARY = "frame"
_MULTIPART = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
FILM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Images as they come.", "content": {_MULTIPART: {}}}
}


def live_router(service: Service) -> APIRouter:
    """Routes under ``/streams``."""
    router = APIRouter(prefix="/streams", tags=["live"])
    _manage(router, service)
    _act(router, service)
    _pictures(router, service)
    return router


def _told(stream: LiveStream) -> Stream:
    return Stream(**stream.status(), request=to_request(stream.config))


def _manage(router: APIRouter, service: Service) -> None:
    streams = service.streams

    @router.post("", operation_id="create_stream", status_code=201, responses=TOO_MANY)
    def create(request: StreamRequest) -> Stream:
        """Begins a live stream; its frames are in the shared-memory ring that the answer names."""
        return _told(streams.create(to_config(request, service.folders)))

    @router.get("", operation_id="streams")
    def listed() -> StreamList:
        """The live streams."""
        return StreamList(streams=[_told(stream) for stream in streams.all()])

    @router.get("/{stream}", operation_id="stream", responses=NOT_THERE)
    def one(stream: StreamId) -> Stream:
        """One live stream."""
        return _told(streams.get(stream))

    @router.patch("/{stream}", operation_id="update_stream", responses=NOT_THERE)
    def update(stream: StreamId, change: StreamChange) -> Stream:
        """Changes a live stream from one frame to the next; what is not named stays."""
        found = streams.get(stream)
        found.update(to_config(changed(found.config, change), service.folders))
        return _told(found)

    @router.delete("/{stream}", operation_id="delete_stream", status_code=204, responses=NOT_THERE)
    def delete(stream: StreamId) -> None:
        """Ends a live stream and removes its ring."""
        streams.delete(stream)


def _act(router: APIRouter, service: Service) -> None:
    @router.post("/{stream}/recentre", operation_id="recentre_stream", status_code=204, responses=NOT_THERE)
    def recentre(stream: StreamId) -> None:
        """Takes the performer's face as it is now for the neutral one."""
        service.streams.get(stream).recentre()

    @router.post(
        "/{stream}/frames",
        operation_id="push_frame",
        status_code=204,
        responses=NOT_THERE,
        openapi_extra={
            "requestBody": {"required": True, "content": {"image/*": {"schema": {"format": "binary"}}}}
        },
    )
    async def push(stream: StreamId, request: Request) -> None:
        """Takes the performer's next image (JPEG or PNG) of a stream with the driver ``push``."""
        found = service.streams.get(stream)
        await run_in_threadpool(found.push, await request.body())


def _pictures(router: APIRouter, service: Service) -> None:
    @router.get(
        "/{stream}/preview.jpg",
        operation_id="preview",
        response_class=Response,
        responses={**JPEG, **NOT_THERE},
    )
    def picture(stream: StreamId) -> Response:
        """The newest image, reduced."""
        data = preview(service.streams.get(stream))
        if data is None:
            raise NotThere("The live stream has no image yet; ask again in a moment.")
        return Response(data, media_type="image/jpeg")

    @router.get(
        "/{stream}/preview.mjpeg",
        operation_id="preview_film",
        response_class=StreamingResponse,
        responses={**FILM, **NOT_THERE},
    )
    async def film(stream: StreamId, request: Request) -> StreamingResponse:
        """New images, reduced, as multipart JPEG until the stream or the connection ends."""
        found = service.streams.get(stream)
        parts = _parts(service, found, request)
        return EndlessResponse(service.limits, parts, _MULTIPART, most=MOST_PREVIEWS)


async def _parts(service: Service, stream: LiveStream, request: Request) -> AsyncIterator[bytes]:
    gone = threading.Event()
    pictures = previews(stream, lambda: not gone.is_set() and stream.is_open and not service.hub.has_ended)
    try:
        while not await request.is_disconnected():
            data = await run_in_threadpool(next, pictures, None)
            if data is None:
                return
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            yield head.encode() + data + b"\r\n"
    finally:
        gone.set()
