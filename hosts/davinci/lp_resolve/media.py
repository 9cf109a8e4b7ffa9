"""Media as Resolve names it: videos, stills, and sequences written ``name.[1001-1024].exr``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lp_core.timing import FrameRate

from .api_results import ResolveRefused

_BRACKETS = re.compile(r"^(.*)\[(\d+)-(\d+)\]([^\[\]]*)$")
_PLACE = re.compile(r"%0\d+d")
STILL_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".exr", ".dpx")


@dataclass(frozen=True)
class Media:
    """A clip of the media pool as the worker receives it."""

    path: str
    """File, or pattern with a place for the number such as ``plate.%04d.exr``."""
    first: int
    """Number of its first frame as the worker counts: a video counts from 0, a sequence by its own numbers."""
    frames: int
    """Frames there are; 1 for a still."""
    rate: FrameRate
    """Frames per second."""
    start: str
    """Timecode of its first frame as Resolve shows it."""
    is_still: bool
    """A single image."""
    input_space: str = ""
    """Input color space as Resolve shows it; empty: the project's."""
    size: str = ""
    """``1920x1080``."""

    @property
    def last(self) -> int:
        """Number of its last frame."""
        return self.first + self.frames - 1

    @property
    def is_sequence(self) -> bool:
        """Numbered images."""
        return is_pattern(self.path)

    @property
    def skipped(self) -> int:
        """Frames of a sequence on disk before the first that Resolve knows of: the worker counts from those."""
        if not self.is_sequence:
            return 0
        there = numbers_of(self.path)
        return self.first - there[0] if there else 0


def is_pattern(path: str) -> bool:
    """True for ``plate.%04d.exr``. ``%`` in a folder's name or a video's is a plain character."""
    return Path(path).suffix.lower() in STILL_SUFFIXES and _PLACE.search(Path(path).name) is not None


def split_brackets(name: str) -> tuple[str, int | None, int | None]:
    """``a.[1001-1024].exr`` as (``a.%04d.exr``, 1001, 1024); another name as it is, with None."""
    found = _BRACKETS.match(name)
    if found is None:
        return name, None, None
    head, first, last, tail = found.groups()
    if Path(name).suffix.lower() not in STILL_SUFFIXES:
        return name, None, None
    return f"{head}%0{len(first)}d{tail}", int(first), int(last)


def numbers_of(pattern: str) -> list[int]:
    """Numbers of the images that are there, sorted."""
    path = Path(pattern)
    found = re.match(r"^(.*)%0(\d+)d(.*)$", path.name)
    if found is None or not path.parent.is_dir():
        return []
    head, _, tail = found.groups()
    name = re.compile(re.escape(head) + r"(\d+)" + re.escape(tail))
    matches = (name.fullmatch(entry.name) for entry in path.parent.iterdir())
    return sorted(int(match.group(1)) for match in matches if match)


def media_of(name: str, path: str, frames: int, rate: FrameRate, start: str, space: str, size: str) -> Media:
    """What Resolve's clip properties say of a clip.

    Raises:
        ResolveRefused: it has no file: a generator, a compound clip, a timeline.
    """
    if not path:
        raise ResolveRefused(
            f"{name} has no file (a title, a compound clip or a timeline); render it in place first."
        )
    pattern, first, last = split_brackets(path)
    if first is not None and last is not None:
        return Media(pattern, first, last - first + 1, rate, start, False, space, size)
    is_still = frames <= 1 and Path(path).suffix.lower() in STILL_SUFFIXES
    return Media(path, 0, max(frames, 1), rate, start, is_still, space, size)
