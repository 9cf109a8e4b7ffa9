"""Timelines read, walked and written with OpenTimelineIO."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from lp_core.batch.clip_time import exact, exact_rate
from lp_core.batch.otio.bundle import unpacking
from lp_core.batch.otio.fcp7 import make_retimes
from lp_core.batch.otio.library import otio
from lp_core.batch.otio.timeline_bounds import check_timeline
from lp_core.batch.otio.written_text import check_names, check_written
from lp_core.errors import LpError, MediaError, MissingDependency, SettingError, UnreadableMedia
from lp_core.files import ensure_folder, replacing
from lp_core.timing import whole_number

SOURCE_KEY = "lp_source"
"""Key of the media reference that keeps what a clip showed before."""
BUILT_IN = (".otio", ".otioz", ".otiod")
"""File types that the library reads without plug-ins."""


@dataclass(frozen=True)
class ClipPlace:
    """A clip and where it stands."""

    clip: Any
    track: Any
    """The track it is in."""
    position: int
    """Its number among the track's items."""
    number: int
    """Number of its track among the video tracks of its stack, counted from 1 at the bottom; 0: no video."""
    stack: int
    """Number of the stack that its track is in, in the order of the walk."""
    start_s: Fraction | None
    """When it begins within its track; None where an item before it has no known length."""

    @property
    def track_name(self) -> str:
        """The track's name, or V1, V2, ... where it has none."""
        return self.track.name or (f"V{self.number}" if self.number else str(self.track.kind))

    @property
    def words(self) -> str:
        """The clip in words, for messages."""
        return f"clip '{self.clip.name}' of track {self.track_name}"


def read_timeline(path: Path, unpack: Path) -> tuple[Any, tuple[str, ...]]:
    """Reads a timeline of any format for which there is an adapter.

    Args:
        path: the file.
        unpack: folder that takes the media of an .otioz bundle.

    Returns:
        The timeline, or a collection of them, and sentences for the user.

    Raises:
        UnreadableMedia: it is not there or not understood.
        MissingDependency: its format needs an adapter that is not installed.
    """
    suffix = path.suffix.lower()
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise UnreadableMedia(f"{path} is not there; give a timeline.")
    check_timeline(path)
    options: dict[str, Any] = {}
    if suffix == ".otioz":
        options["extract_to_directory"] = str(unpack)
    elif suffix == ".otiod":
        options["absolute_media_reference_paths"] = True
    try:
        with unpacking(path, unpack) if suffix == ".otioz" else nullcontext():
            found = _checked(otio.adapters.read_from_file(str(path), **options), path)
        if suffix == ".xml":
            make_retimes(found)
        return _unpacked(found, unpack) if suffix == ".otioz" else found, ()
    except otio.exceptions.NoKnownAdapterForExtensionError as error:
        raise _no_adapter(path) from error
    except LpError:
        raise
    except Exception as error:
        if suffix == ".otio":
            return _read_newer(path, error)
        raise UnreadableMedia(f"{path} is not a timeline that can be read: {error}.") from error


def _read_newer(path: Path, error: Exception) -> tuple[Any, tuple[str, ...]]:
    """A file of a later library, its schemas called by the newest names known here."""
    known = otio.core.type_version_map()
    newer: dict[str, str] = {}

    def rename(values: dict[str, Any]) -> dict[str, Any]:
        name, _, version = str(values.get("OTIO_SCHEMA", "")).rpartition(".")
        if name in known and (whole_number(version) or 0) > known[name]:
            newer[values["OTIO_SCHEMA"]] = values["OTIO_SCHEMA"] = f"{name}.{known[name]}"
            color = values.get("color")
            if name == "Marker" and isinstance(color, dict):  # up to Marker.2 a color was its name
                values["color"] = str(color.get("name") or "WHITE").upper()
        return values

    try:
        values = json.loads(path.read_text(encoding="utf-8"), object_hook=rename)
        if newer:
            found = otio.adapters.read_from_string(json.dumps(values), "otio_json")
            names = sorted(
                f"{name}.{known[name]}" for name in {text.rpartition(".")[0] for text in newer.values()}
            )
            words = ", ".join(names)
            note = f"{path} was written by a newer OpenTimelineIO; it was read, and will be written, with {words}."
            return _checked(found, path), (note,)
    except LpError:
        raise
    except (ValueError, RecursionError, OSError, otio.exceptions.OTIOError) as other:
        raise UnreadableMedia(f"{path} is not a timeline that can be read: {other}.") from error
    raise UnreadableMedia(f"{path} is not a timeline that can be read: {error}.") from error


def _checked(found: Any, path: Path) -> Any:  # noqa: ANN401 - a timeline
    if not any(True for _ in stacks_of(found)):
        raise UnreadableMedia(f"{path} holds no timeline, but a {type(found).__name__}; give a timeline.")
    return found


def _unpacked(timeline: Any, folder: Path) -> Any:  # noqa: ANN401 - a timeline
    """The timeline of a bundle with absolute names of what was unpacked."""
    for place in places_of(timeline):
        for reference in place.clip.media_references().values():
            for name in ("target_url", "target_url_base"):
                address = getattr(reference, name, None)
                if address and os.path.exists(folder / address):  # noqa: PTH110 - as above
                    setattr(reference, name, str((folder / address).resolve()))
    return timeline


