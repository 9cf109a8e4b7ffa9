"""The node's knobs as a table, derived from the settings and the sliders: no default or range is written here."""

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple

from lp_core.performance_name import BUILTIN_MOTIONS
from lp_core.settings import PASSES, UPSCALERS
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import Setting, find

from . import tcl
from .knob_layout import ALWAYS_WRITTEN, sections

STRING, FILE, INTEGER, CHOICE, SWITCH, DOUBLE, XY, TAB, PYTHON, TEXT = 1, 2, 3, 4, 6, 7, 12, 20, 22, 26
"""Nuke's numbers of user knob types."""
VERSION = 1
"""Version of the set of knobs; stored in every node."""
FACES = ("largest", "left", "right", "top", "bottom", "center", "position")
UNSET = "none"
VIEWS = ("all", "first")
MISSING_ERRORS = ("on a farm", "always", "never")


@dataclass(frozen=True)
class Knob:
    """One user knob."""

    name: str
    """Its name in scripts and expressions."""
    kind: int
    """Nuke's number of its type."""
    label: str
    """What the panel shows."""
    tooltip: str = ""
    """What it does."""
    default: Any = None
    """Value of a new node; None: it holds none (tabs, buttons, dividers)."""
    choices: Tuple[str, ...] = ()
    """All values of an enumeration."""
    minimum: Optional[float] = None
    """Low end of the slider."""
    maximum: Optional[float] = None
    """High end of the slider."""
    command: str = ""
    """Python of a button."""
    flags: Tuple[str, ...] = ()
    """Such as +STARTLINE."""

    def pairs(self) -> List[tcl.Pair]:
        """The knob's lines in a script: its definition and, where it differs from Nuke's own, its value."""
        parts = [str(self.kind), self.name or '""']
        for mark, given in (("l", self.label), ("t", self.tooltip), ("T", self.command)):
            if given or mark == "l":
                parts += [mark, tcl.word(given)]
        if self.choices:
            parts += ["M", tcl.words(self.choices)]
        if self.kind == DOUBLE:
            parts += ["R", tcl.word(self.minimum), tcl.word(self.maximum)]
        found = [("addUserKnob", "{" + " ".join([*parts, *self.flags]) + "}")]
        if self.name and self.default is not None and self.default != _nukes_own(self):
            value = (
                "{" + " ".join(tcl.word(number) for number in self.default) + "}"
                if self.kind == XY
                else tcl.word(self.default)
            )
            found.append((self.name, value))
        return found


def _nukes_own(knob: Knob) -> Any:  # noqa: ANN401 - any knob's value
    if knob.kind == CHOICE:
        return knob.choices[0]
    return {STRING: "", FILE: "", SWITCH: False, XY: (0.0, 0.0)}.get(knob.kind, 0)


def knob_of(item: Setting) -> Knob:
    """The knob that holds one setting: type, range, default and words from the schema alone."""
    label, tip = item.label, item.help
    line = ("+STARTLINE",)
    if item.choices:
        return Knob(item.name, CHOICE, label, tip, item.default, item.choices)
    if item.kind is bool:
        return Knob(item.name, SWITCH, label, tip, item.default, flags=line)
    if item.kind is int:
        return Knob(item.name, INTEGER, label, tip, item.default)
    if item.kind is float:
        return Knob(item.name, DOUBLE, label, tip, item.default, minimum=item.minimum, maximum=item.maximum)
    kind = FILE if item.path else STRING
    return Knob(item.name, kind, label, tip, item.default or "")


def slider_knobs() -> List[Knob]:
    """The expression sliders; where no value is neutral, a switch goes before."""
    found = []
    for name, slider in SLIDERS.items():
        low, high = float(slider.minimum), float(slider.maximum)
        default = float(slider.neutral) if slider.has_neutral else low
        knob = Knob(name, DOUBLE, _label(name), slider.help, default, minimum=low, maximum=high)
        if not slider.has_neutral:
            tip = "whether the slider " + name + " below is set; unset it changes nothing"
            found.append(Knob(name + "_on", SWITCH, "set " + _label(name), tip, False, flags=("+STARTLINE",)))
        found.append(knob)
    return found


def table() -> List[Knob]:
    """All knobs of the node, in the panel's order."""
    return [
        *_drive(),
        _tab("Expression"),
        *slider_knobs(),
        _button("reset_expression", "Reset", "all sliders to their neutral values, keys removed"),
        *_output(),
        *_job(),
        *_hidden(),
    ]


def by_name() -> Dict[str, Knob]:
    """Knobs that have a name, by it."""
    return {knob.name: knob for knob in table() if knob.name}


def _label(name: str) -> str:
    return name.replace("_", " ")


def _tab(name: str) -> Knob:
    return Knob(name, TAB, name)


def _divider(label: str) -> Knob:
    return Knob("", TEXT, label)


def _button(name: str, label: str, tip: str, is_on_new_line: bool = True) -> Knob:
    flags = ("+STARTLINE",) if is_on_new_line else ("-STARTLINE",)
    command = "from lp_nuke import buttons; buttons." + name + "()"
    return Knob(name, PYTHON, label, tip, command=command, flags=flags)


def _sections(tab: str) -> Iterator[Knob]:
    for title, names in sections(tab):
        yield _divider(title)
        for name in names:
            yield knob_of(find(name))


