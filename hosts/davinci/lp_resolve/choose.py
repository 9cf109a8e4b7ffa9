"""Which clip is animated, and what may drive it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from lp_core.files import ensure_folder
from lp_core.performance_name import BUILTIN_MOTIONS, BUILTIN_PREFIX

from .api_results import ResolveRefused
from .facade import ResolveSession, Timeline, TimelineItem
from .media import split_brackets
from .plan import DrivingClip, Use

THE_CLIP = "the clip itself"
BUILT_IN = tuple(BUILTIN_PREFIX + name for name in BUILTIN_MOTIONS)


@dataclass(frozen=True)
class ClipChoice:
    """A performance that may be chosen."""

    label: str
    """How the dialog shows it."""
    driver: DrivingClip
    """What it is."""
    item: str | None = None
    """Resolve's id of the clip on another track that it is, which keeps its place; None: no such clip."""


def use_of(timeline: Timeline, item: TimelineItem) -> Use:
    """The clip as it is on the timeline."""
    media, rate = item.media(), timeline.rate
    return Use(
        item.id, item.name, item.track, item.start, item.duration, item.left, media, rate, timeline.is_drop,
        item.speed(media, rate),
    )  # fmt: skip


def candidates(timeline: Timeline) -> list[TimelineItem]:
    """Clips that may be animated: the selected ones, then those under the playhead, first the one that is seen.

    Results are left out.

    Raises:
        ResolveRefused: there are none.
    """
    chosen = [item for item in timeline.selected() if item.marked() is None]
    if chosen:
        ids = {item.id for item in chosen}
        return [*chosen, *(item for item in _under_playhead(timeline) if item.id not in ids)]
    return _under_playhead(timeline)


def _under_playhead(timeline: Timeline) -> list[TimelineItem]:
    seen, playhead = timeline.current(), timeline.playhead
    under = [item for item in reversed(timeline.all_items()) if item.start <= playhead < item.end]
    found = [item for item in under if item.marked() is None]
    if not found:
        raise ResolveRefused(f"{seen.name} is a result already; use LivePortrait - Update.")
    return sorted(found, key=lambda item: item.id != seen.id)


def choices(session: ResolveSession, timeline: Timeline, use: Use) -> list[ClipChoice]:
    """Performances: clips above and below the source, built-in motions, clips of the current folder."""
    found, seen = [], set()
    for item in timeline.all_items():
        beside = item.start < use.start + use.duration and use.start < item.end
        if (
            item.id == use.item
            or not beside
            or item.marked() is not None
            or item.raw.GetMediaPoolItem() is None
        ):
            continue
        try:
            other = use_of(timeline, item)
        except ResolveRefused:
            continue  # a retimed clip or one without a file drives nothing
        found.append(ClipChoice(label_of(item), in_its_place(other, use), item.id))
        seen.add(other.media.path)
    found += [ClipChoice(name, DrivingClip(name)) for name in BUILT_IN]
    seen.add(use.media.path)
    for clip in session.pool().clips():
        path, first, _ = split_brackets(clip.says("File Path"))
        if path and path not in seen:
            seen.add(path)
            found.append(ClipChoice(f"Media pool: {clip.name}", DrivingClip(path, first=first or 0)))
    return found


def in_its_place(driver: Use, use: Use) -> DrivingClip:
    """A clip of the timeline as the driver of another: frame for frame what is at the same place."""
    return DrivingClip(driver.media.path, driver.moment_s(use.start), driver.media.first)


def label_of(item: TimelineItem) -> str:
    """How the dialog shows a clip."""
    return f"Track {item.track}: {item.name}"


def chosen_among(offered: list[ClipChoice], values: dict[str, Any]) -> ClipChoice:
    """The performance that the dialog's values name.

    Raises:
        ResolveRefused: it is the clip itself.
    """
    if values["driver_file"]:
        path, first, _ = split_brackets(values["driver_file"])
        return ClipChoice(path, DrivingClip(path, Fraction(0), first or 0))
    for choice in offered:
        if choice.label == values["driver"]:
            return choice
    raise ResolveRefused(f"{values['driver']} cannot drive itself; choose another performance.")


def exported_still(session: ResolveSession, still: tuple[str, Any], folder: str) -> str:
    """Writes a still of the gallery into a folder, and returns its file."""
    target = Path(folder) / "stills"
    ensure_folder(target)
    before = set(target.iterdir())
    session.export_still(still[1], str(target), "portrait")
    made = sorted(path for path in set(target.iterdir()) - before if path.suffix.lower() == ".png")
    if not made:
        raise ResolveRefused(
            f"Resolve wrote no image of the still {still[0]} into {target}; export it by hand."
        )
    return str(made[0])
