"""Resolve's scripting API behind typed calls that look at every answer; nothing else here calls Resolve.

Convention: frames of a timeline are absolute (01:00:00:00 of 24 frames a second is 86400), tracks count from 1,
ranges are half-open. Resolve's own ways (markers relative, settings as text) end here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from lp_core.timing import FrameRate

from .api_results import ResolveRefused, done, frame_of, given, is_drop_frame, number, rate_of
from .media import Media, is_pattern, media_of, split_brackets

if TYPE_CHECKING:
    import fusionscript as fs  # pyright: ignore[reportMissingModuleSource]

STUDIO = "DaVinci Resolve Studio"
WINDOWS_LEFT_FREE = (19, 1)
"""First version whose free edition has no UIManager."""
MARKER = "LivePortrait"
MARKER_COLOR = "Cyan"


@dataclass(frozen=True)
class ResolveSession:
    """Resolve with a project open."""

    resolve: fs.Resolve
    """The application."""
    project: fs.Project
    """The open project."""

    @classmethod
    def open(cls, resolve: fs.Resolve | None) -> ResolveSession:
        """The running application.

        Raises:
            ResolveRefused: the script was not started from Resolve's menu, or no project is open.
        """
        resolve = given(resolve, "access", "start the script from Workspace, Scripts")
        manager = given(resolve.GetProjectManager(), "project manager")
        return cls(resolve, given(manager.GetCurrentProject(), "project", "open one"))

    @property
    def has_windows(self) -> bool:
        """Whether scripts may open windows.

        It must be known before UIManager is touched: on the free edition that raises a window of Resolve's own, which
        makes later calls fail.
        """
        if self.resolve.GetProductName() == STUDIO:
            return True
        return tuple(self.resolve.GetVersion()[:2]) < WINDOWS_LEFT_FREE

    def timeline(self) -> Timeline:
        """The current timeline."""
        return Timeline(given(self.project.GetCurrentTimeline(), "timeline", "open one"))

    def pool(self) -> Pool:
        """The media pool."""
        return Pool(given(self.project.GetMediaPool(), "media pool"))

    def setting(self, name: str) -> str:
        """A project setting; empty where there is none of that name."""
        return str(self.project.GetSetting(name) or "")

    def edit_page(self) -> None:
        """Goes to the Edit page, where clips can be removed."""
        done(self.resolve.OpenPage("edit"), "open the Edit page")

    def stills(self) -> list[tuple[str, fs.GalleryStill]]:
        """Label and still of everything in the current album of the gallery."""
        gallery = self.project.GetGallery()
        album = gallery.GetCurrentStillAlbum() if gallery else None
        if not album:
            return []
        found = album.GetStills() or []
        return [(album.GetLabel(still) or f"still {at}", still) for at, still in enumerate(found, 1)]

    def export_still(self, still: fs.GalleryStill, folder: str, prefix: str) -> None:
        """Writes a still as PNG into a folder; Resolve adds numbers to the name."""
        gallery = given(self.project.GetGallery(), "gallery")
        album = given(gallery.GetCurrentStillAlbum(), "still album")
        hint = "open the Gallery on the Color page, which it must show, and try again"
        done(album.ExportStills([still], folder, prefix, "png"), "export the still", hint)

    def export_otio(self, timeline: Timeline, path: str) -> None:
        """Writes the timeline as OTIO."""
        kind, plain = self.resolve.EXPORT_OTIO, self.resolve.EXPORT_NONE
        done(
            timeline.raw.Export(path, kind, plain),
            f"export the timeline to {path}",
            "look whether it may write there",
        )


@dataclass(frozen=True)
class Timeline:
    """A timeline."""

    raw: fs.Timeline
    """Resolve's."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.raw.GetName()

    @property
    def rate(self) -> FrameRate:
        """Frames per second, exact."""
        return rate_of(given(self.raw.GetSetting("timelineFrameRate"), "frame rate of the timeline"))

    @property
    def is_drop(self) -> bool:
        """Whether its timecode leaves numbers out."""
        return is_drop_frame(self.raw.GetSetting("timelineFrameRate"))

    @property
    def playhead(self) -> int:
        """Frame under the playhead."""
        return frame_of(given(self.raw.GetCurrentTimecode(), "timecode"), self.rate, self.is_drop)

    @property
    def video_tracks(self) -> int:
        """How many video tracks there are."""
        return int(self.raw.GetTrackCount("video"))

    def items(self, track: int) -> list[TimelineItem]:
        """Clips of a video track."""
        return [TimelineItem(raw) for raw in self.raw.GetItemListInTrack("video", track) or []]

    def current(self) -> TimelineItem:
        """The clip under the playhead on the topmost track that has one."""
        return TimelineItem(
            given(self.raw.GetCurrentVideoItem(), "clip", "put the playhead on a clip of a video track")
        )

    def selected(self) -> list[TimelineItem]:
        """Clips of video tracks that are selected, in the order of the tracks; none in versions that cannot say."""
        ask: Any = getattr(self.raw, "GetSelectedClips", None)  # newer than the stubs; a missing call is None
        found: Any = ask() if callable(ask) else None
        chosen = {str(raw.GetUniqueId()) for raw in found or []}
        return [item for item in self.all_items() if item.id in chosen]

    def all_items(self) -> list[TimelineItem]:
        """Clips of all video tracks, from the lowest up."""
        return [item for track in range(1, self.video_tracks + 1) for item in self.items(track)]

    def is_free(self, track: int, start: int, end: int) -> bool:
        """Whether nothing is on a track in a half-open range, and the track takes clips."""
        if self.raw.GetIsTrackLocked("video", track):
            return False
        return not any(item.start < end and start < item.end for item in self.items(track))

    def add_track(self, name: str) -> int:
        """Adds a video track on top; its index."""
        add: Any = self.raw.AddTrack  # the stubs demand a kind of sub-track, which only sound has
        done(add("video"), "add a video track")
        top = self.video_tracks
        done(self.raw.SetTrackName("video", top, name), "name the new track")
        return top

    def delete(self, item: TimelineItem) -> None:
        """Removes a clip and leaves the gap; Resolve refuses the first time now and then."""
        if not (self.raw.DeleteClips([item.raw], False) or self.raw.DeleteClips([item.raw], False)):
            raise ResolveRefused(f"Resolve did not remove {item.name}; remove it by hand.")


