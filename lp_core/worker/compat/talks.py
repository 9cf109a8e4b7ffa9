"""What both vendors' routes share: files, talks as jobs of the worker, results, limits."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lp_core.contexts import ClosesOnExit
from lp_core.errors import LpError, NotAllowed, NotThere, SettingError, TooBusy
from lp_core.files import ensure_folder
from lp_core.worker.compat.clients import ApiClient
from lp_core.worker.compat.links import Links
from lp_core.worker.compat.records import Asset, Records, Talk
from lp_core.worker.compat.remote import Remote
from lp_core.worker.job_store import Row
from lp_core.worker.page_routes import safe_name
from lp_core.worker.service import Service

DAY_S = 86400.0
KEPT_S = 2 * DAY_S
"""Uploaded files are kept so long."""
SCHEME = "lpsuite://"
"""How addresses of uploaded files begin."""
SUFFIXES = {
    "image/jpeg": ".jpg", "image/jpg": ".jpg", "image/png": ".png", "image/webp": ".webp",
    "audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/wave": ".wav",
    "audio/mp4": ".m4a", "audio/x-m4a": ".m4a", "audio/ogg": ".ogg", "audio/flac": ".flac", "audio/aac": ".aac",
    "video/mp4": ".mp4", "video/quicktime": ".mov", "video/webm": ".webm",
}  # fmt: skip
"""Media type -> suffix of files that clients may send."""


class OutOfCredits(NotAllowed):
    """The client has used up what it may make within a day."""


@dataclass(frozen=True)
class Wanted:
    """A video as a client asks for it, in the worker's words."""

    source: str
    """Address of the portrait."""
    text: str = ""
    """Text or SSML; empty where there is a sound."""
    sound: str = ""
    """Address of a sound; empty where there is a text."""
    voice: str = ""
    """Name of a voice of ours."""
    language: str = ""
    """BCP 47 tag."""
    speed: float = 1.0
    """0.5..2."""
    emotion: str = ""
    """As the setting."""
    pause: float = 0.0
    """Seconds after it."""


