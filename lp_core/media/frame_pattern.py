"""Numbered image sequences: patterns, what is there, what is missing. Touches names only, no pixels."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lp_core.errors import OutputExists, SettingError, UnknownCodec, UnreadableMedia
from lp_core.files import read_failure
from lp_core.timing import FrameRange

_PLACE = re.compile(r"%(0?)([0-9]{0,2})d|(#+)")
_LISTED = 20

WRITABLE_STILLS = (".png", ".jpg", ".jpeg")
"""File types of single images that can be written without an extra."""

NUMBERED = (
    *WRITABLE_STILLS,
    *(".jfif", ".jpe", ".jif", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".apng", ".exr", ".dpx"),
)
"""File types that form sequences. In the name of any other type ``%04d`` and ``#`` are plain characters."""

_RANGED = re.compile(r"(.*?\S)\s+(-?[0-9]+(?:\s*-\s*-?[0-9]+)?)(?:x([1-9][0-9]{0,4}))?", re.DOTALL)


@dataclass(frozen=True)
class SequencePattern:
    """A file name with a place for the frame number, such as ``in.%04d.png`` or ``in.####.png``."""

    folder: Path
    """Where the images are; its name is taken literally, whatever characters it has."""
    prefix: str
    """Name before the number."""
    digits: int
    """Numbers are padded with zeros to this many digits; longer numbers stay as they are."""
    suffix: str
    """Name after the number, with the file type."""

    @classmethod
    def parse(cls, path: str | Path) -> SequencePattern | None:
        """The pattern in the last part of a path.

        Returns:
            None where the name is literal: a file has exactly this name, its type does not form sequences
            (see ``NUMBERED``), or it has no place for a number.

        Raises:
            SettingError: there are several places for a number, and the files do not show which one is meant.
        """
        if is_file(path):
            return None
        found = cls.readings(path)
        if len(found) > 1:
            there = [pattern for pattern in found if pattern.numbers()]
            if len(there) != 1:
                raise SettingError(
                    f"{path} has {len(found)} places for the frame number; leave one, such as %04d."
                )
            return there[0]
        return found[0] if found else None

    @classmethod
    def readings(cls, path: str | Path) -> list[SequencePattern]:
        """Every pattern that a name can mean, one for each place for a number; does not look at the disk."""
        path = Path(path)
        if path.suffix.lower() not in NUMBERED:
            return []
        name = path.name
        return [
            cls(path.parent, name[: place.start()], _digits(place), name[place.end() :])
            for place in _places(name)
        ]

    def __str__(self) -> str:
        return str(self.folder / f"{self.prefix}%0{self.digits}d{self.suffix}")

    def path_of(self, number: int) -> Path:
        """Path of one image.

        A negative number is written as OpenTimelineIO and Blender do, the sign before the padded digits:
        ``in.-0005.png``. Where only the C form ``in.-005.png`` is there, which counts the sign, it is that file.
        """
        path = self._named(_texts(number, self.digits)[0])
        if number < 0 and not is_file(path):
            other = self._named(_texts(number, self.digits)[1])
            return other if is_file(other) else path
        return path

    def numbers(self) -> list[int]:
        """Numbers of the images that are there, sorted; empty when the folder is missing.

        Raises:
            UnreadableMedia: the folder may not be read.
        """
        name = re.compile(re.escape(self.prefix) + r"(-?[0-9]+)" + re.escape(self.suffix), re.DOTALL)
        if not os.path.isdir(self.folder):  # noqa: PTH112 - a name that is too long is not an error here
            return []
        try:
            found = [name.fullmatch(entry) for entry in os.listdir(self.folder)]  # noqa: PTH208
        except OSError as error:
            raise read_failure(self.folder, error) from error
        texts = (match[1] for match in found if match)
        return sorted({int(text) for text in texts if text in _texts(int(text), self.digits)})

    def _named(self, number: str) -> Path:
        return self.folder / f"{self.prefix}{number}{self.suffix}"


def is_file(path: str | Path) -> bool:
    """True when a file is there; False, and no error, for a name that the system refuses."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a name that is too long


def _places(name: str) -> Iterator[re.Match[str]]:
    """Places for a number. In ``take #2``, ``100%done`` and ``Final%20dailies`` there is none."""
    for place in _PLACE.finditer(name):
        after = name[place.end() : place.end() + 1]
        is_padded = bool(place[1] and place[2])
        is_word = after.isdigit() or (place[3] is None and after.islower())
        if is_padded or not is_word:
            yield place


def _digits(place: re.Match[str]) -> int:
    return len(place[3]) if place[3] else max(int(place[2] or 1), 1)


def _texts(number: int, digits: int) -> tuple[str, ...]:
    """How a number may be written, the usual way first."""
    if number >= 0:
        return (f"{number:0{digits}d}",)
    return f"-{-number:0{digits}d}", f"{number:0{digits}d}"


def padded(number: int, digits: int) -> str:
    """A frame number as it is written in a name: ``0007``, ``-0007``."""
    return _texts(number, digits)[0]


