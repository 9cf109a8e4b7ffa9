"""*Animate Clip*: from the clip under the playhead to a result above it; *Update* does it again after a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Callable

from hosts.client import Client
from lp_core.errors import Cancelled, LpError, SettingError
from lp_core.files import ensure_folder
from lp_core.performance_name import BUILTIN_MOTIONS, BUILTIN_PREFIX
from lp_core.settings.table import all_settings

from . import job, placement
from .api_results import ResolveRefused
from .color import color_settings
from .dialogs import animate_dialog, settings_of
from .facade import ResolveSession, Timeline, TimelineItem
from .media import is_pattern, split_brackets
from .placement import Placed
from .plan import CODEC, ClipPlan, DrivingClip, Use, output_name, plan, restated, starts_at
from .renew import renew
from .windows import ScriptWindows

SCHEMA, VERSION = "lpsuite.davinci", 1
THE_CLIP = "the clip itself"
BUILT_IN = tuple(BUILTIN_PREFIX + name for name in BUILTIN_MOTIONS)
FOLDER = "LivePortrait"


@dataclass(frozen=True)
class ClipChoice:
    """A performance that may be chosen."""

    label: str
    """How the dialog shows it."""
    driver: DrivingClip
    """What it is."""
    item: str | None = None
    """Resolve's id of the clip on another track that it is, which keeps its place; None: no such clip."""


@dataclass(frozen=True)
class EditContext:
    """What a script works with."""

    session: ResolveSession
    """Resolve."""
    client: Client
    """The worker."""
    windows: ScriptWindows | None
    """Opens windows; None: the worker's page is used."""
    say: job.Say
    """Takes sentences for the user."""
    open_page: Callable[[str], Any]
    """Opens an address in the browser."""


def use_of(timeline: Timeline, item: TimelineItem) -> Use:
    """The clip as it lies on the timeline."""
    media, rate = item.media(), timeline.rate
    return Use(
        item.id, item.name, item.track, item.start, item.duration, item.left, media, rate, timeline.is_drop,
        item.speed(media, rate),
    )  # fmt: skip


def candidates(timeline: Timeline) -> list[TimelineItem]:
    """Clips that may be animated: the selected ones, then those under the playhead, first the one that is seen.

    Results are left out.

    Raises:
        ResolveRefused: there are none.
    """
    chosen = [item for item in timeline.selected() if item.marked() is None]
    if chosen:
        ids = {item.id for item in chosen}
        return [*chosen, *(item for item in _under_playhead(timeline) if item.id not in ids)]
    return _under_playhead(timeline)


def _under_playhead(timeline: Timeline) -> list[TimelineItem]:
    seen, playhead = timeline.current(), timeline.playhead
    under = [item for item in reversed(timeline.all_items()) if item.start <= playhead < item.end]
    found = [item for item in under if item.marked() is None]
    if not found:
        raise ResolveRefused(f"{seen.name} is a result already; use LivePortrait - Update.")
    return sorted(found, key=lambda item: item.id != seen.id)


def choices(session: ResolveSession, timeline: Timeline, use: Use) -> list[ClipChoice]:
    """Performances: clips above and below the source, built-in motions, clips of the current folder."""
    found, seen = [], set()
    for item in timeline.all_items():
        beside = item.start < use.start + use.duration and use.start < item.end
        if (
            item.id == use.item
            or not beside
            or item.marked() is not None
            or item.raw.GetMediaPoolItem() is None
        ):
            continue
        try:
            other = use_of(timeline, item)
        except ResolveRefused:
            continue  # a retimed clip or one without a file drives nothing
        found.append(ClipChoice(_label(item), _placed(other, use), item.id))
        seen.add(other.media.path)
    found += [ClipChoice(name, DrivingClip(name)) for name in BUILT_IN]
    seen.add(use.media.path)
    for clip in session.pool().clips():
        path, first, _ = split_brackets(clip.says("File Path"))
        if path and path not in seen:
            seen.add(path)
            found.append(ClipChoice(f"Media pool: {clip.name}", DrivingClip(path, first=first or 0)))
    return found


