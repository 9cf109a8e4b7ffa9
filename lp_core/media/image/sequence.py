"""Numbered images as a clip: read one after the other, each written to a temporary file and renamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from lp_core.contexts import AbortsOnExit, ClosesOnExit
from lp_core.errors import EmptyVideo, MediaError, TruncatedMedia, UnreadableMedia
from lp_core.files import flush, flush_folder, make_folder, remove_folders, translated, write_whole
from lp_core.frame import ClipInfo, ColorTags, Frame, Pixels
from lp_core.media.base import AS_STORED, ReadOptions, SinkSpec
from lp_core.media.frame_pattern import name_runs, numbering_of, parse_pattern, refuse_existing_pictures
from lp_core.media.image.stills import check_still, encode_image, read_image
from lp_core.media.transforms import check_frame


class SequenceSource(ClosesOnExit):
    """The images of a sequence, from the lowest number to the highest, or the numbers asked for.

    An image that cannot be decoded is replaced by the one before it and reported. A missing one is an error,
    found when the sequence is opened, unless the options say what replaces it.

    Raises:
        UnreadableMedia: no image fits, or some are missing, or the first one cannot be decoded.
    """

    def __init__(self, path: str | Path, options: ReadOptions = AS_STORED) -> None:
        """Opens a sequence.

        Args:
            path: pattern such as in.%04d.png or in.####.png.
            options: rate, frames, and what happens to missing ones.
        """
        self._pattern, self._options = parse_pattern(path), options
        numbering = numbering_of(self._pattern, options.frames, options.missing, options.clip, options.step)
        self._numbers, self._images = numbering.frames, numbering.images
        self._missing, self._lacking = numbering.missing, numbering.lacking
        clip = options.clip.first if options.clip else self._pattern.numbers()[0]
        self._tells_rate = False
        self._damaged: list[int] = []
        info = self._describe([self._pattern.path_of(number) for number in sorted(set(self._images))])
        self._first = self._picture(self._pattern.path_of(self._images[0]))
        timecode = info.timecode
        if timecode is not None:
            timecode = timecode.plus(self._numbers[0] - self._images[0])
        self._info = replace(
            info,
            rate=options.rate or info.rate,
            frame_count=len(self._numbers),
            is_still=False,
            first_frame=self._numbers[0],
            frames_before=self._numbers[0] - clip,
            timecode=timecode,
            notes=(*info.notes, *self._opening_notes(options.rate or info.rate)),
        )

    @property
    def info(self) -> ClipInfo:
        """What is known of the sequence; color and depth are those of its first image."""
        return self._info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Indices delivered so far whose own image could not be decoded."""
        return tuple(self._damaged)

    @property
    def notes(self) -> tuple[str, ...]:
        """``info.notes`` and the damaged images."""
        if not self._damaged:
            return self._info.notes
        numbers = name_runs([self._images[index] for index in self._damaged])
        return (
            *self._info.notes,
            f"{self._pattern} has {len(self._damaged)} damaged images, in whose place the one before was "
            f"used: {numbers}.",
        )

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames.

        Raises:
            MediaError: an image differs from the first one in size, depth or alpha.
        """
        shown, image = self._first, self._images[0]
        black = replace(self._first, pixels=np.zeros_like(self._first.pixels), data_window=None)
        for index, number in enumerate(self._numbers):
            if self._images[index] != image:
                image = self._images[index]
                shown = self._read(index, image, shown)
            is_black = number in self._missing and self._options.missing == "black"
            yield replace(black if is_black else shown, index=index, time_s=self._info.rate.time_s(index))

    def _describe(self, paths: Sequence[Path]) -> ClipInfo:
        """What is known of the clip made of these files; color and depth are the first one's."""
        info = read_image(paths[0])[1]
        self._color: ColorTags | None = info.color
        return info

    def _picture(self, path: Path) -> Frame:
        """One file's image; index and time do not matter.

        Raises:
            MediaError: its colors mean something else than the first one's.
        """
        frame, info = read_image(path)
        if info.color != self._color and self._color is not None:
            raise MediaError(
                f"{path} has colors of {_words(info.color)}, the frames before {_words(self._color)}; export all "
                "frames in one color space."
            )
        return frame

    def _opening_notes(self, rate: object) -> list[str]:
        notes = []
        if not self._tells_rate:
            notes.append(f"{self._pattern} carries no rate; it is read at {rate} frames per second.")
        if self._options.step > 1:
            notes.append(f"{self._pattern} has an image for every {self._options.step} frames; each is held.")
        if self._lacking:
            stand_in = "a black one" if self._options.missing == "black" else "the one before"
            notes.append(
                f"{self._pattern} lacks {len(self._lacking)} images, in whose place {stand_in} is used: "
                f"{name_runs(self._lacking)}."
            )
        return notes

    def close(self) -> None:
        """No file stays open."""

    def _read(self, index: int, number: int, previous: Frame) -> Frame:
        path = self._pattern.path_of(number)
        try:
            frame = self._picture(path)
        except (TruncatedMedia, UnreadableMedia):
            self._damaged.append(index)
            return previous
        differs = _difference(self._first.pixels, frame.pixels)
        if differs is not None:
            raise MediaError(
                f"Frame {number} ({path}) {differs}, unlike frame {self._numbers[0]}; export all frames alike."
            )
        return frame


