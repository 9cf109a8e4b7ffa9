"""The job table: SQLite in write-ahead mode, so that a worker killed at any moment loses nothing.

The schema has a version (``PRAGMA user_version``); an older file is brought up to date step by step when it is
opened, a newer one is refused.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lp_core.errors import DiskFull, LpError, NotThere, WorkerError
from lp_core.link.messages import ENDED

MIGRATIONS = (
    """
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        lane TEXT NOT NULL,
        state TEXT NOT NULL,
        priority INTEGER NOT NULL,
        output TEXT NOT NULL,
        parameters TEXT NOT NULL,
        created_s REAL NOT NULL,
        started_s REAL,
        ended_s REAL,
        phase TEXT,
        frame INTEGER,
        total INTEGER,
        fps REAL,
        eta_s REAL,
        error_code TEXT,
        error TEXT,
        summary TEXT,
        starts INTEGER NOT NULL DEFAULT 0,
        gained INTEGER NOT NULL DEFAULT 0,
        wants_cancel INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX jobs_waiting ON jobs (state, lane, priority DESC, seq);
    CREATE TABLE log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        at_s REAL NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX log_of_job ON log (job, seq);
    """,
    """
    ALTER TABLE jobs ADD COLUMN base INTEGER NOT NULL DEFAULT 0;
    """,
)
"""Step n brings a file of version n to version n + 1."""

_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
"""What SQLite says where the disk is full: a journal that cannot be written is an input or output error."""

_ROOM = 1 << 16
"""Free bytes below which a disk counts as full."""
_MOMENT_S = 0.25
"""Progress is reported ten times a second, so two deaths at one frame may be reported some frames apart."""
_PROGRESS = ("phase", "frame", "total", "fps", "eta_s")


@dataclass(frozen=True)
class Row:
    """A job as it is stored."""

    id: str
    kind: str
    lane: str
    state: str
    priority: int
    output: str
    parameters: dict[str, Any]
    created_s: float
    started_s: float | None
    ended_s: float | None
    progress: dict[str, Any] | None
    error: dict[str, str] | None
    summary: dict[str, Any] | None
    starts: int
    gained: int
    wants_cancel: bool

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED

    def as_json(self) -> dict[str, Any]:
        """Its form on the wire (lp_core.worker.schema.Job)."""
        hidden = ("lane", "starts", "gained", "wants_cancel")
        return {name: value for name, value in vars(self).items() if name not in hidden}


class JobStore:
    """The table; may be used from several threads, ``close`` may be called twice."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Opens or makes the file.

        Raises:
            WorkerError: it is damaged, cannot be written, or a newer version wrote it.
            DiskFull: its disk is full.
        """
        self._path, self._clock = path, clock
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._migrate()
        except sqlite3.Error as error:
            if _is_full(path, error):
                raise store_failure(path, error) from error
            raise WorkerError(
                f"{path} cannot be used as the table of jobs ({error}); move it away or name another --state."
            ) from error

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise WorkerError(
                f"{self._path} was written by a newer LP Suite; update, or name another --state folder."
            )
        for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
            self._db.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The table, for this thread alone.

        Raises:
            DiskFull: the disk is full.
            WorkerError: the table cannot be used.
        """
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise store_failure(self._path, error) from error

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """The same; everything the block changes is kept, or nothing."""
        with self._reading() as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # SQLite itself may have taken it back, as on a full disk
                    with suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                raise

    def add(
        self, job: str, kind: str, lane: str, priority: int, output: str, parameters: Mapping[str, Any]
    ) -> tuple[Row, bool]:
        """Adds a job, or finds the one of that name: (job, whether it is new)."""
        with self._change() as db:
            cursor = db.execute(
                "INSERT OR IGNORE INTO jobs (id, kind, lane, state, priority, output, parameters, created_s) "
                "VALUES (?, ?, ?, 'queued', ?, ?, ?, ?)",
                (job, kind, lane, priority, output, json.dumps(parameters), self._clock()),
            )
            is_new = cursor.rowcount == 1
        return self.get(job), is_new

    def get(self, job: str) -> Row:
        """One job.

        Raises:
            NotThere: there is none of that name.
        """
        with self._reading() as db:
            found = db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()
        if found is None:
            raise NotThere(f"There is no job {job!r}; list them with GET /jobs.")
        return _row(found)

    def newest(self, state: str | None, limit: int) -> list[Row]:
        """Jobs, newest first."""
        where, values = ("WHERE state = ? ", (state, limit)) if state else ("", (limit,))
        with self._reading() as db:
            found = db.execute(
                f"SELECT * FROM jobs {where}ORDER BY seq DESC LIMIT ?",  # noqa: S608 - fixed words
                values,
            ).fetchall()
        return [_row(item) for item in found]

    def counts(self) -> dict[str, int]:
        """Number of jobs in every state that occurs."""
        with self._reading() as db:
            found = db.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state").fetchall()
        return {str(state): int(count) for state, count in found}

    def claim(self, lane: str) -> Row | None:
        """Takes the next job of a lane: the highest priority, then the oldest; None when none waits."""
        with self._change() as db:
            found = db.execute(
                "UPDATE jobs SET state = 'running', started_s = ?, starts = starts + 1, base = gained WHERE seq = "
                "(SELECT seq FROM jobs WHERE state = 'queued' AND lane = ? ORDER BY priority DESC, seq LIMIT 1) "
                "RETURNING *",
                (self._clock(), lane),
            ).fetchall()
        return _row(found[0]) if found else None

    def waiting(self) -> set[str]:
        """Names of jobs that are queued or running."""
        with self._reading() as db:
            found = db.execute("SELECT id FROM jobs WHERE state IN ('queued', 'running')").fetchall()
        return {str(item[0]) for item in found}

    def lanes(self) -> list[str]:
        """Lanes in which jobs wait."""
        with self._reading() as db:
            found = db.execute("SELECT DISTINCT lane FROM jobs WHERE state = 'queued'").fetchall()
        return [str(item[0]) for item in found]

    def report(self, job: str, progress: Mapping[str, Any], gained: int) -> None:
        """Keeps how far a running job has come.

        Args:
            job: its name.
            progress: phase, frame, total, fps, eta_s.
            gained: a number that rises with the work. A job that gets further than where the worker died before,
                by more than the frames of a moment, is not to blame for that.
        """
        moment = int((progress["fps"] or 0) * _MOMENT_S)
        with self._change() as db:
            db.execute(
                "UPDATE jobs SET phase = ?, frame = ?, total = ?, fps = ?, eta_s = ?, "
                "starts = CASE WHEN ? > base + ? THEN 1 ELSE starts END, gained = MAX(gained, ?) WHERE id = ?",
                (*(progress[name] for name in _PROGRESS), gained, moment, gained, job),
            )

    def end(
        self,
        job: str,
        state: str,
        summary: Mapping[str, Any] | None = None,
        error: tuple[str, str] | None = None,
    ) -> Row:
        """A running job has ended."""
        code, sentence = error or (None, None)
        with self._change() as db:
            db.execute(
                "UPDATE jobs SET state = ?, ended_s = MAX(COALESCE(started_s, created_s), ?), summary = ?, "
                "error_code = ?, error = ? "
                "WHERE id = ? AND state = 'running'",
                (state, self._clock(), None if summary is None else json.dumps(summary), code, sentence, job),
            )
        return self.get(job)

    def cancel(self, job: str) -> Row:
        """Cancels a waiting job at once and marks a running one; an ended one stays as it is."""
        with self._change() as db:
            db.execute(
                "UPDATE jobs SET state = 'cancelled', ended_s = ? WHERE id = ? AND state = 'queued'",
                (self._clock(), job),
            )
            db.execute("UPDATE jobs SET wants_cancel = 1 WHERE id = ? AND state = 'running'", (job,))
        return self.get(job)

    def requeue(self, job: str) -> Row:
        """A running job goes back to its place: the worker stops before it has ended."""
        with self._change() as db:
            db.execute(
                "UPDATE jobs SET state = 'queued', starts = starts - 1 WHERE id = ? AND state = 'running'",
                (job,),
            )
        return self.get(job)

    def retry(self, job: str) -> Row:
        """The process that did a running job died: the job waits again, or is cancelled where that was asked for."""
        with self._change() as db:
            db.execute(
                "UPDATE jobs SET state = 'cancelled', ended_s = ? "
                "WHERE id = ? AND state = 'running' AND wants_cancel = 1",
                (self._clock(), job),
            )
            db.execute("UPDATE jobs SET state = 'queued' WHERE id = ? AND state = 'running'", (job,))
        return self.get(job)

    def recover(self) -> list[Row]:
        """Jobs that ran when the worker died; they wait again now, or are cancelled where that was asked for."""
        with self._change() as db:
            found = db.execute("SELECT id FROM jobs WHERE state = 'running'").fetchall()
            db.execute(
                "UPDATE jobs SET state = 'cancelled', ended_s = ? WHERE state = 'running' AND wants_cancel = 1",
                (self._clock(),),
            )
            db.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
        return [self.get(str(item[0])) for item in found]

    def forget(self, job: str) -> None:
        """Takes an ended job off the table.

        Raises:
            NotThere: there is none of that name.
            WorkerError: it has not ended.
        """
        if not self.get(job).has_ended:
            raise WorkerError(f"The job {job!r} has not ended; cancel it first.", "not_ended")
        with self._change() as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (job,))

    def say(self, job: str, text: str) -> None:
        """Keeps a sentence of a job."""
        with self._change() as db:
            db.execute("INSERT INTO log (job, at_s, text) VALUES (?, ?, ?)", (job, self._clock(), text))

    def log(self, job: str) -> list[dict[str, Any]]:
        """The sentences of a job, in order: at_s, text.

        Raises:
            NotThere: there is no such job.
        """
        self.get(job)
        with self._reading() as db:
            found = db.execute("SELECT at_s, text FROM log WHERE job = ? ORDER BY seq", (job,)).fetchall()
        return [{"at_s": float(item[0]), "text": str(item[1])} for item in found]

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()


