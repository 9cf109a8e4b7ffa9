"""A new version of a result in the old one's place, with the editor's grade, transform, effects and keyframes kept."""

from __future__ import annotations

from fractions import Fraction

from . import placement
from .facade import Pool, Timeline, TimelineItem
from .placement import Placed
from .plan import ClipPlan, Use


def renew(
    timeline: Timeline, pool: Pool, old: TimelineItem, plan: ClipPlan, use: Use, job: str
) -> tuple[Placed, list[str]]:
    """Shows a new version where the old one is.

    Where it has the same frames, the clip of the media pool gets the new file and nothing on the timeline is touched.
    Else it is placed next to the old one, takes over its grade and properties, and then its place.

    Returns:
        The clip on the timeline, and sentences for what Resolve did not take.

    Raises:
        ResolveRefused: it cannot be placed; the old one is still there.
    """
    if _has_same_frames(timeline, old, plan, use):
        clip = old.clip()
        if clip.replace(plan.output, plan.numbers.first) and old.duration == use.duration:
            return Placed(old, clip, old.track), placement.described(clip, plan, use, job)
    clip, told = placement.bring_in(pool, plan, use, job)
    placed = placement.place(timeline, pool, clip, plan, use)
    told += old.give_look(placed.item)
    told.append(
        f"{old.name} had other frames: grade and properties were taken over, its own keyframes and effects were not."
    )
    track, name = old.track, old.name
    timeline.delete(old)
    if timeline.is_free(track, use.start, use.start + use.duration):
        beside = placed
        placed = placement.place(timeline, pool, clip, plan, use, track)
        beside.item.give_look(placed.item)
        timeline.delete(beside.item)
    else:
        told.append(f"{name} had no room for it on track {track}; it is on track {placed.track}.")
    return placed, told


def _has_same_frames(timeline: Timeline, old: TimelineItem, plan: ClipPlan, use: Use) -> bool:
    media = old.media()
    before = Fraction(old.left) / timeline.rate.fps * media.rate.fps
    return (
        (old.start, old.duration) == (use.start, use.duration)
        and before == plan.before
        and media.frames == len(plan.numbers)
    )
