"""Which files a worker may touch: everything it is asked to read or write is in an allowed folder.

Names are resolved first, so that neither ``..`` nor a symbolic link leads out. What is read must be a regular
file: a device or a pipe could block the worker, or worse.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lp_core.errors import NotAllowed, SettingError
from lp_core.media.frame_pattern import SequencePattern, split_range


@dataclass(frozen=True)
class Folders:
    """The allowed folders, resolved."""

    roots: tuple[Path, ...]
    """Absolute folders without symbolic links."""

    @classmethod
    def of(cls, folders: Iterable[str | Path]) -> Folders:
        """Resolves them.

        Raises:
            SettingError: one is not a folder.
        """
        roots = []
        for folder in folders:
            path = Path(folder).expanduser()
            if not path.is_dir():
                raise SettingError(f"{folder} is not a folder; allow one that exists.")
            roots.append(Path(os.path.realpath(path)))
        return cls(tuple(dict.fromkeys(roots)))

    def readable(self, name: str) -> str:
        """The resolved name of a file, folder or image sequence that may be read; it may be missing.

        Raises:
            NotAllowed: it is elsewhere, or is a device, a pipe or a socket.
        """
        path = self._inside(name)
        for pattern in SequencePattern.readings(split_range(path)[0]):
            for number in pattern.numbers():
                self._regular(self._resolved(pattern.path_of(number), name), name)
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
            self._regular(path, name)
        return str(path)

    def writable(self, name: str) -> str:
        """The resolved name of a file or image sequence that may be written.

        Raises:
            NotAllowed: it is elsewhere, or something other than a regular file is there.
        """
        path = self._inside(name)
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
            self._regular(path, name)
        return str(path)

    def check_tree(self, folder: Path) -> None:
        """Refuses a folder in which any link leads outside; it may be missing.

        Raises:
            NotAllowed: it is elsewhere, or a link in it does.
        """
        self._inside(str(folder))
        for place, inner, names in os.walk(folder):
            for name in (*inner, *names):
                path = os.path.join(place, name)  # noqa: PTH118 - many, and never shown
                if os.path.islink(path):  # noqa: PTH114
                    self._resolved(Path(path), path)

    def _inside(self, name: str) -> Path:
        if not name or "\0" in name or len(name) > 4096:
            raise NotAllowed("A file name is empty, too long or holds a zero character; give another one.")
        path = Path(name)
        if not path.is_absolute():
            raise NotAllowed(
                f"{name} is not an absolute path; the worker cannot know what it is relative to."
            )
        return self._resolved(path, name)

    def _resolved(self, path: Path, name: str) -> Path:
        try:
            found = Path(os.path.realpath(path))
            is_inside = any(found.is_relative_to(root) for root in self.roots)
        except (OSError, ValueError) as error:
            raise NotAllowed(f"{name} cannot be resolved; give another name.") from error
        if not is_inside:
            allowed = ", ".join(str(root) for root in self.roots)
            raise NotAllowed(
                f"{name} is outside the folders the worker may touch ({allowed}); start it with --allow for "
                "that folder."
            )
        return found

    def _regular(self, path: Path, name: str) -> None:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise NotAllowed(f"{name} cannot be looked at: {error}.") from error
        if not stat.S_ISREG(mode):
            raise NotAllowed(f"{name} is not a regular file; give a file.")
