"""Answers without an end: counted, and let go of however they end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from lp_core.worker.connections import ConnectionLimits


class EndlessResponse(StreamingResponse):
    """A stream that takes one of the worker's places for such answers until it is over.

    Raises:
        TooBusy: all places are taken.
    """

    def __init__(
        self,
        limits: ConnectionLimits,
        content: AsyncIterator[bytes],
        media_type: str,
        release: Callable[[], None] = lambda: None,
        most: int | None = None,
    ) -> None:
        """Takes a place.

        Args:
            limits: of the worker.
            content: what is sent.
            media_type: its type; answers of a type share their places.
            release: is called once when the answer is over, even if nothing was sent.
            most: places for this type; None: ``limits.most_streams``.
        """
        if not limits.has_stream(media_type, most):
            raise limits.no_stream(media_type)
        super().__init__(content, media_type=media_type)
        limits.streams[media_type] += 1
        self._limits, self._kind, self._release = limits, media_type, release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:  # the content's own may never run: a client can go before the first piece
            self._limits.streams[self._kind] -= 1
            self._release()
