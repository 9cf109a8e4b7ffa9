"""Numbered picture sequences: patterns, what is there, what is missing. Touches names only, no pixels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lp_core.errors import OutputExists, SettingError, UnreadableMedia
from lp_core.timing import FrameRange

_PLACE = re.compile(r"%(?:0?(\d+))?d|(#+)")
_LISTED = 20

WRITABLE_STILLS = (".png", ".jpg", ".jpeg")
"""File types of single pictures that can be written without an extra."""

_RANGED = re.compile(r"(.*\S)\s+(-?\d+(?:\s*-\s*-?\d+)?)")


@dataclass(frozen=True)
class SequencePattern:
    """A file name with a place for the frame number, such as ``in.%04d.png`` or ``in.####.png``."""

    folder: Path
    """Where the pictures lie."""
    prefix: str
    """Name before the number."""
    digits: int
    """Numbers are padded with zeros to this many digits; longer numbers stay as they are."""
    suffix: str
    """Name after the number, with the file type."""

    @classmethod
    def parse(cls, path: str | Path) -> SequencePattern | None:
        """The pattern in the last part of a path; None when there is none.

        Raises:
            SettingError: there are two places for a number, or one in a folder's name.
        """
        path = Path(path)
        places = list(_PLACE.finditer(path.name))
        if any("%" in part and _PLACE.search(part) for part in path.parent.parts):
            raise SettingError(
                f"{path} has a frame number in a folder's name; put it into the file's name only."
            )
        if not places:
            return None
        if len(places) > 1:
            raise SettingError(
                f"{path} has {len(places)} places for the frame number; leave one, such as %04d."
            )
        place = places[0]
        digits = len(place[2]) if place[2] else int(place[1] or 1)
        return cls(path.parent, path.name[: place.start()], digits, path.name[place.end() :])

    def __str__(self) -> str:
        return str(self.folder / f"{self.prefix}%0{self.digits}d{self.suffix}")

    def path_of(self, number: int) -> Path:
        """Path of one picture."""
        return self.folder / f"{self.prefix}{number:0{self.digits}d}{self.suffix}"

    def numbers(self) -> list[int]:
        """Numbers of the pictures that are there, sorted; empty when the folder is missing."""
        name = re.compile(re.escape(self.prefix) + r"(\d+)" + re.escape(self.suffix))
        if not self.folder.is_dir():
            return []
        found = (name.fullmatch(entry.name) for entry in self.folder.iterdir())
        texts = (match[1] for match in found if match)
        return sorted(int(text) for text in texts if f"{int(text):0{self.digits}d}" == text)


def parse_pattern(path: str | Path) -> SequencePattern:
    """The pattern of a path.

    Raises:
        SettingError: it has none.
    """
    pattern = SequencePattern.parse(path)
    if pattern is None:
        raise SettingError(f"{path} has no place for a frame number; write it like out.%04d.png.")
    return pattern


def refuse_existing_pictures(pattern: SequencePattern, overwrite: bool) -> None:
    """Raises OutputExists when pictures of that name are there and may not be replaced."""
    there = [] if overwrite else pattern.numbers()
    if there:
        raise OutputExists(
            f"{pattern} exists already with {len(there)} pictures ({name_runs(there)}); choose another name "
            "or allow overwriting."
        )


def split_range(path: str | Path) -> tuple[Path, FrameRange | None]:
    """A path as Nuke and RV write sequences, ``shot.####.exr 1001-1100``, taken apart."""
    match = _RANGED.fullmatch(str(path))
    if match is None or SequencePattern.parse(match[1]) is None:
        return Path(path), None
    return Path(match[1]), FrameRange.parse(match[2])


def files_of(name: str) -> list[Path]:
    """The files that a name stands for and that are there: a sequence's pictures in order, or the one file."""
    path, frames = split_range(name)
    pattern = SequencePattern.parse(path)
    if pattern is None or path.is_file():
        return [path] if path.is_file() else []
    wanted = pattern.numbers() if frames is None else [n for n in pattern.numbers() if n in frames]
    return [pattern.path_of(number) for number in wanted]


def wanted_numbers(
    pattern: SequencePattern, frames: FrameRange | None, missing: str
) -> tuple[range, frozenset[int]]:
    """Numbers of the frames to deliver, and those of them that are not there.

    Args:
        pattern: the sequence.
        frames: the numbers asked for; None: from the first picture to the last.
        missing: 'error', or the word for what stands in for a missing picture.

    Raises:
        UnreadableMedia: no picture fits the pattern, or pictures are missing and ``missing`` is 'error'.
    """
    numbers = pattern.numbers()
    if not numbers:
        raise UnreadableMedia(
            f"{pattern} matches no picture; check the folder, the name and the number of digits."
        )
    whole = range(numbers[0], numbers[-1] + 1) if frames is None else range(frames.first, frames.last + 1)
    absent = frozenset(whole).difference(numbers)
    if len(absent) == len(whole):
        raise UnreadableMedia(
            f"{pattern} has none of the frames {whole[0]} to {whole[-1]}; there are {name_runs(numbers)}."
        )
    if absent and missing == "error":
        raise UnreadableMedia(
            f"{pattern} lacks {len(absent)} of the frames {whole[0]} to {whole[-1]}: "
            f"{name_runs(sorted(absent))}; render them again, or use --missing hold or --missing black."
        )
    return whole, absent


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
