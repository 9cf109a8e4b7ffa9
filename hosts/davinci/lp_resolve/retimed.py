"""Results for retimed clips: rendered frame for frame of the media, placed as a timeline that has the clip's speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lp_core.files import ensure_folder, write_whole

from . import placement
from .api_results import ResolveRefused, given
from .facade import Clip, ResolveSession, Timeline, TimelineItem
from .in_place import free_timeline_name, standing_in
from .media import Media
from .placement import Placed
from .plan import ClipPlan, Use
from .retime import Retime, retime_of, timeline_text


def found_retime(
    session: ResolveSession, timeline: Timeline, item: TimelineItem, folder: str
) -> Retime | None:
    """The constant retime of a clip; None where it has none, or it is unknown.

    Args:
        session: Resolve.
        timeline: the clip's.
        item: the clip.
        folder: takes the exported timeline for a moment.
    """
    media = _media(item)
    if media is None or media.is_still:
        return None
    ensure_folder(Path(folder))
    path = Path(folder) / "speed.otio"
    try:
        session.export_otio(timeline, str(path))
        text = path.read_text(encoding="utf-8")
    finally:
        if path.exists():
            path.unlink()
    before = sum(1 for other in timeline.items(item.track) if other.start < item.start)
    try:
        return retime_of(text, item.track, before, item.name, media)
    except (ValueError, KeyError, TypeError):
        return None  # an export that is not understood says nothing of a speed


def _media(item: TimelineItem) -> Media | None:
    try:
        return item.media()
    except ResolveRefused:
        return None


def place_retimed(
    session: ResolveSession, timeline: Timeline, made: ClipPlan, source: Use, retime: Retime, job: str
) -> tuple[Placed, list[str]]:
    """Brings a result in and places a timeline that shows it at the clip's speed.

    Args:
        session: Resolve.
        timeline: the clip's.
        made: what was rendered, of ``source``.
        source: the frames of the media that are seen.
        retime: the clip's.
        job: the worker's name of the job.

    Returns:
        The timeline on the timeline, and sentences for what Resolve did not take.

    Raises:
        ResolveRefused: Resolve does not import or place it.
    """
    pool = session.pool()
    item = next(item for item in timeline.all_items() if item.id == source.item)
    use = standing_in(timeline, item)
    clip, told = placement.bring_in(pool, made, source, job)
    name = f"{Path(made.output).stem.partition('.%')[0]} at {float(retime.speed):.0%}"
    text = timeline_text(name, use, retime, source, made.output, made.numbers.first, len(made.numbers))
    path = Path(made.output).with_name(f"{Path(made.output).stem.partition('.%')[0]}.retime.otio")
    write_whole(path, text)
    try:
        nested = pool.bring_in_timeline(str(path), free_timeline_name(session, name))
    finally:
        session.project.SetCurrentTimeline(timeline.raw)
    own = Clip(given(nested.raw.GetMediaPoolItem(), f"clip of the media pool for {name}"))
    shown = replace(made, before=0, count=use.duration)
    placed = placement.place(timeline, pool, own, shown, use)
    return Placed(placed.item, clip, placed.track), told
