"""One image as an output: written to a temporary file by the sequence writer, moved when complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lp_core.contexts import AbortsOnExit
from lp_core.errors import MediaError
from lp_core.files import move_into_place, temporary_path
from lp_core.frame import Frame
from lp_core.media.base import FrameSink, SinkSpec
from lp_core.media.frame_pattern import parse_pattern


def numbered(path: Path) -> Path:
    """What to call images of a sequence instead: out.png -> out.%04d.png."""
    return path.with_name(f"{path.stem}.%04d{path.suffix}")


class SinglePictureSink(AbortsOnExit):
    """Writes one image; what lay there stays until it is complete."""

    def __init__(
        self, path: Path, spec: SinkSpec, open_numbered: Callable[[Path, SinkSpec], FrameSink]
    ) -> None:
        """Opens it.

        Args:
            path: of the image.
            spec: of the frame; its start number is ignored.
            open_numbered: opens the writer of numbered images of this type.
        """
        temporary = numbered(temporary_path(path))
        pattern = parse_pattern(temporary)
        self._path, self._aside, self._pattern = path, pattern.path_of(0), str(pattern)
        self._sink = open_numbered(temporary, replace(spec, start_number=0, overwrite=True))
        self._count = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return tuple(note.replace(self._pattern, str(self._path)) for note in self._sink.notes)

    def write(self, frame: Frame) -> None:
        """Takes the image.

        Raises:
            MediaError: it is the second one, or does not fit the specification.
            DiskFull, NoWritePermission: the file cannot be written.
        """
        if self._count:
            raise MediaError(
                f"{self._path} names a single image and there are more to write; name a sequence, such as "
                f"{numbered(self._path).name}, or a video."
            )
        self._sink.write(frame)
        self._count += 1

    def commit(self) -> None:
        """Moves the image into place.

        Raises:
            EmptyVideo: none was written.
            NoWritePermission, DiskFull: the file system refuses.
        """
        self._sink.commit()
        move_into_place(self._aside, self._path)

    def abort(self) -> None:
        """Removes what was written; may be called twice, and does nothing after ``commit``."""
        self._sink.abort()
