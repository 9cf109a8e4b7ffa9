"""Outputs in parts: videos as segments of a fixed length, sequences image by image; see ``ResumableSink``.

A video's segments are encoded each for itself, so each begins with a key image and refers to nothing outside.
Joining copies their packets; nothing is encoded again, so the video has the same bytes however often the work
was interrupted and by however many it was shared.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from lp_core.errors import MediaError
from lp_core.files import ensure_folder, flush, flush_folder, refuse_existing, translated, write_whole
from lp_core.frame import Frame
from lp_core.media.base import OpenSink, SinkSpec
from lp_core.media.frame_pattern import name_runs, parse_pattern
from lp_core.media.part_journal import PartJournal
from lp_core.media.video.codecs import film_codec
from lp_core.media.video.join import join_segments

SEGMENT_LENGTH = 48
"""Frames of a video's segment: two seconds, which is what players and editors like between key images."""
_JOINING = "joining"
_ABOUT = "sequence.json"
_NOTES = "notes.json"
_SEGMENT_SUFFIXES = (".mov", ".mp4", ".mkv")


class FilmParts:
    """A video of segments that are in their own folder until they are joined."""

    part_length = SEGMENT_LENGTH

    def __init__(self, path: Path, spec: SinkSpec, folder: Path, open_sink: OpenSink) -> None:
        """Looks at nothing but the names.

        Args:
            path: the video.
            spec: what it has to be.
            folder: for the segments; made if need be.
            open_sink: opens a writer of a video.

        Raises:
            UnknownCodec: the codec is not known, or the container does not hold it.
        """
        self._path, self._spec, self._folder, self._open = path, spec, folder, open_sink
        codec = film_codec(self._path, spec.codec)
        self._suffix = next(suffix for suffix in _SEGMENT_SUFFIXES if suffix in codec.suffixes)
        self._journal = PartJournal(folder)

    def missing(self, total: int) -> list[range]:
        """Runs of unfinished segments; see the contract."""
        starts = range(0, total, self.part_length)
        finished = self._journal.finished(starts, map(self._segment, starts))
        if not (self._folder / _NOTES).exists():
            finished[:1] = [False]
        ends = [(start, min(start + self.part_length, total)) for start in starts]
        return _runs(ends[at] for at, is_finished in enumerate(finished) if not is_finished)

    def drop_damaged(self, total: int) -> list[range]:
        """Compares the segments with their checksums; see the contract."""
        parts = self._journal.parts()
        damaged = []
        for start in range(0, total, self.part_length):
            path = self._segment(start)
            if start in parts and path.exists() and not self._journal.is_sound(start, path, parts[start]):
                path.unlink()
                damaged.append((start, min(start + self.part_length, total)))
        return _runs(damaged)

    def write(self, first: int, frames: Iterable[Frame]) -> None:
        """Encodes segment after segment; see the contract."""
        if first % self.part_length:
            raise MediaError(
                f"A part of {self._path} cannot begin at frame {first}; segments have other ends."
            )
        ensure_folder(self._folder)
        rest = iter(frames)
        spec = replace(self._spec, audio=None, overwrite=True, metadata={}, timecode=None)
        for start, part in _cut(rest, first, self.part_length):
            with self._open(self._segment(start), spec) as sink:
                for frame in part:
                    sink.write(frame)
                sink.commit()
                if not start:
                    self._keep_notes(sink.notes)
            self._journal.append(start, self._segment(start), durable=True)

    def join(self, total: int) -> tuple[str, ...]:
        """Copies the segments' packets into the video and lays the sound next to them; see the contract."""
        self.drop_damaged(total)
        lacking = self.missing(total)
        if lacking:
            names = name_runs([number for run in lacking for number in run])
            raise MediaError(
                f"{self._path} cannot be joined, because frames {names} are missing; render them."
            )
        marker = self._folder / _JOINING
        if not marker.exists():  # else the video that is there is an earlier attempt of our own
            refuse_existing(self._path, self._spec.overwrite)
            with translated(marker):
                marker.touch()
        segments = [self._segment(start) for start in range(0, total, self.part_length)]
        about_sound = join_segments(
            segments, self._path, self._spec, range(0, total, self.part_length), total
        )
        return (*json.loads((self._folder / _NOTES).read_text(encoding="utf-8")), *about_sound)

    def discard(self) -> None:
        """Removes the segments; see the contract."""
        discard_parts(self._folder)

    def _keep_notes(self, notes: tuple[str, ...]) -> None:
        """What the first segment reported, in the video's name."""
        own = [note.replace(str(self._segment(0)), str(self._path)) for note in notes]
        write_whole(self._folder / _NOTES, json.dumps(own).encode())

    def _segment(self, start: int) -> Path:
        return self._folder / f"{start:08d}{self._suffix}"