def store_failure(path: Path, error: sqlite3.Error) -> LpError:
    """The error to raise when the table of jobs failed."""
    if _is_full(path, error):
        return DiskFull(f"{path} does not fit: the disk of the worker's state is full; free some space.")
    return WorkerError(f"The table of jobs {path} cannot be used ({error}); check its disk.", "store")


def _is_full(path: Path, error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest its details
    if code == sqlite3.SQLITE_FULL:
        return True
    try:
        return code in _FULL and shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False


def _row(found: sqlite3.Row) -> Row:
    progress = None
    if found["phase"] is not None:
        progress = {name: found[name] for name in _PROGRESS}
    error = None
    if found["error_code"] is not None:
        error = {"code": found["error_code"], "message": found["error"]}
    return Row(
        id=found["id"],
        kind=found["kind"],
        lane=found["lane"],
        state=found["state"],
        priority=found["priority"],
        output=found["output"],
        parameters=json.loads(found["parameters"]),
        created_s=found["created_s"],
        started_s=found["started_s"],
        ended_s=found["ended_s"],
        progress=progress,
        error=error,
        summary=None if found["summary"] is None else json.loads(found["summary"]),
        starts=found["starts"],
        gained=found["gained"],
        wants_cancel=bool(found["wants_cancel"]),
    )
