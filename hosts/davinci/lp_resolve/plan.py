"""From a clip on a timeline to a job of the worker, and to the place where its result goes. Pure.

Convention: offsets into media are frames from its first, counted from 0; timeline frames are absolute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Mapping

from lp_core.timing import FrameRange, FrameRate, Timecode

from .api_results import ResolveRefused, frame_of
from .media import Media, is_pattern

CODEC = "prores4444"
"""Videos come back in a codec that every edition of Resolve plays, with 10 bits or more."""
SCENE_LINEAR = ".exr"
_UNSAFE = re.compile(r"[^\w.-]+")

Settings = Mapping[str, Mapping[str, Any]]
"""Group -> setting -> value, only what differs from the defaults."""


@dataclass(frozen=True)
class Use:
    """A clip as it is on the timeline."""

    item: str
    """Resolve's id of it."""
    name: str
    """Its name."""
    track: int
    """Index of its video track."""
    start: int
    """First frame on the timeline."""
    duration: int
    """Frames on the timeline."""
    left: int
    """Timeline frames between the beginning of its media and what is seen first."""
    media: Media
    """What it shows."""
    rate: FrameRate
    """Of the timeline."""
    drop: bool
    """Whether the timeline's timecode leaves numbers out."""
    speed: Fraction = Fraction(1)
    """How fast the media runs."""

    def __post_init__(self) -> None:
        if self.speed != 1:
            raise ResolveRefused(
                f"{self.name} is retimed to about {float(self.speed):.0%}, and a script can give its result no speed; "
                "render it in place first."
            )

    @property
    def first(self) -> int:
        """Offset of the media frame that is seen first."""
        return int(Fraction(self.left) / self.rate.fps * self.media.rate.fps // 1)

    @property
    def count(self) -> int:
        """Media frames that are seen."""
        end = Fraction(self.left + self.duration) / self.rate.fps * self.media.rate.fps
        return int(-(-end // 1)) - self.first

    def moment_s(self, frame: int) -> Fraction:
        """Time within the media that is seen at a frame of the timeline."""
        return self.rate.time_s(self.left + frame - self.start)


@dataclass(frozen=True)
class DrivingClip:
    """The performance."""

    path: str
    """File, pattern or ``demo:NAME``."""
    starts_s: Fraction = Fraction(0)
    """Moment of the performance that goes with the first frame seen."""
    first: int = 0
    """Number of its first frame, as the worker counts."""


@dataclass(frozen=True)
class ClipPlan:
    """What is rendered and where the result goes."""

    source: str
    """What is animated."""
    driving: str
    """The performance."""
    output: str
    """What is written."""
    settings: dict[str, dict[str, Any]]
    """For the worker."""
    numbers: FrameRange
    """Numbers of the result's images, handles included."""
    before: int
    """Handles at the head: the frames of the result that the timeline does not show."""
    count: int
    """Frames of the result that the timeline shows."""
    start: str
    """Timecode of the result's first frame; empty where the source has none."""


def plan(
    use: Use,
    driver: DrivingClip,
    settings: Settings,
    output: str,
    handles: int = 0,
    portrait: str | None = None,
) -> ClipPlan:
    """The job for a clip.

    Args:
        use: the clip under the playhead.
        driver: the performance.
        settings: what the user changed.
        output: file or pattern, see ``output_name``.
        handles: more frames at either end, as far as the media has them.
        portrait: a still that is animated instead of the clip; the clip gives only the position and length.
    """
    if portrait is not None or use.media.is_still:
        return _of_still(use, driver, settings, output, handles, portrait or use.media.path)
    media = use.media
    last = use.first + use.count - 1
    if use.first < 0 or last >= media.frames:
        raise ResolveRefused(
            f"{use.name} shows the frames {use.first} to {last} of media that has {media.frames}; trim it."
        )
    before, after = min(handles, use.first), min(handles, media.frames - 1 - last)
    numbers = FrameRange(media.first + use.first - before, media.first + last + after)
    ahead = _frames(driver.starts_s, media.rate) - (media.skipped + use.first)
    made = _with(settings, output, {"frames": str(numbers), "handles": 0, "driving_offset": ahead})
    if media.is_sequence:
        made["output"]["fps"] = str(media.rate)
    numbers = numbers if is_pattern(output) else FrameRange(0, len(numbers) - 1)
    start = timecode_at(media, use.first - before, use.drop)
    return ClipPlan(media.path, driver.path, output, made, numbers, before, use.count, start)


def starts_at(use: Use, ahead: int) -> Fraction:
    """Moment of the performance at the first frame seen, when it runs so many frames ahead of the source."""
    if use.media.is_still:
        return use.rate.time_s(ahead)
    return use.media.rate.time_s(ahead + use.media.skipped + use.first)


def _of_still(
    use: Use, driver: DrivingClip, settings: Settings, output: str, handles: int, portrait: str
) -> ClipPlan:
    count = use.duration + 2 * handles
    numbers = FrameRange(driver.first, driver.first + count - 1)
    ahead = _frames(driver.starts_s, use.rate) - handles
    made = _with(settings, output, {"frames": str(numbers), "handles": 0, "driving_offset": ahead})
    made["output"]["fps"] = str(use.rate)
    numbers = numbers if is_pattern(output) else FrameRange(0, count - 1)
    return ClipPlan(portrait, driver.path, output, made, numbers, handles, use.duration, "")


def _with(settings: Settings, output: str, frames: dict[str, Any]) -> dict[str, dict[str, Any]]:
    made = {group: dict(values) for group, values in settings.items()}
    made.setdefault("input", {}).update(frames)
    out = made.setdefault("output", {})
    if not is_pattern(output):
        out.setdefault("codec", CODEC)
    return made


def _frames(time_s: Fraction, rate: FrameRate) -> int:
    """The nearest frame; a clip of another rate is between two."""
    return int((time_s * rate.fps + Fraction(1, 2)) // 1)


def timecode_at(media: Media, offset: int, drop: bool) -> str:
    """Timecode of a frame of media; empty where the media has none."""
    if not media.start:
        return ""
    drops = ";" in media.start or (drop and (media.rate.fps * 1001) % 30000 == 0)
    return Timecode(frame_of(media.start, media.rate, drops), media.rate, drops).plus(offset).text


def output_name(folder: str, name: str, source: str, digits: int = 4) -> str:
    """A name that is free: ``<folder>/shot_lp_v001.mov``, or a folder of images of that name for EXR."""
    stem = (
        _UNSAFE.sub("_", re.sub(r"\.?(\[[^\]]*\]|%0\d+d)|\.[A-Za-z0-9]{2,4}$", "", name)).strip("_.")
        or "clip"
    )
    is_exr = Path(source).suffix.lower() == SCENE_LINEAR
    version = 1
    while True:
        whole = f"{stem}_lp_v{version:03}"
        film, pictures = Path(folder) / f"{whole}.mov", Path(folder) / whole
        if not film.exists() and not pictures.exists():
            return str(pictures / f"{whole}.%0{digits}d.exr") if is_exr else str(film)
        version += 1


def restated(use: Use, data: Mapping[str, Any]) -> tuple[DrivingClip, dict[str, dict[str, Any]]]:
    """DrivingClip and settings that a marker holds, for the clip as it is now.

    A driver that lay on another track, and is gone, keeps its place on the timeline; others begin with the clip.
    """
    driving = data["driving"]
    driver = DrivingClip(str(driving["path"]), Fraction(driving["starts_s"]), int(driving.get("first", 0)))
    if driving.get("item"):
        driver = replace(driver, starts_s=driver.starts_s + use.rate.time_s(use.start - int(data["start"])))
    return driver, {group: dict(values) for group, values in data.get("settings", {}).items()}
