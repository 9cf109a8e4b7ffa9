"""LivePortrait.gizmo and the example script, written from the table of knobs.

``python -m hosts.nuke.lp_nuke.gizmo`` writes both files again; a test holds the committed ones against this text.
"""

from pathlib import Path
from typing import List, Sequence, Tuple

from . import tcl
from .knobs import table

HERE = Path(__file__).resolve().parent.parent
GIZMO = HERE / "LivePortrait.gizmo"
EXAMPLE = HERE / "example.nk"
NUKE = "13.2 v8"
"""Oldest Nuke that reads the files."""
RESULT = "Result"
"""Name of the inner Read."""
SINGLE = "SingleFrame"
"""Name of the inner Read that shows a frame rendered alone."""
NOT_RENDERED = "LivePortrait-is-not-rendered-here/press-Render-or-set-error-where-not-rendered-to-never.exr"
"""File that is nowhere: what the inner Read NotRendered names, so that Nuke's error says what to do."""
INPUTS = ("Source", "Driving", "Matte")
"""Names of the inner Input nodes, in order."""
LAYERS = (
    ("matte", ("alpha",)),
    ("stmap", ("red", "green")),
    ("forward", ("u", "v")),
    ("regions", ("red", "green", "blue")),
)
"""Layer -> its channels, besides the image."""
REGIONS = LAYERS[-1][1]
_HELP = (
    "Animates the face of the input by a performance. Inputs: source (plate or still), driving (performance), "
    "matte (what must not be touched, 1 = protected). Layers of the output: matte, stmap, forward; "
    "regions where that pass is on. "
    "Set driver and range, then press Render on the tab Job."
)
# Without the package the node still shows its result; Nuke says what is missing when a button is pressed.
_CHANGED = "try:\n from lp_nuke import buttons\nexcept ImportError:\n pass\nelse:\n buttons.changed()"


def gizmo_text() -> str:
    """The text of LivePortrait.gizmo."""
    return tcl.script(["#! LP Suite", "version " + NUKE, *_layers(), *group("LivePortrait1", ())])


def group(name: str, values: Sequence[Tuple[str, str]], at: Tuple[int, int] = (0, 0)) -> List[str]:
    """The node's commands: its own knobs and the nodes within.

    Args:
        name: of the node.
        values: knobs that differ from a new node's, as Tcl words.
        at: place in the node graph.
    """
    own = [
        ("inputs", "3"),
        ("name", name),
        ("help", tcl.word(_HELP)),
        ("knobChanged", tcl.word(_CHANGED)),
        ("tile_color", "0x5f7f9fff"),
        ("label", tcl.word("[string range [value status] 0 40]")),
        ("xpos", str(at[0])),
        ("ypos", str(at[1])),
        *(pair for knob in table() for pair in knob.pairs()),
        *values,
    ]
    return [tcl.node("Group", own), *_inside(), "end_group"]


def _layers() -> List[str]:
    return [
        "add_layer {" + " ".join([layer, *(layer + "." + channel for channel in channels)]) + "}"
        for layer, channels in LAYERS
    ]


def _at(x: int, y: int) -> List[Tuple[str, str]]:
    return [("xpos", str(x)), ("ypos", str(y))]


def _inside() -> List[str]:
    """The nodes within the group.

    ::

        Source --+------------------------------- InRange (0) -- Output
                 |                                  (1) (2)
                 +-- Warp (STMap) -- copies -- UseMap     |
                      |               |       (1) (0)     |
        Result ---- MapSize -------- FlowSize      |      |
           +---------------------------------------+      |
        NotRendered (a Read without a file) --------------+
        SingleFrame (a Read of one frame) ------------- (3)
    """
    is_shown = "parent.lp_ready && frame >= parent.lp_first && frame <= parent.lp_last"
    is_alone = "parent.lp_frame_ready && frame == parent.lp_frame && $gui"
    is_error = "parent.missing_error == 1 || (parent.missing_error == 0 && $gui == 0)"
    return [
        *(
            _node("Input", 450 + 150 * number, 0, name, ("inputs", "0"), ("number", str(number)))
            for number, name in ((1, INPUTS[1]), (2, INPUTS[2]), (0, INPUTS[0]))
        ),
        " set Nsource [stack 0]",
        _node("Read", 0, 0, RESULT, ("inputs", "0"), ("file_type", "exr"), ("file", '""'), ("raw", "true"),
              ("on_error", "error"), ("localizationPolicy", "off")),
        " set Nresult [stack 0]",
        *_map(),
        " set Nwarped [stack 0]",
        _node("Read", 900, 390, SINGLE, ("inputs", "0"), ("file_type", "exr"), ("file", '""'), ("raw", "true"),
              ("on_error", "error"), ("localizationPolicy", "off")),
        _node("Read", 750, 390, "NotRendered", ("inputs", "0"), ("file_type", "exr"), ("file", NOT_RENDERED),
              ("on_error", "error"), ("localizationPolicy", "off")),
        " push $Nwarped",
        " push $Nresult",
        _node("Switch", 150, 390, "UseMap", ("inputs", "2"), ("which", tcl.expression("parent.apply_stmap"))),
        " push $Nsource",
        _node("Switch", 450, 450, "InRange", ("inputs", "4"),
              ("which", tcl.expression(f"({is_alone}) ? 3 : ({is_shown}) ? 1 : ({is_error}) ? 2 : 0"))),
        _node("Output", 450, 520, "Output1"),
    ]  # fmt: skip


