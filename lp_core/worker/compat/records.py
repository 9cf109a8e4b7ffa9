"""What the clients of the compatible routes own: uploaded files and talks, in SQLite. Each look-up names the client."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lp_core.errors import NotThere, WorkerError
from lp_core.worker.job_store import store_failure

_SCHEMA = """
CREATE TABLE IF NOT EXISTS assets (
    id TEXT PRIMARY KEY, client TEXT NOT NULL, kind TEXT NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, seconds REAL, created_s REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS assets_of ON assets (client, kind, created_s);
CREATE TABLE IF NOT EXISTS talks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, client TEXT NOT NULL, vendor TEXT NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL, ignored TEXT NOT NULL, webhook TEXT NOT NULL, output TEXT NOT NULL,
    created_s REAL NOT NULL, told INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS talks_of ON talks (client, vendor, seq);
PRAGMA user_version = 1;
"""
VERSION = 1


@dataclass(frozen=True)
class Asset:
    """A file of a client's."""

    id: str
    client: str
    """Whose it is."""
    kind: str
    """image, audio or video."""
    path: str
    name: str
    """As the client called it."""
    type: str
    """Media type."""
    seconds: float | None
    """Length of a sound or video."""
    created_s: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class Talk:
    """A video that a client asked for; its job has the same name."""

    id: str
    client: str
    """Whose it is."""
    vendor: str
    """did or heygen."""
    kind: str
    """talk, clip, video or lipsync."""
    body: dict[str, Any]
    """The request."""
    ignored: tuple[str, ...]
    """Fields of it that have no effect."""
    webhook: str
    """Address to call at the end; empty: none."""
    output: str
    """File that is made."""
    created_s: float
    """Seconds since 1970."""
    is_told: bool
    """Whether the webhook was called."""


class Records:
    """The table; may be used from several threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Opens or makes the file.

        Raises:
            WorkerError: it is damaged, or of a newer version.
            DiskFull: its disk is full.
        """
        self._path, self._clock, self._lock = path, clock, threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.row_factory = sqlite3.Row
            if self._db.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                raise WorkerError(f"{path} was written by a newer LP Suite; update.")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise store_failure(path, error) from error

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise store_failure(self._path, error) from error

    def add_asset(self, asset: Asset) -> None:
        """Keeps an asset."""
        with self._using() as db:
            db.execute("INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", tuple(vars(asset).values()))

    def asset(self, client: str, name: str) -> Asset:
        """An asset of a client.

        Raises:
            NotThere: the client has none of that name.
        """
        with self._using() as db:
            row = db.execute("SELECT * FROM assets WHERE id = ? AND client = ?", (name, client)).fetchone()
        if row is None:
            raise NotThere(f"There is no file '{name}'; upload it first.")
        return Asset(**dict(row))

    def assets(self, client: str, kind: str) -> list[Asset]:
        """A client's assets of a kind, newest first."""
        with self._using() as db:
            rows = db.execute(
                "SELECT * FROM assets WHERE client = ? AND kind = ? ORDER BY created_s DESC LIMIT 1000",
                (client, kind),
            ).fetchall()
        return [Asset(**dict(row)) for row in rows]

    def old_assets(self, before_s: float) -> list[Asset]:
        """Assets of all clients that are older than a moment."""
        with self._using() as db:
            rows = db.execute("SELECT * FROM assets WHERE created_s < ?", (before_s,)).fetchall()
        return [Asset(**dict(row)) for row in rows]

    def drop_asset(self, client: str, name: str) -> None:
        """Forgets an asset."""
        with self._using() as db:
            db.execute("DELETE FROM assets WHERE id = ? AND client = ?", (name, client))

    def add_talk(self, talk: Talk) -> None:
        """Keeps a talk."""
        with self._using() as db:
            db.execute(
                "INSERT INTO talks (id, client, vendor, kind, body, ignored, webhook, output, created_s, told) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    talk.id, talk.client, talk.vendor, talk.kind, json.dumps(talk.body), json.dumps(talk.ignored),
                    talk.webhook, talk.output, talk.created_s, int(talk.is_told),
                ),
            )  # fmt: skip

    def talk(self, client: str, vendor: str, name: str) -> Talk:
        """A talk of a client.

        Raises:
            NotThere: the client has none of that name.
        """
        with self._using() as db:
            row = db.execute(
                "SELECT * FROM talks WHERE id = ? AND client = ? AND vendor = ? AND gone = 0",
                (name, client, vendor),
            ).fetchone()
        if row is None:
            raise NotThere(f"There is no video '{name}'.")
        return _talk(row)

    def any_talk(self, name: str) -> Talk | None:
        """A talk of whichever client; None where there is none."""
        with self._using() as db:
            row = db.execute("SELECT * FROM talks WHERE id = ? AND gone = 0", (name,)).fetchone()
        return None if row is None else _talk(row)

    def talks(
        self, client: str, vendor: str, kinds: tuple[str, ...], limit: int, before: int | None = None
    ) -> tuple[list[Talk], int | None]:
        """A client's talks, newest first, and where the next page begins (None: this is the last)."""
        marks = ", ".join("?" * len(kinds))
        with self._using() as db:
            rows = db.execute(
                f"SELECT * FROM talks WHERE client = ? AND vendor = ? AND gone = 0 AND kind IN ({marks}) AND seq < ? "  # noqa: S608
                "ORDER BY seq DESC LIMIT ?",
                (client, vendor, *kinds, 1 << 60 if before is None else before, limit + 1),
            ).fetchall()
        following = int(rows[limit - 1]["seq"]) if len(rows) > limit else None
        return [_talk(row) for row in rows[:limit]], following

    def untold(self) -> list[Talk]:
        """Talks whose webhook was not called yet."""
        with self._using() as db:
            rows = db.execute(
                "SELECT * FROM talks WHERE webhook != '' AND told = 0 AND gone = 0 ORDER BY seq"
            ).fetchall()
        return [_talk(row) for row in rows]

    def tell(self, name: str) -> None:
        """Notes that a webhook was called, or abandoned."""
        with self._using() as db:
            db.execute("UPDATE talks SET told = 1 WHERE id = ?", (name,))

    def rename(self, name: str, body: Mapping[str, Any]) -> None:
        """Keeps a changed request of a talk, such as one with another title."""
        with self._using() as db:
            db.execute("UPDATE talks SET body = ? WHERE id = ?", (json.dumps(body), name))

    def drop_talk(self, name: str, was_made: bool = True) -> None:
        """Forgets a talk; one that was made still counts for its client's day."""
        with self._using() as db:
            if was_made:
                db.execute("UPDATE talks SET gone = 1, body = '{}' WHERE id = ?", (name,))
            else:
                db.execute("DELETE FROM talks WHERE id = ?", (name,))

    def sweep(self, before_s: float) -> None:
        """Removes what is left of talks that were forgotten and are older than a moment."""
        with self._using() as db:
            db.execute("DELETE FROM talks WHERE gone = 1 AND created_s < ?", (before_s,))

    def made_since(self, client: str, since_s: float) -> int:
        """Number of a client's talks since a moment."""
        with self._using() as db:
            row = db.execute(
                "SELECT COUNT(*) FROM talks WHERE client = ? AND created_s >= ?", (client, since_s)
            ).fetchone()
        return int(row[0])

    def names_of(self, client: str) -> list[str]:
        """Names of all talks of a client."""
        with self._using() as db:
            return [str(row[0]) for row in db.execute("SELECT id FROM talks WHERE client = ?", (client,))]

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()


def _talk(row: sqlite3.Row) -> Talk:
    values: Mapping[str, Any] = dict(row)
    return Talk(
        id=values["id"],
        client=values["client"],
        vendor=values["vendor"],
        kind=values["kind"],
        body=json.loads(values["body"]),
        ignored=tuple(json.loads(values["ignored"])),
        webhook=values["webhook"],
        output=values["output"],
        created_s=values["created_s"],
        is_told=bool(values["told"]),
    )
