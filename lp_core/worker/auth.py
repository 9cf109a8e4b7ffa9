"""Who may speak to the worker: token or page session, and no page from elsewhere.

A web page from elsewhere can send requests to this machine, and a name server of its author's can make them
look like its own (DNS rebinding). So the Host must be this machine under a name that is not a stranger's, the
Origin, where one is given, must be the worker's own page, and every request but ``/health`` and a one-time
login bears the token or the cookie that a login gave.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lp_core.errors import TooBusy

LOGIN_S = 600.0
"""How long a login link is good."""
_MOST_LOGINS = 64
OPEN_PATHS = frozenset({"/health"})
LOGIN_PATH = "/login"
_BEARER = re.compile(rb"\r\nauthorization:[ \t]*bearer[ \t]+([^\r\n]+)", re.IGNORECASE)
_COOKIES = re.compile(rb"\r\ncookie:([^\r\n]+)", re.IGNORECASE)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Gate:
    """Knows the token, the one-time logins and the page's sessions; used from the event loop's thread alone."""

    token: str
    """What every request of a program bears."""
    names: frozenset[str]
    """Names of this machine that a Host header may name, next to its numbers."""
    scheme: str = "http"
    """http, or https."""
    port: int | None = None
    """TCP port that the cookie's name holds, so that two workers do not take each other's; None: it holds none."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, for the age of logins."""
    other_keys: tuple[str, ...] = ()
    """Beginnings of paths whose routes check separate keys."""
    origins: frozenset[str] = frozenset()
    """Origins whose pages may use those paths."""
    _logins: dict[str, float] = field(default_factory=dict)
    _sessions: set[str] = field(default_factory=set)

    def new_login(self) -> str:
        """A one-time key; the oldest ones go when there are too many."""
        key = secrets.token_urlsafe(24)
        self._logins[key] = self.clock() + LOGIN_S
        while len(self._logins) > _MOST_LOGINS:
            del self._logins[next(iter(self._logins))]
        return key

    def login(self, key: str) -> str | None:
        """Spends a key; returns a new session for a cookie, None when the key is spent, old or unknown."""
        until = self._logins.pop(key, None)
        if until is None or until < self.clock():
            return None
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        return session

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return "lpsuite_session" if self.port is None else f"lpsuite_session_{self.port}"

    def session_of(self, headers: Headers) -> str | None:
        """The session that a request's cookie names and that is known; None when there is none."""
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return None
        named = cookies.get(self.cookie)
        if named is None or named.value not in self._sessions:
            return None
        return named.value

    def refusal(self, method: str, path: str, headers: Headers) -> tuple[int, str, str] | None:
        """(status, wire code, sentence) of why a request is not served; None when it is."""
        if not self._is_own_host(headers.get("host", "")):
            return 403, "not_allowed", "The Host header is not this worker's; use its own address."
        if (
            not self._is_own_page(headers)
            and not (path == LOGIN_PATH and is_foreign_visit(method, headers))
            and self.guest_of(path, headers) is None
        ):
            return 403, "not_allowed", "Pages from elsewhere may not use the worker."
        if path in OPEN_PATHS or path == LOGIN_PATH or self._has_other_key(path):
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if hmac.compare_digest(given.strip().encode(), self.token.encode()):
                return None
            return 401, "not_allowed", "The token is not this worker's; read it from the runtime file."
        if self.session_of(headers) is not None and (method in _SAFE or _is_told_own(headers)):
            return None
        return 401, "not_allowed", "The token is missing; open the page with: lpsuite serve --open."

    def guest_of(self, path: str, headers: Headers) -> str | None:
        """The origin of another page that may use the path; None: there is none, or it may not."""
        origin = headers.get("origin")
        return origin if origin in self.origins and self._has_other_key(path) else None

    def _has_other_key(self, path: str) -> bool:
        return any(path == prefix or path.startswith(prefix + "/") for prefix in self.other_keys)

    def knows(self, head: bytes) -> bool:
        """Whether the first bytes of a request bear the token or a session; what they ask for is checked later."""
        token = _BEARER.search(head)
        if token is not None:
            return hmac.compare_digest(token[1].strip(), self.token.encode())
        cookies = _COOKIES.search(head)
        if cookies is None:
            return False
        name = self.cookie.encode() + b"="
        given = (part.strip() for part in cookies[1].split(b";"))
        return any(
            part.startswith(name) and part[len(name) :].decode("latin-1") in self._sessions for part in given
        )

    def _is_own_host(self, host: str) -> bool:
        try:
            name = urlsplit("//" + host).hostname
        except ValueError:
            return False
        if not name:
            return False
        try:
            ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            return name.lower() in self.names
        return True  # a number cannot be rebound to another machine

    def _is_own_page(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is not None:
            return origin == f"{self.scheme}://{headers.get('host', '')}"
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def is_foreign_visit(method: str, headers: Headers) -> bool:
    """Whether a browser's window goes here from a page or file of another origin, as the file of a login does.

    Such a visit may spend a login, whose key no other page knows.
    """
    return (
        method == "GET"
        and "origin" not in headers
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
        and headers.get("sec-fetch-site") not in (None, "none", "same-origin")
    )


def _is_told_own(headers: Headers) -> bool:
    """Whether a browser itself says that the worker's own page sends this."""
    return "origin" in headers or headers.get("sec-fetch-site") == "same-origin"


class Guard:
    """ASGI middleware: refuses what the gate refuses, and adds headers that keep the page to itself."""

    def __init__(
        self, app: ASGIApp, gate: Gate, busy: Callable[[str], str | None] = lambda _path: None
    ) -> None:
        """Begins.

        Args:
            app: serves what is not refused.
            gate: knows who may ask.
            busy: path -> a sentence where too many ask for it already; looked at before any work is done.
        """
        self._app, self._gate, self._busy = app, gate, busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._gate.refusal(scope["method"], scope["path"], headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        guest = self._gate.guest_of(scope["path"], headers)
        for_guest = [] if guest is None else _guest_headers(guest)
        if guest is not None and scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": for_guest})
            await send({"type": "http.response.body", "body": b""})
            return

        sentence = self._busy(scope["path"])
        if sentence is not None:
            await _refuse(send, 503, TooBusy.wire_code, sentence)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS, *for_guest]
            await send(message)

        await self._app(scope, receive, guarded)


_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    ),
]


def _guest_headers(origin: str) -> list[tuple[bytes, bytes]]:
    """What lets a browser know that a page of an origin may read the answer; cookies are never sent along."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
        (b"access-control-allow-headers", b"authorization, content-type, x-api-key"),
        (b"vary", b"origin"),
    ]


async def _refuse(send: Send, status: int, code: str, sentence: str) -> None:
    body = json.dumps({"code": code, "message": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *_HEADERS,
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
