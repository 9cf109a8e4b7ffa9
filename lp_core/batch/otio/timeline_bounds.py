"""Limits on timeline files, checked before parsing: beyond them the parser would end the process."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from lp_core.errors import UnreadableMedia
from lp_core.files import read_failure

DEEPEST = 200
"""Lists and objects within each other; OpenTimelineIO calls itself for each."""
MOST_BYTES = 256 << 20
"""Bytes of a timeline's text."""
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_CONTENT = "content.otio"


def check_timeline(path: Path) -> None:
    """Refuses a timeline that is too large or too deep.

    Args:
        path: of any format; anything else is bounded in size alone.

    Raises:
        UnreadableMedia: it cannot be read, or is beyond a bound.
    """
    try:
        data = _content(path)
    except OSError as error:
        raise read_failure(path, error) from error
    if data is not None and deepest(data) > DEEPEST:
        raise UnreadableMedia(
            f"{path} is nested more than {DEEPEST} levels deep; flatten its stacks and export it again."
        )


def deepest(data: bytes) -> int:
    """How many lists and objects of JSON text are within each other."""
    depth = most = 0
    for found in _TOKENS.finditer(data):
        first = data[found.start()]
        if first in b"[{":
            depth += 1
            most = max(most, depth)
        elif first in b"]}":
            depth -= 1
    return most


def _content(path: Path) -> bytes | None:
    """The JSON text of a timeline; None where it is none, or the archive is damaged, which its reader says."""
    suffix = path.suffix.lower()
    if suffix == ".otioz":
        try:
            with zipfile.ZipFile(path) as archive:
                _check_size(path, archive.getinfo(_CONTENT).file_size)
                return archive.read(_CONTENT)
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError):
            return None
    if suffix == ".otiod" or path.is_dir():
        path = path / _CONTENT
        if not path.is_file():
            return None
    _check_size(path, path.stat().st_size)
    return path.read_bytes() if suffix in (".otio", ".otiod") else None


def _check_size(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise UnreadableMedia(
            f"{path} has {size >> 20} MiB of text, and timelines of up to {MOST_BYTES >> 20} MiB are read; split it."
        )