def _drive() -> List[Knob]:
    reference = find("reference")
    return [
        _tab("Drive"),
        Knob(
            "driver",
            CHOICE,
            "driver",
            "where the performance comes from: the input driving, a file, or a built-in motion",
            "input",
            ("input", "file", "demo"),
        ),
        Knob(
            "driver_file",
            FILE,
            "file",
            "video, image sequence, sound of a voice, .lpmotion or .pkl of a performance",
            "",
        ),
        Knob("driver_demo", CHOICE, "demo", "built-in motion", BUILTIN_MOTIONS[0], BUILTIN_MOTIONS),
        Knob(
            "source_is",
            CHOICE,
            "source is a",
            "plate: every frame of the range is animated as filmed; still: one frame of the input is the portrait",
            "plate",
            ("plate", "still"),
        ),
        Knob("still_frame", INTEGER, "still frame", "frame of the source that is the portrait", 1),
        _button("use_still_frame", "Use current frame", "take the current frame as the portrait", False),
        _divider("Range"),
        Knob("first", INTEGER, "first", "first frame that is rendered", 1),
        Knob("last", INTEGER, "last", "last frame that is rendered", 1, flags=("-STARTLINE",)),
        _button(
            "use_input_range", "Input range", "take the range of the source, or of the driving for a still"
        ),
        _button("use_root_range", "Project range", "take the project's range", False),
        _divider("Reference"),
        Knob(
            "reference",
            CHOICE,
            "reference",
            reference.help,
            reference.default,
            ("auto", "frame", "neutral"),
        ),
        Knob("reference_frame", INTEGER, "frame", "reference frame, by the timeline's numbers", 1),
        _button("use_reference_frame", "Use current frame", "take the current frame as the reference", False),
        *_sections("Drive"),
        _divider("Faces"),
        *_face("source_face"),
        *_face("driving_face"),
    ]


def _face(name: str) -> Iterator[Knob]:
    item = find(name)
    tip = item.help + "; position: the face at the point below"
    yield Knob(name, CHOICE, _label(name), tip, item.default, FACES)
    yield Knob(name + "_at", XY, "at", "pixels of the plate, from the bottom left", (0.0, 0.0))


def _output() -> List[Knob]:
    upscale = find("upscale")
    line = ("+STARTLINE",)
    passes = [name for name in PASSES if name not in ALWAYS_WRITTEN]
    return [
        _tab("Output"),
        Knob(
            "apply_stmap",
            SWITCH,
            "apply ST map to the input at full resolution",
            "warp the source by Nuke's own STMap node, in float at any resolution, in place of the rendered image; "
            "what is drawn again (teeth, closed lids) does not show then",
            False,
            flags=line,
        ),
        _divider("Passes besides matte, ST map and motion"),
        *(Knob("pass_" + name, SWITCH, name, find("passes").help, False, flags=line) for name in passes),
        *_sections("Output"),
        Knob("upscale", CHOICE, "upscale", upscale.help, UNSET, (UNSET, *UPSCALERS, "file")),
        Knob("upscale_file", FILE, "checkpoint", "checkpoint of an upscaling network, for upscale file", ""),
        _divider("Files"),
        Knob(
            "cache",
            FILE,
            "cache folder",
            "where plates and results are kept; empty: the folder lpsuite next to the script, or in the home folder "
            "for a script without a name",
            "",
        ),
        Knob(
            "views",
            CHOICE,
            "views",
            "in a script of several views: animate each of them for itself, or the first one for all (a plate without "
            "stereo)",
            VIEWS[0],
            VIEWS,
        ),
        Knob(
            "float_plates",
            SWITCH,
            "32-bit plates",
            "write plates in 32-bit float; off: 16-bit half",
            False,
            flags=line,
        ),
    ]


def _job() -> List[Knob]:
    return [
        _tab("Job"),
        _button("render", "Render", "render the range; what is up to date is not rendered again"),
        _button("cancel", "Cancel", "stop the render of this node", False),
        _button(
            "render_frame",
            "Render frame",
            "render the frame that the viewer is at, alone, and show it there: a look in about a second, without "
            "smoothing, calibration and upscaling; nothing counts as rendered",
        ),
        Knob(
            "follow_frame",
            SWITCH,
            "after each change of a knob",
            "render the shown frame alone again after each change of a knob of this node",
            False,
        ),
        _button("check", "Check", "look whether the result fits the knobs and inputs", False),
        Knob("status", STRING, "status", "what this node shows", "not rendered", flags=("+DISABLED",)),
        Knob(
            "missing_error",
            CHOICE,
            "error where not rendered",
            "what frames give that are not rendered: on a farm (and in nuke -t) an error, here the source; always an "
            "error; or never one. A Write also refuses a result that is stale or gone, in the same cases",
            MISSING_ERRORS[0],
            MISSING_ERRORS,
        ),
        _divider("Files and farm"),
        _button("open_cache", "Open cache", "show the folder of this node's files"),
        _button("farm", "Farm command", "write plates and job, and show the command line that renders them"),
        _button("load", "Load result", "show what a farm has rendered for the present knobs", False),
    ]


def _hidden() -> List[Knob]:
    hidden = ("+INVISIBLE",)
    return [
        Knob("lp_version", INTEGER, "", "", VERSION, flags=hidden),
        Knob("lp_hash", STRING, "", "", "", flags=hidden),
        Knob("lp_asked", STRING, "", "", "", flags=hidden),
        Knob("lp_job", STRING, "", "", "", flags=hidden),
        Knob("lp_ready", INTEGER, "", "", 0, flags=hidden),
        Knob("lp_first", INTEGER, "", "", 0, flags=hidden),
        Knob("lp_last", INTEGER, "", "", 0, flags=hidden),
        Knob("lp_frame", INTEGER, "", "", 0, flags=hidden),
        Knob("lp_frame_ready", INTEGER, "", "", 0, flags=hidden),
    ]
