"""Timelines packed with their media (.otioz): what may be unpacked, checked before the first byte is written."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from lp_core.errors import DiskFull, UnreadableMedia
from lp_core.files import ensure_folder

MOST_ENTRIES = 100_000
"""Files of a bundle."""
LARGEST_RATIO = 50
"""Bytes unpacked for each byte of the archive; media hardly shrinks, and bundles store it as it is."""
KEPT_FREE = 1 << 30
"""Bytes that stay free on the disk."""


def check_bundle(path: Path, folder: Path) -> None:
    """Refuses an archive that would fill the disk, or that names places outside its own folder.

    Args:
        path: the archive.
        folder: where it would be unpacked; it exists.

    Raises:
        UnreadableMedia: the archive is damaged, has too many files, grows too much or names places outside.
        DiskFull: the disk does not hold it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableMedia(f"{path} is a damaged archive ({error}); write it again.") from error
    if len(entries) > MOST_ENTRIES:
        raise UnreadableMedia(f"{path} holds {len(entries)} files; a bundle may have {MOST_ENTRIES}.")
    for entry in entries:
        place = PurePosixPath(entry.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or PureWindowsPath(entry.filename).drive:
            raise UnreadableMedia(f"{path} holds a file outside its own folder ({entry.filename}).")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > LARGEST_RATIO * max(path.stat().st_size, 1 << 20):
        raise UnreadableMedia(
            f"{path} would grow to {unpacked >> 20} MB, which no packed timeline does; write it again."
        )
    if unpacked + KEPT_FREE > shutil.disk_usage(folder).free:
        raise DiskFull(
            f"{path} needs {unpacked >> 20} MB to unpack; free some space on the disk of {folder}."
        )


@contextmanager
def unpacking(path: Path, folder: Path) -> Iterator[None]:
    """Checks an archive, makes the folder it is unpacked into, and removes what a failure leaves there.

    Raises:
        UnreadableMedia, DiskFull: see ``check_bundle``.
    """
    was_there = os.path.isdir(folder)  # noqa: PTH112 - as elsewhere here
    ensure_folder(folder)
    try:
        check_bundle(path, folder)
        yield
    except BaseException:
        if not was_there:
            shutil.rmtree(folder, ignore_errors=True)
        raise
