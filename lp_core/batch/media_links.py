"""Media references <-> file names. OpenTimelineIO's own helpers lose percent signs, ``#`` and drive letters.

Reading follows what programs write: ``file:`` URLs encoded or not, bare absolute paths, paths relative to the
timeline, ``C:/...``, ``//server/share``, and sequences such as ``name.[1001-1099].exr``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, unquote

from lp_core.errors import LpError
from lp_core.media.frame_pattern import NUMBERED, SequencePattern, is_file
from lp_core.timing import FrameRange

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE = re.compile(r"/?([A-Za-z]:[/\\].*)", re.DOTALL)
_BRACKETS = re.compile(r"\[(-?[0-9]{1,9})-(-?[0-9]{1,9})\]")


@dataclass(frozen=True)
class MediaLink:
    """What a media reference points to."""

    name: str
    """A file, or a frame pattern such as ``in.%04d.exr``."""
    frames: FrameRange | None = None
    """Numbers of a sequence's frames, where the reference gives them."""
    step: int = 1
    """Numbers from one image of the sequence to the next; each lasts until the next."""
    missing: str = "error"
    """What the reference wants in place of an image that is not there: 'error', 'hold' or 'black'."""

    @property
    def exists(self) -> bool:
        """True when the file, or an image of the sequence, is there and can be looked at."""
        try:
            return is_file(self.name) or any(item.numbers() for item in SequencePattern.readings(self.name))
        except LpError:
            return False

    @property
    def is_sequence(self) -> bool:
        """True when the name is a frame pattern."""
        return not is_file(self.name) and bool(SequencePattern.readings(self.name))

    @property
    def address(self) -> str:
        """The name to open: with its frames, ``in.%04d.png 1-11x2``, where the files alone do not give them."""
        if self.frames is None or (self.step == 1 and self.missing == "error") or not self.is_sequence:
            return self.name
        return f"{self.name} {self.frames.first}-{self.frames.last - self.step + 1}x{self.step}"


def is_remote(url: str, folder: Path | None = None) -> bool:
    """True for an address such as ``https:`` or ``s3:``; in a folder that has ``take 1:2.mov`` that is a file."""
    match = _SCHEME.match(url)
    if match is None or match[1].lower() == "file":
        return False
    return folder is None or not _is_there(_placed(url, folder))


def path_of(url: str, folder: Path) -> str:
    """The file name that a URL or path is for.

    Args:
        url: as a media reference holds it.
        folder: of the timeline, which relative names begin at.
    """
    match = _SCHEME.match(url)
    if match is None or match[1].lower() != "file":
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
    """The decoded name, unless only another reading of it is there: as it is written, or decoded in parts."""
    names = [_placed(name, folder) for name in dict.fromkeys((decoded, plain, unquote(plain)))]
    found = next((name for name in names if _is_there(name)), None)
    return found or _found_by_parts(_placed(plain, folder)) or names[0]


def _found_by_parts(name: str) -> str | None:
    """A name of which some parts are encoded, once or twice, and some are not; None when no reading is there."""
    if "%" not in name or not name.startswith("/"):
        return None
    place = "/"
    for part in name.split("/")[1:]:
        readings = dict.fromkeys((unquote(part), part, unquote(unquote(part))))
        found = next((word for word in readings if _is_there(os.path.join(place, word))), None)  # noqa: PTH118
        if found is None:
            return None
        place = os.path.join(place, found)  # noqa: PTH118
    return place


def _placed(name: str, folder: Path) -> str:
    if _DRIVE.fullmatch(name) or name.startswith(("//", "\\\\")):
        return name
    return os.path.normpath(folder / name)


def _is_there(name: str) -> bool:
    return bracketed(name).exists or os.path.exists(name)  # noqa: PTH110 - Path.exists raises for long names


def bracketed(name: str) -> MediaLink:
    """A name with its ``[1001-1099]`` turned into a frame pattern; any other name is literal."""
    head, tail = os.path.split(name)
    matches = list(_BRACKETS.finditer(tail))
    if not matches or Path(tail).suffix.lower() not in NUMBERED or is_file(name):
        return MediaLink(name)
    match = matches[-1]
    first, last = int(match[1]), int(match[2])
    if last < first:
        return MediaLink(name)
    pattern = f"{tail[: match.start()]}%0{len(match[1].lstrip('-'))}d{tail[match.end() :]}"
    return MediaLink(os.path.join(head, pattern), FrameRange(first, last))  # noqa: PTH118 - may be of another system


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
    if not MediaLink(str(found)).exists and not _is_there(str(found)):
        return url
    relative = os.path.relpath(found, after).replace(os.sep, "/")
    return quote(relative, safe="/") if unquote(url) != url and "%" not in found.name else relative


@dataclass
class Finder:
    """Finds media by file name below some folders; each folder is walked once, when it is first needed."""

    folders: tuple[str, ...]
    _names: dict[str, list[Path]] | None = field(default=None, repr=False)

    def find(self, link: MediaLink) -> MediaLink | None:
        """The same file or sequence elsewhere; None when it is nowhere, or in several places that differ."""
        if self._names is None:
            self._names = _by_name(self.folders)
        path = Path(link.name)
        wanted = [path.name, *(_first_name(item, link.frames) for item in SequencePattern.readings(path))]
        places = next(filter(None, (self._names.get(name.lower()) for name in wanted)), [])
        if len(places) != 1:
            places = _best_suffix(places, path)
        if len(places) != 1:
            return None
        found = places[0]
        is_image = found.name.lower() != path.name.lower()
        return replace(link, name=str(found.with_name(path.name) if is_image else found))


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
