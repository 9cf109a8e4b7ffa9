"""Resolve's scripting API as it behaves: silence on failure, tracks from 1, absolute record frames and
relative marker frames, overlaps dropped without a word, ghosts, a Studio gate with a modal that spoils later calls.

Every call is recorded; a call that Resolve does not have fails the test, though ``hasattr`` says that it is there.
"""

import contextlib
import re
from fractions import Fraction
from pathlib import Path

from fakes.resolve_api import Api, api
from fakes.resolve_import import NotItsShape, imported, render
from fakes.resolve_item import TimelineItem
from fakes.resolve_pool import Folder, Gallery, MediaPoolItem, described

from lp_core.errors import LpError
from lp_core.timing import FrameRate, Timecode


class Host:
    """One running Resolve, its disk and its record of calls."""

    def __init__(self, product="DaVinci Resolve Studio", version=(20, 3, 1, 6, ""), end_is_included=True):
        self.calls, self.modal = [], False
        self.product, self.version, self.end_is_included = product, version, end_is_included
        self.page, self.gallery_is_open, self.settings_are_ignored = "edit", True, False
        self.replacing_is_a_lie = False
        self.codecs = {"Apple ProRes 4444": "ProRes4444", "H.264": "H264"}
        self.rendered = []  # (timeline, settings) of the queue
        self.settings = {"colorScienceMode": "davinciYRGB"}
        self.project = Project(self)
        self.resolve = Resolve(self)

    @property
    def is_studio(self):
        return self.product.endswith("Studio")

    def only_in_studio(self):
        """What happens on the free edition: no answer, and a window in the way of all that follows."""
        if not self.is_studio:
            self.modal = True
        return self.is_studio


class Resolve(Api):
    EXPORT_OTIO, EXPORT_NONE = object(), object()

    @api
    def GetProductName(self):
        return self.host.product

    @api
    def GetVersion(self):
        return list(self.host.version)

    @api
    def GetProjectManager(self):
        return ProjectManager(self.host)

    @api
    def OpenPage(self, page):
        self.host.page = page
        return True


class ProjectManager(Api):
    @api
    def GetCurrentProject(self):
        return self.host.project


class Project(Api):
    def __init__(self, host):
        super().__init__(host)
        self.timelines, self.current = [], None
        self.format, self.settings, self.jobs = {"format": "mp4", "codec": "H264"}, {}, {}
        self.pool, self.gallery = MediaPool(host), Gallery(host)

    @api
    def GetCurrentTimeline(self):
        return self.current

    @api
    def GetTimelineCount(self):
        return len(self.timelines)

    @api
    def GetTimelineByIndex(self, index):
        return self.timelines[index - 1] if 1 <= index <= len(self.timelines) else None

    @api
    def SetCurrentTimeline(self, timeline):
        self.current = timeline
        return timeline in self.timelines

    @api
    def GetCurrentRenderFormatAndCodec(self):
        return dict(self.format)

    @api
    def SetCurrentRenderFormatAndCodec(self, format, codec):
        if codec not in self.host.codecs.values():  # ids, not the labels
            return False
        self.format = {"format": format, "codec": codec}
        return True

    @api
    def GetRenderCodecs(self, format):
        return dict(self.host.codecs)

    @api
    def SetRenderSettings(self, settings):
        self.settings = dict(settings)
        return True

    @api
    def AddRenderJob(self):
        name = f"job-{len(self.jobs)}"
        self.jobs[name] = (self.current, self.settings)
        return name

    @api
    def StartRendering(self, jobs, interactive=False):
        for job in jobs:
            timeline, settings = self.jobs[job]
            self.host.rendered.append((timeline, settings))
            render(timeline, settings, self.format)
        return True

    @api
    def IsRenderingInProgress(self):
        return False

    @api
    def GetRenderJobStatus(self, job):
        return {"JobStatus": "Fertig"}

    @api
    def DeleteRenderJob(self, job):
        return self.jobs.pop(job, None) is not None

    @api
    def GetMediaPool(self):
        return self.pool

    @api
    def GetSetting(self, name):
        return self.host.settings.get(name, "")

    @api
    def GetGallery(self):
        return self.gallery

    def timeline(self, name, rate, start, drop=False):
        """A timeline for a test; rate as Resolve writes it."""
        made = Timeline(self.host, name, rate, start, drop)
        self.timelines.append(made)
        self.current = made
        return made


