"""Temporary files and folders of runs that were killed: their names show the owner, and the next run sweeps them.

Standard library only.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from lp_core.files import owner, remove

_NAME = re.compile(r"\.?lpsuite-([0-9a-f]{8})-([0-9a-f]+)-.+", re.DOTALL)
"""A machine and a process, as ``lp_core.files.owner`` writes them."""


def temporary_prefix() -> str:
    """How the names of this process's folders for temporary files begin."""
    return f"lpsuite-{owner()}-"


def sweep(folder: Path) -> None:
    """Removes what processes of this machine that are gone left in a folder.

    Files of other machines on a shared disk, of processes that run, and all files under Windows stay.
    """
    if sys.platform == "win32":  # there is no harmless way to ask for a process there
        return
    machine, _, own = owner().partition("-")
    try:
        names = os.listdir(folder)  # noqa: PTH208 - of names alone, which is faster
    except OSError:
        return
    for name in names:
        found = _NAME.fullmatch(name)
        if found and found[1] == machine and found[2] != own and not _runs(int(found[2], 16)):
            remove(folder / name)


def sweep_temporary() -> None:
    """Does the same in the folder for temporary files."""
    sweep(Path(tempfile.gettempdir()))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for temporary files, gone at the end; what killed runs left is swept before, once in a process."""
    _sweep_once()
    with tempfile.TemporaryDirectory(prefix=temporary_prefix()) as name:
        yield Path(name)


@lru_cache(maxsize=1)
def _sweep_once() -> None:
    sweep_temporary()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