def without_places(name: str) -> str:
    """A name in which nothing can be taken for a place for a number."""
    for place in reversed(list(_places(name))):
        name = name[: place.start()] + re.sub("[#%]", "_", place[0]) + name[place.end() :]
    return name


def parse_pattern(path: str | Path) -> SequencePattern:
    """The pattern of a path.

    Raises:
        UnknownCodec: its file type does not form sequences.
        SettingError: it has no place for a number.
    """
    if Path(path).suffix.lower() not in NUMBERED:
        raise UnknownCodec(
            f"{path} has a type that does not form sequences; use one of {', '.join(NUMBERED)}."
        )
    pattern = SequencePattern.parse(path)
    if pattern is None:
        raise SettingError(f"{path} has no place for a frame number; write it like out.%04d.png.")
    return pattern


def refuse_existing_pictures(pattern: SequencePattern, overwrite: bool) -> None:
    """Raises OutputExists when images of that name are there and may not be replaced."""
    there = [] if overwrite else pattern.numbers()
    if there:
        raise OutputExists(
            f"{pattern} exists already with {len(there)} images ({name_runs(there)}); choose another name "
            "or allow overwriting."
        )


def split_range(path: str | Path) -> tuple[Path, FrameRange | None]:
    """A path as Nuke and RV write sequences, ``shot.####.exr 1001-1100``, taken apart; see ``split_clip``."""
    return split_clip(path)[:2]


def split_clip(path: str | Path) -> tuple[Path, FrameRange | None, int]:
    """A path, the frames of its clip and their step: ``shot.####.exr 1-11x2`` has images 1, 3, ... 11.

    With a step each image lasts until the next one, so that clip has the frames 1 to 12.

    Returns:
        (path, frames, step); (path, None, 1) where the name has no range.
    """
    match = None if is_file(path) else _RANGED.fullmatch(str(path))
    if match is None or not SequencePattern.readings(match[1]) or is_file(match[1]):
        return Path(path), None, 1
    frames, step = FrameRange.parse(match[2]), int(match[3] or 1)
    last = frames.first + len(range(frames.first, frames.last + 1, step)) * step - 1
    return Path(match[1]), FrameRange(frames.first, last), step


def files_of(name: str) -> list[Path]:
    """The files that a name means and that are there: a sequence's images in order, or the one file."""
    path, frames, step = split_clip(name)
    pattern = SequencePattern.parse(path)
    if pattern is None:
        return [path] if is_file(path) else []
    wanted = pattern.numbers() if frames is None else [n for n in pattern.numbers() if n in frames]
    return [
        pattern.path_of(number) for number in wanted if frames is None or (number - frames.first) % step == 0
    ]


@dataclass(frozen=True)
class Numbering:
    """Which image each frame of a sequence shows."""

    frames: range
    """Numbers of the frames to deliver."""
    images: tuple[int, ...]
    """For each frame the number of the image to read; where its own is missing, the one that is held."""
    missing: frozenset[int]
    """Frames whose own image is not there."""
    lacking: tuple[int, ...]
    """Numbers of the images that are not there, sorted."""


def numbering_of(
    pattern: SequencePattern,
    frames: FrameRange | None,
    missing: str,
    clip: FrameRange | None = None,
    step: int = 1,
) -> Numbering:
    """What to read for each frame.

    Args:
        pattern: the sequence.
        frames: the numbers asked for; None: all of the clip.
        missing: 'error', or the word for what is shown in place of a missing image.
        clip: numbers that belong to the clip; None: from the first image to the last.
        step: the clip has an image for every so many numbers, from its first one; each lasts until the next.

    Raises:
        UnreadableMedia: no image fits the pattern, or some are missing and ``missing`` is 'error'.
    """
    there = pattern.numbers()
    if not there:
        raise UnreadableMedia(
            f"{pattern} matches no image; check the folder, the name and the number of digits."
        )
    frames = frames or clip or FrameRange(there[0], there[-1])
    first = frames.first if clip is None else clip.first
    own = [number - (number - first) % step for number in frames]
    usable = [n for n in there if (n - first) % step == 0 and (clip is None or n in clip)]
    gone = set(own).difference(usable)
    lacking = sorted(gone)
    if gone.issuperset(own):
        raise UnreadableMedia(
            f"{pattern} has none of the frames {frames.first} to {frames.last}; there are {name_runs(there)}."
        )
    if lacking and missing == "error":
        raise UnreadableMedia(
            f"{pattern} lacks {len(lacking)} of the frames {frames.first} to {frames.last}: "
            f"{name_runs(lacking)}; render them again, or use --missing hold or --missing black."
        )
    images = tuple(usable[max(bisect_right(usable, number) - 1, 0)] for number in own)
    absent = frozenset(number for number, image in zip(frames, own, strict=True) if image in gone)
    return Numbering(range(frames.first, frames.last + 1), images, absent, tuple(lacking))


def name_runs(numbers: Sequence[int]) -> str:
    """Sorted numbers in words, runs joined: ``3, 7-9, 12``; after twenty runs the rest is counted."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    words = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    if len(words) > _LISTED:
        rest = sum(last - first + 1 for first, last in runs[_LISTED:])
        words = [*words[:_LISTED], f"and {rest} more"]
    return ", ".join(words)
