"""Addresses of results that need no key: signed, good for a while."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from lp_core.errors import NotAllowed
from lp_core.files import write_whole

GOOD_S = 86400
PREFIX = "/results"


@dataclass(frozen=True)
class Links:
    """Makes and checks the addresses of files."""

    secret: bytes
    """Of this worker's state."""
    clock: Callable[[], float] = field(default=time.time)
    """Seconds since 1970."""

    def path_of(self, talk: str, name: str) -> str:
        """The path of a file of a talk, with its signature."""
        until = int(self.clock()) + GOOD_S
        return f"{PREFIX}/{talk}/{name}?expires={until}&signature={self._signature(talk, name, until)}"

    def check(self, talk: str, name: str, expires: int, signature: str) -> None:
        """Refuses an address that is old or was not made here.

        Raises:
            NotAllowed: it is.
        """
        is_ours = hmac.compare_digest(self._signature(talk, name, expires).encode(), signature.encode())
        if not is_ours or expires < self.clock():
            raise NotAllowed("The link has expired or is not one of this worker; ask for the talk again.")

    def _signature(self, talk: str, name: str, until: int) -> str:
        text = "\n".join((talk, name, str(until)))
        return hmac.new(self.secret, text.encode(), sha256).hexdigest()


def open_links(state: Path) -> Links:
    """The links of a state folder; its secret is made where there is none."""
    path = state / "links.key"
    if not path.exists():
        write_whole(path, secrets.token_bytes(32), private=True)
    return Links(path.read_bytes())
