"""What the timeline says of its clips, as plain values: media, range, speed, mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from lp_core.batch.clip_time import ClipRange, exact_rate, whole_frames
from lp_core.batch.marks import (
    EFFECT,
    KEYS,
    ClipMark,
    MapLine,
    is_marker,
    read_mark,
    read_marker,
)
from lp_core.batch.media_links import MediaLink, bracketed, is_remote, path_of
from lp_core.batch.otio.library import otio
from lp_core.batch.otio.timeline import ClipPlace, seconds, source_reference, speed_of, transition_reach
from lp_core.errors import LpError
from lp_core.media.frame_pattern import SequencePattern
from lp_core.timing import FrameRange

_NOTES = (
    ("Resolve_OTIO", "Note"),
    ("Resolve_OTIO", "Note Text"),
    ("kdenlive", "comment"),
    ("fcp_xml", "comment"),
    ("Hiero", "tag.note"),
)
"""Where editing programs keep the note of a marker."""


@dataclass(frozen=True)
class MediaClock:
    """The time that a reference gives its media."""

    start_s: Fraction
    """Time of the first frame."""
    duration_s: Fraction
    rate: float
    """Rate in the timeline's own words."""


@dataclass(frozen=True)
class ClipFacts:
    """A clip, as far as the timeline itself knows it."""

    index: int
    """Number in the walk of all clips."""
    name: str
    words: str
    """For messages."""
    track: str
    number: int
    """Of its video track; 0: no video track."""
    stack: int
    """Of the stack its track is in."""
    start_s: Fraction | None
    """When it begins within its track."""
    is_enabled: bool
    kind: str
    """Kind of reference: file, sequence, missing, generator, remote."""
    url: str
    link: MediaLink | None
    """What it points to, where that is a file or a sequence."""
    clock: MediaClock | None
    sequence_rate: float | None
    """Rate of an image sequence, where the reference has it."""
    span: ClipRange | None
    """What it shows; None where neither clip nor reference has it."""
    rate: float | None
    """Rate of its source range, in the timeline's own words."""
    is_ramp: bool
    before_s: Fraction
    """How far a transition reaches beyond its head."""
    after_s: Fraction

    @property
    def is_video(self) -> bool:
        """True on a video track."""
        return self.number > 0


def facts_of(index: int, place: ClipPlace, folder: Path) -> ClipFacts:
    """What is known of a clip.

    Args:
        index: its number in the walk.
        place: the clip.
        folder: of the timeline.
    """
    clip = place.clip
    reference = source_reference(clip)
    kind, url, link = _linked(reference, folder)
    available = getattr(reference, "available_range", None)
    shown = clip.source_range or available
    speed, is_ramp = speed_of(clip)
    before, after = transition_reach(place)
    return ClipFacts(
        index=index,
        name=clip.name,
        words=place.words,
        track=place.track_name,
        number=place.number,
        stack=place.stack,
        start_s=place.start_s,
        is_enabled=clip.enabled and place.track.enabled,
        kind=kind,
        url=url,
        link=link,
        clock=None
        if available is None
        else MediaClock(
            seconds(available.start_time), seconds(available.duration), float(available.start_time.rate)
        ),
        sequence_rate=float(reference.rate)
        if isinstance(reference, otio.schema.ImageSequenceReference) and reference.rate
        else None,
        span=None if shown is None else ClipRange(seconds(shown.start_time), seconds(shown.duration), speed),
        rate=None if shown is None else float(shown.start_time.rate),
        is_ramp=is_ramp,
        before_s=before,
        after_s=after,
    )


def _linked(reference: Any, folder: Path) -> tuple[str, str, MediaLink | None]:  # noqa: ANN401 - a reference
    if isinstance(reference, otio.schema.ImageSequenceReference):
        base = reference.target_url_base
        if base and is_remote(base, folder):
            return "remote", base, None
        return "sequence", base, sequence_link(reference, folder)
    if isinstance(reference, otio.schema.ExternalReference):
        url = reference.target_url or ""
        if not url:
            return "missing", "", None
        if is_remote(url, folder):
            return "remote", url, None
        return "file", url, bracketed(path_of(url, folder))
    if isinstance(reference, otio.schema.GeneratorReference):
        return "generator", "", None
    return "missing", "", None


