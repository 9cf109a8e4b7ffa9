"""What a timeline loses in another format: found by reading it again and counting."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from lp_core.batch.otio.library import otio
from lp_core.batch.otio.timeline import BUILT_IN, SOURCE_KEY, places_of, stacks_of

_WORDS = {
    "tracks": "tracks",
    "clips": "clips",
    "transitions": "transitions",
    "stacks": "nested stacks",
    "speed": "speed changes",
    "effects": "effects",
    "markers": "markers",
    "metadata": "clips with metadata",
    "originals": "originals kept as lp_source",
    "media": "clips with media",
}


def losses(timeline: Any, path: Path) -> str | None:  # noqa: ANN401 - a timeline
    """A sentence on what a written file does not carry of a timeline; None where everything came back.

    Args:
        timeline: as it was written.
        path: the file.
    """
    if path.suffix.lower() in BUILT_IN:
        return None
    if not otio.adapters.from_name(otio.adapters.from_filepath(str(path)).name).has_feature("read"):
        return f"{path.name} was written; what it cannot carry is unknown, because its adapter only writes."
    try:
        again = otio.adapters.read_from_file(str(path))
    except Exception as error:  # noqa: BLE001 - whatever a foreign adapter raises
        return f"{path.name} was written, but its own adapter cannot read it again ({_brief(error)}); take the .otio."
    before, after = _tally(timeline), _tally(again)
    lost = [
        f"{before[name] - after[name]} of {before[name]} {words}"
        for name, words in _WORDS.items()
        if after[name] < before[name]
    ]
    return None if not lost else f"{path.name} cannot carry {', '.join(lost)}; timeline.otio has everything."


def _tally(timeline: Any) -> Counter[str]:  # noqa: ANN401 - a timeline
    found: Counter[str] = Counter()
    for stack in stacks_of(timeline):
        found.update(tracks=len(stack), markers=len(stack.markers))
        found["stacks"] += len(list(stack.find_children(descended_from_type=otio.schema.Stack)))
        found["transitions"] += len(list(stack.find_children(descended_from_type=otio.schema.Transition)))
    for place in places_of(timeline):
        clip = place.clip
        speed = [effect for effect in clip.effects if isinstance(effect, otio.schema.TimeEffect)]
        found.update(
            clips=1,
            speed=len(speed),
            effects=len(clip.effects) - len(speed),
            markers=len(clip.markers),
            metadata=bool(clip.metadata),
            originals=SOURCE_KEY in clip.media_references(),
            media=not clip.media_reference.is_missing_reference,
        )
    return found


def _brief(error: Exception) -> str:
    """What an adapter has to say, in one line."""
    text = " ".join(str(error).split())
    return text if len(text) <= 160 else text[:157] + "..."
