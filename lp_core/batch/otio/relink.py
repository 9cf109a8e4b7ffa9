"""The results put into the timeline; everything else stays as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

from lp_core.batch.clip_time import exact_rate
from lp_core.batch.marks import KEYS
from lp_core.batch.media_links import bracketed, rebased, url_like
from lp_core.batch.otio.library import otio
from lp_core.batch.otio.timeline import SOURCE_KEY, places_of
from lp_core.batch.plan import BatchPlan, Shot
from lp_core.media.frame_pattern import SequencePattern, padded
from lp_core.version import __version__


def conform_timeline(timeline: Any, plan: BatchPlan, finished: Iterable[Shot]) -> Any:  # noqa: ANN401 - a timeline
    """The timeline with the media of finished shots replaced; what was shown before stays as ``lp_source``.

    Args:
        timeline: as it was read; it is changed.
        plan: of the batch.
        finished: shots whose results are there.
    """
    before, after = Path(plan.timeline).parent, plan.folder
    places = places_of(timeline)
    for place in places:
        for reference in place.clip.media_references().values():
            _rebase(reference, before, after)
    for shot in finished:
        for index in shot.clips:
            _replace(places[index].clip, shot, plan)
    return timeline


def _rebase(reference: Any, before: Path, after: Path) -> None:  # noqa: ANN401 - a media reference
    """Keeps relative addresses pointing where they did, although the timeline stands elsewhere."""
    if isinstance(reference, otio.schema.ExternalReference) and reference.target_url:
        found = rebased(reference.target_url, before, after)
        if found != reference.target_url:
            reference.target_url = found
    elif isinstance(reference, otio.schema.ImageSequenceReference) and reference.target_url_base:
        base = reference.target_url_base
        found = rebased(base, before, after)
        if found != base:
            reference.target_url_base = found + ("/" if base.endswith("/") else "")


def _replace(clip: Any, shot: Shot, plan: BatchPlan) -> None:  # noqa: ANN401 - a clip
    references: Mapping[str, Any] = clip.media_references()
    active = clip.active_media_reference_key
    if active == SOURCE_KEY:
        active = otio.schema.Clip.DEFAULT_MEDIA_KEY
    original = deepcopy(references.get(SOURCE_KEY, clip.media_reference))
    kept = {name: deepcopy(item) for name, item in references.items()}
    clip.set_media_references(
        {**kept, SOURCE_KEY: original, active: _reference(original, shot, plan)}, active
    )


def _reference(original: Any, shot: Shot, plan: BatchPlan) -> Any:  # noqa: ANN401 - media references
    rate = exact_rate(shot.clock_rate)
    frames = float(shot.frames * rate / Fraction(shot.fps))
    available = otio.opentime.TimeRange(
        otio.opentime.RationalTime(shot.clock_start, shot.clock_rate),
        otio.opentime.RationalTime(frames, shot.clock_rate),
    )
    about = {
        "version": __version__,
        "shot": shot.id,
        "driver": shot.job.driving,
        "engine": shot.job.settings.engine.engine,
    }
    common = {"available_range": available, "metadata": {KEYS[0]: about}}
    path = plan.folder / shot.output
    pattern = SequencePattern.parse(path)
    model = _address(original)
    if pattern is None:
        made = otio.schema.ExternalReference(url_like(model, path, plan.folder), **common)
    else:
        made = _sequence(original, model, pattern, float(Fraction(shot.fps)), plan.folder, common)
    made.name = original.name
    return made


def _address(reference: Any) -> str:  # noqa: ANN401 - a media reference
    for name in ("target_url", "target_url_base"):
        address = getattr(reference, name, None)
        if address:
            return str(address)
    return ""


def _sequence(
    original: Any,  # noqa: ANN401 - a media reference
    model: str,
    pattern: SequencePattern,
    rate: float,
    folder: Path,
    common: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - a media reference
    numbers = pattern.numbers()
    first, last = (numbers[0], numbers[-1]) if numbers else (0, 0)
    if isinstance(original, otio.schema.ExternalReference) and bracketed(model).frames is not None:
        # as Resolve writes and reads them
        digits = pattern.digits
        name = f"{pattern.prefix}[{padded(first, digits)}-{padded(last, digits)}]{pattern.suffix}"
        return otio.schema.ExternalReference(url_like(model, pattern.folder / name, folder), **common)
    return otio.schema.ImageSequenceReference(
        target_url_base=url_like(model, pattern.folder, folder) + "/",
        name_prefix=pattern.prefix,
        name_suffix=pattern.suffix,
        start_frame=first,
        frame_step=1,
        rate=rate,
        frame_zero_padding=pattern.digits,
        **common,
    )