def _no_adapter(path: Path) -> MissingDependency:
    return MissingDependency(
        f"{path.name} needs an adapter of OpenTimelineIO for {path.suffix}, which is not installed; get those for "
        "EDL, Final Cut Pro XML, FCPX XML and AAF with: pip install 'lp-suite[otio-plugins]'."
    )


def write_timeline(timeline: Any, path: Path) -> None:  # noqa: ANN401 - a timeline
    """Writes a timeline completely or not at all.

    Raises:
        MissingDependency: there is no adapter that writes such files.
        SettingError: the format cannot hold this timeline.
        NoWritePermission, DiskFull, MediaError: the file system refuses.
    """
    ensure_folder(path.parent)
    try:
        with replacing(path) as temporary:
            _write(timeline, temporary)
    except (MediaError, SettingError):
        raise
    except otio.exceptions.NoKnownAdapterForExtensionError as error:
        raise _no_adapter(path) from error
    except Exception as error:
        raise SettingError(
            f"{path} cannot hold this timeline ({error}); take the .otio next to it."
        ) from error


def _write(timeline: Any, path: Path) -> None:  # noqa: ANN401 - a timeline
    """Writes with the library's adapters; its native writer of .otio does not report why a disk refuses."""
    if path.suffix.lower() == ".otio":
        path.write_text(otio.adapters.write_to_string(timeline, "otio_json"), encoding="utf-8")
    else:
        check_names(timeline, path)
        otio.adapters.write_to_file(timeline, str(path))
        check_written(path)


def stacks_of(root: Any) -> Iterator[Any]:  # noqa: ANN401 - anything the library reads
    """The outermost stacks of what was read."""
    if isinstance(root, otio.schema.Timeline):
        yield root.tracks
    elif isinstance(root, otio.schema.Stack):
        yield root
    elif isinstance(root, otio.schema.SerializableCollection):
        for child in root:
            yield from stacks_of(child)


def places_of(root: Any) -> list[ClipPlace]:  # noqa: ANN401 - a timeline
    """All clips in the order in which they are always walked, those in nested stacks included."""
    found: list[ClipPlace] = []
    counter = iter(range(10**9))
    for stack in stacks_of(root):
        _walk_stack(stack, found, counter)
    return found


def _walk_stack(stack: Any, found: list[ClipPlace], counter: Iterator[int]) -> None:  # noqa: ANN401
    own, number = next(counter), 0
    for child in stack:
        if isinstance(child, otio.schema.Track):
            is_video = child.kind == otio.schema.TrackKind.Video
            number += is_video
            _walk_track(child, number if is_video else 0, own, found, counter)
        elif isinstance(child, otio.schema.Stack):
            _walk_stack(child, found, counter)
        elif isinstance(child, otio.schema.Clip):
            found.append(ClipPlace(child, stack, 0, 1, own, Fraction(0)))


def _walk_track(track: Any, number: int, stack: int, found: list[ClipPlace], counter: Iterator[int]) -> None:  # noqa: ANN401
    at: Fraction | None = Fraction(0)
    for position, item in enumerate(track):
        if isinstance(item, otio.schema.Transition):
            continue
        if isinstance(item, otio.schema.Clip):
            found.append(ClipPlace(item, track, position, number, stack, at))
        elif isinstance(item, otio.schema.Stack):
            _walk_stack(item, found, counter)
        elif isinstance(item, otio.schema.Track):
            _walk_track(item, number, next(counter), found, counter)
        length = duration_of(item)
        at = None if at is None or length is None else at + length


def duration_of(item: Any) -> Fraction | None:  # noqa: ANN401 - an item
    """Seconds an item takes on its track; None where its media does not say."""
    if item.source_range is not None:
        return seconds(item.source_range.duration)
    try:
        return seconds(item.duration())
    except otio.exceptions.OTIOError:
        return None


def seconds(time: Any) -> Fraction:  # noqa: ANN401 - RationalTime
    """An exact time."""
    return exact(time.value) / exact_rate(time.rate)


def source_reference(clip: Any) -> Any:  # noqa: ANN401 - a clip and its reference
    """The reference to what is animated: what the clip showed before an earlier run, else what it shows."""
    return clip.media_references().get(SOURCE_KEY, clip.media_reference)


def speed_of(clip: Any) -> tuple[Fraction, bool]:  # noqa: ANN401 - a clip
    """(speed, True where it changes within the clip and so is not known)."""
    speed, is_ramp = Fraction(1), False
    for effect in clip.effects:
        if isinstance(effect, otio.schema.FreezeFrame):
            speed = Fraction(0)
        elif isinstance(effect, otio.schema.LinearTimeWarp):
            speed *= exact(effect.time_scalar)
        elif isinstance(effect, otio.schema.TimeEffect):
            is_ramp = True
    return speed, is_ramp


def transition_reach(place: ClipPlace) -> tuple[Fraction, Fraction]:
    """Timeline seconds that transitions reach beyond a clip's head and tail."""

    def neighbor(position: int) -> Any:  # noqa: ANN401 - an item
        item = place.track[position] if 0 <= position < len(place.track) else None
        return item if isinstance(item, otio.schema.Transition) else None

    before, after = neighbor(place.position - 1), neighbor(place.position + 1)
    return (
        Fraction(0) if before is None else seconds(before.in_offset),
        Fraction(0) if after is None else seconds(after.out_offset),
    )
