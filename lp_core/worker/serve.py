"""Starting and stopping the worker: lock, address, token, TLS, runtime file."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from platformdirs import user_state_path

from lp_core.errors import LpError, SettingError, WorkerError
from lp_core.leftovers import sweep_temporary
from lp_core.link.browser import remove_pages
from lp_core.link.ownership import open_own, read_own
from lp_core.link.runtime import TOKEN_VARIABLE, Address, remove_runtime, write_runtime
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.app import create_app
from lp_core.worker.auth import LOGIN_PATH, Gate
from lp_core.worker.compat.routes import CompatOptions, open_compat, open_paths
from lp_core.worker.compat.webhooks import Webhooks
from lp_core.worker.connections import LimitedProtocol, LimitedSocket
from lp_core.worker.lock import locked_state
from lp_core.worker.log_rate import limit_logs
from lp_core.worker.service import Service

LOOPBACK = "127.0.0.1"
SHORTEST_TOKEN = 16
_LARGEST_TOKEN = 1 << 16
_CLOSING_S = 3


@dataclass(frozen=True)
class ServeOptions:
    """How a worker is started."""

    allow: tuple[str, ...] = ()
    """Folders it may touch; none: the user's home."""
    host: str = LOOPBACK
    """Address it listens at."""
    port: int = 0
    """TCP port; 0: a free one."""
    state: Path | None = None
    """A separate folder; None: the user's usual one."""
    certificate: Path | None = None
    """TLS certificate (PEM)."""
    private_key: Path | None = None
    """Its key (PEM)."""
    token_file: Path | None = None
    """File with the user's own token; None: a new one for each start, or LPSUITE_TOKEN."""
    until_idle_s: float | None = None
    """Ends after so many seconds without request, job and live stream; None: runs on."""
    names: tuple[str, ...] = ()
    """Names of this machine that requests may use, next to its own."""
    compat: CompatOptions = field(default_factory=CompatOptions)
    """Routes of other vendors."""
    is_contained: bool = True
    """Jobs run in separate processes, which may crash."""


def serve(options: ServeOptions, announce: Callable[[Address, str], None]) -> None:
    """Runs a worker until it is asked to stop (Ctrl-C, SIGTERM).

    Args:
        options: how.
        announce: is called once it answers, with its address and a login link.

    Raises:
        WorkerError: another one has the state folder, the port is taken, or something cannot be written.
        SettingError: the options do not go together.
    """
    token = _token(options)
    _check_reach(options, token)
    folders = Folders.of(options.allow or (Path.home(),))
    state = options.state or user_state_path("lpsuite", appauthor=False) / "worker"
    with ExitStack() as stack:
        stack.enter_context(locked_state(state))
        listener = stack.enter_context(_listener(options.host, options.port))
        service = stack.enter_context(Service(state.resolve(), folders, options.is_contained))
        scheme = "https" if options.certificate is not None else "http"
        token = token or secrets.token_urlsafe(32)
        gate = Gate(
            token,
            _names(options),
            scheme,
            listener.getsockname()[1],
            other_keys=open_paths(options.compat.vendors),
            origins=frozenset(options.compat.origins),
        )
        address = _address(options, listener, scheme, token)
        listener.limits = service.limits
        service.limits.knows = gate.knows
        compat = None
        if options.compat.vendors:
            compat = stack.enter_context(open_compat(options.compat, service, token))
            webhooks = stack.enter_context(Webhooks(compat, address.url))
            webhooks.start()
        server = _Server(_config(create_app(service, gate, compat), service, options), service)
        limit_logs()
        server.until_idle_s = options.until_idle_s
        server.on_ready = lambda: _ready(address, gate, service, announce)
        stack.callback(remove_runtime, os.getpid())
        stack.callback(remove_pages, -1.0)
        with contextlib.suppress(KeyboardInterrupt):
            server.run([listener])
    if server.failure is not None:
        raise server.failure


def _ready(address: Address, gate: Gate, service: Service, announce: Callable[[Address, str], None]) -> None:
    sweep_temporary()
    write_runtime(address)
    service.start()
    announce(address, f"{address.url}{LOGIN_PATH}?key={gate.new_login()}")


