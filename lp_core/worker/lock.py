"""A lock on a folder that goes with the process that holds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lp_core.errors import WorkerError


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Keeps a second worker off a state folder; the lock goes with the process, however that ends.

    Raises:
        WorkerError: another worker has it, or the folder cannot be written.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (state / "lock").open("a+b")
    except OSError as error:
        raise WorkerError(
            f"{state} cannot be written ({error.strerror}); name another --state folder."
        ) from error
    with file:
        try:
            _lock(file)
        except OSError as error:
            raise WorkerError(
                f"Another worker uses {state}; reach that one, or name another --state folder.", "running"
            ) from error
        yield


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
