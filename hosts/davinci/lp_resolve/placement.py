"""Brings a result back: into the bin, onto the track above, aligned to the frame, with a marker that remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .api_results import ResolveRefused
from .facade import Clip, Pool, Timeline, TimelineItem
from .media import is_pattern
from .plan import ClipPlan, Use

BIN = "LivePortrait"
TRACK = "LivePortrait"
NOTE = "job"
_TRIES = 3


@dataclass(frozen=True)
class Placed:
    """A result on the timeline."""

    item: TimelineItem
    """The clip."""
    clip: Clip
    """Its clip of the media pool."""
    track: int
    """Index of its video track."""


def bring_in(pool: Pool, plan: ClipPlan, use: Use, job: str) -> tuple[Clip, list[str]]:
    """Imports the result and gives it the source's timecode and color space, where it came without.

    Returns:
        The clip, and a sentence for everything that Resolve did not take.
    """
    clip = pool.bring_in(pool.bin(BIN), plan.output, plan.numbers.first, plan.numbers.last)
    return clip, described(clip, plan, use, job)


def described(clip: Clip, plan: ClipPlan, use: Use, job: str) -> list[str]:
    """Gives a clip the source's timecode and color space; a sentence for everything that Resolve did not take."""
    told: list[str | None] = []
    if plan.start and _digits(clip.says("Start TC")) != _digits(plan.start):
        told.append(clip.set("Start TC", plan.start))
    space = use.media.input_space
    if _keeps_space(plan, use) and clip.says("Input Color Space") != space:
        told.append(clip.set("Input Color Space", space))
    if plan.settings.get("output", {}).get("alpha") == "matte" and not is_pattern(plan.output):
        told.append(clip.set("Alpha mode", "Straight"))
    told.append(clip.keep(f"lpsuite.{NOTE}", job))
    return [words for words in told if words]


def place(
    timeline: Timeline, pool: Pool, clip: Clip, plan: ClipPlan, use: Use, track: int | None = None
) -> Placed:
    """Puts a result above its source, and makes sure that it is there as long as it should.

    Whether ``endFrame`` counts in, differs between versions of Resolve: the length is read back and corrected.

    Args:
        timeline: the source's.
        pool: the media pool.
        clip: the result.
        plan: what was rendered.
        use: the source's place.
        track: index of the video track; None: the lowest above the source that is free there.

    Raises:
        ResolveRefused: it cannot be placed; nothing of it is left on the timeline.
    """
    track = track if track is not None else free_track(timeline, use)
    last = plan.before + plan.count - 1
    for _ in range(_TRIES):
        pool.append(clip, plan.before, last, track, use.start)
        item = _found(timeline, track, use.start, clip)
        if item is None:
            break
        if item.duration == use.duration:
            return Placed(item, clip, track)
        step = use.duration - item.duration
        timeline.delete(item)
        last += step
    raise ResolveRefused(
        f"{clip.name} could not be placed at the frame {use.start} of track {track} with {use.duration} frames; "
        f"it is in the bin {BIN}, place it by hand."
    )


def free_track(timeline: Timeline, use: Use) -> int:
    """The lowest track above the source with room for it; a new one where there is none."""
    for track in range(use.track + 1, timeline.video_tracks + 1):
        if timeline.is_free(track, use.start, use.start + use.duration):
            return track
    return timeline.add_track(TRACK)


def _found(timeline: Timeline, track: int, start: int, clip: Clip) -> TimelineItem | None:
    """What is on the track now: what Resolve returns may be a ghost."""
    for item in timeline.items(track):
        raw = item.raw.GetMediaPoolItem()
        if item.start == start and raw is not None and Clip(raw).id == clip.id:
            return item
    return None


def _digits(timecode: str) -> str:
    return "".join(sign for sign in timecode if sign.isdigit())


def _keeps_space(plan: ClipPlan, use: Use) -> bool:
    """Whether the result has the numbers of a source whose space Resolve was given."""
    color: dict[str, Any] = plan.settings.get("color", {})
    space = color.get("input_space")
    return bool(
        use.media.input_space
        and space
        and space == color.get("output_space")
        and plan.source == use.media.path
    )
