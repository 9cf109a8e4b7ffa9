"""Renders what the timeline shows of a clip through Resolve's own queue, so that it can be animated like a plate.

For clips that have no file (titles, generators, compound, multicam and Fusion clips) and for any retime.
Resolve's API has no Render in Place: a copy of the timeline shows the clip's track alone and is deleted afterwards. The
grade, the transform and the retime are in the images then.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lp_core.files import ensure_folder

from . import placement
from .api_results import ResolveRefused, done, given
from .facade import ResolveSession, Timeline, TimelineItem
from .media import Media
from .plan import Use

if TYPE_CHECKING:
    import fusionscript as fs  # pyright: ignore[reportMissingModuleSource]

FOLDER = "in place"
FORMAT = "mov"
CODECS = ("prores4444", "prores422hq", "prores422", "dnxhr444", "dnxhrhqx")
"""Codecs that keep 10 bits or more, the best first; which there are depends on the edition and the system."""
LOOK_S = 0.5
COPY = "LivePortrait (temporary)"


def rendered_in_place(session: ResolveSession, timeline: Timeline, item: TimelineItem, folder: str) -> Use:
    """A clip as a plate that Resolve has rendered.

    Args:
        session: Resolve.
        timeline: the clip's.
        item: the clip.
        folder: results go to it; the plate goes into a folder below it.

    Returns:
        The clip's place on the timeline, with the rendered file as its media, frame for frame.

    Raises:
        ResolveRefused: Resolve cannot render it.
    """
    target = Path(folder) / FOLDER
    ensure_folder(target)
    path = target / f"{_free(target, item)}.{FORMAT}"
    _rendered(session, timeline, item, path)
    pool = session.pool()
    clip = pool.bring_in(pool.bin(placement.BIN), str(path), 0, item.duration - 1)
    media = clip.media()
    if media.frames != item.duration:
        raise ResolveRefused(
            f"Resolve rendered {media.frames} frames of {item.name} instead of {item.duration}; render it in place by "
            "hand."
        )
    return standing_in(timeline, item, media)


def standing_in(timeline: Timeline, item: TimelineItem, media: Media | None = None) -> Use:
    """A clip's place on the timeline, with media that runs frame for frame; None: none yet, for what asks no more."""
    shown = media or Media("", 0, item.duration, timeline.rate, "", False)
    return Use(
        item.id, item.name, item.track, item.start, item.duration, 0, shown, timeline.rate, timeline.is_drop
    )


def free_timeline_name(session: ResolveSession, name: str) -> str:
    """The name, with a number where a timeline has it: Resolve refuses a name that exists, without a word."""
    project = session.project
    found = (project.GetTimelineByIndex(at) for at in range(1, int(project.GetTimelineCount()) + 1))
    there = {timeline.GetName() for timeline in found if timeline}
    number, free = 1, name
    while free in there:
        number += 1
        free = f"{name} {number}"
    return free


def _free(folder: Path, item: TimelineItem) -> str:
    stem, number = Path(item.name).stem or "clip", 1
    while any(folder.glob(f"{stem} {number:03}.*")):
        number += 1
    return f"{stem} {number:03}"


def _rendered(session: ResolveSession, timeline: Timeline, item: TimelineItem, path: Path) -> None:
    """Has the queue render a copy of the timeline that shows the clip's track only, over the clip's range."""
    project, before = session.project, session.project.GetCurrentRenderFormatAndCodec() or {}
    made: Any = timeline.raw.DuplicateTimeline(free_timeline_name(session, COPY))
    copy = given(made, "copy of the timeline")
    try:
        done(project.SetCurrentTimeline(copy), "show the copy of the timeline")
        for track in range(1, timeline.video_tracks + 1):
            done(copy.SetTrackEnable("video", track, track == item.track), f"switch video track {track}")
        _render(session, item, path)
    finally:
        project.SetCurrentTimeline(timeline.raw)
        session.pool().raw.DeleteTimelines([copy])
        if before.get("format") and before.get("codec"):
            project.SetCurrentRenderFormatAndCodec(before["format"], before["codec"])


def _render(session: ResolveSession, item: TimelineItem, path: Path) -> None:
    project = session.project
    done(project.SetCurrentRenderFormatAndCodec(FORMAT, _codec(project)), "choose the format of the plate")
    settings: Any = {
        "SelectAllFrames": False,
        "MarkIn": item.start,
        "MarkOut": item.end - 1,
        "TargetDir": str(path.parent),
        "CustomName": path.stem,
        "ExportVideo": True,
        "ExportAudio": False,
    }
    done(project.SetRenderSettings(settings), "take the render settings", "close the Deliver page's dialogs")
    job = given(project.AddRenderJob(), "render job", "look into the Deliver page")
    try:
        done(project.StartRendering([job]), f"render {item.name}", "look into the Deliver page")
        while project.IsRenderingInProgress():
            time.sleep(LOOK_S)
        status = cast("dict[str, Any]", project.GetRenderJobStatus(job) or {})
    finally:
        project.DeleteRenderJob(job)
    if not path.is_file():  # the words of a status are in the user's language
        reason = str(status.get("Error") or status.get("JobStatus") or "no reason given")
        raise ResolveRefused(
            f"Resolve did not render {item.name} into {path} ({reason}); render it in place by hand."
        )


def _codec(project: fs.Project) -> str:
    """The id of the best codec of the format that this Resolve has."""
    there = project.GetRenderCodecs(FORMAT) or {}
    plain = {"".join(sign for sign in name.lower() if sign.isalnum()): code for name, code in there.items()}
    for wanted in CODECS:
        for name, code in plain.items():
            if name.endswith(wanted):
                return code
    raise ResolveRefused(
        f"Resolve writes no codec of 10 bits into .{FORMAT} here ({', '.join(sorted(there)) or 'none at all'}); render "
        "the clip in place by hand."
    )
