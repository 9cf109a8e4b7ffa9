"""A clip on a timeline of Resolve's double."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

from fakes.fusion import Comp, comp_of_clip
from fakes.resolve_api import Api, api

MARKER_COLORS = {
    "Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia", "Rose", "Lavender", "Sky", "Mint",
    "Lemon", "Sand", "Cocoa", "Cream",
}  # fmt: skip


class TimelineItem(Api):
    def __init__(self, host, timeline, clip, start, length, first, count):
        super().__init__(host)
        self.timeline, self.clip, self.start, self.length = timeline, clip, start, length
        self.first, self.count, self.markers = first, count, {}
        self.speed = Fraction(1)
        self.comps = []
        self.shown = None  # images of a clip without media
        self.grade, self.look, self.stiff = "none", {"Pan": 0.0, "ZoomX": 1.0, "CompositeMode": 0}, ()

    @api
    def GetUniqueId(self):
        return self.uid

    @api
    def GetName(self):
        return Path(self.clip.properties["File Path"]).name if self.clip else "Title"

    @api
    def GetStart(self, subframe=False):
        return self.start

    @api
    def GetDuration(self, subframe=False):
        return self.length

    @api
    def GetLeftOffset(self, subframe=False):
        if self.clip is None:
            return 0
        return int(Fraction(self.first) / self.clip.rate.fps * self.timeline.rate.fps / self.speed)

    @api
    def GetSourceStartFrame(self):
        return self.first + 1  # now and then one off

    @api
    def GetSourceEndFrame(self):
        return self.first + self.count

    @api
    def GetTrackTypeAndIndex(self):
        for index, items in self.timeline.tracks.items():
            if self in items:
                return ["video", index]
        return None

    @api
    def GetMediaPoolItem(self):
        return self.clip

    @api
    def GetFusionCompCount(self):
        return len(self.comps)

    @api
    def GetFusionCompByIndex(self, index):
        return self.comps[index - 1] if 1 <= index <= len(self.comps) else None

    @api
    def AddFusionComp(self):
        """Its MediaIn gives the media's own frames that the clip can show, before any retime."""
        if self.clip is None:
            made = Comp(self.host, 0, self.length - 1, 25.0)
        else:
            from lp_core.media.open import open_source  # not in the oldest Pythons, which run this double too

            with open_source(self.clip.properties["File Path"]) as source:
                seen = [frame.as_rgb8() for frame in islice(source, self.first, self.first + self.count)]
            made = comp_of_clip(self.host, seen, float(self.clip.rate.fps))
        self.comps.append(made)
        return made

    @api
    def AddMarker(self, frame, color, name, note, duration, custom=""):
        if color not in MARKER_COLORS or not 0 <= frame < self.length or float(frame) in self.markers:
            return False  # frames count from the clip's own first
        self.markers[float(frame)] = {
            "color": color, "duration": duration, "note": note, "name": name, "customData": custom
        }  # fmt: skip
        return True

    @api
    def UpdateMarkerCustomData(self, frame, custom):
        if float(frame) not in self.markers:
            return False
        self.markers[float(frame)]["customData"] = custom
        return True

    @api
    def CopyGrades(self, items):
        for item in items:
            item.grade = self.grade
        return True

    @api
    def GetProperty(self, key=None):
        return dict(self.look) if key is None else self.look.get(key)

    @api
    def SetProperty(self, key, value):
        if key in self.stiff:
            return True  # success is often a lie
        self.look[key] = value
        return key in self.look

    @api
    def GetMarkers(self):
        return {frame: dict(marker) for frame, marker in self.markers.items()}
