"""What happens, sent to every listener: from the threads that work to the event loop that sends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PING_S = 10.0
"""A silent stream says this often that it lives, so that a client can tell silence from death."""
_MOST_WAITING = 1000
"""Events that may wait for a slow listener; above, progress is left out, and above twice that it is cut off."""


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    job: str
    """Name of the job."""
    kind: str
    """state, progress or log."""
    values: Mapping[str, Any]
    """Its form on the wire."""

    def as_sse(self) -> bytes:
        """The event as text of Server-Sent Events."""
        return f"event: {self.kind}\ndata: {json.dumps(self.values)}\n\n".encode()

    @property
    def is_last(self) -> bool:
        """Whether nothing more happens to its job."""
        return self.kind == "state" and self.values["ended_s"] is not None


@dataclass(eq=False)
class Subscription:
    """One listener's events; made and read in the event loop."""

    job: str | None
    """Name of the job; None: all."""
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)

    def put(self, event: Event | None) -> None:
        """Takes an event; called in the event loop."""
        waiting = self.queue.qsize()
        if waiting > _MOST_WAITING and event is not None and event.kind == "progress":
            return
        self.queue.put_nowait(None if waiting > 2 * _MOST_WAITING else event)


class Hub:
    """Hands events to subscriptions; ``publish`` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._is_closed = False

    def publish(self, event: Event) -> None:
        """Tells everyone who listens to the event's job."""
        with self._lock:
            for item in self._subscriptions:
                if item.job in (None, event.job):
                    _hand(item, event)

    def subscribe(self, job: str | None) -> Subscription:
        """Begins to listen; call it in the event loop, and ``leave`` when done."""
        item = Subscription(job, asyncio.get_running_loop())
        with self._lock:
            self._subscriptions.add(item)
            if self._is_closed:
                item.put(None)
        return item

    def leave(self, item: Subscription) -> None:
        """Stops listening."""
        with self._lock:
            self._subscriptions.discard(item)

    @property
    def has_ended(self) -> bool:
        """True once the worker stops: nothing more is reported."""
        return self._is_closed

    def close(self) -> None:
        """Ends every stream."""
        with self._lock:
            self._is_closed = True
            for item in self._subscriptions:
                _hand(item, None)


def _hand(item: Subscription, event: Event | None) -> None:
    try:
        item.loop.call_soon_threadsafe(item.put, event)
    except RuntimeError:
        return  # its loop has ended, so nobody listens


async def stream(hub: Hub, item: Subscription, first: list[Event]) -> AsyncIterator[bytes]:
    """The text of a subscription: first what is known already, then what happens."""
    try:
        for event in first:
            yield event.as_sse()
            if item.job is not None and event.is_last:
                return
        while True:
            try:
                following = await asyncio.wait_for(item.queue.get(), PING_S)
            except TimeoutError:
                yield b": alive\n\n"
                continue
            if following is None:
                return
            yield following.as_sse()
            if item.job is not None and following.is_last:
                return
    finally:
        hub.leave(item)
