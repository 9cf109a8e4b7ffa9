"""Files and calls over the network on behalf of clients, only to hosts that the operator allows.

The name is resolved once, every address it has must be a public one, and the connection goes to the address that was
checked; redirects are checked like the first address. So neither redirects nor changing answers of a name server
lead to this machine or its network.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from lp_core.errors import NotAllowed, UnreadableMedia
from lp_core.files import replacing

LARGEST = 256 << 20
"""Bytes of a fetched file."""
LIMIT_S = 60.0
"""Seconds for one transfer."""
_REDIRECTS = 3
_STEP_S = 10.0
_BLOCK = 1 << 16
_SPECIAL = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "2001::/23", "5f00::/16"))
)
"""Networks for special purposes that Python's library takes for public ones in part, or in some versions."""
_MOVED = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], list[str]]
"""(host, port) -> addresses as text."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as text.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet: not this machine's, not a private network's."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour or (number.teredo[1] if number.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if number in ipaddress.ip_network("64:ff9b::/96") or number in ipaddress.ip_network("64:ff9b:1::/48"):
            return is_public(str(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)))
    if any(number in network for network in _SPECIAL if network.version == number.version):
        return False
    return (
        number.is_global and not number.is_multicast and not number.is_reserved and not number.is_unspecified
    )


@dataclass(frozen=True)
class Remote:
    """Reaches the hosts that are allowed."""

    hosts: tuple[str, ...] = ()
    """Names such as images.example.com, or *.example.com for those below."""
    local_calls: tuple[str, ...] = ()
    """Addresses (scheme://host:port) that webhooks may call although they are not public."""
    resolve: Resolve = field(default=resolve)
    """Finds the addresses of a host."""

    def check(self, url: str) -> SplitResult:
        """The parts of an address that may be fetched.

        Raises:
            NotAllowed: its host is not allowed, or it is of another kind.
        """
        if len(url) > 4096 or any(ord(sign) < 33 or ord(sign) == 127 for sign in url) or "\\" in url:
            raise NotAllowed("The address is too long or holds odd signs; give another one.")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise NotAllowed(f"The address is not understood ({error}); give another one.") from error
        if parts.scheme not in ("http", "https") or not host or parts.username is not None:
            raise NotAllowed("Only http and https addresses without a user name can be fetched.")
        usual = 443 if parts.scheme == "https" else 80
        if port not in (None, usual):
            raise NotAllowed(f"Addresses are fetched at port {usual} only.")
        if not self._is_allowed(host.lower().rstrip(".")):
            raise NotAllowed(
                f"The host {host} is not one that this worker may fetch from; upload the file, or have the operator "
                f"start the worker with --allow-fetch {host}."
            )
        return parts

    def _is_allowed(self, host: str) -> bool:
        for entry in self.hosts:
            name = entry.lower().rstrip(".")
            if host == name or (name.startswith("*.") and host.endswith(name[1:]) and host != name[2:]):
                return True
        return False

    def fetch(self, url: str, path: Path, most: int = LARGEST) -> str:
        """Fetches a file; returns its type as the server says it.

        Args:
            url: address of an allowed host.
            path: where it goes.
            most: bytes it may have.

        Raises:
            NotAllowed: the address, or one it redirects to, may not be fetched.
            UnreadableMedia: the server does not deliver it.
            DiskFull, NoWritePermission, MediaError: it cannot be kept.
        """
        until = time.monotonic() + LIMIT_S
        for _ in range(_REDIRECTS + 1):
            parts = self.check(url)
            connection = self._connected(parts)
            try:
                connection.request("GET", _target(parts), headers={"Accept": "*/*", "User-Agent": "lpsuite"})
                answer = connection.getresponse()
                if answer.status in _MOVED:
                    url = urljoin(url, answer.headers.get("Location", ""))
                    continue
                if answer.status != 200:
                    raise UnreadableMedia(
                        f"{parts.hostname} answers with status {answer.status}; check the address."
                    )
                self._keep(answer, path, most, until, parts)
                return answer.headers.get_content_type()
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise UnreadableMedia(
                    f"{parts.hostname} cannot be read ({error}); try again later."
                ) from error
            finally:
                connection.close()
        raise NotAllowed("The address redirects too often; give the final one.")

    def _keep(
        self, answer: http.client.HTTPResponse, path: Path, most: int, until: float, parts: SplitResult
    ) -> None:
        count = 0
        with replacing(path) as temporary, temporary.open("wb") as file:
            while block := answer.read(_BLOCK):
                count += len(block)
                if count > most:
                    raise UnreadableMedia(f"The file of {parts.hostname} is larger than {most >> 20} MB.")
                if time.monotonic() > until:
                    raise UnreadableMedia(f"{parts.hostname} is too slow; upload the file instead.")
                file.write(block)
            if answer.length:
                raise UnreadableMedia(f"{parts.hostname} ended the file too early; try again later.")

    def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Posts to an address, without following redirects; returns the status.

        Raises:
            NotAllowed: the address may not be called.
            UnreadableMedia: it does not answer.
        """
        parts, is_local = self.check_call(url)
        connection = self._direct(parts) if is_local else self._connected(parts)
        try:
            connection.request("POST", _target(parts), body, {"User-Agent": "lpsuite", **headers})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreadableMedia(f"{parts.hostname} does not take the call ({error}).") from error
        finally:
            connection.close()

    def check_call(self, url: str) -> tuple[SplitResult, bool]:
        """The parts of an address that may be called, and whether the operator named it itself.

        Raises:
            NotAllowed: it may not be called.
        """
        if len(url) <= 4096 and "\\" not in url and not any(ord(sign) < 33 for sign in url):
            try:
                parts = urlsplit(url)
                origin = f"{parts.scheme}://{parts.netloc}"
            except ValueError as error:
                raise NotAllowed(f"The address is not understood ({error}); give another one.") from error
            if parts.scheme in ("http", "https") and origin in self.local_calls:
                return parts, True
        parts = self.check(url)
        if parts.scheme != "https":
            raise NotAllowed("A webhook must be an https address.")
        return parts, False

    def _connected(self, parts: SplitResult) -> http.client.HTTPConnection:
        """A connection to a checked address of the host.

        Raises:
            NotAllowed: an address of it is not public.
            UnreadableMedia: it has none.
        """
        host = parts.hostname or ""
        port = 443 if parts.scheme == "https" else 80
        try:
            addresses = self.resolve(host, port)
        except OSError as error:
            raise UnreadableMedia(f"{host} is not known ({error}); check the address.") from error
        if not addresses or not all(map(is_public, addresses)):
            raise NotAllowed(
                f"{host} is an address of this machine or of a private network, which is not fetched."
            )
        return _Pinned(host, port, addresses[0], parts.scheme == "https")

    def _direct(self, parts: SplitResult) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=_STEP_S)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever the name means by then; TLS checks the name."""

    def __init__(self, host: str, port: int, address: str, is_tls: bool) -> None:
        super().__init__(host, port, timeout=_STEP_S)
        self._address, self._is_tls = address, is_tls

    def connect(self) -> None:
        """Connects to the address."""
        opened = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_tls:
            opened = ssl.create_default_context().wrap_socket(opened, server_hostname=self.host)
        self.sock = opened


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path
