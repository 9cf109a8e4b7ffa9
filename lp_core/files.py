"""File access shared by all rooms: atomic writes, and ``OSError`` translated to the typed errors of the program.

Every file the program writes goes to a hidden temporary name in the same folder and is renamed when it is
complete, so a crash never leaves half a file under a final name. Standard library only, Python 3.7 syntax:
host programs load this file.
"""

import contextlib
import errno
import hashlib
import os
import platform
import secrets
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import Iterator, List, Optional, Union

from .errors import (
    DiskFull,
    EmptyVideo,
    LpError,
    MediaError,
    NoWritePermission,
    OutOfMemory,
    OutputExists,
    UnreadableMedia,
    absent_library,
)
from .system_failures import FULL, hidden_full_disk, lacks_memory, longer, shown, unnamed_failure

AnyPath = Union[str, "os.PathLike[str]"]

_BLOCK = 1 << 20
NAME_MAX = 255
"""Bytes of a file's or folder's name on all common file systems."""
LONGEST_SUFFIX = 16
"""Characters of a suffix that a temporary name keeps; a longer one is part of the name, not a file type."""
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_ENVIRONMENT = (
    FULL
    | _FORBIDDEN
    | {errno.EROFS, errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.EEXIST}
    | {
        errno.EIO,
        errno.ELOOP,
        errno.ENODEV,
        errno.ENXIO,
        errno.ESTALE,
        errno.EBUSY,
        errno.EMFILE,
        errno.ENFILE,
    }
)
"""Causes outside the program: disks, permissions and names."""


def read_failure(path: AnyPath, error: Exception) -> MediaError:
    """Returns the error to raise when ``path`` could not be read; OSError and PyAV's errors carry an ``errno``."""
    path = Path(path)
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return UnreadableMedia(f"{path} does not exist; check the path.")
    if code == errno.ENOTDIR:
        return UnreadableMedia(
            f"{path} does not exist, because a part of its path is a file; check the path."
        )
    if code == errno.ENAMETOOLONG:
        return UnreadableMedia(f"{shown(path)} does not exist: {longer(path)}; check the path.")
    if code in _FORBIDDEN:
        return UnreadableMedia(f"{path} may not be read; give yourself read permission on it.")
    if code == errno.EISDIR:
        return folder_failure(path)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if code == errno.EIO:
        return UnreadableMedia(f"{path} cannot be read ({reason}); check its disk or network share.")
    return UnreadableMedia(
        f"{path} cannot be decoded ({reason}); check that it plays elsewhere, or convert it to mp4 or png."
    )


