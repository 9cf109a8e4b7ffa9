"""Numbered pictures as a clip: read one after the other, written each aside and renamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from lp_core.errors import EmptyVideo, MediaError, TruncatedMedia, UnreadableMedia
from lp_core.frame import ClipInfo, Frame, Pixels
from lp_core.media.aside import make_folder, remove_folders, write_aside
from lp_core.media.base import SinkSpec
from lp_core.media.check_frames import check_frame
from lp_core.media.images import DEFAULT_RATE, check_still, encode_image, read_image
from lp_core.media.sequence import existing_range, name_runs, parse_pattern, refuse_existing_pictures
from lp_core.timing import FrameRate


class SequenceSource:
    """The pictures of a sequence, from the lowest number to the highest.

    A picture that cannot be decoded is replaced by the one before it and reported; a missing one is an error,
    found when the sequence is opened.

    Raises:
        UnreadableMedia: no picture fits, or some are missing, or the first one cannot be decoded.
    """

    def __init__(self, path: str | Path, rate: FrameRate = DEFAULT_RATE) -> None:
        """Opens a sequence.

        Args:
            path: pattern such as in.%04d.png or in.####.png.
            rate: frames per second to deliver it at; the pictures carry none.
        """
        self._pattern = parse_pattern(path)
        self._numbers = existing_range(self._pattern)
        first, info = read_image(self._pattern.path_of(self._numbers[0]))
        self._first = first.pixels
        self._damaged: list[int] = []
        self._info = ClipInfo(
            width=info.width,
            height=info.height,
            rate=rate,
            frame_count=len(self._numbers),
            bit_depth=info.bit_depth,
            has_alpha=info.has_alpha,
            color=info.color,
            notes=(*info.notes, f"{self._pattern} carries no rate; it is read at {rate} frames per second."),
        )

    @property
    def info(self) -> ClipInfo:
        """What is known of the sequence; colour and depth are those of its first picture."""
        return self._info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Indices delivered so far whose own picture could not be decoded."""
        return tuple(self._damaged)

    @property
    def notes(self) -> tuple[str, ...]:
        """``info.notes`` and the damaged pictures."""
        if not self._damaged:
            return self._info.notes
        numbers = name_runs([self._numbers[index] for index in self._damaged])
        return (
            *self._info.notes,
            f"{self._pattern} has {len(self._damaged)} damaged pictures, in whose place the one before was "
            f"used: {numbers}.",
        )

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames.

        Raises:
            MediaError: a picture differs from the first one in size, depth or alpha.
        """
        pixels = self._first
        for index, number in enumerate(self._numbers):
            if index:
                pixels = self._read(index, number, pixels)
            yield Frame(pixels, index, self._info.rate.time_s(index))

    def close(self) -> None:
        """No file stays open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, index: int, number: int, previous: Pixels) -> Pixels:
        path = self._pattern.path_of(number)
        try:
            pixels = read_image(path)[0].pixels
        except (TruncatedMedia, UnreadableMedia):
            self._damaged.append(index)
            return previous
        if pixels.shape != self._first.shape or pixels.dtype != self._first.dtype:
            raise MediaError(
                f"{path} is {pixels.shape} {pixels.dtype}, the first picture of the sequence "
                f"{self._first.shape} {self._first.dtype}; export all pictures in one size and depth."
            )
        return pixels


class SequenceSink:
    """Writes numbered pictures. Frames appear one by one; giving up removes those of this run."""

    def __init__(self, path: str | Path, spec: SinkSpec) -> None:
        """Makes the folder if need be.

        Raises:
            OutputExists: pictures are there and ``spec.overwrite`` is False.
            UnknownCodec, MediaError: the file type cannot hold such frames.
        """
        self._pattern, self._spec = parse_pattern(path), spec
        check_still(self._pattern.path_of(spec.start_number), spec.bit_depth, spec.has_alpha)
        refuse_existing_pictures(self._pattern, spec.overwrite)
        self._made = make_folder(self._pattern.path_of(0))
        self._count = 0
        self._is_open = True
        self._notes: tuple[str, ...] = ()
        if spec.audio is not None:
            self._notes = (
                f"{self._pattern} is written without sound, which a picture sequence cannot hold.",
            )

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return self._notes

    def write(self, frame: Frame) -> None:
        """Writes the next picture.

        Raises:
            MediaError: the frame does not fit the specification, or the sink is closed.
            DiskFull, NoWritePermission: the file cannot be written.
        """
        self._check_open()
        path = self._pattern.path_of(self._spec.start_number + self._count)
        check_frame(path, frame, self._spec)
        write_aside(path, encode_image(path, frame.pixels, self._spec.color))
        self._count += 1

    def commit(self) -> None:
        """Keeps the pictures.

        Raises:
            EmptyVideo: none was written.
        """
        self._check_open()
        if not self._count:
            self.abort()
            raise EmptyVideo(
                f"{self._pattern} was not written, because it would have no picture; check the input."
            )
        self._is_open = False
        end = self._spec.start_number + self._count
        others = [number for number in self._pattern.numbers() if not self._spec.start_number <= number < end]
        if others:
            self._notes += (f"{self._pattern} has older pictures beside the new ones: {name_runs(others)}.",)

    def abort(self) -> None:
        """Removes the pictures of this run; may be called twice, and does nothing after ``commit``."""
        if not self._is_open:
            return
        self._is_open = False
        for number in range(self._spec.start_number, self._spec.start_number + self._count):
            self._pattern.path_of(number).unlink(missing_ok=True)
        remove_folders(self._made)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def _check_open(self) -> None:
        if not self._is_open:
            raise MediaError(f"{self._pattern} was finished or given up already; open it again to write it.")
