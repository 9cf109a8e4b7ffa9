"""Which performance a mark means: a file, a built-in motion, or another clip of the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from lp_core.batch.clip_time import ClipRange, PerformanceRange, exact_rate
from lp_core.batch.marks import ClipMark
from lp_core.batch.media_links import Finder, MediaLink, bracketed, path_of
from lp_core.batch.media_probe import MediaFacts, Prober
from lp_core.batch.otio.clips import ClipFacts
from lp_core.errors import SettingError, UnreadableMedia
from lp_core.performance_name import (
    BUILTIN,
    CLIP,
    TRACK,
    is_motion,
    is_speech,
    parse,
    speech_file,
    with_file,
)
from lp_core.render.cast_members import cast_files, inlined
from lp_core.settings import FaceSettings


@dataclass(frozen=True)
class DrivingMedia:
    """A performance, found."""

    name: str
    """File, frame pattern or ``demo:NAME``."""
    media: MediaFacts | None
    """None for a stored or built-in motion and for a voice."""
    in_s: Fraction = Fraction(0)
    """Time within it at the clip's head."""
    speed: Fraction = Fraction(1)
    """Seconds of it a timeline second."""
    notes: tuple[str, ...] = ()
    link: MediaLink | None = None
    """What it was read from; None for a built-in motion."""

    def frames_for(self, performance: PerformanceRange, count: int, fps: Fraction) -> tuple[int, int] | None:
        """First and last frame to read, by its own numbers; None: all of it, where it is short or no video.

        Args:
            performance: how it runs next to the shot.
            count: frames of the shot.
            fps: of the shot.

        Raises:
            SettingError: it has no such frames.
        """
        media = self.media
        if media is None or media.is_still:
            return None
        ends = (performance.start_s, performance.start_s + performance.speed * (count - 1) / fps)
        first = max((min(ends) * media.fps).__floor__(), 0)
        stop = (max(ends) * media.fps).__floor__() + 2  # one more to mix with
        if media.frames is not None:
            stop = min(stop, media.frames)
            if first >= media.frames:
                raise SettingError(
                    f"{self.name} ends before the clip does begin; give a longer performance, or another start."
                )
        if stop <= 0:
            raise SettingError(f"{self.name} begins after the clip has ended; give another start.")
        return media.first + first, media.first + max(stop, first + 1) - 1


def origin_of(clip: ClipFacts, media: MediaFacts, span: ClipRange) -> Fraction:
    """Time of a media's first frame by the clock that the clip's range uses."""
    if media.is_still:
        return Fraction(0)
    if clip.clock is not None:
        origin = clip.clock.start_s
        # a sequence may begin before or after the images that are there now
        if media.is_sequence and clip.link is not None and clip.link.frames is not None:
            origin += (media.first - clip.link.frames.first) / media.fps
        return origin
    if media.is_sequence and span.start_s >= media.first / media.fps:
        return media.first / media.fps
    if media.timecode_s is not None and span.start_s >= media.timecode_s:
        return media.timecode_s
    return Fraction(0)


def find_driver(
    mark: ClipMark,
    clip: ClipFacts,
    facts: Sequence[ClipFacts],
    folder: Path,
    prober: Prober,
    finder: Finder,
) -> DrivingMedia:
    """The performance of a mark.

    Args:
        mark: names it.
        clip: that is animated.
        facts: all clips.
        folder: of the timeline.
        prober: opens media.
        finder: looks for missing ones.

    Raises:
        LpError: it is not there, or cannot be opened.
    """
    name = mark.driver
    kind, named = parse(name)
    if kind == CLIP:
        driver = _of_clip(_named(named, clip, facts), prober, finder)
    elif kind == TRACK:
        driver = _of_track(named, clip, facts, prober, finder)
    elif kind == BUILTIN:
        driver = DrivingMedia(name, None)
    else:
        driver = _of_file(name, clip, folder, prober, finder)
    if not mark.driver_start:
        return driver
    fps = driver.media.fps if driver.media else exact_rate(clip.rate or 25.0)
    return replace(driver, in_s=driver.in_s + mark.driver_start / fps)


