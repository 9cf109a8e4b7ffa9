"""A lock on a folder that goes with the process that holds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lp_core.errors import LpError

LOCK = "lock"
"""File in the folder that is locked."""


@contextmanager
def locked(folder: Path, refusal: LpError) -> Iterator[None]:
    """Keeps a second process off a folder; the lock goes with the process, however that ends.

    Args:
        folder: made if need be, readable by its owner alone.
        refusal: raised where another process has it.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK).open("a+b") as file:
        try:
            _lock(file)
        except OSError as error:
            raise refusal from error
        yield


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
