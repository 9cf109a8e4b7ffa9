"""Opens the compatible routes over a worker's service."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from lp_core.errors import NotThere, SettingError
from lp_core.worker.compat.clients import ApiClient, read_clients
from lp_core.worker.compat.did import PREFIXES as DID_PREFIXES
from lp_core.worker.compat.did import did_router
from lp_core.worker.compat.heygen import PREFIXES as HEYGEN_PREFIXES
from lp_core.worker.compat.heygen import heygen_router
from lp_core.worker.compat.links import PREFIX, open_links
from lp_core.worker.compat.records import Records
from lp_core.worker.compat.remote import Remote
from lp_core.worker.compat.talk_job import TALKS, TalkJob
from lp_core.worker.compat.talks import Compat
from lp_core.worker.page_routes import FILM_TYPES
from lp_core.worker.say_job import SayKind
from lp_core.worker.schema import SettingsModel, to_settings
from lp_core.worker.service import Service

VENDORS: Mapping[str, Any] = {"did": did_router, "heygen": heygen_router}
_PREFIXES = {"did": DID_PREFIXES, "heygen": HEYGEN_PREFIXES}
_TYPES = {**FILM_TYPES, ".srt": "application/x-subrip", ".vtt": "text/vtt"}
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,255}")


@dataclass(frozen=True)
class CompatOptions:
    """What of the vendors' routes is served."""

    vendors: tuple[str, ...] = ()
    """did, heygen; none: nothing."""
    keys: Path | None = None
    """File of the clients; None: one client, whose key is the worker's token."""
    fetch: tuple[str, ...] = ()
    """Hosts that files may be fetched from and webhooks may call."""
    local_webhooks: tuple[str, ...] = ()
    """Addresses (scheme://host:port) that webhooks may call although they are not public."""

    origins: tuple[str, ...] = ()
    """Origins (scheme://host:port) whose pages may use the routes with a client's key."""
    settings: Path | None = None
    """JSON file with settings of every video, by group; None: the defaults."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.vendors) - set(VENDORS))
        if unknown:
            raise SettingError(f"--compat {unknown[0]} is not known; choose among {', '.join(VENDORS)}.")
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise SettingError(f"'{origin}' is not an origin; write it like http://localhost:3000.")


def open_compat(options: CompatOptions, service: Service, token: str) -> Compat:
    """The compatible routes' parts; closes with the returned object.

    Raises:
        SettingError: the keys cannot be used.
        WorkerError: the state cannot be used.
    """
    clients = (ApiClient("local", token),) if options.keys is None else read_clients(options.keys)
    remote = Remote(options.fetch, options.local_webhooks)
    say = service.kinds["say"]
    if not isinstance(say, SayKind):
        raise SettingError("This worker cannot say texts, so the routes of other vendors cannot be served.")
    service.kinds["talk"] = TalkJob(say, remote)
    service.contain("talk", TALKS, {"fetch": options.fetch})
    records = Records(service.state / "compat.sqlite3")
    settings = {} if options.settings is None else read_settings(options.settings)
    compat = Compat(service, clients, records, open_links(service.state), remote, options.vendors, settings)
    compat.sweep()
    return compat


def read_settings(path: Path) -> dict[str, dict[str, Any]]:
    """Settings by group, such as {"provenance": {"watermark": "studio"}}.

    Raises:
        SettingError: they are not understood.
    """
    try:
        values: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        to_settings(SettingsModel.model_validate(values))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingError(f"{path} holds no settings that can be used: {error}.") from error
    return values


def compat_router(compat: Compat) -> APIRouter:
    """All routes of the vendors that are served, and the results."""
    router = APIRouter()
    for vendor in compat.vendors:
        router.include_router(VENDORS[vendor](compat))

    @router.get(PREFIX + "/{talk}/{name}", tags=["results"])
    def result(
        talk: Annotated[str, InPath(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
        name: Annotated[str, InPath(pattern=r"^result\.[a-z0-9]{3,4}$")],
        expires: Annotated[int, Query(ge=0, le=1 << 40)],
        signature: Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")],
    ) -> FileResponse:
        """A file of a talk, by an address that was made here and has not expired."""
        compat.links.check(talk, name, expires, signature)
        found = compat.records.any_talk(talk)
        path = None if found is None else Path(found.output).with_name(name)
        if path is None or not path.is_file():
            raise NotThere("The video has been removed.")
        return FileResponse(path, media_type=_TYPES.get(path.suffix, "application/octet-stream"))

    return router


def open_paths(vendors: tuple[str, ...]) -> tuple[str, ...]:
    """Beginnings of paths whose requests bear a client's key, or a signature, in place of the worker's token."""
    return (*(prefix for vendor in vendors for prefix in _PREFIXES[vendor]), *([PREFIX] if vendors else []))