def cast_here(
    face: FaceSettings, clip: ClipFacts, folder: Path, prober: Prober, finder: Finder
) -> FaceSettings:
    """A cast with the full names of its files, which are found as those of marks are.

    Args:
        face: settings that may name a cast.
        clip: that is animated.
        folder: of the timeline.
        prober: says which files may be read.
        finder: looks for missing ones.

    Raises:
        LpError: a file is not there or cannot be read, or a cast names clips of the timeline.
    """
    if face.cast is not None:
        face = replace(face, cast=path_of(face.cast, folder))
        prober.admit(str(face.cast))
    for name in cast_files(face):
        if parse(name).kind in (CLIP, TRACK):
            raise SettingError(
                f"{clip.words}: a face of a cast is driven by a file, not by {name}; name a file."
            )
    return inlined(face, lambda name: _there(bracketed(path_of(name, folder)), clip, finder).name)


def _of_file(name: str, clip: ClipFacts, folder: Path, prober: Prober, finder: Finder) -> DrivingMedia:
    link = _there(bracketed(path_of(speech_file(name), folder)), clip, finder)
    if is_speech(name):
        return DrivingMedia(with_file(name, lambda _: link.name), None, link=link)
    media = None if is_motion(link.name) else prober.facts(link)
    return DrivingMedia(link.name, media, link=link)


def _there(link: MediaLink, clip: ClipFacts, finder: Finder) -> MediaLink:
    found = link if link.exists else finder.find(link)
    if found is None:
        raise UnreadableMedia(
            f"{clip.words}: its performance {link.name} is not there; check the mark, or --relink."
        )
    return found


def _named(name: str, clip: ClipFacts, facts: Sequence[ClipFacts]) -> ClipFacts:
    found = [other for other in facts if other.name == name and other.index != clip.index]
    found = [other for other in found if other.is_video] or found
    if not found:
        raise SettingError(
            f"{clip.words}: the timeline has no other clip named '{name}' to take a performance from."
        )
    if len({(other.link, other.span) for other in found}) > 1:
        raise SettingError(
            f"{clip.words}: the timeline has {len(found)} clips named '{name}'; rename the one meant."
        )
    return found[0]


def _of_clip(other: ClipFacts, prober: Prober, finder: Finder) -> DrivingMedia:
    """A clip's own range, from its head."""
    if other.link is None or other.span is None:
        raise SettingError(f"{other.words} has no media that could be a performance; choose another.")
    if other.is_ramp:
        raise SettingError(
            f"{other.words} changes its speed within the clip, which a performance cannot; bake it."
        )
    link = _there(other.link, other, finder)
    rate = None if other.sequence_rate is None else exact_rate(other.sequence_rate)
    media = prober.facts(link, rate)
    span = other.span
    start = span.start_s - origin_of(other, media, span)
    if span.speed < 0:  # its head shows the last frame of its range
        start += span.media_s - 1 / media.fps
    return DrivingMedia(media.name, media, start, span.speed, link=link)


def _of_track(
    name: str, clip: ClipFacts, facts: Sequence[ClipFacts], prober: Prober, finder: Finder
) -> DrivingMedia:
    """What stands next to the clip on a track of the same stack, in step with the timeline."""
    if clip.start_s is None or clip.span is None:
        raise SettingError(f"{clip.words}: its position is unknown; name its performance as clip:NAME.")
    found = []
    for other in facts:
        is_track = name in (other.track, f"V{other.number}") and other.is_video and other.stack == clip.stack
        if is_track and other.start_s is not None and other.span is not None and other.index != clip.index:
            begin = max(other.start_s, clip.start_s)
            end = min(other.start_s + other.span.duration_s, clip.start_s + clip.span.duration_s)
            if end > begin:
                found.append((end - begin, -other.index, other))
    if not found:
        raise SettingError(f"{clip.words}: nothing stands next to it on the track '{name}'.")
    other = max(found)[2]
    driver = _of_clip(other, prober, finder)
    late_s = clip.start_s - (other.start_s or Fraction(0))
    notes = (
        (f"{clip.words}: of {len(found)} clips next to it the longest counts, {other.words}.",)
        if found[1:]
        else ()
    )
    return replace(driver, in_s=driver.in_s + late_s * driver.speed, notes=notes)
