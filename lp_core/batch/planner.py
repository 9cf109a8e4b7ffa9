"""Timeline -> plan."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from lp_core.batch.clip_time import ClipRange, Frames, clamped, exact_rate, needed_frames, performance_beside
from lp_core.batch.estimates import estimate_s, learnt_pace
from lp_core.batch.find_driving import DrivingMedia, cast_here, find_driver, origin_of
from lp_core.batch.marks import ClipMark, MapLine, apply_mark
from lp_core.batch.media_links import Finder, MediaLink
from lp_core.batch.media_probe import MediaFacts, Prober
from lp_core.batch.otio.clips import ClipFacts, facts_of, mark_or_problem
from lp_core.batch.otio.timeline import places_of, read_timeline
from lp_core.batch.plan import BUNDLE, CHUNK_FRAMES, WORK, BatchPlan, Shot, ShotProblem
from lp_core.batch.results import UNEXPECTED, unexpected
from lp_core.batch.up_to_date import MACHINE_SETTINGS
from lp_core.engines.registry import choose_engine
from lp_core.errors import LpError, NotAllowed, SettingError
from lp_core.files import check_name
from lp_core.job import RenderJob
from lp_core.media.frame_pattern import split_range
from lp_core.media.open import SEQUENCE_SINKS, SINKS
from lp_core.media.render_outputs import can_be_parted
from lp_core.settings import RenderSettings

logger = logging.getLogger(__name__)

MEDIA = "media"
"""Folder of the results within the batch's folder."""
_FILM_SUFFIXES = {
    "prores422hq": ".mov",
    "prores4444": ".mov",
    "dnxhr-hqx": ".mov",
    "dnxhr-444": ".mov",
    "ffv1": ".mkv",
}


@dataclass(frozen=True)
class PlanRequest:
    """What is asked of a batch."""

    timeline: Path
    output: Path
    settings: RenderSettings = field(default_factory=RenderSettings)
    lines: tuple[MapLine, ...] = ()
    """Marks of a sidecar."""
    relink: tuple[str, ...] = ()
    """Folders in which missing media are looked for."""
    chunk_frames: int = CHUNK_FRAMES
    file_type: str = "auto"
    """Suffix of the results, such as .mov or .exr; auto: by codec and source."""
    admit: Callable[[str], object] = str
    """Is given the name of each medium before it is opened; raises NotAllowed for what may not be read."""


