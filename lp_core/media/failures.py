"""Foreign errors of files -> the project's own: one place for reading, one for writing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from lp_core.errors import DiskFull, EmptyVideo, MediaError, NoWritePermission, UnreadableMedia

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NAME_MAX = 255
"""Bytes of a file's or folder's name on all common file systems."""
_SHORT = 160
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def read_failure(path: Path, error: Exception) -> MediaError:
    """The error to raise when ``path`` could not be read; OSError and PyAV's errors carry an ``errno``."""
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return UnreadableMedia(f"{path} does not exist; check the path.")
    if code in _FORBIDDEN:
        return UnreadableMedia(f"{path} may not be read; give yourself read permission on it.")
    if code == errno.EISDIR:
        return _folder(path)
    if code == errno.ENAMETOOLONG:
        return UnreadableMedia(f"{name_in_short(path)} has a name too long for this system; rename it.")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return UnreadableMedia(
        f"{path} cannot be decoded ({reason}); check that it plays elsewhere, or convert it to mp4 or png."
    )


def write_failure(path: Path, error: Exception) -> MediaError:
    """The error to raise when ``path`` could not be written."""
    code = getattr(error, "errno", None)
    if code in _FULL:
        return DiskFull(
            f"{path} does not fit: the disk, the quota or the file system's size limit is reached; free some "
            "space or write to another disk."
        )
    if code == errno.ENAMETOOLONG:
        return too_long(path)
    if code in _FORBIDDEN:
        return NoWritePermission(
            f"{path} cannot be written: its folder gives no permission; choose another or change its rights."
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return MediaError(f"{path} cannot be written ({reason}); choose another name, size or codec.")


def too_long(path: Path) -> MediaError:
    """The error to raise when a name is longer than the file system allows."""
    return MediaError(
        f"{name_in_short(path)} cannot be written: its name is too long for this file system, which allows "
        f"{NAME_MAX} bytes for a file or folder; choose a shorter one."
    )


def name_in_short(path: Path) -> str:
    """A path for a message, the middle of a long one left out."""
    text = str(path)
    return text if len(text) <= _SHORT else f"{text[: _SHORT // 2]}...{text[-_SHORT // 2 :]}"


def check_readable(path: Path) -> None:
    """Refuses what no decoder needs to see: a missing file, a folder, an empty file, a forbidden one.

    Raises:
        UnreadableMedia: the path is missing, a folder, or may not be read.
        EmptyVideo: the file has no bytes.
    """
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        raise _folder(path)
    try:
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except OSError as error:
        raise read_failure(path, error) from error
    if is_empty:
        raise EmptyVideo(
            f"{path} is empty (0 bytes); it was probably never written to its end, make it again."
        )


def _folder(path: Path) -> UnreadableMedia:
    return UnreadableMedia(
        f"{path} is a folder; name a file in it, or a numbered sequence such as {path / 'frame.%04d.png'}."
    )
