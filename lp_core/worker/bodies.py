"""How large a request's body may be: ASGI middleware, so that no route reads more than it states."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lp_core.live.drivers import MOST_PUSHED_BYTES
from lp_core.worker.uploads import LARGEST_UPLOAD

LARGEST_BODY = 1 << 20
"""Bytes of a JSON body."""
LARGER: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"/uploads"), LARGEST_UPLOAD),
    (re.compile(r"/streams/[^/]+/frames"), MOST_PUSHED_BYTES),
    (re.compile(r"/images|/audios|/v1/asset|/v1/talking_photo"), 256 << 20),
)
"""Path -> bytes, for routes that take files."""


def largest_body(path: str) -> int:
    """Bytes that a body sent to a path may have."""
    return next((most for pattern, most in LARGER if pattern.fullmatch(path)), LARGEST_BODY)


class BodyLimit:
    """Refuses bodies that are too large with status 413, by their stated length or by what arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, taken = largest_body(scope["path"]), 0
        stated = Headers(scope=scope).get("content-length", "")
        is_refused = stated.isdecimal() and int(stated[:20]) > most

        async def limited() -> Message:
            nonlocal taken
            if is_refused:
                raise too_large(most)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise too_large(most)
            return message

        await self._app(scope, limited, send)


def too_large(most: int) -> HTTPException:
    """The error to raise for a body of more bytes."""
    return HTTPException(413, f"The body is larger than {most >> 20} MB, the most this address takes.")