def _map() -> List[str]:
    """The nodes that warp the source by the result's ST map, and carry its layers over, at the source's size.

    Parzen keeps straight ramps straight and never rings; it would soften a map that has the size already.
    """
    source = INPUTS[0]
    size = [
        (name, tcl.expression(source + "." + measure))
        for name, measure in (
            ("box_width", "width"),
            ("box_height", "height"),
            ("box_pixel_aspect", "pixel_aspect"),
        )
    ]
    is_same = f"{source}.width == {RESULT}.width && {source}.height == {RESULT}.height"
    ratio = f"{source}.width / {RESULT}.width"
    return [
        _node("Reformat", 150, 70, "MapSize", ("type", tcl.word("to box")), *size, ("box_fixed", "true"),
              ("resize", "distort"), ("filter", "Parzen"), ("pbb", "true"),
              ("disable", tcl.expression(is_same))),
        _node("Multiply", 150, 130, "FlowSize", ("channels", "forward"), ("value", tcl.expression(ratio))),
        " set Nmap [stack 0]",
        " push $Nmap",
        " push $Nsource",
        _node("STMap", 300, 200, "Warp", ("inputs", "2"), ("channels", "rgba"), ("uv", "stmap")),
        _node("Copy", 300, 260, "Layers", ("inputs", "2"), *_copied("matte.alpha", "forward.u", "forward.v")),
        " set Nlayers [stack 0]",
        " push $Nmap",
        " push $Nlayers",
        _node("Copy", 300, 320, "Map", ("inputs", "2"), *_copied("stmap.red", "stmap.green")),
        " set Nmapped [stack 0]",
        " push $Nmap",
        " push $Nmapped",
        _node("Copy", 300, 380, "Regions", ("inputs", "2"), *_copied(*(f"regions.{name}" for name in REGIONS))),
    ]  # fmt: skip


def _node(kind: str, x: int, y: int, name: str, *pairs: Tuple[str, str]) -> str:
    return tcl.node(kind, [*pairs, ("name", name), *_at(x, y)], 1)


def _copied(*channels: str) -> List[Tuple[str, str]]:
    found = []
    for number, channel in enumerate(channels):
        found += [(f"from{number}", channel), (f"to{number}", channel)]
    return found


def example_text() -> str:
    """A script that shows the node at work: a plate, a performance, the node, a Write."""

    def read(name: str, file: str, x: int) -> str:
        pairs = [("inputs", "0"), ("file_type", "exr"), ("file", file), ("first", "1001"), ("last", "1100"),
                 ("origfirst", "1001"), ("origlast", "1100"), ("origset", "true"), ("raw", "true"),
                 ("name", name), *_at(x, 0)]  # fmt: skip
        return tcl.node("Read", pairs)

    values = [("first", "1001"), ("last", "1100"), ("smile", "{{curve x1001 0 x1030 0.6 x1060 0}}")]
    root = [
        ("inputs", "0"),
        ("name", "example.nk"),
        ("first_frame", "1001"),
        ("last_frame", "1100"),
        ("fps", "25"),
    ]
    write = [("file", "shot.%04d.exr"), ("file_type", "exr"), ("channels", "all"), ("create_directories", "true"),
             ("name", "Write1"), *_at(0, 200)]  # fmt: skip
    return tcl.script(
        [
            "#! LP Suite",
            "version " + NUKE,
            *_layers(),
            tcl.node("Root", root),
            "push 0",
            read("Driving", "driving.%04d.exr", 150),
            read("Plate", "plate.%04d.exr", 0),
            *group("LivePortrait1", values, (0, 100)),
            tcl.node("Write", write),
        ]
    )


def write_files() -> None:
    """Writes the gizmo and the example again."""
    GIZMO.write_text(gizmo_text(), encoding="utf-8")
    EXAMPLE.write_text(example_text(), encoding="utf-8")


if __name__ == "__main__":
    write_files()
