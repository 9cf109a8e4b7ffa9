"""What the node's buttons do and what follows a changed knob: a few lines each; errors become a dialog."""

import os
import subprocess
import sys
from functools import wraps
from typing import Any, Callable

import nuke

from lp_core.errors import Cancelled, LpError, SettingError
from lp_core.files import ensure_folder, write_whole
from lp_core.settings.sliders import SLIDERS

from . import farm as farming
from . import knob_settings, node_state, single_frame
from . import render as rendering
from .knobs import by_name


def _button(action: Callable[[Any], None]) -> Callable[[], None]:
    """A button's function: takes the node, says errors in a dialog (in ``nuke -t``: raises them)."""

    @wraps(action)
    def press() -> None:
        node = nuke.thisNode()
        try:
            action(node)
        except LpError as error:
            if not nuke.GUI:
                raise
            if not isinstance(error, Cancelled):  # anyone who cancelled knows it
                nuke.message(str(error))

    return press


def create() -> None:
    """Makes a node, with the range of what it is connected to, else the project's."""
    node = nuke.createNode("LivePortrait")
    upstream = node.input(0)
    root = nuke.root()
    if upstream is None:
        _set_range(node, root["first_frame"].value(), root["last_frame"].value())
        return
    found = upstream.frameRange()
    _set_range(node, found.first(), found.last())


@_button
def render(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Renders what is not up to date."""
    rendering.render(node)


@_button
def render_frame(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Renders the frame that the viewer is at, alone."""
    if not nuke.GUI:
        raise SettingError("A frame alone is shown in the interface only; render the range.")
    single_frame.render_frame(node)


@_button
def cancel(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Stops the node's job."""
    if not rendering.cancel(node):
        nuke.message("No render of this node is running.")


@_button
def check(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Says whether the result fits knobs and inputs."""
    node_state.tell(node, node_state.state_of(node))


@_button
def load(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Shows what a farm has rendered."""
    rendering.load(node)


@_button
def farm(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Writes plates and job, and shows the command line that renders them."""
    work = node_state.work_of(node)
    if not work.is_certain:
        raise SettingError(
            "Changes of the inputs cannot be detected (too many nodes upstream, or a file that is not found), so the "
            "result would not be found again; render them to files and read those."
        )
    work.write_inputs()
    line = "\n".join(farming.command(part.job()) for part in work.parts())
    write_whole(work.folder / "command.txt", line + "\n")
    for part in work.parts():
        farming.write_bundles(part.folder / "job.json")
    nuke.message(
        f"{line}\n\nIt is also in {work.folder.as_posix()}: command.txt, and the same in chunks for many machines as "
        "openjd (Open Job Description, Deadline Cloud) and opencue/job.xml. Press Load result when it is done."
    )


@_button
def open_cache(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Shows the folder of the node's files."""
    folder = node_state.home_of(node)
    ensure_folder(folder)
    if sys.platform == "win32":
        os.startfile(str(folder))  # noqa: S606 - a folder of ours
        return
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        subprocess.Popen([opener, str(folder)])  # noqa: S603 - a folder of ours
    except OSError:
        nuke.message(f"The files are in {folder}.")


@_button
def use_still_frame(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """The current frame becomes the portrait."""
    node["still_frame"].setValue(nuke.frame())


@_button
def use_reference_frame(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """The current frame becomes the reference."""
    node["reference_frame"].setValue(nuke.frame())
    node["reference"].setValue("frame")


@_button
def use_root_range(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """The project's range."""
    root = nuke.root()
    _set_range(node, root["first_frame"].value(), root["last_frame"].value())


@_button
def use_input_range(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """The range of the plate; of the performance where the source is a still."""
    upstream = node.input(1 if node["source_is"].value() == "still" else 0)
    if upstream is None:
        nuke.message("Nothing is connected to the input that gives the range.")
        return
    found = upstream.frameRange()
    _set_range(node, found.first(), found.last())


@_button
def reset_expression(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """All sliders back to neutral."""
    table = by_name()
    for name, slider in SLIDERS.items():
        node[name].clearAnimated()
        node[name].setValue(table[name].default)
        if not slider.has_neutral:
            node[name + "_on"].setValue(False)


def _set_range(node: Any, first: float, last: float) -> None:  # noqa: ANN401 - a nuke.Group
    node["first"].setValue(int(first))
    node["last"].setValue(int(last))


def changed() -> None:
    """Called by Nuke with every changed knob: says at once when the result no longer fits."""
    node, knob = nuke.thisNode(), nuke.thisKnob()
    if knob is None or not nuke.GUI:
        return
    name = knob.name()
    if name in (*knob_settings.shown_settings(), "follow_frame"):
        _follow_frame(node)
    if name not in (*knob_settings.shown_settings(), "inputChange", "showPanel", "views"):
        return
    if rendering.is_running(node.fullName()):
        return
    try:
        looks_upstream = name in ("inputChange", "showPanel", "views")
        words = node_state.state_of(node) if looks_upstream else _after_a_knob(node)
    except LpError as error:
        words = str(error)
    node_state.tell(node, words)


def _follow_frame(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """A frame that was rendered alone does not fit any more: renders it again, or lets go of it."""
    knob = node.knob("follow_frame")
    if knob is None:  # a node of an older version
        return
    if not knob.value():
        single_frame.drop(node)
        return
    try:
        single_frame.render_frame(node)
    except LpError as error:
        node_state.tell(node, str(error))


def _after_a_knob(node: Any) -> str:  # noqa: ANN401 - a nuke.Group
    """The state after a knob was moved; what is upstream is looked at only when the knobs fit the result again."""
    told = str(node["status"].value())
    quick = node_state.quick_state(node)
    if quick is None and told in (node_state.UP_TO_DATE, node_state.UNKNOWN, node_state.SAME_HERE):
        return told
    return quick or node_state.state_of(node)
