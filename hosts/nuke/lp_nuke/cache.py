"""The folders of a node's files: a folder for every state of what matters, so that nothing is rendered twice. Pure.

::

    <cache>/<node>/source-<12 digits>/source.%04d.exr     plates, by what is upstream of them
    <cache>/<node>/<12 digits>/result.%04d.exr            results, by plates, driver, range and settings
                              /job.json edit.json done.json

In a script of several views each of these folders holds one a view: <12 digits>/left/result.%04d.exr.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Set

from lp_core.files import ensure_folder, translated, write_whole
from lp_core.timing import FrameRange

FOLDER = "lpsuite"
DONE = "done.json"
WRITTEN = "written.json"
_DIGITS = 12
_HEADER = 1 << 16  # bytes in which an EXR header ends, with room to spare
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_RANGE = re.compile(r"\s+-?\d+(\s*-\s*-?\d+)?$")


def node_folder(cache: str, script: str, node: str) -> Path:
    """Where a node keeps its files.

    Args:
        cache: the folder that the node names; empty: none.
        script: path of the script; empty: it was never saved.
        node: full name of the node.
    """
    safe = _UNSAFE.sub("_", node)
    if cache:
        return Path(cache) / safe
    if script:
        path = Path(script)
        return path.parent / FOLDER / _UNSAFE.sub("_", path.stem) / safe
    return Path.home() / ".cache" / FOLDER / "nuke" / safe


def digest(values: Any) -> str:  # noqa: ANN401 - any JSON value
    """Twelve digits that stand for a value."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_DIGITS]


def stamp(path: Path) -> List[Any]:
    """What distinguishes a file from an older one of its name: size and time of change; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def sequence_stamp(pattern: str) -> List[Any]:
    """The same for a file or all images of a sequence: number, bytes, newest change.

    Args:
        pattern: a path, perhaps with %04d or ####, perhaps with a range behind it.
    """
    path = Path(_RANGE.sub("", pattern))
    place = re.search(r"%0?\d*d|#+", path.name)
    if place is None or os.path.isfile(str(path)):  # noqa: PTH113 - take#2.exr is a file's own name
        return stamp(path)
    name = re.compile(re.escape(path.name[: place.start()]) + r"-?\d+" + re.escape(path.name[place.end() :]))
    try:
        with os.scandir(str(path.parent)) as entries:
            found = [entry.stat() for entry in entries if name.fullmatch(entry.name)]
    except OSError:
        return []
    return [len(found), sum(item.st_size for item in found), max([item.st_mtime_ns for item in found] or [0])]


@dataclass(frozen=True)
class Sequence:
    """Images of one folder, numbered."""

    folder: Path
    """Where they are."""
    stem: str
    """Name before the number."""

    @property
    def pattern(self) -> str:
        """Its name with a place for the number and forward slashes, as Nuke writes it on every system."""
        return (self.folder / (self.stem + ".%04d.exr")).as_posix()

    def path_of(self, number: int) -> Path:
        """Path of one image; a number below zero is -0005 as LP Suite writes it, or -005 where that is there."""
        path = self.folder / "{}.{}{:04d}.exr".format(self.stem, "-" if number < 0 else "", abs(number))
        other = self.folder / f"{self.stem}.{number:04d}.exr"
        return other if stamp(other) and not stamp(path) else path

    def has(self, frames: Iterable[int]) -> bool:
        """Whether all of these are there and hold something."""
        return all(stamp(self.path_of(number))[:1] > [0] for number in frames)

    def written(self) -> Set[int]:
        """Numbers of the plates that were written whole and are still there."""
        return {number for number in _numbers(self.folder / WRITTEN) if self.has([number])}

    def tell_written(self, frames: Iterable[int]) -> None:
        """Notes that these plates are whole: one that a cancelled render left behind is not."""
        write_json(self.folder / WRITTEN, sorted(self.written().union(frames)))

    def renumber(self, offset: int, frames: FrameRange) -> None:
        """Gives images counted from 0 their numbers on the timeline, once all are there; twice does no harm."""
        if not offset or self.has(frames) or not self.has(number - offset for number in frames):
            return
        for number in (
            list(frames) if offset < 0 else reversed(list(frames))
        ):  # no image is in another one's way
            with translated(self.path_of(number)):
                os.replace(str(self.path_of(number - offset)), str(self.path_of(number)))  # noqa: PTH105

    def name_as_nuke_does(self, frames: FrameRange) -> None:
        """Gives images below 0 the names by which Nuke's %04d finds them: -005, not -0005."""
        for number in frames:
            written, wanted = self.path_of(number), self.folder / f"{self.stem}.{number:04d}.exr"
            if number < 0 and written != wanted and stamp(written):
                with translated(wanted):
                    os.replace(str(written), str(wanted))  # noqa: PTH105


def node_hash(path: Path) -> str:
    """The hash of its input tree that Nuke wrote into an EXR file; empty where there is none."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
    except OSError:
        return ""
    place = head.find(b"nuke/node_hash\0string\0")
    if place < 0:
        return ""
    begin = place + len(b"nuke/node_hash\0string\0")
    length = int.from_bytes(head[begin : begin + 4], "little")
    return head[begin + 4 : begin + 4 + length].decode("ascii", "replace")


def _numbers(path: Path) -> List[int]:
    values = read_json(path)
    return [item for item in values if isinstance(item, int)] if isinstance(values, list) else []


def missing_runs(wanted: Iterable[int], there: Set[int]) -> List[FrameRange]:
    """The frames that are not there, as ranges."""
    found: List[FrameRange] = []
    for number in wanted:
        if number in there:
            continue
        if found and found[-1].last == number - 1:
            found[-1] = FrameRange(found[-1].first, number)
        else:
            found.append(FrameRange(number, number))
    return found


def is_done(folder: Path, frames: FrameRange) -> bool:
    """Whether a folder holds the finished result of these frames."""
    return read_json(folder / DONE) is not None and Sequence(folder, "result").has(frames)


def mark_done(folder: Path, facts: Dict[str, Any]) -> None:
    """Notes that the result is whole."""
    write_json(folder / DONE, facts)


def read_json(path: Path) -> Optional[Any]:  # noqa: ANN401 - any JSON value
    """What a file holds; None where there is none or it was cut off."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: Path, values: Any) -> None:  # noqa: ANN401 - any JSON value
    """Writes a file whole or not at all."""
    ensure_folder(path.parent)
    write_whole(path, json.dumps(values, indent=1, sort_keys=True))
