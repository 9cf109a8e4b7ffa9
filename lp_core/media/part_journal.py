"""Which parts of an output are finished, and their checksums: one line each, appended when the part is on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lp_core.files import flush_folder, read_failure, sha256_of, translated

_NAME = "finished"
_LINE = 11 + 1 + 19 + 1 + 64 + 1  # a number, a size, a SHA-256 and the line's end
Seen = tuple[int, int]


@dataclass(frozen=True)
class FinishedPart:
    """A part as it was finished."""

    size: int
    """Bytes of its file."""
    sha256: str
    """Checksum of its file."""


class PartJournal:
    """The journal of a folder; several processes may append to it."""

    def __init__(self, folder: Path) -> None:
        """Looks at nothing yet.

        Args:
            folder: of the parts.
        """
        self._folder, self._path = folder, folder / _NAME
        self._sound: dict[int, Seen] = {}

    def parts(self) -> dict[int, FinishedPart]:
        """Number -> part, as the journal says; a line that was cut off or is damaged does not count.

        Raises:
            UnreadableMedia: the journal cannot be read.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise read_failure(self._path, error) from error
        found: dict[int, FinishedPart] = {}
        for line in data.splitlines(keepends=True):
            words = line.split()
            if len(line) == _LINE and len(words) == 3 and words[0].isdigit() and words[1].isdigit():
                found[int(words[0])] = FinishedPart(int(words[1]), words[2].decode("ascii", "replace"))
        return found

    def append(self, number: int, path: Path, durable: bool) -> None:
        """Notes a finished part.

        Args:
            number: of the part.
            path: its file, complete.
            durable: wait until the disk has the line; the file has to be there before.

        Raises:
            DiskFull, NoWritePermission, MediaError: the journal cannot be written.
        """
        is_there = path.is_file()  # else somebody removed it already, and it counts as missing
        size, digest = (path.stat().st_size, sha256_of(path)) if is_there else (0, "0" * 64)
        line = b"%011d %019d %s\n" % (number, size, digest.encode())
        with translated(self._path):
            is_new = not self._path.exists()
            with self._path.open("ab", buffering=0) as journal:
                if journal.tell() % _LINE:
                    journal.write(b"\n")  # a kill or a full disk left half a line
                journal.write(line)
                if durable:
                    os.fsync(journal.fileno())
        if is_new and durable:
            flush_folder(self._folder)
        if is_there:
            self._sound[number] = _seen(path)

    def finished(self, numbers: Iterable[int], paths: Iterable[Path]) -> list[bool]:
        """Whether each part is noted and its file is there in its noted size; its content is not read."""
        parts = self.parts()
        return [_has_size(path, parts.get(number)) for number, path in zip(numbers, paths, strict=True)]

    def is_sound(self, number: int, path: Path, part: FinishedPart) -> bool:
        """Whether a part's file has its noted checksum; one that was found so and is unchanged is not read again."""
        if self._sound.get(number) == _seen(path):
            return True
        if sha256_of(path) != part.sha256:
            return False
        self._sound[number] = _seen(path)
        return True


def _has_size(path: Path, part: FinishedPart | None) -> bool:
    try:
        return part is not None and path.stat().st_size == part.size
    except OSError:
        return False


def _seen(path: Path) -> Seen:
    about = path.stat()
    return about.st_size, about.st_mtime_ns
