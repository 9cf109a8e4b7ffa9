"""Which parts of an output are finished, and their checksums: one line each, appended when the part is on the disk.

A part that appears in the user's folder gets a line before it is written as well. A kill between the part and its
line would otherwise leave a file that nobody knows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lp_core.files import flush_folder, read_failure, sha256_of, translated

_NAME = "finished"
_LINE = 11 + 1 + 19 + 1 + 64 + 1  # a number, a size, a SHA-256 and the line's end
_BEGUN = b"-"
"""How the checksum of a line begins whose part is about to be written."""
Seen = tuple[int, int]
"""Size of a file in bytes, and the time of its last change in ns."""


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
        found: dict[int, FinishedPart] = {}
        for number, size, word in self._lines():
            if not word.startswith(_BEGUN):
                found[number] = FinishedPart(size, word.decode("ascii", "replace"))
        return found

    def own_files(self, path_of: Callable[[int], Path]) -> list[Path]:
        """Files that these parts may have left: all but older ones that a part was to replace and did not.

        Args:
            path_of: the file of a part.

        Raises:
            UnreadableMedia: the journal cannot be read.
        """
        finished, older = set[int](), dict[int, Seen]()
        for number, size, word in self._lines():
            if not word.startswith(_BEGUN):
                finished.add(number)
                continue
            # The first time counts: later ones may have found this output's own file.
            older.setdefault(number, (size, int(word[len(_BEGUN) :])))
        paths = {number: path_of(number) for number in sorted({*finished, *older})}
        return [path for number, path in paths.items() if number in finished or _seen(path) != older[number]]

    def begin(self, number: int, path: Path) -> None:
        """Notes a part that is about to be written, and the older file that is in its place.

        Args:
            number: of the part.
            path: its file.

        Raises:
            DiskFull, NoWritePermission, MediaError: the journal cannot be written.
        """
        size, changed = _seen(path)
        self._write(b"%011d %019d %s%063d\n" % (number, size, _BEGUN, changed), durable=False)

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
        self._write(b"%011d %019d %s\n" % (number, size, digest.encode()), durable)
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

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        """(number, size, checksum or how it was begun) of every line that is whole."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise read_failure(self._path, error) from error
        for line in data.splitlines(keepends=True):
            words = line.split()
            if len(line) != _LINE or len(words) != 3 or not (words[0].isdigit() and words[1].isdigit()):
                continue
            if not words[2].startswith(_BEGUN) or words[2][len(_BEGUN) :].isdigit():
                yield int(words[0]), int(words[1]), words[2]

    def _write(self, line: bytes, durable: bool) -> None:
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


def _has_size(path: Path, part: FinishedPart | None) -> bool:
    try:
        return part is not None and path.stat().st_size == part.size
    except OSError:
        return False


def _seen(path: Path) -> Seen:
    """Size and time of the last change of a file; (0, 0) if it does not exist."""
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns
