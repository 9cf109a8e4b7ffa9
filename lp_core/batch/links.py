"""Media references <-> file names. OpenTimelineIO's own helpers lose percent signs, ``#`` and drive letters.

Reading follows what programs write: ``file:`` URLs encoded or not, bare absolute paths, paths relative to the
timeline, ``C:/...``, ``//server/share``, and sequences such as ``name.[1001-1099].exr``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from lp_core.media.sequence import SequencePattern
from lp_core.timing import FrameRange

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE = re.compile(r"/?([A-Za-z]:[/\\].*)", re.DOTALL)
_BRACKETS = re.compile(r"\[(\d+)-(\d+)\]")


@dataclass(frozen=True)
class Link:
    """What a media reference points to."""

    name: str
    """A file, or a frame pattern such as ``in.%04d.exr``."""
    frames: FrameRange | None = None
    """Numbers of a sequence's pictures, where the reference tells them."""

    @property
    def exists(self) -> bool:
        """True when the file, or a picture of the sequence, is there."""
        path = Path(self.name)
        pattern = SequencePattern.parse(path)
        return path.is_file() or (pattern is not None and bool(pattern.numbers()))


def is_remote(url: str) -> bool:
    """True for an address that is no file: ``https:``, ``s3:`` and such."""
    match = _SCHEME.match(url)
    return match is not None and match[1].lower() != "file"


def path_of(url: str, folder: Path) -> str:
    """The file name that a URL or path stands for.

    Args:
        url: as a media reference holds it.
        folder: of the timeline, which relative names begin at.
    """
    match = _SCHEME.match(url)
    if match is None:
        return _chosen(url, url, folder)
    rest = url[match.end() :]
    if rest.startswith("//"):
        host, slash, tail = rest[2:].partition("/")
        rest = slash + tail if host.lower() in ("", "localhost") else rest
        if _DRIVE.match(host + "/"):  # file://C:/..., one slash short, as many write it
            rest = f"/{host}/{tail}"
    return _chosen(_local(unquote(rest)), _local(rest), folder)


def _local(path: str) -> str:
    drive = _DRIVE.fullmatch(path)
    return drive[1] if drive else path


def _chosen(decoded: str, plain: str, folder: Path) -> str:
    """The decoded name, unless only the other one is there."""
    names = [_placed(name, folder) for name in dict.fromkeys((decoded, plain, unquote(plain)))]
    return next((name for name in names if _is_there(name)), names[0])


def _placed(name: str, folder: Path) -> str:
    if _DRIVE.fullmatch(name) or name.startswith(("//", "\\\\")):
        return name
    return os.path.normpath(folder / name)


def _is_there(name: str) -> bool:
    return bracketed(name).exists or Path(name).exists()


def bracketed(name: str) -> Link:
    """A name with its ``[1001-1099]``, where it has one, turned into a frame pattern."""
    head, tail = os.path.split(name)
    match = _BRACKETS.search(tail)
    if match is None or Path(name).is_file():
        return Link(name)
    digits = len(match[1])
    pattern = f"{tail[: match.start()]}%0{digits}d{tail[match.end() :]}"
    return Link(os.path.join(head, pattern), FrameRange(int(match[1]), int(match[2])))  # noqa: PTH118 - may be of another system


def url_of(path: str | Path) -> str:
    """The ``file:`` URL of an absolute path, percent-encoded."""
    text = str(path).replace("\\", "/")
    if text.startswith("//"):
        return "file:" + quote(text, safe="/")
    drive = _DRIVE.fullmatch(text)
    if drive:
        return "file:///" + drive[1][:2] + quote(drive[1][2:], safe="/")
    return "file://" + quote(text, safe="/")


def url_like(model: str, path: Path, folder: Path) -> str:
    """An address of a file in the manner of another one: URL, bare path, or relative to the timeline.

    Args:
        model: the address it takes the place of.
        path: absolute.
        folder: of the timeline that will hold it.
    """
    match = _SCHEME.match(model)
    if match is not None and match[1].lower() == "file":
        return url_of(path)
    if match is not None or not model or model.startswith(("/", "\\")) or _DRIVE.fullmatch(model):
        return url_of(path) if match is not None or not model else str(path)
    return os.path.relpath(path, folder).replace(os.sep, "/")


def rebased(url: str, before: Path, after: Path) -> str:
    """A relative address as it must read in another folder; any other, or one that leads nowhere, unchanged."""
    if not url or _SCHEME.match(url) or url.startswith(("/", "\\")) or _DRIVE.fullmatch(url):
        return url
    found = Path(path_of(url, before))
    if not Link(str(found)).exists and not bracketed(str(found)).exists and not found.exists():
        return url
    relative = os.path.relpath(found, after).replace(os.sep, "/")
    return quote(relative, safe="/") if unquote(url) != url and "%" not in found.name else relative


@dataclass
class Finder:
    """Finds media by file name below some folders; each folder is walked once, when it is first needed."""

    folders: tuple[str, ...]
    _names: dict[str, list[Path]] | None = field(default=None, repr=False)

    def find(self, link: Link) -> Link | None:
        """The same file or sequence elsewhere; None when it is nowhere, or in several places that differ."""
        if self._names is None:
            self._names = _by_name(self.folders)
        path = Path(link.name)
        pattern = SequencePattern.parse(path) if link.frames is not None or "%" in path.name else None
        wanted = path.name if pattern is None else _first_name(pattern, link.frames)
        places = self._names.get(wanted.lower(), [])
        if len(places) != 1:
            places = _best_suffix(places, path)
        if len(places) != 1:
            return None
        found = places[0] if pattern is None else places[0].with_name(path.name)
        return Link(str(found), link.frames)


def _first_name(pattern: SequencePattern, frames: FrameRange | None) -> str:
    return pattern.path_of(0 if frames is None else frames.first).name


def _best_suffix(places: list[Path], wanted: Path) -> list[Path]:
    """Of several files of one name those that share most of the last folders."""

    def shared(path: Path) -> int:
        pairs = zip(reversed(path.parts), reversed(wanted.parts), strict=False)
        return next((at for at, (ours, theirs) in enumerate(pairs) if ours != theirs), len(path.parts))

    most = max(map(shared, places), default=0)
    return [path for path in places if shared(path) == most]


def _by_name(folders: Iterable[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in _walk(folders):
        found.setdefault(path.name.lower(), []).append(path)
    return found


def _walk(folders: Iterable[str]) -> Iterator[Path]:
    for folder in folders:
        for place, inner, names in os.walk(folder):
            inner.sort()
            yield from (Path(place) / name for name in sorted(names))