def animate(desk: EditContext) -> Placed | None:
    """Asks, renders and places; None where the user changed their mind."""
    timeline = desk.session.timeline()
    clips = candidates(timeline)
    use = use_of(timeline, clips[0])
    proposed = _proposed(desk, clips[0], use)
    folder = str(Path(use.media.path).parent / FOLDER)
    if desk.windows is None:
        offered = choices(desk.session, timeline, use)
        return _by_page(desk, timeline, use, offered[0], proposed, folder)
    stills = desk.session.stills()
    portraits = [THE_CLIP, *(f"Still: {label}" for label, _ in stills)]
    proposed.setdefault("output", {"codec": CODEC})
    labels = [_label(clip) for clip in clips]
    several = [item for item in timeline.selected() if item.marked() is None]
    together = [f"All {len(several)} selected clips"] if len(several) > 1 else []
    offered = [choice.label for choice in choices(desk.session, timeline, use)]
    if len(clips) > 1:
        offered.append(labels[0])  # may drive, when another clip is animated
    dialog = animate_dialog([*together, *labels], offered, portraits, folder, proposed)
    values = desk.windows.ask(dialog)
    if values is None:
        return None
    portrait = None
    at = portraits.index(values["portrait"])
    if at:
        portrait = exported_still(desk.session, stills[at - 1], values["folder"])
    if values["clip"] in together:
        return _animate_all(desk, timeline, several, values, portrait)
    return _animate_one(desk, timeline, clips[labels.index(values["clip"])], values, portrait)


def _animate_one(
    desk: EditContext, timeline: Timeline, item: TimelineItem, values: dict[str, Any], portrait: str | None
) -> Placed:
    use = use_of(timeline, item)
    chosen = _chosen(choices(desk.session, timeline, use), values)
    output = output_name(values["folder"], use.name, portrait or use.media.path)
    made = plan(use, chosen.driver, settings_of(values), output, int(values["handles"]), portrait)
    return render(desk, timeline, use, made, chosen, int(values["handles"]), portrait)


def _animate_all(
    desk: EditContext,
    timeline: Timeline,
    items: list[TimelineItem],
    values: dict[str, Any],
    portrait: str | None,
) -> Placed | None:
    """One after the other, with the same settings; one that cannot be animated does not stop the others."""
    placed = None
    for item in items:
        try:
            placed = _animate_one(desk, timeline, item, values, portrait)
        except Cancelled:  # noqa: PERF203 - renders are slow
            raise
        except LpError as error:
            desk.say(f"{item.name}: {error}")
    return placed


def _by_page(
    desk: EditContext, timeline: Timeline, use: Use, choice: ClipChoice, settings: dict[str, Any], folder: str
) -> Placed:
    output = output_name(folder, use.name, use.media.path)
    made = plan(use, choice.driver, settings, output)
    parameters = _parameters(made)
    ensure_folder(Path(made.output).parent)
    status = job.by_page(desk.client, parameters, desk.say, desk.open_page)
    given = status.parameters
    ahead = int(given["settings"]["input"]["driving_offset"])
    item = choice.item if given["driving"] == made.driving else None
    choice = ClipChoice("", DrivingClip(given["driving"], starts_at(use, ahead), choice.driver.first), item)
    made = replace(made, driving=given["driving"], settings=_changed(given["settings"]))
    return _bring_back(desk, timeline, use, made, choice, 0, None, status.id)


def render(
    desk: EditContext,
    timeline: Timeline,
    use: Use,
    made: ClipPlan,
    choice: ClipChoice,
    handles: int,
    portrait: str | None,
) -> Placed:
    """Has the worker render a plan, and brings the result back."""
    status = job.run(desk.client, "animate", _parameters(made), desk.windows, desk.say)
    return _bring_back(desk, timeline, use, made, choice, handles, portrait, status.id)


def _bring_back(
    desk: EditContext,
    timeline: Timeline,
    use: Use,
    made: ClipPlan,
    choice: ClipChoice,
    handles: int,
    portrait: str | None,
    job: str,
) -> Placed:
    pool = desk.session.pool()
    clip, told = placement.bring_in(pool, made, use, job)
    for words in told:
        desk.say(words)
    placed = placement.place(timeline, pool, clip, made, use)
    data = remembered(use, made, choice, handles, portrait)
    placed.item.mark(
        f"{Path(made.driving).name} on {use.name}; LivePortrait - Update renders it again.", data
    )
    desk.say(f"{made.output} lies on video track {placed.track} at the frame {use.start}.")
    return placed


