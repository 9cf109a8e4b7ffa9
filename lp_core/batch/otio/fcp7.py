"""Retimed clips of FCP 7 XML (Premiere), which OpenTimelineIO's adapter leaves as a plain effect.

``in`` and ``out`` of such a clip are in time as it plays, not in the media's. The true place is ``pproTicksIn``: ticks
of which Premiere has 254,016,000,000 a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from lp_core.batch.clip_time import exact_rate
from lp_core.batch.otio.library import otio
from lp_core.timing import exact_number

TICKS_PER_SECOND = 254_016_000_000
_KEY = "fcp_xml"


def make_retimes(timeline: Any) -> None:  # noqa: ANN401 - a timeline or a collection
    """Turns constant retimes into LinearTimeWarp with the true place in the media; changes the timeline.

    A retime that is not constant, runs backwards, or does not state its ticks becomes a TimeEffect, whose speed is not
    known, so that nobody takes its place for the true one.
    """
    for clip in timeline.find_clips():
        for number, effect in enumerate(clip.effects):
            told = effect.metadata.get(_KEY, {})
            if told.get("effectid") == "timeremap":
                clip.effects[number] = _retime(clip, effect, told)


def _retime(clip: Any, effect: Any, told: Any) -> Any:  # noqa: ANN401 - of the library
    values = dict(_parameters(told))
    speed = _number(values.get("speed"))
    ticks = _number(clip.metadata.get(_KEY, {}).get("pproTicksIn"))
    is_plain = _is_off(values.get("variablespeed")) and _is_off(values.get("reverse"))
    if not is_plain or not speed or speed < 0 or ticks is None or clip.source_range is None:
        return otio.schema.TimeEffect(name=effect.name, effect_name="timeremap", metadata=effect.metadata)
    held = clip.source_range
    start = otio.opentime.RationalTime(
        float(ticks / TICKS_PER_SECOND * exact_rate(held.start_time.rate)), held.start_time.rate
    )
    clip.source_range = otio.opentime.TimeRange(start, held.duration)
    return otio.schema.LinearTimeWarp(
        name=effect.name, time_scalar=float(speed / 100), metadata=effect.metadata
    )


def _parameters(told: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - of the library
    found = told.get("parameter", [])
    for item in found if hasattr(found, "__iter__") and not hasattr(found, "keys") else [found]:
        yield str(item.get("parameterid")), str(item.get("value", ""))


def _number(text: object) -> Fraction | None:
    try:
        return exact_number(str(text))
    except ValueError:
        return None


def _is_off(text: object) -> bool:
    return str(text or "0").strip().upper() in ("0", "FALSE")
