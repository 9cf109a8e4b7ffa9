"""Which files may command a program: files of its user, in folders that nobody else can write.

A variable may name another folder, and never lowers what is asked of it. Standard library only, Python 3.7 syntax.
"""

import os
import stat
import sys
from pathlib import Path
from typing import Union

from ..errors import WorkerError

_ROOT, _UNMAPPED = 0, 65534
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRWXG | stat.S_IRWXO


def refuse_foreign_folder(folder: Union[str, Path]) -> None:
    """Refuses a folder into which, or in place of which, another user could put something.

    Args:
        folder: it exists; symbolic links are followed before anything is looked at.

    Raises:
        WorkerError: it, or a folder above it, is another user's or can be written by others.
    """
    if sys.platform == "win32":
        return  # folders below the user's profile are closed to others
    place = Path(os.path.realpath(str(folder)))
    found = place.stat()
    if found.st_uid != os.getuid():
        raise WorkerError(f"{place} belongs to another user; name your own folder.")
    if found.st_mode & _OTHERS_WRITE:
        raise WorkerError(f"{place} can be written by others; take that away with: chmod go-w '{place}'.")
    for above in place.parents:
        found = above.stat()
        if found.st_uid not in (os.getuid(), _ROOT, _UNMAPPED):
            raise WorkerError(f"{above} belongs to another user; name a folder that is elsewhere.")
        if found.st_mode & _OTHERS_WRITE and not found.st_mode & stat.S_ISVTX:
            raise WorkerError(f"{above} can be written by others; name a folder that is elsewhere.")


def refuse_writable_by_all(path: Union[str, Path]) -> None:
    """Refuses a file that says what is to be run, where any user of the machine could write it.

    Unlike ``refuse_foreign_folder``, it may belong to another user: a studio keeps such files in one place.

    Raises:
        WorkerError: everyone can write it or its folder.
        OSError: it is not there.
    """
    if sys.platform == "win32":
        return
    place = Path(os.path.realpath(str(path)))
    found, folder = place.stat(), place.parent.stat()
    if found.st_mode & stat.S_IWOTH:
        raise WorkerError(f"{place} can be written by everyone; take that away with: chmod o-w '{place}'.")
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        raise WorkerError(
            f"{place.parent} can be written by everyone; take that away with: chmod o-w '{place.parent}'."
        )


def open_own(path: Union[str, Path], flags: int = os.O_RDONLY, is_secret: bool = False) -> int:
    """Opens a regular file of the user's own; returns its descriptor, which the caller closes.

    Args:
        path: the file; a symbolic link is not followed.
        flags: of ``os.open``.
        is_secret: True: others may not read it either.

    Raises:
        WorkerError: it is another user's, no regular file, or others can write (or read) it.
        OSError: it cannot be opened.
    """
    safe = flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(str(path), safe | getattr(os, "O_BINARY", 0))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise WorkerError(f"{path} is not a regular file; remove it.")
        if sys.platform != "win32":
            if found.st_uid != os.getuid():
                raise WorkerError(f"{path} belongs to another user; remove it.")
            if is_secret and found.st_mode & _OTHERS_READ:
                raise WorkerError(
                    f"{path} can be read by others; close it with: chmod 600 '{path}', and renew what is in it."
                )
            if found.st_mode & stat.S_IWOTH:
                raise WorkerError(f"{path} can be written by others; remove it.")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_own(path: Union[str, Path], most: int, is_secret: bool = False) -> bytes:
    """The content of a file of the user's own; see ``open_own``.

    Args:
        path: the file.
        most: bytes it may have.
        is_secret: others may not read it.

    Raises:
        WorkerError: see ``open_own``; or it is longer.
        OSError: it cannot be read.
    """
    with os.fdopen(open_own(path, is_secret=is_secret), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise WorkerError(f"{path} is larger than {most} bytes; remove it.")
    return data
