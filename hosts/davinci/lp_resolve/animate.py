"""*Animate Clip*: from the clip under the playhead to a result above it; *Update* does it again after a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable

from hosts.client import Client
from lp_core.errors import Cancelled, LpError, SettingError
from lp_core.files import ensure_folder
from lp_core.timing import FrameRange

from . import job, placement
from .api_results import ResolveRefused
from .choose import (
    THE_CLIP,
    ClipChoice,
    candidates,
    choices,
    chosen_among,
    exported_still,
    in_its_place,
    label_of,
    use_of,
)
from .color import color_settings, working_space
from .comp import FusionContext
from .dialogs import PLACES, animate_dialog, changed_of, settings_of
from .facade import ResolveSession, Timeline, TimelineItem
from .in_clip import composition_of, render_in_clip
from .in_place import FOLDER as IN_PLACE
from .in_place import rendered_in_place, standing_in
from .media import is_pattern
from .placement import Placed
from .plan import CODEC, ClipPlan, DrivingClip, Use, output_name, plan, restated, starts_at
from .renew import renew
from .retime import Retime
from .retimed import found_retime, place_retimed
from .windows import ScriptWindows

SCHEMA, VERSION = "lpsuite.davinci", 1
FOLDER = "LivePortrait"


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


def animate(desk: EditContext) -> Placed | None:
    """Asks, renders and places; None where the user changed their mind."""
    timeline = desk.session.timeline()
    clips = candidates(timeline)
    if desk.windows is None:
        use = use_of(timeline, clips[0])
        offered = choices(desk.session, timeline, use)
        return _by_page(desk, timeline, use, offered[0], _proposed(desk, clips[0], use), _folder_for(use))
    use, refusal = _use_or_refusal(timeline, clips[0])
    proposed, folder = _proposed(desk, clips[0], use) if use.media.path else {}, _folder_for(use)
    in_place = bool(refusal) and found_retime(desk.session, timeline, clips[0], folder) is None
    stills = desk.session.stills()
    portraits = [THE_CLIP, *(f"Still: {label}" for label, _ in stills)]
    proposed.setdefault("output", {"codec": CODEC})
    labels = [label_of(clip) for clip in clips]
    several = [item for item in timeline.selected() if item.marked() is None]
    together = [f"All {len(several)} selected clips"] if len(several) > 1 else []
    names = [choice.label for choice in choices(desk.session, timeline, use)]
    if len(clips) > 1 and not refusal:
        names.append(labels[0])  # may drive, when another clip is animated
    dialog = animate_dialog([*together, *labels], names, portraits, folder, proposed, in_place)
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
    use, refusal = _use_or_refusal(timeline, item)
    chosen = chosen_among(choices(desk.session, timeline, use), values)
    settings, handles = settings_of(values), int(values["handles"])
    if values["place"] == PLACES[1]:
        if portrait is not None:
            raise ResolveRefused(
                "A still of the gallery goes on a track above; choose that, or the clip itself."
            )
        return _animate_in_clip(desk, timeline, item, chosen, settings, values["folder"])
    if refusal and portrait is None and not values["in_place"]:
        retime = found_retime(desk.session, timeline, item, values["folder"])
        if retime is None:
            raise ResolveRefused(f"{refusal} Or switch on 'Render in place first'.")
        return _animate_retimed(desk, timeline, item, retime, chosen, settings, values["folder"])
    if refusal and portrait is None:
        use, handles = rendered_in_place(desk.session, timeline, item, values["folder"]), 0
        desk.say(f"Resolve rendered {use.media.path} of {item.name}: grade, transform and retime are in it.")
        settings.pop("color", None)  # the file is tagged by Resolve
    output = output_name(values["folder"], use.name, portrait or use.media.path)
    made = plan(use, chosen.driver, settings, output, handles, portrait)
    return render(desk, timeline, use, made, chosen, handles, portrait)


def _animate_retimed(
    desk: EditContext,
    timeline: Timeline,
    item: TimelineItem,
    retime: Retime,
    choice: ClipChoice,
    settings: dict[str, dict[str, Any]],
    folder: str,
) -> Placed:
    """Renders the media's own frames; a timeline of one clip gives the result the clip's speed."""
    source = retime.source_use(standing_in(timeline, item), item.media())
    made = plan(source, choice.driver, settings, output_name(folder, source.name, source.media.path))
    status = job.run(desk.client, "animate", _parameters(made), desk.windows, desk.say)
    placed, told = place_retimed(desk.session, timeline, made, source, retime, status.id)
    for words in told:
        desk.say(words)
    data = {**remembered(source, made, choice, 0, None), "retimed": True}
    placed.item.mark(
        f"{Path(made.driving).name} on {item.name}; LivePortrait - Update renders it again.", data
    )
    desk.say(
        f"{made.output} is on video track {placed.track} as a timeline at {float(retime.speed):.0%}; the performance "
        "runs at that speed too."
    )
    return placed


def _animate_in_clip(
    desk: EditContext,
    timeline: Timeline,
    item: TimelineItem,
    choice: ClipChoice,
    settings: dict[str, dict[str, Any]],
    folder: str,
) -> Placed:
    """Lays a result into the clip's own composition, before its retime."""
    media, comp = item.media(), composition_of(item)
    color, note = working_space(desk.session)
    if note:
        desk.say(note)
    bench = FusionContext(comp, desk.client, desk.windows, desk.say, dict(color))
    output = output_name(folder, item.name, "clip.exr")
    name = render_in_clip(bench, choice.driver, settings, output, media.rate)
    made = ClipPlan(media.path, choice.driver.path, output, settings, FrameRange(0, 0), 0, 0, "")
    data = {
        **remembered(standing_in(timeline, item, media), made, choice, 0, None),
        "in_clip": True,
        "job": name,
    }
    if item.marked() is None:
        item.mark(f"{Path(made.driving).name} in {item.name}; LivePortrait - Update renders it again.", data)
    else:
        item.remark(data)
    desk.say(
        f"{output} is in the Fusion composition of {item.name}: it goes along with the clip's retime, and the "
        "performance runs at that speed too."
    )
    return Placed(item, item.clip(), item.track)