@dataclass(frozen=True)
class TimelineItem:
    """A clip on a timeline."""

    raw: fs.TimelineItem
    """Resolve's."""

    @property
    def id(self) -> str:
        """Stays the same as long as the clip is there."""
        return str(self.raw.GetUniqueId())

    @property
    def name(self) -> str:
        """Its name."""
        return self.raw.GetName()

    @property
    def start(self) -> int:
        """First frame on the timeline."""
        return int(given(self.raw.GetStart(False), "start of a clip"))

    @property
    def duration(self) -> int:
        """Frames on the timeline."""
        return int(given(self.raw.GetDuration(False), "length of a clip"))

    @property
    def end(self) -> int:
        """Frame after its last."""
        return self.start + self.duration

    @property
    def left(self) -> int:
        """Timeline frames between the beginning of its media and what is seen first."""
        return int(self.raw.GetLeftOffset(False) or 0)

    @property
    def track(self) -> int:
        """Index of its video track."""
        kind, index = given(self.raw.GetTrackTypeAndIndex(), "track of a clip")
        if kind != "video":
            raise ResolveRefused(
                f"{self.name} is on a track of the type {kind}; choose a clip with an image."
            )
        return int(index)

    @property
    def source_span(self) -> int:
        """Frames of its media that it shows, as Resolve says; it may be one off."""
        return abs(int(self.raw.GetSourceEndFrame()) - int(self.raw.GetSourceStartFrame()))

    def speed(self, media: Media, rate: FrameRate) -> Fraction:
        """How fast the media runs; 1 where it is within a frame of that."""
        expected = Fraction(self.duration) / rate.fps * media.rate.fps
        if media.is_still or abs(self.source_span - expected) <= 2:
            return Fraction(1)
        return self.source_span / expected

    def media(self) -> Media:
        """What it shows."""
        return self.clip().media()

    def clip(self) -> Clip:
        """Its clip of the media pool."""
        hint = "titles and generators have none; render it in place first"
        return Clip(given(self.raw.GetMediaPoolItem(), f"clip of the media pool for {self.name}", hint))

    def mark(self, note: str, data: dict[str, Any]) -> None:
        """A marker on its first frame that holds data."""
        text = json.dumps(data, ensure_ascii=True, sort_keys=True)
        done(self.raw.AddMarker(0, MARKER_COLOR, MARKER, note, 1, text), f"set a marker on {self.name}")

    def remark(self, data: dict[str, Any]) -> None:
        """Puts other data into our marker; the marker itself stays as the editor has it."""
        text = json.dumps(data, ensure_ascii=True, sort_keys=True)
        for frame, marker in (self.raw.GetMarkers() or {}).items():
            if marker.get("name") == MARKER:
                done(
                    self.raw.UpdateMarkerCustomData(frame, text),
                    f"keep the settings of {self.name} in its marker",
                )

    def properties(self) -> dict[str, Any]:
        """Transform, crop, composite and the like, as Resolve names them."""
        ask: Any = self.raw.GetProperty  # the stubs demand a key; without one it returns all of them
        found = ask()
        return dict(found) if isinstance(found, dict) else {}

    def give_look(self, other: TimelineItem) -> list[str]:
        """Grade and properties for another clip; a sentence for what Resolve did not take."""
        told = []
        if not self.raw.CopyGrades([other.raw]):
            told.append(f"Resolve did not copy the grade of {self.name}; copy it by hand.")
        wanted = self.properties()
        for name, value in wanted.items():
            if other.properties().get(name) != value:
                other.raw.SetProperty(name, value)
        lost = [name for name, value in wanted.items() if other.properties().get(name, value) != value]
        if lost:
            told.append(f"Resolve did not take over {', '.join(lost)} from {self.name}; set it by hand.")
        return told

    def marked(self) -> dict[str, Any] | None:
        """The data of our marker; None where there is none."""
        for marker in (self.raw.GetMarkers() or {}).values():
            if marker.get("name") == MARKER and marker.get("customData"):
                try:
                    data = json.loads(marker["customData"])
                except (ValueError, RecursionError) as error:
                    raise ResolveRefused(
                        f"The marker of {self.name} is damaged ({error}); remove it."
                    ) from error
                return data if isinstance(data, dict) else None
        return None