class SequenceParts:
    """A sequence whose images appear in their place one by one; a journal says which are finished."""

    part_length = 1

    def __init__(self, path: Path, spec: SinkSpec, folder: Path, open_sink: OpenSink) -> None:
        """Looks at nothing but the names.

        Args:
            path: frame pattern.
            spec: what the images have to be.
            folder: for the journal; made if need be.
            open_sink: opens a writer of such images.
        """
        self._path, self._spec, self._folder, self._open = path, spec, folder, open_sink
        self._pattern = parse_pattern(path)
        self._journal = PartJournal(folder)

    def missing(self, total: int) -> list[range]:
        """Runs of images that are not in the journal, or that are missing; see the contract."""
        there = self._journal.finished(range(total), map(self._picture, range(total)))
        return _runs((index, index + 1) for index in range(total) if not there[index])

    def drop_damaged(self, total: int) -> list[range]:
        """Compares the images with their checksums; see the contract."""
        damaged = []
        for index, part in self._journal.parts().items():
            path = self._picture(index)
            if index < total and path.is_file() and not self._journal.is_sound(index, path, part):
                path.unlink()
                damaged.append(index)
        return _runs((index, index + 1) for index in sorted(damaged))

    def write(self, first: int, frames: Iterable[Frame]) -> None:
        """Writes image after image; see the contract."""
        spec = self._spec
        timecode = None if spec.timecode is None else spec.timecode.plus(first)
        part = replace(
            spec, audio=None, overwrite=True, start_number=spec.start_number + first, timecode=timecode
        )
        ensure_folder(self._folder)
        about = {"pattern": str(self._path), "start_number": spec.start_number}
        write_whole(self._folder / _ABOUT, json.dumps(about).encode())
        with self._open(self._path, part) as sink:
            if not first:
                write_whole(self._folder / _NOTES, json.dumps(sink.notes).encode())
            index = first
            try:
                for frame in frames:
                    self._journal.begin(index, self._picture(index))
                    sink.write(frame)
                    self._journal.append(index, self._picture(index), durable=False)
                    index += 1
            finally:
                if index > first:
                    sink.commit()  # finished images stay, whatever became of the next

    def join(self, total: int) -> tuple[str, ...]:
        """Checks that all images are there; see the contract."""
        self.drop_damaged(total)
        lacking = self.missing(total)
        if lacking:
            names = name_runs([number for run in lacking for number in run])
            raise MediaError(f"{self._pattern} lacks frames {names}; render them.")
        with translated(self._picture(0)):
            for index in range(total):
                flush(self._picture(index))
            flush_folder(self._picture(0).parent)
        notes = list(json.loads((self._folder / _NOTES).read_text(encoding="utf-8")))
        if self._spec.audio is not None:
            notes.append(f"{self._pattern} is written without sound, which an image sequence cannot hold.")
        begin = self._spec.start_number
        others = [number for number in self._pattern.numbers() if not begin <= number < begin + total]
        if others:
            notes.append(f"{self._pattern} has older images next to the new ones: {name_runs(others)}.")
        return tuple(notes)

    def discard(self) -> None:
        """Removes the images listed in the journal; see the contract."""
        discard_parts(self._folder)

    def _picture(self, index: int) -> Path:
        return self._pattern.path_of(self._spec.start_number + index)


def start_over(folder: Path) -> None:
    """Removes everything that was written in parts; a video that an earlier attempt may have joined stays its own."""
    has_joined = (folder / _JOINING).exists()
    discard_parts(folder)
    if has_joined:
        ensure_folder(folder)
        with translated(folder / _JOINING):
            (folder / _JOINING).touch()


def discard_parts(folder: Path) -> None:
    """Removes everything that was written in parts, by what the folder itself says."""
    about = folder / _ABOUT
    if about.exists():
        facts = json.loads(about.read_text(encoding="utf-8"))
        pattern = parse_pattern(facts["pattern"])
        for path in PartJournal(folder).own_files(
            lambda index: pattern.path_of(facts["start_number"] + index)
        ):
            with suppress(OSError):  # it may be gone, or its folder replaced
                path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _runs(parts: Iterable[tuple[int, int]]) -> list[range]:
    """Half-open parts in order -> joined where one begins as the one before ends."""
    runs: list[range] = []
    for start, end in parts:
        if runs and runs[-1].stop == start:
            runs[-1] = range(runs[-1].start, end)
        else:
            runs.append(range(start, end))
    return runs


def _cut(frames: Iterator[Frame], first: int, length: int) -> Iterator[tuple[int, Iterator[Frame]]]:
    """(number of its first frame, frames) of every part; a part must be read before the next is asked for."""
    for start_of_part in iter(lambda: next(frames, None), None):
        yield first, chain([start_of_part], islice(frames, length - 1))
        first += length
