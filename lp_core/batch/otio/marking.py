"""Marks written into a timeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lp_core.batch.marks import EFFECT, KEYS, ClipMark, is_marker
from lp_core.batch.otio.library import otio
from lp_core.batch.otio.timeline import ClipPlace, places_of
from lp_core.errors import SettingError


def write_marks(timeline: Any, mark: ClipMark, names: Sequence[str], track: str, way: str) -> list[ClipPlace]:  # noqa: ANN401
    """Marks clips on video tracks; a mark of the same way that is there is replaced.

    Args:
        timeline: is changed.
        mark: what is to be done with them.
        names: of the clips; ``*`` and ``?`` stand for any characters.
        track: name of their track, in the same manner.
        way: a key of WRITERS.

    Returns:
        The clips that were marked.

    Raises:
        SettingError: a name fits no clip.
    """
    places = [place for place in places_of(timeline) if place.number and fnmatchcase(place.track_name, track)]
    marked = [place for place in places if any(fnmatchcase(place.clip.name, name) for name in names)]
    for name in names:
        if not any(fnmatchcase(place.clip.name, name) for place in marked):
            known = ", ".join(dict.fromkeys(place.clip.name for place in places[:20]))
            raise SettingError(f"No clip on a video track is named '{name}'; there are: {known or 'none'}.")
    for place in marked:
        WRITERS[way](place.clip, mark)
    return marked


def _as_effect(clip: Any, mark: ClipMark) -> None:  # noqa: ANN401 - a clip
    _remove(clip.effects, lambda effect: EFFECT in (effect.effect_name, effect.name))
    clip.effects.append(otio.schema.Effect(name=EFFECT, effect_name=EFFECT, metadata={KEYS[0]: _plain(mark)}))


def _as_metadata(clip: Any, mark: ClipMark) -> None:  # noqa: ANN401 - a clip
    clip.metadata[KEYS[0]] = _plain(mark)


def _as_marker(clip: Any, mark: ClipMark) -> None:  # noqa: ANN401 - a clip
    _remove(clip.markers, lambda marker: is_marker(marker.name))
    shown = clip.source_range or getattr(clip.media_reference, "available_range", None)
    start = shown.start_time if shown is not None else otio.opentime.RationalTime(0, 24)
    length = otio.opentime.RationalTime(1, start.rate)
    marker = otio.schema.Marker(mark.as_marker(), otio.opentime.TimeRange(start, length))
    clip.markers.append(marker)


WRITERS = {"effect": _as_effect, "metadata": _as_metadata, "marker": _as_marker}
"""Way of marking -> who does it."""


def _remove(items: Any, is_ours: Any) -> None:  # noqa: ANN401 - a list of the library
    for index in reversed(range(len(items))):
        if is_ours(items[index]):
            del items[index]


def _plain(mark: ClipMark) -> dict[str, Any]:
    """Numbers, texts and lists: what every adapter carries."""
    values: dict[str, Any] = json.loads(json.dumps(mark.as_dict()))
    return values


def bundle_of(output: Path) -> Path:
    """Folder for the media of a bundle that is marked: next to the marked timeline."""
    return output.with_name(output.stem + ".media")