class MediaPool(Api):
    def __init__(self, host):
        super().__init__(host)
        self.root = Folder(host, "Master")
        self.folder = self.root

    @api
    def GetRootFolder(self):
        return self.root

    @api
    def AddSubFolder(self, folder, name):
        if any(found.name == name for found in folder.folders):
            return None
        folder.folders.append(Folder(self.host, name))
        return folder.folders[-1]

    @api
    def GetCurrentFolder(self):
        return self.folder

    @api
    def SetCurrentFolder(self, folder):
        self.folder = folder
        return True

    @api
    def ImportMedia(self, items):
        made = []
        for item in items:
            with contextlib.suppress(LpError):  # Resolve says nothing
                if isinstance(item, dict):
                    about = described(item["FilePath"], item["StartIndex"], item["EndIndex"])
                else:
                    about = described(item)
                made.append(MediaPoolItem(self.host, about))
        self.folder.items.extend(made)
        return made

    def add(self, properties):
        """A clip for a test."""
        self.folder.items.append(MediaPoolItem(self.host, properties))
        return self.folder.items[-1]

    def every(self):
        """All clips, for the double itself."""
        folders = [self.root, *self.root.folders]
        return [item for folder in folders for item in folder.items]

    @api
    def AppendToTimeline(self, infos):
        timeline, made = self.host.project.current, []
        for info in infos:
            if not isinstance(info, dict):
                raise AssertionError("only dictionaries place a clip")
            clip, track = info["mediaPoolItem"], timeline.tracks.get(info["trackIndex"])
            if track is None or info["trackIndex"] in timeline.locked:
                return []
            span = info["endFrame"] - info["startFrame"] + (1 if self.host.end_is_included else 0)
            span = min(span, clip.frames - info["startFrame"])
            duration = int(Fraction(span) / clip.rate.fps * timeline.rate.fps)
            item = TimelineItem(
                self.host, timeline, clip, info["recordFrame"], duration, info["startFrame"], span
            )
            overlaps = any(item.start < other.start + other.length and other.start < item.start + item.length
                           for other in track)  # fmt: skip
            if not overlaps and duration > 0:
                track.append(item)
            made.append(item)  # a ghost where it was dropped
        return made

    @api
    def ImportTimelineFromFile(self, path, options):
        if not Path(path).is_file() or any(
            t.name == options["timelineName"] for t in self.host.project.timelines
        ):
            return None
        with contextlib.suppress(NotItsShape):  # Resolve says nothing
            return imported(self.host, path, options)
        return None

    @api
    def DeleteTimelines(self, timelines):
        for timeline in timelines:
            self.host.project.timelines.remove(timeline)
        return True


class Timeline(Api):
    def __init__(self, host, name, rate, start, drop=False):
        super().__init__(host)
        self.name, self.rate_text = name, rate
        self.rate = FrameRate.parse(float(re.sub(r" DF$", "", rate).replace(",", ".")))
        self.drop = rate.endswith("DF") or drop
        self.start = self.frame(start)
        self.playhead = start
        self.tracks, self.names, self.locked = {1: []}, {1: "Video 1"}, set()
        self.selection, self.hidden, self.own_clip = [], set(), None

    def frame(self, timecode):
        hours, minutes, seconds, frames = (int(word) for word in re.split("[:;]", timecode))
        return Timecode.of(hours, minutes, seconds, frames, self.rate, self.drop).frame

    def put(self, track, clip, at, first, count, duration=None):
        """Lays a clip for a test: media frames [first, first + count) at an absolute frame."""
        length = int(Fraction(count) / clip.rate.fps * self.rate.fps) if duration is None else duration
        self.tracks.setdefault(track, [])
        item = TimelineItem(self.host, self, clip, at, length, first, count)
        self.tracks[track].append(item)
        return item

    @api
    def GetName(self):
        return self.name

    @api
    def GetSetting(self, name):
        return {"timelineFrameRate": self.rate_text}.get(name, "")

    @api
    def GetCurrentTimecode(self):
        return self.playhead

    @api
    def GetTrackCount(self, kind):
        return len(self.tracks) if kind == "video" else 0

    @api
    def GetItemListInTrack(self, kind, index):
        return list(self.tracks[index]) if kind == "video" and index in self.tracks else None

    @api
    def GetSelectedClips(self):
        return list(self.selection)

    @api
    def DuplicateTimeline(self, name=None):
        made = Timeline(self.host, name, self.rate_text, self.playhead, self.drop)
        made.start = self.start
        made.tracks = {index: list(items) for index, items in self.tracks.items()}
        made.names = dict(self.names)
        self.host.project.timelines.append(made)
        return made

    @api
    def SetTrackEnable(self, kind, index, enabled):
        if index not in self.tracks:
            return False
        (self.hidden.discard if enabled else self.hidden.add)(index)
        return True

    @api
    def GetMediaPoolItem(self):
        return self.own_clip

    @api
    def GetIsTrackLocked(self, kind, index):
        return index in self.locked

    @api
    def GetCurrentVideoItem(self):
        at = self.frame(self.playhead)
        for track in sorted(self.tracks, reverse=True):
            for item in self.tracks[track]:
                if item.start <= at < item.start + item.length:
                    return item
        return None

    @api
    def AddTrack(self, kind, options=None):
        top = len(self.tracks) + 1
        self.tracks[top], self.names[top] = [], f"Video {top}"
        return True

    @api
    def SetTrackName(self, kind, index, name):
        if index not in self.tracks:
            return False
        self.names[index] = name
        return True

    @api
    def DeleteClips(self, items, ripple=False):
        if self.host.page != "edit":
            return False
        for track in self.tracks.values():
            track[:] = [item for item in track if item not in items]
        return True

    @api
    def Export(self, path, kind, subtype=None):
        if kind is not Resolve.EXPORT_OTIO:
            return False  # strings are refused in silence
        Path(path).write_text(self.host.otio(self), encoding="utf-8")
        return True