def _words(color: ColorTags) -> str:
    return f"{color.primaries} primaries and transfer {color.transfer}"


def _difference(first: Pixels, other: Pixels) -> str | None:
    """In what a frame cannot follow the first one of its sequence; None where it can."""
    if other.shape[:2] != first.shape[:2]:
        return f"has {other.shape[1]}x{other.shape[0]} pixels, not {first.shape[1]}x{first.shape[0]}"
    if other.shape != first.shape:
        return "has an alpha channel" if other.shape[2] == 4 else "has no alpha channel"
    if other.dtype != first.dtype:
        return f"has {other.dtype.itemsize * 8} bits a channel, not {first.dtype.itemsize * 8}"
    return None


class SequenceSink(AbortsOnExit):
    """Writes numbered images. Frames appear one by one; giving up removes those of this run."""

    def __init__(self, path: str | Path, spec: SinkSpec) -> None:
        """Makes the folder if need be.

        Raises:
            OutputExists: images are there and ``spec.overwrite`` is False.
            UnknownCodec, MediaError: the file type cannot hold such frames.
        """
        self._pattern, self._spec = parse_pattern(path), spec
        self._check(self._pattern.path_of(spec.start_number))
        refuse_existing_pictures(self._pattern, spec.overwrite)
        self._made = make_folder(self._pattern.path_of(0))
        self._count = 0
        self._is_open = True
        self._notes: tuple[str, ...] = ()
        if spec.audio is not None:
            self._notes = (f"{self._pattern} is written without sound, which an image sequence cannot hold.",)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return self._notes

    def write(self, frame: Frame) -> None:
        """Writes the next image.

        Raises:
            MediaError: the frame does not fit the specification, or the sink is closed.
            DiskFull, NoWritePermission: the file cannot be written.
        """
        self._check_open()
        path = self._pattern.path_of(self._spec.start_number + self._count)
        check_frame(path, frame, self._spec)
        self._write_picture(path, frame, self._count)
        self._count += 1

    def commit(self) -> None:
        """Keeps the images, once the disk has them.

        Raises:
            EmptyVideo: none was written.
            DiskFull, MediaError: the disk does not take them.
        """
        self._check_open()
        if not self._count:
            self.abort()
            raise EmptyVideo(
                f"{self._pattern} was not written, because it would have no image; check the input."
            )
        with translated(self._pattern.path_of(self._spec.start_number)):
            for number in range(self._spec.start_number, self._spec.start_number + self._count):
                flush(self._pattern.path_of(number))
            flush_folder(self._pattern.path_of(0).parent)
        self._is_open = False
        end = self._spec.start_number + self._count
        others = [number for number in self._pattern.numbers() if not self._spec.start_number <= number < end]
        if others:
            self._notes += (f"{self._pattern} has older images next to the new ones: {name_runs(others)}.",)

    def abort(self) -> None:
        """Removes the images of this run; may be called twice, and does nothing after ``commit``."""
        if not self._is_open:
            return
        self._is_open = False
        for number in range(self._spec.start_number, self._spec.start_number + self._count):
            with suppress(OSError):  # its folder may be gone, or replaced
                self._pattern.path_of(number).unlink()
        remove_folders(self._made)

    def _check(self, path: Path) -> None:
        check_still(path, self._spec.bit_depth, self._spec.has_alpha)

    def _write_picture(self, path: Path, frame: Frame, index: int) -> None:
        """Writes one file completely or not at all; waiting for the disk after each frame would cost too much."""
        write_whole(path, encode_image(path, frame.pixels, self._spec.color), durable=False)

    def _check_open(self) -> None:
        if not self._is_open:
            raise MediaError(f"{self._pattern} already committed or aborted; open it again to write it.")
