"""Outputs are written under a hidden name beside their place and renamed when they are complete."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from pathlib import Path

from lp_core.errors import MediaError, OutputExists
from lp_core.media.failures import NAME_MAX, too_long, write_failure


def aside_path(path: Path) -> Path:
    """A hidden, unused name in the same folder, hence on the same disk; short for any name."""
    return path.with_name(f".lpsuite-{secrets.token_hex(6)}{path.suffix}")


def move_into_place(aside: Path, path: Path) -> None:
    """Renames, replacing what is there.

    Raises:
        NoWritePermission, DiskFull, MediaError: the file system refuses; the hidden file is removed.
    """
    try:
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise write_failure(path, error) from error


def write_aside(path: Path, data: bytes) -> None:
    """Writes a whole small file aside and moves it into place.

    Raises:
        NoWritePermission, DiskFull, MediaError: the file system refuses; nothing is left behind.
    """
    aside = aside_path(path)
    try:
        aside.write_bytes(data)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise write_failure(path, error) from error
    move_into_place(aside, path)


def check_folder(path: Path) -> None:
    """Tries whether a file can be made where ``path`` will be, in its folder or the nearest one that exists.

    A real file is made and removed: permission bits tell less than the file system does.

    Raises:
        NoWritePermission, DiskFull, MediaError: it cannot, or ``path`` is a folder, or lies in a file.
    """
    check_name(path)
    if path.is_dir():
        raise MediaError(f"{path} is a folder; give the name of a file in it.")
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise MediaError(f"{path} cannot be written, because {folder} is a file; choose another folder.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise write_failure(path, error) from error


def make_folder(path: Path) -> list[Path]:
    """Makes the folder that ``path`` lies in; returns the folders that were not there, the deepest first."""
    made = []
    folder = path.parent
    while not folder.exists():
        made.append(folder)
        folder = folder.parent
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_failure(path, error) from error
    return made


def remove_folders(made: list[Path]) -> None:
    """Removes those of the folders from ``make_folder`` that are empty."""
    for folder in made:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def check_name(path: Path) -> None:
    """Raises MediaError when a part of ``path`` or all of it is longer than file systems allow."""
    if any(len(os.fsencode(part)) > NAME_MAX for part in path.parts):
        raise too_long(path)
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise too_long(path) from error


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raises OutputExists when ``path`` is there and may not be replaced, MediaError when its name is too long."""
    check_name(path)
    if path.exists() and not overwrite:
        raise OutputExists(f"{path} exists; choose another name or allow overwriting.")
