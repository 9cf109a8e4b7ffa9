"""Clients of the compatible routes: each has a key and separate limits, and sees nothing of the others."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lp_core.errors import SettingError, WorkerError
from lp_core.link.ownership import read_own

SHORTEST_KEY = 16
LARGEST_FILE = 1 << 20
_FIELDS = {"name", "key", "waiting", "per_day", "text", "seconds"}


@dataclass(frozen=True)
class ApiClient:
    """Who may use the compatible routes, and how much."""

    name: str
    """Name of the operator's choice."""
    key: str
    """What its requests bear."""
    waiting: int = 2000
    """Talks that may be queued or running at a time."""
    per_day: int = 10_000
    """Talks within 24 hours: its credits."""
    text: int = 20_000
    """Characters of a text."""
    seconds: int = 900
    """Length of a sound."""

    def __post_init__(self) -> None:
        if not self.name or not self.name.isprintable() or len(self.name) > 64:
            raise SettingError("A client's name is empty, too long or not printable; give another one.")
        if (
            len(self.key) < SHORTEST_KEY
            or not self.key.isascii()
            or not self.key.isprintable()
            or " " in self.key
        ):
            raise SettingError(
                f"The key of the client '{self.name}' is too short or holds odd signs; give at least {SHORTEST_KEY} "
                "letters and digits."
            )
        for name in ("waiting", "per_day", "text", "seconds"):
            if not 0 < getattr(self, name) <= 10_000_000:
                raise SettingError(f"{name} of the client '{self.name}' must be a number above 0.")

    @property
    def webhook_secret(self) -> str:
        """Secret with which calls to the client are signed; derived from its key."""
        return hmac.new(self.key.encode(), b"webhook", sha256).hexdigest()


def read_clients(path: Path) -> tuple[ApiClient, ...]:
    """The clients of a JSON file that only its owner may read: ``[{"name": ..., "key": ...}, ...]``.

    Raises:
        SettingError: it is not understood, or others may read it.
    """
    try:
        values = json.loads(read_own(path.resolve(), LARGEST_FILE, is_secret=True))
    except (OSError, ValueError, RecursionError, WorkerError) as error:
        raise SettingError(f"{path} holds no keys that can be read: {error}.") from error
    if not isinstance(values, list) or not values:
        raise SettingError(f'{path} holds no list of clients; write [{{"name": ..., "key": ...}}].')
    clients = tuple(_client(entry, path) for entry in values)
    for what, found in (("name", [item.name for item in clients]), ("key", [item.key for item in clients])):
        if len(set(found)) < len(found):
            raise SettingError(f"{path} has a {what} twice; give every client its own.")
    return clients


def _client(entry: Any, path: Path) -> ApiClient:  # noqa: ANN401 - JSON
    if not isinstance(entry, dict) or not set(entry) <= _FIELDS:
        raise SettingError(f"{path}: a client has the names {', '.join(sorted(_FIELDS))}.")
    words = [entry.get("name"), entry.get("key")]
    numbers = {name: value for name, value in entry.items() if name not in ("name", "key")}
    if not all(isinstance(word, str) for word in words) or not all(
        type(value) is int for value in numbers.values()
    ):
        raise SettingError(f"{path}: a client has a name, a key and whole numbers.")
    return ApiClient(**entry)


def client_of(clients: tuple[ApiClient, ...], headers: Mapping[str, str]) -> ApiClient | None:
    """Whose key a request bears; None: nobody's. Every key is compared, in constant time."""
    offered = list(_offered(headers))
    found: ApiClient | None = None
    for client in clients:
        for word in offered:
            if hmac.compare_digest(word, client.key.encode()):
                found = client
    return found


def _offered(headers: Mapping[str, str]) -> Iterator[bytes]:
    """What a request offers as a key: X-Api-Key, Bearer, or Basic in any of the spellings that clients use."""
    own = headers.get("x-api-key", "")
    if own:
        yield own.encode()
    scheme, _, word = headers.get("authorization", "").partition(" ")
    word = word.strip()
    if scheme.lower() == "bearer" and word:
        yield word.encode()
    if scheme.lower() != "basic" or not word or len(word) > 4096:
        return
    yield word.encode()
    try:
        plain = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        return
    yield plain
    yield plain.rstrip(b":")
    name, colon, secret = plain.partition(b":")
    if colon and name:
        yield secret