class _Trouble(Exception):
    """Why a clip cannot be animated."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def make_plan(request: PlanRequest) -> tuple[BatchPlan, Any]:
    """Reads the timeline and plans what is marked in it.

    Returns:
        The plan, and the timeline as the library read it.

    Raises:
        LpError: the timeline cannot be read, or the settings of the run contradict each other.
    """
    _check(request)
    timeline, notes = read_timeline(request.timeline, request.output / WORK / BUNDLE)
    folder = request.timeline.resolve().parent
    places = places_of(timeline)
    facts = [facts_of(index, place, folder) for index, place in enumerate(places)]
    given = request.settings.input
    prober = Prober(given.interlaced, given.references, request.admit)
    planner = _Planner(request, folder, facts, prober, Finder(request.relink))
    planner.paces = learnt_pace(request.output / WORK)
    for place, clip in zip(places, facts, strict=True):
        mark, problem = mark_or_problem(place, request.lines)
        planner.take(clip, mark, problem)
    plan = BatchPlan(
        timeline=str(request.timeline.resolve()),
        output=str(request.output.resolve()),
        shots=planner.finished(),
        chunk_frames=request.chunk_frames,
        problems=tuple(planner.problems),
        counts=dict(planner.counts),
        notes=(*notes, *planner.notes),
    )
    return plan, timeline


def _check(request: PlanRequest) -> None:
    check_name(request.output)
    settings = request.settings
    if settings.input.frames is not None or settings.output.fps is not None:
        raise SettingError("--frames and --fps come from the timeline in a batch; leave them out.")
    if settings.upscale.upscale is not None:
        raise SettingError(
            "A batch renders in chunks, which --upscale cannot; enlarge the results with lpsuite upscale."
        )
    known = ("auto", *SINKS, *SEQUENCE_SINKS)
    if request.file_type not in known:
        raise SettingError(
            f"The file type '{request.file_type}' cannot be written; choose one of: {', '.join(known)}."
        )


@dataclass
class _Planner:
    """Goes through the clips one by one."""

    request: PlanRequest
    folder: Path
    facts: Sequence[ClipFacts]
    prober: Prober
    finder: Finder
    problems: list[ShotProblem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    shots: dict[str, Shot] = field(default_factory=dict)
    engines: dict[RenderSettings, str] = field(default_factory=dict)
    paces: dict[str, float] = field(default_factory=dict)

    def take(self, clip: ClipFacts, mark: ClipMark | None, problem: str | None) -> None:
        """Plans a clip, or counts why it is passed over."""
        self.counts["clips"] += 1
        passed = self._passed_over(clip, mark is not None or problem is not None)
        if passed is not None:
            self.counts[passed] += 1
            return
        self.counts["marked"] += 1
        try:
            if problem is not None or mark is None:
                raise _Trouble("mark", problem or "")
            shot = self._shot(clip, mark)
        except _Trouble as trouble:
            self.problems.append(ShotProblem(clip.index, clip.words, trouble.kind, str(trouble)))
        except NotAllowed:
            raise
        except LpError as error:
            self.problems.append(ShotProblem(clip.index, clip.words, "media", str(error)))
        except Exception as error:
            logger.exception("planning %s", clip.words)
            message = f"{clip.words}: {unexpected(error)}"
            self.problems.append(ShotProblem(clip.index, clip.words, UNEXPECTED, message))
        else:
            known = self.shots.get(shot.id)
            self.shots[shot.id] = shot if known is None else replace(known, clips=(*known.clips, clip.index))

    @staticmethod
    def _passed_over(clip: ClipFacts, is_marked: bool) -> str | None:
        if not is_marked:
            return "not marked"
        if not clip.is_video:
            return "not on a video track"
        if not clip.is_enabled:
            return "disabled"
        return "generators" if clip.kind == "generator" else None

    def finished(self) -> tuple[Shot, ...]:
        """The shots in the order of their first clips."""
        return tuple(self.shots.values())

    def _shot(self, clip: ClipFacts, mark: ClipMark) -> Shot:
        media, link = self._media(clip)
        settings = self._settings(mark)
        span = self._span(clip, media)
        origin_s = origin_of(clip, media, span)
        fps = exact_rate(clip.rate) if media.is_still and clip.rate else media.fps
        frames, notes = self._frames(clip, media, span, origin_s, fps)
        first_s = origin_s + frames.first / fps
        driver = find_driver(mark, clip, self.facts, self.folder, self.prober, self.finder)
        notes = [*notes, *driver.notes]
        settings = replace(
            settings, face=cast_here(settings.face, clip, self.folder, self.prober, self.finder)
        )
        perf = performance_beside(span, first_s, 1 / fps, driver.in_s, driver.speed)
        beside = performance_beside(span, first_s, 1 / fps, Fraction(0), Fraction(1))
        ahead_s = perf.speed * settings.input.driving_offset / fps
        perf = replace(perf, start_s=perf.start_s + ahead_s)
        driven = driver.frames_for(perf, frames.count, fps)
        numbers = None
        if not media.is_still:
            numbers = (media.first + frames.first, media.first + frames.stop - 1)
            if media.is_sequence and link.frames is not None and media.frames is None:
                numbers = (link.frames.first + frames.first, link.frames.first + frames.stop - 1)
        missing = _policy(settings.input.missing, link if media.is_sequence else driver.link)
        driver_missing = _policy(settings.input.missing, driver.link)
        settings = self._for_shot(settings, media, fps, numbers)
        settings = replace(settings, input=replace(settings.input, missing=missing))
        suffix = self._suffix(media, settings)
        made_of = _identity(
            media, numbers, frames.count, fps, driver, driver_missing, driven, perf, settings, suffix
        )
        clock_rate = clip.clock.rate if clip.clock and not media.is_still else clip.rate or float(fps)
        output = _output(clip.name, made_of, suffix)
        self._require_parts(output, settings)
        return Shot(
            id=made_of,
            name=clip.name,
            words=clip.words,
            clips=(clip.index,),
            job=RenderJob(media.name, driver.name, output, settings),
            is_still=media.is_still,
            frames=frames.count,
            fps=str(fps),
            clock_start=float(first_s * exact_rate(clock_rate)),
            clock_rate=clock_rate,
            driver_frames=driven,
            driver_fps=None
            if driver.media is None or not driver.media.is_sequence
            else str(driver.media.fps),
            driver_start_s=str(perf.start_s),
            driver_speed=str(perf.speed),
            driver_missing=driver_missing if driver_missing != missing else "",
            beside_start_s=str(beside.start_s),
            beside_speed=str(beside.speed),
            size=media.size,
            estimate_s=self._estimate(settings.engine.engine, frames.count, media.size),
            notes=tuple(notes),
        )

    def _estimate(self, engine: str, frames: int, size: tuple[int, int]) -> float:
        return round(estimate_s(engine, frames, size, self.paces.get(engine, 1.0)), 1)

    def _media(self, clip: ClipFacts) -> tuple[MediaFacts, MediaLink]:
        if clip.link is None:
            words = f"its media is at {clip.url}, which is not a file" if clip.url else "it has no media"
            raise _Trouble("missing", f"{clip.words}: {words}; relink it in the editing program.")
        link = clip.link if clip.link.exists else self.finder.find(clip.link)
        if link is None:
            raise _Trouble(
                "missing",
                f"{clip.words}: {clip.link.name} is not there; name a folder that has it with --relink.",
            )
        rate = None if clip.sequence_rate is None else exact_rate(clip.sequence_rate)
        if rate is None and clip.clock is not None and link.is_sequence:
            rate = exact_rate(clip.clock.rate)
        return self.prober.facts(link, rate), link

    def _settings(self, mark: ClipMark) -> RenderSettings:
        try:
            settings = apply_mark(self.request.settings, mark)
        except LpError as error:
            raise _Trouble("mark", str(error)) from error
        if settings not in self.engines:
            self.engines[settings] = choose_engine(settings)[0]
        return replace(settings, engine=replace(settings.engine, engine=self.engines[settings]))

    @staticmethod
    def _span(clip: ClipFacts, media: MediaFacts) -> ClipRange:
        if clip.span is not None and not clip.is_ramp:
            return clip.span
        if media.is_still or media.frames is None:
            if clip.span is not None and media.is_still:
                return clip.span
            raise _Trouble("range", f"{clip.words}: its length is unknown; give it a source range.")
        start = clip.clock.start_s if clip.clock else Fraction(0)
        return ClipRange(start, media.frames / media.fps)

    def _frames(
        self, clip: ClipFacts, media: MediaFacts, span: ClipRange, origin_s: Fraction, fps: Fraction
    ) -> tuple[Frames, list[str]]:
        """The frames to render and the notes about them."""
        handles = self.request.settings.input.handles
        wanted = needed_frames(span, origin_s, fps, clip.before_s, clip.after_s, handles)
        if media.is_still:  # programs know no time before 0, so handles do not reach there
            least = min(wanted.first + handles, 0)
            return Frames(max(wanted.first, least), wanted.stop - max(wanted.first, least)), []
        notes = []
        if clip.is_ramp:
            notes.append(f"{clip.words}: its speed changes within the clip, so all of its media is rendered.")
        there = clamped(wanted, media.frames)
        if there is None:
            raise _Trouble(
                "range",
                f"{clip.words}: what it shows is outside of its media ({media.name}); check its range.",
            )
        shown = needed_frames(span, origin_s, fps, Fraction(0), Fraction(0), 0)
        cut = (wanted.count - there.count, there.first > shown.first or there.stop < shown.stop)
        if cut[1] and not clip.is_ramp:
            notes.append(f"{clip.words}: it shows more than its media has; what there is is rendered.")
        elif cut[0] and not clip.is_ramp:
            notes.append(f"{clip.words}: {cut[0]} frames of handles or transitions lie outside of its media.")
        return there, notes

    def _for_shot(
        self, settings: RenderSettings, media: MediaFacts, fps: Fraction, numbers: tuple[int, int] | None
    ) -> RenderSettings:
        frames = None if numbers is None else f"{numbers[0]}-{numbers[1]}"
        rate = str(fps) if media.is_still or media.is_sequence else None
        return replace(
            settings,
            input=replace(settings.input, frames=frames, handles=0, driving_offset=0),
            output=replace(settings.output, fps=rate, overwrite=False),
        )

    def _suffix(self, media: MediaFacts, settings: RenderSettings) -> str:
        if self.request.file_type != "auto":
            return self.request.file_type
        own = split_range(media.name)[0].suffix.lower()
        if media.is_sequence and own in SEQUENCE_SINKS:
            return own
        return _FILM_SUFFIXES.get(settings.output.codec, ".mp4")

    @staticmethod
    def _require_parts(output: str, settings: RenderSettings) -> None:
        if not can_be_parted(output, settings.output):
            raise _Trouble(
                "mark", f"{output} cannot have passes next to it in a batch; take --file-type .exr."
            )


def _identity(
    media: MediaFacts,
    numbers: tuple[int, int] | None,
    count: int,
    fps: Fraction,
    driver: DrivingMedia,
    driver_missing: str,
    driven: tuple[int, int] | None,
    perf: Any,  # noqa: ANN401 - Performance
    settings: RenderSettings,
    suffix: str,
) -> str:
    values = asdict(settings)
    for name in MACHINE_SETTINGS:
        values["engine"].pop(name)
    parts = [
        media.name,
        numbers,
        count,
        str(fps),
        driver.name,
        driven,
        str(perf.start_s),
        str(perf.speed),
        values,
        suffix,
    ]
    if driver_missing != settings.input.missing:
        parts.append(driver_missing)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


def _policy(wanted: str, link: MediaLink | None) -> str:
    """What is shown in place of a missing image: the setting's word where it is not the default, else the link's."""
    return wanted if wanted != "error" or link is None else link.missing


def _output(name: str, made_of: str, suffix: str) -> str:
    stem = re.sub(r"[^\w.-]+", "_", Path(name or "clip").stem).strip("._")[:60]
    stem = stem.encode()[:120].decode(errors="ignore") or "clip"  # a name has 255 bytes at most
    stem = f"{stem}_{made_of}"
    return f"{MEDIA}/{stem}{suffix}" if suffix in SINKS else f"{MEDIA}/{stem}/{stem}.%04d{suffix}"
