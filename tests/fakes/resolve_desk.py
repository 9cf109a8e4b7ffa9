"""A plate on a timeline of Resolve's double, a user who plays the windows, and what came of it."""

import json
from dataclasses import dataclass

from fakes.plates import write_plate
from fakes.resolve_pool import described
from fakes.resolve_ui import Bmd, Fusion

from hosts.davinci.lp_resolve.animate import EditContext
from hosts.davinci.lp_resolve.facade import ResolveSession
from hosts.davinci.lp_resolve.windows import ScriptWindows
from lp_core.media.open import open_source

FAST = {"calibration": ("off", "quick", "fine").index("off")}
FIRST, SHOWN, HANDLES = 4, 16, 2


@dataclass
class Case:
    """A plate and the timeline it is on."""

    rate: str
    plate: str
    timecode: str
    timeline_rate: str
    timeline_start: str
    first: int
    starts_at: int
    result_timecode: str
    drop: bool = False


CASES = {
    "1001 at 24": Case(
        "24", "sh010/plät e.%04d.exr", "00:00:41:17", "24", "01:00:00:00", 1001, 86400, "00:00:41:19"
    ),
    "29.97 drop": Case(
        "30000/1001",
        "sh020 plate.mov",
        "00:59:59;20",
        "29.97 DF",
        "01:00:00;00",
        0,
        107892,
        "00:59:59;22",
        True,
    ),
    "29.97": Case("30000/1001", "sh021.mov", "01:00:59:25", "29,97", "01:00:00:00", 0, 108000, "01:00:59:27"),
    "25": Case("25", "sh030.mov", "10:00:00:00", "25", "10:00:00:00", 0, 900000, "10:00:00:02"),
    "23.976": Case(
        "24000/1001", "sh040.mov", "01:00:00:00", "23.976", "01:00:00:00", 0, 86400, "01:00:00:02"
    ),
}


class User:
    """Plays the windows: fills the dialog once, then lets the progress run."""

    def __init__(self, **answers):
        self.answers, self.seen, self.words = answers, [], []

    def __call__(self, dispatcher, window):
        items = window.GetItems()
        name = window.about["ID"]
        if name not in self.seen:
            self.seen.append(name)
        if name == "LivePortraitProgress":
            self.words.append(items["Words"].Text)
            dispatcher.On.call("Timeout")
        elif "Accept" in items:
            for control, value in self.answers.items():
                item = items[control]
                if item.kind == "ComboBox":
                    item.CurrentIndex = value if isinstance(value, int) else item.choices.index(value)
                elif item.kind == "CheckBox":
                    item.Checked = value
                elif item.kind == "SpinBox":
                    item.Value = value
                else:
                    item.Text = str(value)
            window.On.call("Accept", "Clicked")
            assert items["Problem"].Text == "", items["Problem"].Text
        else:
            self.words.append(items["Words"].Text)
            window.On.call("Close", "Clicked")


def desk(host, worker, user):
    said = []
    bmd = Bmd(user)
    session, windows = ResolveSession.open(host.resolve), ScriptWindows(Fusion(host), bmd)
    made = EditContext(session, worker.client, windows, said.append, said.append)
    return made, said


def lay(host, worker, pictures, case, name):
    """The case's plate on the first track of its timeline, five frames after the timeline's start."""
    path = worker.data / name / case.plate
    if not list(path.parent.glob("*")):
        write_plate(path, pictures[:24], case.rate, case.timecode, case.drop, case.first)
    last = case.first + 23
    about = described(path, case.first, last, "," in case.timeline_rate) if case.first else described(path)
    timeline = host.project.timeline("Schnitt", case.timeline_rate, case.timeline_start)
    assert timeline.start == case.starts_at
    clip = host.project.pool.add(about)
    item = timeline.put(1, clip, case.starts_at + 5, FIRST, SHOWN)
    timeline.playhead = case.timeline_start[:-2] + "07"
    return timeline, clip, item


def frames_of(timeline, track=2, at=0):
    result = timeline.tracks[track][at]
    data = json.loads(result.markers[0.0]["customData"])
    with open_source(data["output"]) as source:
        return data, [frame.pixels for frame in source]