class _Server(uvicorn.Server):
    """Tells when it answers, and ends its streams before it waits for connections to close."""

    on_ready: Callable[[], None]

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self.failure: LpError | None = None
        self.until_idle_s: float | None = None
        self._asked, self._used_at = 0, time.monotonic()

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second; True ends the server."""
        if self.until_idle_s is not None and counter % 10 == 0 and self._idle_s() > self.until_idle_s:
            return True
        if counter % 10 == 0:
            self._service.limits.sweep()
        return await super().on_tick(counter)

    def _idle_s(self) -> float:
        """Seconds since there was a request, an open connection, a job or a live stream."""
        state, works = self.server_state, True
        with contextlib.suppress(LpError):  # a table that cannot be read may hold work
            counts = self._service.store.counts()
            works = counts.get("queued", 0) + counts.get("running", 0) > 0
        live = self._service.streams.all() or len(self._service.talking)
        if state.connections or state.total_requests != self._asked or works or live:
            self._asked, self._used_at = state.total_requests, time.monotonic()
        return time.monotonic() - self._used_at

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        try:
            if self.started:
                self.on_ready()
        except LpError as error:
            self.failure = error
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.hub.close()
        self._service.limits.end_waiting()
        await self._service.talking.close()
        await super().shutdown(sockets)


def _config(app: FastAPI, service: Service, options: ServeOptions) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,  # an address may hold a login key
        log_config=None,  # lines go to the program's own log
        log_level="warning",
        lifespan="off",
        backlog=4096,  # a full queue makes clients try again after a second
        http=partial(LimitedProtocol, service.limits),  # type: ignore[arg-type]
        ws="none",
        loop="asyncio",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_CLOSING_S,
        ssl_certfile=options.certificate,
        ssl_keyfile=options.private_key,
    )


def _token(options: ServeOptions) -> str | None:
    """The user's own token; None when there is none.

    Raises:
        SettingError: it is too short, or its file cannot be read.
    """
    if options.token_file is not None:
        try:
            token = (
                read_own(options.token_file.resolve(), _LARGEST_TOKEN, is_secret=True).decode("ascii").strip()
            )
        except (OSError, ValueError, WorkerError) as error:
            raise SettingError(f"{options.token_file} holds no token that can be read: {error}.") from error
    else:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token:
            return None
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingError(
            f"The token is too short or holds odd signs; give at least {SHORTEST_TOKEN} letters and digits."
        )
    return token


def _check_reach(options: ServeOptions, token: str | None) -> None:
    """Raises SettingError where others could reach the worker without TLS or without a token of the user's."""
    if (options.certificate is None) != (options.private_key is None):
        raise SettingError("TLS needs both a certificate and its key; give --tls-cert and --tls-key.")
    for path in (options.certificate, options.private_key):
        if path is not None and not path.is_file():
            raise SettingError(f"{path} is not a file; give the PEM file of the certificate or key.")
    _check_pair(options.certificate, options.private_key)
    if _is_loopback(options.host):
        return
    if options.certificate is None:
        raise SettingError(
            f"Listening at {options.host} lets other machines in; give --tls-cert and --tls-key as well."
        )
    if token is None:
        raise SettingError(
            f"Listening at {options.host} lets other machines in; give your own token by --token-file or "
            f"{TOKEN_VARIABLE}."
        )


def _check_pair(certificate: Path | None, key: Path | None) -> None:
    """Raises SettingError where a certificate and its key cannot be used together."""
    if certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=b"")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingError(
            f"{certificate} and {key} cannot be used as a TLS certificate and its key ({error}); give PEM files that "
            "belong together, the key without a password."
        ) from error
    if key is not None:
        try:
            os.close(open_own(key.resolve(), is_secret=True))
        except (OSError, WorkerError) as error:
            raise SettingError(f"The key of the certificate cannot be used: {error}") from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names(options: ServeOptions) -> frozenset[str]:
    own = {"localhost", *(name.lower() for name in options.names)}
    if not _is_loopback(options.host):
        own |= {options.host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}
    return frozenset(own)


def _address(options: ServeOptions, listener: socket.socket, scheme: str, token: str) -> Address:
    port = int(listener.getsockname()[1])
    everywhere = options.host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    name = options.names[0] if options.names else (socket.getfqdn() if everywhere else options.host)
    certificate = None if options.certificate is None else str(options.certificate.resolve())
    return Address(scheme, name, port, token, os.getpid(), certificate)


@contextmanager
def _listener(host: str, port: int) -> Iterator[LimitedSocket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = LimitedSocket(family, socket.SOCK_STREAM)
        with made:
            if sys.platform != "win32":  # there it would let another program take the port over
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((host, port))
            made.wait_for_data()
            yield made
    except OSError as error:
        raise WorkerError(
            f"The worker cannot listen at {host}, port {port}: {error.strerror}; choose another --port."
        ) from error
