"""What the system refuses without naming a file, and paths in messages. Standard library only, Python 3.7 syntax."""

import errno
import os
from pathlib import Path
from typing import Optional

from .errors import LpError, MediaError, NoWritePermission, UnreadableMedia


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
