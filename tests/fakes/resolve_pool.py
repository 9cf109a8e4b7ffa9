"""The media pool's and the gallery's side of Resolve's double; clips are real files."""

import re
from pathlib import Path

from fakes.resolve_api import Api, api

from lp_core.timing import FrameRate


class Folder(Api):
    def __init__(self, host, name):
        super().__init__(host)
        self.name, self.folders, self.items = name, [], []

    @api
    def GetName(self):
        return self.name

    @api
    def GetSubFolderList(self):
        return list(self.folders)

    @api
    def GetClipList(self):
        return list(self.items)


class MediaPoolItem(Api):
    def __init__(self, host, properties):
        super().__init__(host)
        self.properties, self.notes = properties, {}

    @api
    def GetUniqueId(self):
        return self.uid

    @api
    def GetName(self):
        return Path(self.properties["File Path"]).name

    @api
    def GetClipProperty(self, name=None):
        return dict(self.properties) if name is None else self.properties.get(name, "")

    @api
    def SetClipProperty(self, name, value):
        if name in ("Start TC", "Input Color Space", "Alpha mode") and not self.host.settings_are_ignored:
            self.properties[name] = value
        return True  # whatever happened

    @api
    def ReplaceClip(self, path):
        if self.host.replacing_is_a_lie:
            return True  # as Resolve says it, whatever happened
        numbered = re.match(r"(.*\.)(\d+)(\.exr)$", path)
        if numbered:
            head, first, tail = numbered.groups()
            there = sorted(Path(path).parent.glob(Path(head).name + "*" + tail))
            last = int(there[-1].name[len(Path(head).name) : -len(tail)])
            self.properties = described(f"{head}%0{len(first)}d{tail}", int(first), last)
        else:
            self.properties = described(path)
        return True

    @api
    def SetThirdPartyMetadata(self, name, value):
        self.notes[name] = value
        return True

    @property
    def frames(self):
        return int(self.properties["Frames"])

    @property
    def rate(self):
        return FrameRate.parse(float(self.properties["FPS"].replace(",", ".")))


def described(path, first=None, last=None, comma=False):
    """Clip properties of a real file or sequence, all of them texts."""
    from lp_core.media.frame_pattern import SequencePattern
    from lp_core.media.open import open_source  # not in the oldest Pythons, which run this double too

    with open_source(path if first is None else f"{path} {first}-{last}") as source:
        info = source.info
        frames = sum(1 for _ in source) if first is None else last - first + 1
    rate = f"{float(info.rate.fps):.3f}".rstrip("0").rstrip(".")
    name = str(path)
    pattern = SequencePattern.parse(path)
    if pattern is not None:
        first_text, last_text = (f"{number:0{pattern.digits}d}" for number in (first, last))
        name = str(pattern.folder / f"{pattern.prefix}[{first_text}-{last_text}]{pattern.suffix}")
    start = info.timecode.text if info.timecode else "00:00:00:00"
    return {
        "File Path": name,
        "FPS": rate.replace(".", ",") if comma else rate,
        "Frames": str(1 if info.is_still else frames),
        "Start TC": start,
        "Resolution": f"{info.width}x{info.height}",
        "Input Color Space": "",
    }


class Gallery(Api):
    def __init__(self, host):
        super().__init__(host)
        self.album = GalleryStillAlbum(host)

    @api
    def GetCurrentStillAlbum(self):
        return self.album


class GalleryStill(Api):
    def __init__(self, host, label, write):
        super().__init__(host)
        self.label, self.write = label, write


class GalleryStillAlbum(Api):
    def __init__(self, host):
        super().__init__(host)
        self.stills = []

    @api
    def GetStills(self):
        return list(self.stills)

    @api
    def GetLabel(self, still):
        return still.label

    @api
    def ExportStills(self, stills, folder, prefix, kind):
        if not self.host.gallery_is_open or kind not in (
            "dpx",
            "cin",
            "tif",
            "jpg",
            "png",
            "ppm",
            "bmp",
            "xpm",
            "drx",
        ):
            return False
        for number, still in enumerate(stills, 1):
            still.write(Path(folder) / f"{prefix}_1.{number}.1.{kind}")
            (Path(folder) / f"{prefix}_1.{number}.1.drx").write_text("grade")
        return True