def update(desk: EditContext) -> Placed:
    """Renders the result under the playhead again, for its source as it lies now, and puts it in the old one's place.

    Raises:
        ResolveRefused: there is no result under the playhead, or its source is gone.
    """
    timeline = desk.session.timeline()
    old, data = _result_under(timeline)
    if data.get("schema") != SCHEMA or data.get("version", 0) > VERSION:
        raise ResolveRefused(f"The marker of {old.name} is of another version; animate its source again.")
    use = _source_of(timeline, data)
    driver, settings = restated(use, data)
    beside = data["driving"].get("item")
    for item in timeline.all_items():
        if beside is not None and item.id == beside:
            driver = _placed(use_of(timeline, item), use)
    handles, portrait = int(data.get("handles", 0)), data.get("portrait")
    output = output_name(str(_folder_of(data["output"])), use.name, portrait or use.media.path)
    made = plan(use, driver, settings, output, handles, portrait)
    status = job.run(desk.client, "animate", _parameters(made), desk.windows, desk.say)
    desk.session.edit_page()
    name = old.name
    placed, told = renew(timeline, desk.session.pool(), old, made, use, status.id)
    for words in told:
        desk.say(words)
    data = remembered(use, made, ClipChoice("", driver, beside), handles, portrait)
    if placed.item.marked() is None:
        placed.item.mark(f"{Path(made.driving).name} on {use.name}, updated.", data)
    else:
        placed.item.remark(data)
    desk.say(f"{made.output} replaces {name}.")
    return placed


def remembered(
    use: Use, made: ClipPlan, choice: ClipChoice, handles: int, portrait: str | None
) -> dict[str, Any]:
    """What a marker keeps, so that a result can be made again."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "item": use.item,
        "source": use.media.path,
        "start": use.start,
        "portrait": portrait,
        "driving": {
            "path": made.driving,
            "starts_s": str(choice.driver.starts_s),
            "first": choice.driver.first,
            "item": choice.item,
        },
        "handles": handles,
        "settings": made.settings,
        "output": made.output,
    }


def exported_still(session: ResolveSession, still: tuple[str, Any], folder: str) -> str:
    """Writes a still of the gallery into a folder, and returns its file."""
    target = Path(folder) / "stills"
    ensure_folder(target)
    before = set(target.iterdir())
    session.export_still(still[1], str(target), "portrait")
    made = sorted(path for path in set(target.iterdir()) - before if path.suffix.lower() == ".png")
    if not made:
        raise ResolveRefused(
            f"Resolve wrote no picture of the still {still[0]} into {target}; export it by hand."
        )
    return str(made[0])


def _proposed(desk: EditContext, item: TimelineItem, use: Use) -> dict[str, Any]:
    color, note = color_settings(desk.session, item.clip(), use.media.path.lower().endswith(".exr"))
    if note:
        desk.say(note)
    return {"color": color} if color else {}


def _placed(driver: Use, use: Use) -> DrivingClip:
    """A clip of the timeline as the driver of another: frame for frame what lies at the same place."""
    return DrivingClip(driver.media.path, driver.moment_s(use.start), driver.media.first)


def _label(item: TimelineItem) -> str:
    return f"Track {item.track}: {item.name}"


def _chosen(offered: list[ClipChoice], values: dict[str, Any]) -> ClipChoice:
    if values["driver_file"]:
        path, first, _ = split_brackets(values["driver_file"])
        return ClipChoice(path, DrivingClip(path, Fraction(0), first or 0))
    for choice in offered:
        if choice.label == values["driver"]:
            return choice
    raise ResolveRefused(f"{values['driver']} cannot drive itself; choose another performance.")


def _result_under(timeline: Timeline) -> tuple[TimelineItem, dict[str, Any]]:
    playhead = timeline.playhead
    for item in reversed(timeline.all_items()):
        if item.start <= playhead < item.end:
            data = item.marked()
            if data is not None:
                return item, data
    raise ResolveRefused("No result of LivePortrait lies under the playhead; put the playhead on one.")


def _source_of(timeline: Timeline, data: dict[str, Any]) -> Use:
    for item in timeline.all_items():
        if item.id == data["item"]:
            return use_of(timeline, item)
    raise ResolveRefused(
        f"The source {data['source']} is no longer on this timeline; animate another clip anew."
    )


def _folder_of(output: str) -> Path:
    folder = Path(output).parent
    return folder.parent if is_pattern(output) else folder


def _parameters(made: ClipPlan) -> dict[str, Any]:
    if made.output in (made.source, made.driving):
        raise SettingError(f"{made.output} would overwrite what it is made of; choose another folder.")
    return {"source": made.source, "driving": made.driving, "output": made.output, "settings": made.settings}


def _changed(settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What differs from the defaults, of the whole settings that a job tells."""
    found: dict[str, dict[str, Any]] = {}
    for item in all_settings():
        default = list(item.default) if item.kind is tuple else item.default
        value = settings.get(item.group, {}).get(item.name, default)
        if value != default:
            found.setdefault(item.group, {})[item.name] = value
    return found
