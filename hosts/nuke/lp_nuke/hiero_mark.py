"""Hiero and Nuke Studio: marks clips of a timeline by tags, which Hiero's OTIO exporter writes as markers.

``lpsuite batch`` reads them: ``LP: driver=/takes/anna.mov, engine=mesh``. The tag bears the mark as its name, because
the exporter keeps a tag's name and its note.
"""

from typing import Any, List

import hiero.core
import nuke

from lp_core.performance_name import BUILTIN_MOTIONS, BUILTIN_PREFIX

EVENT = "kShowContextMenu/kTimeline"
"""Event of the timeline's context menu."""
PREFIX = "LP:"
_PROPOSED = "driver=" + BUILTIN_PREFIX + BUILTIN_MOTIONS[0]


def register() -> None:
    """Puts the entries into the context menu of timelines."""
    hiero.core.events.registerInterest(EVENT, offer)


def offer(event: Any) -> None:  # noqa: ANN401 - hiero.core.events.Event
    """Adds the entries where video clips are selected."""
    clips = _clips(event)
    if not clips:
        return
    event.menu.addAction("LP: mark...", lambda: mark(clips))
    if any(_marks(clip) for clip in clips):
        event.menu.addAction("LP: remove mark", lambda: unmark(clips))


def mark(clips: List[Any]) -> None:
    """Asks for the keys and marks clips; a mark that is there is replaced."""
    there = [tag.name()[len(PREFIX) :].strip() for clip in clips for tag in _marks(clip)]
    words = nuke.getInput(
        "Keys of the mark, such as driver=/takes/anna.mov, engine=mesh", (there or [_PROPOSED])[0]
    )
    words = (words or "").strip()
    if not words:
        return
    if "driver=" not in words.replace(" ", ""):
        nuke.message("The mark names no driver; add driver=FILE, demo:NAME, clip:NAME or track:NAME.")
        return
    with clips[0].project().beginUndo("LP: mark"):
        for clip in clips:
            _remove(clip)
            clip.addTag(hiero.core.Tag(PREFIX + " " + words))


def unmark(clips: List[Any]) -> None:
    """Removes the marks of clips."""
    with clips[0].project().beginUndo("LP: remove mark"):
        for clip in clips:
            _remove(clip)


def _clips(event: Any) -> List[Any]:  # noqa: ANN401 - hiero.core.events.Event
    selection = getattr(event.sender, "selection", None)
    chosen = (selection() or ()) if selection is not None else ()
    return [
        item
        for item in chosen
        if isinstance(item, hiero.core.TrackItem)
        and item.mediaType() == hiero.core.TrackItem.MediaType.kVideo
    ]


def _marks(clip: Any) -> List[Any]:  # noqa: ANN401 - hiero.core.TrackItem
    return [tag for tag in clip.tags() if tag.name().startswith(PREFIX)]


def _remove(clip: Any) -> None:  # noqa: ANN401 - hiero.core.TrackItem
    for tag in _marks(clip):
        clip.removeTag(tag)
