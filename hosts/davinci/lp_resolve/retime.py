"""Clips with a constant retime: their speed as Resolve exports it, and a timeline of one clip that has it again. Pure.

A script cannot set a clip's speed, but Resolve reads it from OTIO. A result is rendered frame for frame of the media, a
timeline with that one clip at that speed is imported, and this timeline is placed above the clip. Resolve's own
shape: ``source_range`` begins at the true position in the media, its length is what the timeline shows, and
LinearTimeWarp holds the speed. Ramps and clips that run backwards are rendered in place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .api_results import frame_of
from .media import Media, is_pattern
from .plan import Use

MARGIN = 2
"""More frames of the media than the timeline needs: Resolve may round either way."""
_MOST = 10**6  # denominator of a speed


@dataclass(frozen=True)
class Retime:
    """A constant retime."""

    speed: Fraction
    """Media seconds in a second of the timeline; above 0."""
    first: Fraction
    """Offset of the media frame that is seen first, in the media's frames."""

    def source_use(self, use: Use, media: Media) -> Use:
        """The frames of the media that are seen, as a clip that runs frame for frame.

        Args:
            use: the clip's place on the timeline.
            media: what it shows.
        """
        first = int(self.first)
        length = Fraction(use.duration) / use.rate.fps * media.rate.fps * self.speed
        count = min(-int(-(self.first + length) // 1) - first + MARGIN, media.frames - first)
        return Use(
            use.item,
            use.name,
            use.track,
            use.start,
            count,
            first,
            media,
            media.rate,
            media.start.count(";") > 0,
        )


def retime_of(text: str, track: int, index: int, name: str, media: Media) -> Retime | None:
    """The retime of a clip, by the timeline that Resolve has exported.

    Args:
        text: OTIO.
        track: index of the video track, from 1.
        index: how many clips lie before it on its track.
        name: of the clip; another one at that place means that Resolve wrote another order.
        media: what it shows.

    Returns:
        None where it has no constant retime forwards.
    """
    tracks = [found for found in json.loads(text)["tracks"]["children"] if found.get("kind") == "Video"]
    if track > len(tracks):
        return None
    clips = [item for item in tracks[track - 1]["children"] if _schema(item) == "Clip"]
    if index >= len(clips) or clips[index].get("name") != name:
        return None
    clip = clips[index]
    warps = [
        effect for effect in clip.get("effects") or [] if _schema(effect).endswith(("TimeWarp", "TimeEffect"))
    ]
    if len(warps) != 1 or _schema(warps[0]) != "LinearTimeWarp" or float(warps[0]["time_scalar"]) <= 0:
        return None
    speed = Fraction(float(warps[0]["time_scalar"])).limit_denominator(_MOST)
    begins = _seconds(clip["source_range"]["start_time"]) - _seconds(
        _reference(clip)["available_range"]["start_time"]
    )
    first = begins * media.rate.fps
    return Retime(speed, first) if 0 <= first < media.frames else None


def timeline_text(
    name: str, use: Use, retime: Retime, source: Use, path: str, first: int, frames: int
) -> str:
    """A timeline of one clip at that speed, as OTIO in the shape that Resolve imports.

    Args:
        name: of the timeline.
        use: the clip's place on the timeline.
        retime: its retime.
        source: the frames of the media that were rendered.
        path: the result.
        first: number of the result's first image; of a video 0.
        frames: images of the result.
    """
    media, rate = source.media, source.media.rate
    start = frame_of(media.start, rate, source.drop) + source.left if media.start else 0
    seen = retime.first - source.left
    clip = {
        "OTIO_SCHEMA": "Clip.2",
        "name": Path(path).name,
        "enabled": True,
        "effects": [
            {"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "", "effect_name": "", "metadata": {},
             "time_scalar": float(retime.speed)}
        ],
        "markers": [],
        "metadata": {},
        "source_range": _range(Fraction(start) + seen, rate.fps, Fraction(use.duration), use.rate.fps),
        "media_references": {
            "DEFAULT_MEDIA": {
                "OTIO_SCHEMA": "ExternalReference.1",
                "name": Path(path).name,
                "available_range": _range(Fraction(start), rate.fps, Fraction(frames), rate.fps),
                "metadata": {},
                "target_url": _bracketed(path, first, frames) if is_pattern(path) else path,
            }
        },
        "active_media_reference_key": "DEFAULT_MEDIA",
    }  # fmt: skip
    track = {"OTIO_SCHEMA": "Track.1", "name": "Video 1", "kind": "Video", "children": [clip], **_PLAIN}
    whole = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": name,
        "metadata": {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}},
        "global_start_time": _time(Fraction(0), use.rate.fps),
        "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "", "children": [track], **_PLAIN},
    }
    return json.dumps(whole, indent=1)


_PLAIN: dict[str, Any] = {"effects": [], "markers": [], "metadata": {}, "source_range": None, "enabled": True}


def _schema(item: dict[str, Any]) -> str:
    return str(item.get("OTIO_SCHEMA", "")).partition(".")[0]


def _reference(clip: dict[str, Any]) -> dict[str, Any]:
    if "media_reference" in clip:
        return dict(clip["media_reference"])
    return dict(clip["media_references"][clip["active_media_reference_key"]])


def _seconds(moment: dict[str, Any]) -> Fraction:
    """A time of OTIO, exact: rates such as 23.976 are meant as fractions of 1001."""
    value, rate = Fraction(moment["value"]), Fraction(float(moment["rate"]))
    whole = round(float(rate) * 1001 / 1000)
    exact = Fraction(whole * 1000, 1001)
    return value / (exact if abs(exact - rate) < Fraction(1, 200) and rate != whole else rate)


def _time(value: Fraction, rate: Fraction) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(value)}


def _range(start: Fraction, rate: Fraction, duration: Fraction, duration_rate: Fraction) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _time(start, rate),
        "duration": _time(duration, duration_rate),
    }


def _bracketed(pattern: str, first: int, frames: int) -> str:
    """``a.%04d.exr`` as Resolve writes it: ``a.[1001-1024].exr``."""
    head, _, tail = pattern.rpartition("%")
    digits, _, rest = tail.partition("d")
    width = int(digits)
    return f"{head}[{first:0{width}d}-{first + frames - 1:0{width}d}]{rest}"