@dataclass(frozen=True)
class Clip:
    """A clip of the media pool."""

    raw: fs.MediaPoolItem
    """Resolve's."""

    @property
    def id(self) -> str:
        """Stays the same as long as the clip is there."""
        return str(self.raw.GetUniqueId())

    @property
    def name(self) -> str:
        """Its name."""
        return self.raw.GetName()

    def says(self, name: str) -> str:
        """A property as Resolve shows it; empty where there is none."""
        return str(self.raw.GetClipProperty(name) or "")

    def media(self) -> Media:
        """What it is."""
        return media_of(
            self.name,
            self.says("File Path"),
            int(number(self.says("Frames") or "0")),
            rate_of(self.says("FPS") or "24"),
            self.says("Start TC"),
            self.says("Input Color Space"),
            self.says("Resolution"),
        )

    def set(self, name: str, value: str) -> str | None:
        """Sets a property and reads it back, for success is often a lie; a sentence where it was not taken."""
        self.raw.SetClipProperty(name, value)
        if self.says(name) == value:
            return None
        return f"Resolve did not set {name} of {self.name} to {value}; set it by hand."

    def replace(self, path: str, first: int) -> bool:
        """Shows another video, or sequence from a number on, wherever this clip is; whether Resolve did, read back."""
        self.raw.ReplaceClip(path % first if is_pattern(path) else path)
        return split_brackets(self.says("File Path"))[0] == path

    def keep(self, name: str, value: str) -> str | None:
        """Keeps a note of ours in its metadata; a sentence where it was not taken."""
        if self.raw.SetThirdPartyMetadata(name, value):
            return None
        return f"Resolve did not keep {name} = {value} in the metadata of {self.name}; nothing else needs it."


@dataclass(frozen=True)
class Pool:
    """The media pool."""

    raw: fs.MediaPool
    """Resolve's."""

    def bin(self, name: str) -> fs.Folder:
        """A folder under the root, made where it is missing."""
        root = given(self.raw.GetRootFolder(), "root of the media pool")
        for folder in root.GetSubFolderList() or []:
            if folder.GetName() == name:
                return folder
        return given(self.raw.AddSubFolder(root, name), f"folder {name} in the media pool")

    def clips(self) -> list[Clip]:
        """Clips of the current folder."""
        folder = given(self.raw.GetCurrentFolder(), "current folder of the media pool")
        return [Clip(raw) for raw in folder.GetClipList() or []]

    def bring_in(self, folder: fs.Folder, path: str, first: int, last: int) -> Clip:
        """Imports a video, or the numbered images of a pattern, into a folder; the current folder stays."""
        before = given(self.raw.GetCurrentFolder(), "current folder of the media pool")
        done(self.raw.SetCurrentFolder(folder), "open a folder of the media pool")
        try:
            if is_pattern(path):
                found = self.raw.ImportMedia([{"FilePath": path, "StartIndex": first, "EndIndex": last}])
            else:
                found = self.raw.ImportMedia([path])
        finally:
            self.raw.SetCurrentFolder(before)
        if not found:
            raise ResolveRefused(f"Resolve did not import {path}; look whether it plays videos of this kind.")
        return Clip(found[0])

    def append(self, clip: Clip, first: int, last: int, track: int, at: int) -> None:
        """Puts frames of a clip (counted from its first) on a track; what came of it is to be read from the track."""
        info = {
            "mediaPoolItem": clip.raw,
            "startFrame": first,
            "endFrame": last,
            "mediaType": 1,
            "trackIndex": track,
            "recordFrame": at,
        }
        if not self.raw.AppendToTimeline(cast("list[fs.MediaPoolClipInfo]", [info])):
            raise ResolveRefused(
                f"Resolve did not put {clip.name} on track {track}; look whether it is locked."
            )

    def bring_in_timeline(self, path: str, name: str) -> Timeline:
        """Imports a timeline."""
        options = {"timelineName": name, "importSourceClips": True}
        made = self.raw.ImportTimelineFromFile(path, cast("fs.TimelineImportOptions", options))
        return Timeline(given(made, f"timeline of {path}", f"look whether a timeline {name} exists already"))
