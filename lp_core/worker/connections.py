"""How many connections the worker holds, and how long one may take, so that nobody who connects shuts others out.

The listening socket counts what it hands out. At the limit a connection that has sent a whole request takes the place
of the one that has waited longest for its client: one without a whole request, or idle between two. A connection that
has not takes only the place of one that had its time, else it is refused at once. Requests that are being answered are
never cut off. What waits in the socket is served in its order, so a refusal has to be cheap: requests for streams that
cannot be had, and many from strangers, are refused by a look at their first bytes, and a flood gets no answer at all.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from lp_core.errors import TooBusy

HEADER_S = 10.0
"""A connection without a whole request head is closed after so many seconds."""
BODY_S = 60.0
"""A body that brings no byte for so many seconds ends its connection."""
PATIENCE_S = 1.0
"""Under pressure a client has so many seconds to say something more."""
_MOST_REFUSED = 256
"""Connections that are refused before others are read."""
_FLOOD_S = 1.0
_FLOOD = 64
"""Refusals in so many seconds that get an answer; those after them are closed without one."""
STRANGERS = 64
"""Whole requests without token or session that are looked at in a second; more are refused."""
EVENTS = "text/event-stream"
_PEEK, _PEEK_MORE = 1 << 12, 1 << 16
_TLS = b"\x16"
_EVENTS_PATH = re.compile(rb"GET [^ ?]*/events[ ?]")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})", re.IGNORECASE)
MOST_CONNECTIONS = 512
FEWEST_CONNECTIONS = 16
KEPT_DESCRIPTORS = 128
"""Descriptors of the process that connections leave to files, decoders and the table of jobs."""
_REFUSAL_BODY = b'{"code": "too_busy", "message": "The worker has too many connections; try again."}'
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    b"retry-after: 1\r\nconnection: close\r\n\r\n%s" % (len(_REFUSAL_BODY), _REFUSAL_BODY)
)
_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def most_connections() -> int:
    """Connections that this process can hold, by its limit on open files."""
    try:
        import resource
    except ImportError:  # Windows has no such limit on sockets
        return MOST_CONNECTIONS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(min(MOST_CONNECTIONS, soft - KEPT_DESCRIPTORS), FEWEST_CONNECTIONS)


@dataclass(eq=False)
class Connection:
    """One accepted connection."""

    socket: socket.socket
    begun_at: float
    """When it was accepted, or its last answer was complete, seconds."""
    active_at: float
    """When its client last sent something, seconds."""
    protocol: LimitedProtocol | None = None
    """None until a TLS handshake is over."""
    is_unread: bool = False
    """Whether it has sent a whole request that is not read yet."""
    is_ending: bool = False

    @property
    def may_make_room(self) -> bool:
        """Whether it may be ended for another's sake."""
        return not (self.is_unread or self.is_ending) and (self.waits_for_head or self.waits_for_body)

    @property
    def waits_for_head(self) -> bool:
        """Whether its client has yet to send a whole request head."""
        return self.protocol is None or self.protocol.conn.their_state is h11.IDLE

    @property
    def waits_for_body(self) -> bool:
        """Whether its client has yet to send the rest of a body."""
        return self.protocol is not None and self.protocol.conn.their_state is h11.SEND_BODY

    def end(self) -> None:
        """Closes it without another word."""
        self.is_ending = True
        if self.protocol is not None:
            self.protocol.transport.abort()
            return
        with contextlib.suppress(OSError):  # it may have gone
            self.socket.shutdown(socket.SHUT_RDWR)


@dataclass
class Rate:
    """So many times in so many seconds."""

    most: int
    period_s: float
    _begun_at: float = float("-inf")
    _count: int = 0

    def allows(self, now: float) -> bool:
        """Whether it may happen once more; counts it."""
        if now - self._begun_at >= self.period_s:
            self._begun_at, self._count = now, 0
        self._count += 1
        return self._count <= self.most


