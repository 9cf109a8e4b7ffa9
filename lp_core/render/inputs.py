"""What inputs are: files by size, time and SHA-256, so that work is never made of two versions of one."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from lp_core.errors import Cancelled, InputChanged
from lp_core.files import read_failure, sha256_of

Stamp = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, and number of a file in its file system."""


@dataclass(frozen=True)
class InputWatch:
    """The files that work is made of, as they were when it began."""

    stamps: Mapping[str, Stamp] = field(default_factory=lambda: MappingProxyType({}))
    """File name -> its stamp; a file that is not there is none of them."""

    @classmethod
    def of(cls, paths: Iterable[Path]) -> InputWatch:
        """Looks at files before anything is read of them."""
        stamps = {}
        for path in paths:
            stamp = _stamp(path)
            if stamp is not None:
                stamps[str(path)] = stamp
        return cls(MappingProxyType(stamps))

    def changed(self) -> list[str]:
        """Names of the files that are no longer what they were."""
        return [name for name, stamp in self.stamps.items() if _stamp(Path(name)) != stamp]

    def check(self) -> None:
        """Compares all files with what they were.

        Raises:
            InputChanged: at least one has changed.
        """
        names = self.changed()
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise InputChanged(
                f"{names[0]}{more} changed while it was in use; wait until it is written to its end, then start again."
            )

    @contextmanager
    def guarding(self) -> Generator[None]:
        """Explains a failure of the block by a changed input, where there is one.

        Raises:
            InputChanged: the block failed and an input has changed.
        """
        try:
            yield
        except (Cancelled, InputChanged):
            raise
        except Exception:
            self.check()
            raise

    def identities(self) -> dict[str, list[int | str]]:
        """File name -> [size, SHA-256]; reads every file.

        Raises:
            InputChanged: a file changed while it was read.
            UnreadableMedia: a file cannot be read.
        """
        found: dict[str, list[int | str]] = {}
        for name, stamp in self.stamps.items():
            try:
                found[name] = [stamp[0], sha256_of(Path(name))]
            except OSError as error:
                raise read_failure(name, error) from error
        self.check()
        return found


NOT_WATCHED = InputWatch()
"""No files."""


def _stamp(path: Path) -> Stamp | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns, about.st_ino
