"""What the system refuses without naming a file, and paths in messages. Standard library only, Python 3.7 syntax."""

import errno
import os
import re
from pathlib import Path
from typing import Optional

from .errors import LpError, MediaError, NoWritePermission, UnreadableMedia

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Causes that end when there is room on the disk."""
_NO_MEMORY = re.compile(
    "can(no|')t allocate memory|insufficient memory|out of memory|bad_alloc|failed to map segment",
    re.IGNORECASE,
)
"""How libraries and the loader of libraries say that there is too little memory."""


def lacks_memory(error: BaseException) -> bool:
    """Whether an error means that memory does not suffice, whatever library raised it and whatever it was taken for."""
    if isinstance(error, LpError):
        return error.__cause__ is not None and lacks_memory(error.__cause__)
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    is_native = isinstance(error, (RuntimeError, ImportError, OSError)) or type(error).__module__ == "cv2"
    return is_native and _NO_MEMORY.search(str(error)) is not None


def unnamed_failure(error: OSError) -> Optional[LpError]:
    """Translates an OSError that names no file: of pipes, of temporary files, of the current folder."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return MediaError(
            "Too many files are open at a time; raise the limit (ulimit -n) or end other programs."
        )
    if error.errno != errno.ENOENT:
        return None
    if "temporary directory" in str(error):
        return NoWritePermission("No folder for temporary files can be written; set TMPDIR to one that can.")
    try:
        os.getcwd()  # noqa: PTH109 - one spelling for every Python
    except OSError:
        return UnreadableMedia("The current folder does not exist any more; change to another one.")
    return None


def hidden_full_disk(error: Exception) -> Optional[OSError]:
    """The full disk behind an error of a library that writes files in its own way; None where there is another cause.

    PyTorch raises a RuntimeError while it handles the OSError; safetensors puts the system's number into a text.
    """
    if isinstance(error, LpError):
        return None
    if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
        code = error.__context__.errno
    else:
        found = re.search(r"\(os error (\d+)\)", str(error))
        code = int(found.group(1)) if found else None
    return OSError(code, os.strerror(code)) if code in FULL and code is not None else None


def shown(path: Path) -> str:
    """A path with its longest name cut, for messages about long names."""
    parts = [part if len(part) <= 40 else f"{part[:24]}...{part[-12:]}" for part in path.parts]
    text = str(Path(*parts)) if parts else str(path)
    return text if len(text) <= 300 else f"...{text[-200:]}"


def longer(path: Path) -> str:
    """Which limit a long path exceeds."""
    longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    if longest > 255:
        return f"a name in it has {longest} bytes, and the file system allows fewer"
    return f"the path has {len(os.fsencode(str(path)))} bytes, and the system allows fewer"