@dataclass
class ConnectionLimits:
    """The connections of a worker; used from the event loop's thread alone."""

    most: int
    """Connections at a time."""
    clock: Callable[[], float] = time.monotonic
    """Seconds."""
    refused: int = 0
    """Connections that were turned away."""
    evicted: int = 0
    """Connections that made room for others or took too long."""
    streams: Counter[str] = field(default_factory=Counter)
    """Answers without an end now, by media type."""
    knows: Callable[[bytes], bool] = lambda _head: True
    """Whether the head of a request bears the token or a session."""
    _flood: Rate = field(default_factory=lambda: Rate(_FLOOD, _FLOOD_S))
    _strangers: Rate = field(default_factory=lambda: Rate(STRANGERS, 1.0))
    _ending: int = 0
    _patient_until: float = 0.0
    _open: dict[int, Connection] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Connections now."""
        return len(self._open)

    @property
    def most_streams(self) -> int:
        """Answers without an end (events, previews) at a time; the rest is for requests."""
        return self.most // 2

    def has_stream(self, kind: str, most: int | None = None) -> bool:
        """Whether another answer without an end may begin.

        Args:
            kind: its media type; answers of a type share their places.
            most: places for this type; None: ``most_streams``.
        """
        return self.streams[kind] < min(self.most_streams, most or self.most_streams)

    def no_stream(self, kind: str) -> TooBusy:
        """The error to raise where there is no place for one."""
        return TooBusy(
            f"{self.streams[kind]} such streams are open, the most this worker serves; close one and try again."
        )

    def add(self, accepted: socket.socket, is_request: bool = False) -> None:
        """Takes a connection in; one that has sent a whole request is not ended before that is read."""
        now = self.clock()
        self._open[accepted.fileno()] = Connection(accepted, now, now, is_unread=is_request)

    def remove(self, number: int) -> None:
        """Lets go of a connection by its descriptor."""
        item = self._open.pop(number, None)
        if item is not None and item.is_ending:
            self._ending -= 1

    def find(self, number: int) -> Connection | None:
        """A connection by its descriptor."""
        return self._open.get(number)

    def sweep(self) -> None:
        """Ends those whose client takes too long."""
        now = self.clock()
        for item in list(self._open.values()):
            is_late = item.waits_for_head and now - item.begun_at > HEADER_S
            is_late |= item.waits_for_body and now - item.active_at > BODY_S
            if is_late and not item.is_ending:
                self._evict(item)

    @property
    def turn(self) -> int:
        """Connections that are taken in before those taken in are read."""
        return max(self.most // 8, 2)

    @property
    def is_crowded(self) -> bool:
        """Whether those that were ended have to go first."""
        return self.count >= self.most + 3 * self.turn and self._ending > 0

    def end_waiting(self) -> None:
        """Ends all that wait for their clients."""
        for item in list(self._open.values()):
            if not item.is_ending and (item.waits_for_head or item.waits_for_body):
                self._evict(item)

    def may_ask(self, data: bytes) -> bool:
        """Whether a whole request is worth being read: False for streams without a place, and for many strangers.

        Args:
            data: its first bytes; encrypted ones may always ask.
        """
        if data.startswith(_TLS):
            return True
        if _EVENTS_PATH.match(data) and not self.has_stream(EVENTS):
            return False
        return self.knows(data) or self._strangers.allows(self.clock())

    def refuse(self, connection: socket.socket) -> None:
        """Turns a connection away, with an answer unless there is a flood of them."""
        self.refused += 1
        if self._flood.allows(self.clock()):
            _refuse(connection)
        else:
            connection.close()

    def has_room(self, is_request: bool) -> bool:
        """Whether a connection may be taken in; where there is no place, one that waits for its client is ended.

        Args:
            is_request: it has sent a whole request: some places are kept for those, and any that waits makes room.
        """
        places = self.most + self.turn if is_request else self.most
        if self.count - self._ending < places:
            return True
        now = self.clock()
        if not is_request and now < self._patient_until:
            return False  # looking through all for each of thousands would take longer than serving them
        waiting = [item for item in self._open.values() if item.may_make_room]
        oldest = min(waiting, key=lambda item: item.active_at, default=None)
        if not is_request and (oldest is None or oldest.active_at > now - PATIENCE_S):
            self._patient_until = now + PATIENCE_S / 20 if oldest is None else oldest.active_at + PATIENCE_S
            return False
        if oldest is None:
            return False
        self._evict(oldest)
        return True

    def _evict(self, item: Connection) -> None:
        self.evicted += 1
        self._ending += 1
        item.end()


class _CountedSocket(socket.socket):
    """An accepted socket that is counted until it is closed."""

    limits: ConnectionLimits

    def close(self) -> None:
        number = self.fileno()
        super().close()
        if number >= 0:
            self.limits.remove(number)


class LimitedSocket(socket.socket):
    """A listening socket for asyncio that hands out no more connections than the limits allow.

    It hands out a few at a time, so that those handed out are read before the next come.
    """

    limits: ConnectionLimits
    _handed_out = 0

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; surplus ones get status 503 and are closed.

        Raises:
            BlockingIOError: none waits, or it is the turn of those handed out.
        """
        refused = 0
        while self._handed_out < self.limits.turn and refused < _MOST_REFUSED and not self.limits.is_crowded:
            counted, address = self._next()
            data = _peek(counted)
            is_request = _is_request(data)
            if (not is_request or self.limits.may_ask(data)) and self.limits.has_room(is_request):
                self._handed_out += 1
                self.limits.add(counted, is_request)
                return counted, address
            refused += 1
            self.limits.refuse(counted)
        self._handed_out = 0
        raise BlockingIOError

    def _next(self) -> tuple[_CountedSocket, Any]:
        try:
            number, address = self._accept()  # type: ignore[attr-defined]  # as socket.accept, without its socket
        except OSError as error:
            self._handed_out = 0
            if error.errno in _OUT_OF_DESCRIPTORS and self.limits.has_room(is_request=True):
                raise BlockingIOError from error
            raise
        counted = _CountedSocket(self.family, self.type, self.proto, number)
        counted.limits = self.limits
        return counted, address

    def wait_for_data(self) -> None:
        """Asks the system to hand out connections once they have sent something, where it can (Linux)."""
        option = getattr(socket, "TCP_DEFER_ACCEPT", None)
        if option is not None:
            with contextlib.suppress(OSError):
                self.setsockopt(socket.IPPROTO_TCP, option, int(HEADER_S))