def sequence_link(reference: Any, folder: Path) -> MediaLink:  # noqa: ANN401 - an ImageSequenceReference
    """The frame pattern of an image sequence, its frames, step and policy, as OpenTimelineIO defines them.

    Image i is the file with the number start_frame + i * frame_step, and is seen from i * frame_step frames on; there
    are as many images as whole steps fit into the available range.
    """
    base = path_of(reference.target_url_base or ".", folder)
    name = f"{reference.name_prefix}%0{max(reference.frame_zero_padding, 1)}d{reference.name_suffix}"
    step = max(reference.frame_step, 1)
    link = MediaLink(str(Path(base) / name), None, step, str(reference.missing_frame_policy.name))
    images = _image_count(reference, link)
    if images is None:
        return link
    first = reference.start_frame
    return replace(link, frames=FrameRange(first, first + images * step - 1))


def _image_count(reference: Any, link: MediaLink) -> int | None:  # noqa: ANN401 - an ImageSequenceReference
    """Images of a sequence, at least 1; None where nothing gives it. Without a range the files do."""
    available = reference.available_range
    if available is not None:
        rate = reference.rate or available.duration.rate
        try:
            count = whole_frames(seconds(available.duration) * exact_rate(rate) / link.step)
        except (LpError, ValueError):
            return None
        return max(count, 1)
    if link.step == 1 and link.missing == "error":
        return None
    numbers = [number for item in SequencePattern.readings(link.name)[-1:] for number in item.numbers()]
    ahead = [
        n for n in numbers if n >= reference.start_frame and (n - reference.start_frame) % link.step == 0
    ]
    return (ahead[-1] - reference.start_frame) // link.step + 1 if ahead else None


def mark_of(place: ClipPlace, lines: Sequence[MapLine]) -> ClipMark | None:
    """The mark of a clip: the sidecar's, else its effect's, its metadata's or its marker's.

    Raises:
        SettingError: it is not understood.
    """
    clip, where = place.clip, place.words
    line = next((line for line in lines if line.fits(clip.name, place.track_name)), None)
    if line is not None and place.number:
        return line.mark
    for effect in clip.effects:
        if EFFECT in (effect.effect_name, effect.name):
            return read_mark(_values(effect.metadata) or _plain(effect.metadata), where)
    values = _values(clip.metadata)
    if values is not None:
        return read_mark(values, where)
    marker = next((marker for marker in clip.markers if is_marker(marker.name)), None)
    if marker is None:
        return None
    notes = [marker.comment, *(_inner(marker.metadata, *keys) for keys in _NOTES)]
    own = _values(marker.metadata) or {}
    spoken = read_marker(marker.name, [note for note in notes if note], where) if not own else None
    return spoken or read_mark(own, where)


def mark_or_problem(place: ClipPlace, lines: Sequence[MapLine]) -> tuple[ClipMark | None, str | None]:
    """(mark, what is wrong with it)."""
    try:
        return mark_of(place, lines), None
    except LpError as error:
        return None, str(error)


def _values(metadata: Any) -> dict[str, Any] | None:  # noqa: ANN401 - the library's dictionary
    """The mark that metadata holds under one of its keys."""
    for key in KEYS:
        found = metadata.get(key) if hasattr(metadata, "get") else None
        if found is not None and hasattr(found, "items"):
            return {str(name): _plain(value) for name, value in found.items()}
    return None


def _plain(value: Any) -> Any:  # noqa: ANN401 - the library's own containers
    if hasattr(value, "items"):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return [_plain(item) for item in value] if hasattr(value, "__iter__") else value


def _inner(metadata: Any, outer: str, inner: str) -> str:  # noqa: ANN401 - the library's dictionary
    values = metadata.get(outer)
    found = values.get(inner) if hasattr(values, "get") else None
    return found if isinstance(found, str) else ""