@dataclass(frozen=True)
class Order:
    """A video of one scene or several."""

    scenes: tuple[Wanted, ...]
    """In order."""
    suffix: str = ".mp4"
    """Of the result."""
    aspect: str = ""
    """Such as 9:16."""
    height: int = 0
    """Rows of the result; 0: the portrait's own."""
    head_height: float = 0.0
    """Of the framing; 0: as the portrait is."""
    background: str = ""
    """#RRGGBB; empty: none."""
    subtitles: bool = False
    """Writes subtitles next to the video."""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Group -> settings that differ from their defaults."""


@dataclass
class Compat(ClosesOnExit):
    """Everything that the compatible routes use."""

    service: Service
    clients: tuple[ApiClient, ...]
    records: Records
    links: Links
    remote: Remote
    vendors: tuple[str, ...]
    """did, heygen."""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The operator's settings for every talk, by group; they override those of a request."""
    clock: Callable[[], float] = time.time

    def close(self) -> None:
        """Closes the table."""
        self.records.close()

    async def keep(
        self, client: ApiClient, kind: str, name: str, media_type: str, pieces: AsyncIterator[bytes]
    ) -> Asset:
        """Keeps a file that a client sends; looks into it first.

        Raises:
            SettingError: it is not a file of that kind, or a sound that is too long.
            LpError: it cannot be kept.
        """
        suffix = SUFFIXES.get(media_type) or Path(safe_name(name)).suffix.lower()
        if suffix not in set(SUFFIXES.values()):
            raise SettingError(
                f"A file of the type '{media_type}' is not taken; send JPEG, PNG, WAV, MP3 or MP4."
            )
        path, _ = await self.service.uploads.take(kind + suffix, pieces)
        try:
            seconds = await asyncio.to_thread(self.length, path, kind, client.seconds)
        except LpError:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
        asset = Asset(
            secrets.token_urlsafe(16),
            client.name,
            kind,
            str(path),
            safe_name(name),
            media_type,
            seconds,
            self.clock(),
        )
        self.records.add_asset(asset)
        return asset

    def length(self, path: Path, kind: str, most_s: float) -> float | None:
        """Seconds of a sound or video; the file is decoded in another process."""
        values = {"path": str(path), "kind": kind, "most_s": most_s}
        found: float | None = self.service.looks.look("sent", values)["seconds"]
        return found

    def forget_asset(self, client: ApiClient, name: str) -> None:
        """Removes a file of a client's.

        Raises:
            NotThere: the client has none of that name.
        """
        asset = self.records.asset(client.name, name)
        self.records.drop_asset(client.name, asset.id)
        shutil.rmtree(Path(asset.path).parent, ignore_errors=True)

    def sweep(self) -> None:
        """Removes files that are older than KEPT_S and that no waiting job names."""
        self.records.sweep(self.clock() - DAY_S)
        waiting = [
            row for state in ("queued", "running") for row in self.service.store.newest(state, 1_000_000)
        ]
        in_use = json.dumps([row.parameters for row in waiting])
        for asset in self.records.old_assets(self.clock() - KEPT_S):
            if Path(asset.path).parent.name not in in_use:
                self.records.drop_asset(asset.client, asset.id)
                shutil.rmtree(Path(asset.path).parent, ignore_errors=True)

    def place(self, client: ApiClient, address: str) -> str:
        """Where a file that a client names is: a path of this machine, or an address that is fetched later.

        Raises:
            NotThere: the client has no such file.
            NotAllowed: the address may not be fetched, or the file is elsewhere.
        """
        if address.startswith(SCHEME):
            return self.records.asset(client.name, address.removeprefix(SCHEME).partition("/")[2]).path
        if address.startswith("file://"):
            return self.service.folders.readable(unquote(address.removeprefix("file://")))
        self.remote.check(address)
        return address

    def order(self, client: ApiClient, vendor: str, kind: str, order: Order, body: dict[str, Any],
              ignored: tuple[str, ...], webhook: str) -> Talk:  # fmt: skip
        """Makes a talk of an order: a job that waits.

        Raises:
            OutOfCredits: the client's day is used up.
            TooBusy: too many of its talks wait.
            LpError: it cannot be done.
        """
        self._check_limits(client, order)
        if webhook:
            self.remote.check_call(webhook)
        name = {"talk": "tlk_", "clip": "clp_"}.get(kind, "") + secrets.token_hex(12)
        folder = self.service.results / "compat" / name
        ensure_folder(folder, mode=0o700)
        output = str(folder / f"result{order.suffix}")
        talk = Talk(name, client.name, vendor, kind, body, ignored, webhook, output, self.clock(), False)
        self.records.add_talk(talk)
        try:
            self.service.submit_named(name, "talk", self.parameters(client, order, output))
        except BaseException:
            self.records.drop_talk(name, was_made=False)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return talk

    def _check_limits(self, client: ApiClient, order: Order) -> None:
        self.check_day(client)
        counts = self.service.store.counts()
        if counts.get("queued", 0) + counts.get("running", 0) >= client.waiting:
            own = self.service.store.waiting().intersection(self.records.names_of(client.name))
            if len(own) >= client.waiting:
                raise TooBusy(f"{client.waiting} videos of this client wait; try again later.")
        self.check_text(client, sum(len(scene.text) for scene in order.scenes))

    def check_day(self, client: ApiClient) -> None:
        """Refuses more than a client may make within a day.

        Raises:
            OutOfCredits: the day is used up.
        """
        if self.records.made_since(client.name, self.clock() - DAY_S) >= client.per_day:
            raise OutOfCredits(
                f"The client has used its {client.per_day} videos of 24 hours; try again tomorrow."
            )

    def check_text(self, client: ApiClient, characters: int) -> None:
        """Refuses texts that are longer than a client may send.

        Raises:
            SettingError: it is.
        """
        if characters > client.text:
            raise SettingError(
                f"The text has {characters} characters and may have {client.text}; shorten it."
            )

    def count(self, client: ApiClient, vendor: str, kind: str, name: str) -> None:
        """Counts something that left no file among what the client has made today."""
        talk = Talk(name, client.name, vendor, kind, {}, (), "", "", self.clock(), True)
        self.records.add_talk(talk)
        self.records.drop_talk(name)

    def parameters(self, client: ApiClient, order: Order, output: str) -> dict[str, Any]:
        """The job's parameters; files are named or will be fetched."""
        scenes = [
            {
                "portrait": self.place(client, scene.source),
                "sound": self.place(client, scene.sound) if scene.sound else "",
                "text": scene.text, "voice": scene.voice, "language": scene.language, "speed": scene.speed,
                "emotion": scene.emotion, "pause": scene.pause,
            }
            for scene in order.scenes
        ]  # fmt: skip
        framing = {
            "aspect": order.aspect, "height": order.height, "head_height": order.head_height,
            "background": order.background, "matte": "",
        }  # fmt: skip
        return {
            "scenes": scenes, "output": output, "framing": framing, "subtitles": order.subtitles,
            "settings": self._settings(order), "seconds": client.seconds,
        }  # fmt: skip

    def _settings(self, order: Order) -> dict[str, dict[str, Any]]:
        groups = {*order.settings, *self.settings}
        return {name: {**order.settings.get(name, {}), **self.settings.get(name, {})} for name in groups}

    def row(self, talk: Talk) -> Row:
        """The job of a talk.

        Raises:
            NotThere: it is gone.
        """
        return self.service.store.get(talk.id)

    def link(self, talk: Talk, base: str, name: str = "") -> str:
        """The address of a file of a talk."""
        return base + self.links.path_of(talk.id, name or Path(talk.output).name)

    def drop(self, talk: Talk) -> None:
        """Cancels a talk and removes everything of it."""
        with suppress(NotThere):
            row = self.service.lanes.cancel(talk.id)
            if row.has_ended:
                self.service.store.forget(talk.id)
        self.records.drop_talk(talk.id)
        shutil.rmtree(Path(talk.output).parent, ignore_errors=True)