def _peek(connection: socket.socket) -> bytes:
    """The first bytes that have arrived, without taking them."""
    try:
        connection.setblocking(False)
        data = connection.recv(_PEEK, socket.MSG_PEEK)
        return data if len(data) < _PEEK else connection.recv(_PEEK_MORE, socket.MSG_PEEK)
    except OSError:
        return b""


def _is_request(data: bytes) -> bool:
    """Whether a whole request has arrived, or something encrypted."""
    head, is_whole, body = data.partition(b"\r\n\r\n")
    if not is_whole:
        return data.startswith(_TLS)
    length = _LENGTH.search(head)
    return length is None or len(body) >= int(length[1])


def _refuse(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        connection.setblocking(False)
        connection.send(_REFUSAL)
        connection.recv(1 << 16)  # unread bytes would make the answer a reset


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 whose connections are known to the limits."""

    def __init__(self, limits: ConnectionLimits, **values: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(**values)
        self._limits = limits
        self._known: Connection | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as uvicorn has it
        """Begins; called by asyncio."""
        super().connection_made(transport)
        self._known = self._limits.find(transport.get_extra_info("socket").fileno())
        if self._known is not None:
            self._known.protocol = self

    def data_received(self, data: bytes) -> None:
        """Takes what the client sent; called by asyncio."""
        if self._known is not None:
            self._known.active_at, self._known.is_unread = self._limits.clock(), False
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Waits for the next request; called when an answer is complete."""
        if self._known is not None:
            self._known.begun_at = self._limits.clock()
        super().on_response_complete()