def write_failure(path: AnyPath, error: Exception) -> MediaError:
    """Returns the error to raise when ``path`` could not be written."""
    path = Path(path)
    code = getattr(error, "errno", None)
    if code in FULL:
        return DiskFull(
            f"{path} does not fit: the disk, the quota or the file system's size limit is reached; free some "
            "space or write to another disk."
        )
    if code == errno.EROFS:
        return NoWritePermission(f"{path} cannot be written: its disk is read-only; choose another folder.")
    if code in _FORBIDDEN:
        return NoWritePermission(
            f"{path} cannot be written: permission denied; choose another folder or change its permissions."
        )
    if code == errno.ENAMETOOLONG:
        return MediaError(f"{shown(path)} cannot be written: {longer(path)}; choose a shorter name.")
    if code == errno.EISDIR:
        return MediaError(f"{path} is a folder; give the name of a file in it.")
    if code in (errno.ENOTDIR, errno.EEXIST):
        return MediaError(
            f"{path} cannot be written, because a part of its path is a file; choose another folder."
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if code == errno.ENOENT:
        return NoWritePermission(
            f"{path} cannot be written, because its folder does not exist; make it first."
        )
    if code in _ENVIRONMENT:
        return MediaError(f"{path} cannot be written ({reason}); check its disk or choose another folder.")
    return MediaError(f"{path} cannot be written ({reason}); choose another name, size or codec.")


def folder_failure(path: Path) -> UnreadableMedia:
    """Returns the error to raise when ``path`` should be a file to read but is a folder."""
    return UnreadableMedia(
        f"{path} is a folder; name a file in it, or a numbered sequence such as {path / 'frame.%04d.png'}."
    )


def known_failure(error: Exception) -> Optional[LpError]:
    """Translates an error that reached the edge of the program; None when it is a defect of the program."""
    if isinstance(error, LpError) and (isinstance(error, OutOfMemory) or not lacks_memory(error)):
        return error
    if lacks_memory(error):
        return OutOfMemory("The memory does not suffice; close other programs, or use a smaller size.")
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return OutOfMemory("The system allows no more threads or processes; close other programs.")
    return environment_failure(error) if isinstance(error, OSError) else absent_library(error)


def environment_failure(error: OSError) -> Optional[LpError]:
    """Translates an OSError that reached the edge of the program; None when it may be a defect of the program.

    Only errors that name a file and have a cause outside the program (disk, permission, name) are translated.
    """
    name = error.filename
    if error.errno in FULL and name is None:  # writes to an open file do not name it
        return DiskFull(
            "A disk, a quota or a file size limit is reached; free some space, also for temporary files."
        )
    if name is None:
        return unnamed_failure(error)
    if isinstance(name, int) or error.errno not in _ENVIRONMENT:
        return None
    path = os.fsdecode(name)
    if error.errno in FULL | {errno.EROFS, errno.EEXIST}:
        return write_failure(path, error)
    if error.errno in _FORBIDDEN and not Path(path).is_file():
        return write_failure(path, error)
    return read_failure(path, error)


@contextlib.contextmanager
def translated(path: AnyPath) -> Iterator[None]:
    """Turns an OSError of the block into the typed error for writing ``path``.

    Raises:
        DiskFull, NoWritePermission, MediaError: the file system refuses.
    """
    try:
        yield
    except OSError as error:
        raise write_failure(path, error) from error


def temporary_path(path: Path) -> Path:
    """Returns a hidden, unused name in the same folder, hence on the same disk; short whatever the name."""
    suffix = path.suffix if len(path.suffix) <= LONGEST_SUFFIX else ""
    return path.with_name(f".lpsuite-{owner()}-{secrets.token_hex(6)}{suffix}")


def owner() -> str:
    """This process in names of temporary files: a machine (and its process numbers) and a process, hexadecimal."""
    try:
        numbers = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - one spelling for every Python
    except OSError:
        numbers = 0
    machine = zlib.crc32(f"{platform.node()} {numbers}".encode())
    return f"{machine:08x}-{os.getpid():x}"


@contextlib.contextmanager
def replacing(path: AnyPath, durable: bool = True) -> Iterator[Path]:
    """Yields a temporary path; the file written there replaces ``path`` when the block ends without an error.

    Args:
        path: the file; its folder must exist.
        durable: wait until the disk has the data, so the file survives a power failure.

    Raises:
        DiskFull, NoWritePermission, MediaError: the file system refuses; nothing is left behind, and an older
            file at ``path`` is unchanged.
    """
    path = Path(path)
    temporary = temporary_path(path)
    check_name(path)
    try:
        yield temporary
        if durable:
            flush(temporary)
        os.replace(str(temporary), str(path))  # noqa: PTH105 - one spelling for every Python
        if durable:
            flush_folder(path.parent)
    except OSError as error:
        own = (None, str(path), str(temporary))
        failure = write_failure(path, error) if error.filename in own else environment_failure(error)
        if failure is None:
            raise
        raise failure from error
    except Exception as error:
        full = hidden_full_disk(error)
        if full is None:
            raise
        raise write_failure(path, full) from error
    finally:
        remove(temporary)


def write_whole(path: AnyPath, data: Union[bytes, str], durable: bool = True, private: bool = False) -> None:
    """Writes a file completely or not at all, replacing an older one.

    Args:
        path: the file; its folder must exist.
        data: bytes, or text that is written as UTF-8.
        durable: see ``replacing``.
        private: only this user may read it (mode 0600), from the first moment on.

    Raises:
        DiskFull, NoWritePermission, MediaError: the file system refuses; nothing is left behind.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    with replacing(path, durable) as temporary:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(str(temporary), flags, 0o600 if private else 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(content)


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces; raises OSError where it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def flush(path: Path) -> None:
    """Waits until the disk has the content of a file; the files of a folder are left to the system."""
    if path.is_dir():
        return
    handle = os.open(str(path), os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def move_into_place(temporary: Path, path: Path, durable: bool = True) -> None:
    """Renames a finished file of the same folder, replacing an older one; see ``replacing`` for ``durable``.

    Raises:
        NoWritePermission, DiskFull, MediaError: the file system refuses; the temporary file is removed.
    """
    try:
        with translated(path):
            if durable:
                flush(temporary)
            os.replace(str(temporary), str(path))  # noqa: PTH105 - one spelling for every Python
            if durable:
                flush_folder(path.parent)
    except MediaError:
        remove(temporary)
        raise


def remove(path: Path) -> None:
    """Removes a file or folder if it exists; one that cannot be removed is left."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(str(path), ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()


def check_name(path: AnyPath) -> None:
    """Asks the file system whether a path can exist at all; its length limits differ from disk to disk.

    Raises:
        MediaError: the name or the path is too long, or is a loop of links.
    """
    with translated(path), contextlib.suppress(FileNotFoundError, PermissionError, NotADirectoryError):
        os.stat(str(path))  # noqa: PTH116 - one spelling for every Python
    # A folder that is missing hides a name that is too long from the file system.
    if any(len(os.fsencode(part)) > NAME_MAX for part in Path(str(path)).parts):
        raise write_failure(path, OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)))