def _folder_for(use: Use) -> str:
    """Where results go, unless the user says otherwise."""
    return str((Path(use.media.path).parent if use.media.path else Path.home()) / FOLDER)


def _use_or_refusal(timeline: Timeline, item: TimelineItem) -> tuple[Use, str]:
    """The clip as it is, and an empty text; or its place only, and why its own media cannot be animated."""
    try:
        return use_of(timeline, item), ""
    except ResolveRefused as error:
        raw = item.raw.GetMediaPoolItem()
        path = item.clip().says("File Path") if raw else ""
        return standing_in(timeline, item, item.media() if path else None), str(error)


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
    made = replace(made, driving=given["driving"], settings=changed_of(given["settings"]))
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
    desk.say(f"{made.output} is on video track {placed.track} at the frame {use.start}.")
    return placed


def update(desk: EditContext) -> Placed:
    """Renders the result under the playhead again, for its source as it is now, and puts it in the old one's place.

    Raises:
        ResolveRefused: there is no result under the playhead, or its source is gone.
    """
    timeline = desk.session.timeline()
    old, data = _result_under(timeline)
    if data.get("schema") != SCHEMA or data.get("version", 0) > VERSION:
        raise ResolveRefused(f"The marker of {old.name} is of another version; animate its source again.")
    if data.get("in_clip"):
        driver, settings = restated(standing_in(timeline, old), data)
        choice = ClipChoice("", driver, data["driving"].get("item"))
        return _animate_in_clip(desk, timeline, old, choice, settings, str(_folder_of(data["output"])))
    if data.get("retimed"):
        return _update_retimed(desk, timeline, old, data)
    use = _source_of(desk, timeline, data)
    driver, settings = restated(use, data)
    beside = data["driving"].get("item")
    for item in timeline.all_items():
        if beside is not None and item.id == beside:
            driver = in_its_place(use_of(timeline, item), use)
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


def _update_retimed(desk: EditContext, timeline: Timeline, old: TimelineItem, data: dict[str, Any]) -> Placed:
    """The same for the result of a retimed clip: the new timeline takes over the old one's grade and properties."""
    item = _item_of(timeline, data)
    folder = str(_folder_of(data["output"]))
    retime = found_retime(desk.session, timeline, item, folder)
    if retime is None:
        raise ResolveRefused(
            f"{item.name} has no constant speed any more; animate it again, rendered in place."
        )
    driver, settings = restated(standing_in(timeline, item), data)
    choice = ClipChoice("", driver, data["driving"].get("item"))
    placed = _animate_retimed(desk, timeline, item, retime, choice, settings, folder)
    desk.session.edit_page()
    for words in old.give_look(placed.item):
        desk.say(words)
    timeline.delete(old)
    return placed


def remembered(
    use: Use, made: ClipPlan, choice: ClipChoice, handles: int, portrait: str | None
) -> dict[str, Any]:
    """What a marker keeps, so that a result can be made again."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "item": use.item,
        "in_place": Path(use.media.path).parent.name == IN_PLACE,
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


def _proposed(desk: EditContext, item: TimelineItem, use: Use) -> dict[str, Any]:
    color, note = color_settings(desk.session, item.clip(), use.media.path.lower().endswith(".exr"))
    if note:
        desk.say(note)
    return {"color": color} if color else {}


def _result_under(timeline: Timeline) -> tuple[TimelineItem, dict[str, Any]]:
    playhead = timeline.playhead
    for item in reversed(timeline.all_items()):
        if item.start <= playhead < item.end:
            data = item.marked()
            if data is not None:
                return item, data
    raise ResolveRefused("No result of LivePortrait is under the playhead; put the playhead on one.")


def _source_of(desk: EditContext, timeline: Timeline, data: dict[str, Any]) -> Use:
    item = _item_of(timeline, data)
    if data.get("in_place"):
        return rendered_in_place(desk.session, timeline, item, str(_folder_of(data["output"])))
    return use_of(timeline, item)


def _item_of(timeline: Timeline, data: dict[str, Any]) -> TimelineItem:
    for item in timeline.all_items():
        if item.id == data["item"]:
            return item
    raise ResolveRefused(
        f"The source {data['source']} is no longer on this timeline; animate another clip again."
    )


def _folder_of(output: str) -> Path:
    folder = Path(output).parent
    return folder.parent if is_pattern(output) else folder


def _parameters(made: ClipPlan) -> dict[str, Any]:
    if made.output in (made.source, made.driving):
        raise SettingError(f"{made.output} would overwrite what it is made of; choose another folder.")
    return {"source": made.source, "driving": made.driving, "output": made.output, "settings": made.settings}
