"""Files that a page sends: kept in a folder of the worker's own, within a quota, and cleaned up."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from lp_core.errors import DiskFull, TooBusy
from lp_core.files import ensure_folder, write_failure

LARGEST_UPLOAD = 32 << 30
"""Bytes of one upload."""
QUOTA = 128 << 30
"""Bytes of all uploads."""
MOST_AT_ONCE = 8
KEPT_FREE = 1 << 30
"""Bytes that stay free on the disk."""
KEPT_S = 30 * 86400.0
"""An upload that no waiting or running job names is removed after so many seconds."""
_UNFINISHED = ".part"


class Uploads:
    """The uploads of a worker; used from the event loop's thread, but for ``clean``, which runs before it."""

    def __init__(self, folder: Path, quota: int = QUOTA, clock: Callable[[], float] = time.time) -> None:
        """Makes the folder.

        Args:
            folder: of the worker's own; each upload has a folder in it.
            quota: bytes of all uploads.
            clock: seconds since 1970.

        Raises:
            MediaError: the folder cannot be made.
        """
        ensure_folder(folder, mode=0o700)
        self.folder, self._quota, self._clock = folder, quota, clock
        self._used = _size_of(folder)
        self._running = 0

    def clean(self, in_use: str) -> None:
        """Removes what a killed worker left unfinished, and old uploads.

        Args:
            in_use: what jobs that have not ended ask for, as text.
        """
        for folder in list(self.folder.iterdir()):
            if folder.is_symlink() or not folder.is_dir():
                continue
            is_old = self._clock() - folder.stat().st_mtime > KEPT_S
            is_unfinished = any(path.suffix == _UNFINISHED for path in folder.iterdir())
            if is_unfinished or (is_old and folder.name not in in_use):
                shutil.rmtree(folder, ignore_errors=True)
        self._used = _size_of(self.folder)

    async def take(self, name: str, pieces: AsyncIterator[bytes]) -> tuple[Path, int]:
        """Keeps a file; nothing stays of one that is cut off or does not fit: (path, bytes).

        Args:
            name: safe name of the file.
            pieces: its content.

        Raises:
            TooBusy: too many uploads at a time.
            DiskFull: the quota or the disk is full.
            MediaError: the file cannot be written.
        """
        if self._running >= MOST_AT_ONCE:
            raise TooBusy(f"{MOST_AT_ONCE} uploads are under way; try again when one has ended.")
        path = self.folder / secrets.token_hex(8) / name
        temporary = path.with_name(path.name + _UNFINISHED)
        count = 0
        self._running += 1
        try:
            ensure_folder(path.parent, mode=0o700)
            with temporary.open("xb") as file:
                async for piece in pieces:
                    count += len(piece)
                    self._used += len(piece)
                    self._check_room(name)
                    file.write(piece)
            temporary.rename(path)
        except BaseException as error:
            self._used -= count
            with contextlib.suppress(OSError):
                shutil.rmtree(path.parent, ignore_errors=True)
            if isinstance(error, OSError):
                raise write_failure(path, error) from error
            raise
        finally:
            self._running -= 1
        return path, count

    def _check_room(self, name: str) -> None:
        if self._used > self._quota:
            raise DiskFull(
                f"{name} does not fit: uploads hold {self._quota >> 30} GB at most; put it into an allowed folder, or "
                f"remove old ones from {self.folder}."
            )
        if shutil.disk_usage(self.folder).free < KEPT_FREE:
            raise DiskFull(f"{name} does not fit: the disk of {self.folder} is nearly full; free some space.")


def _size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(
        os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - many
        for place, _, names in os.walk(folder)
        for name in names
    )