def check_folder(path: Path) -> None:
    """Checks that a file can be made at ``path``, in its folder or the nearest one that exists.

    A temporary file is made and removed: permission bits say less than the file system does.

    Raises:
        NoWritePermission, DiskFull, MediaError: it cannot, or ``path`` is a folder, or is inside a file.
    """
    with translated(path):
        check_name(path)
        if path.is_dir():
            raise MediaError(f"{path} is a folder; give the name of a file in it.")
        folder = path.parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise MediaError(f"{path} cannot be written, because {folder} is a file; choose another folder.")
        with tempfile.TemporaryFile(dir=str(folder)):
            pass


def check_readable(path: Path) -> None:
    """Refuses a missing file, a folder, an empty file and one without read permission, before a decoder sees it.

    Raises:
        UnreadableMedia: the path is missing, a folder, or may not be read.
        EmptyVideo: the file has no bytes.
    """
    try:
        if path.is_dir():
            raise folder_failure(path)
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except OSError as error:
        raise read_failure(path, error) from error
    if is_empty:
        raise EmptyVideo(
            f"{path} is empty (0 bytes); it was probably never written to its end, make it again."
        )


def make_folder(path: Path) -> List[Path]:
    """Makes the folder of the file ``path``; returns the folders that were missing, the deepest first.

    Raises:
        NoWritePermission, DiskFull, MediaError: the file system refuses.
    """
    made = []
    with translated(path):
        check_name(path)
        folder = path.parent
        while not folder.exists():
            made.append(folder)
            folder = folder.parent
        path.parent.mkdir(parents=True, exist_ok=True)
    return made


def ensure_folder(folder: Path, mode: int = 0o777) -> None:
    """Makes a folder and those above it; one that exists is fine.

    Raises:
        NoWritePermission, DiskFull, MediaError: the file system refuses, or a file has its name.
    """
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=mode)


def remove_folders(made: List[Path]) -> None:
    """Removes those of the folders from ``make_folder`` that are empty."""
    for folder in made:
        with contextlib.suppress(OSError):  # one that is not empty, or gone
            folder.rmdir()


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raises OutputExists when ``path`` exists and may not be replaced, MediaError when no file can have its name."""
    with translated(path):
        check_name(path)
        if path.exists() and not overwrite:
            raise OutputExists(f"{path} exists; choose another name or allow overwriting.")


def flush_folder(folder: Path) -> None:
    """Waits until the disk has the names of a folder, where the system offers that."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):  # the file is complete; some network disks refuse this for folders
        handle = os.open(str(folder), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
