"""Images of a render that is still running, shown as they arrive; what the node showed before comes back if it fails.

Images that get their numbers or names when all are there (of a still, below 0) are linked into the folder ``arriving``
under the names that they will have. Of several views a frame is shown when every view has it.

Main thread only, but for ``Watch.heard``.
"""

import os
import time
from dataclasses import dataclass
from typing import Any, Dict

import nuke

from lp_core.files import ensure_folder, remove
from lp_core.link.messages import JobProgress
from lp_core.timing import FrameRange

from . import cache, node_state
from .gizmo import RESULT

EVERY_S = 2.0
"""Nuke reads the node again with every step, so the steps are not too small."""
FOLDER = "arriving"
"""Folder of the linked images, within that of the result; gone when the render has ended."""
_OWN = ("lp_ready", "lp_first", "lp_last", "lp_hash", "lp_asked")
_READ = ("file", "first", "last", "origfirst", "origlast")


@dataclass(frozen=True)
class Shown:
    """What a node shows."""

    own: Dict[str, Any]
    """Its hidden knobs."""
    read: Dict[str, Any]
    """Knobs of its inner Read."""


def shown_by(node: Any) -> Shown:  # noqa: ANN401 - a nuke.Group
    """What a node shows now."""
    read = node.node(RESULT)
    return Shown({name: node[name].value() for name in _OWN}, {name: read[name].value() for name in _READ})


def show_again(node: Any, shown: Shown) -> None:  # noqa: ANN401 - a nuke.Group
    """Shows what it showed before."""
    undo = nuke.Undo()
    undo.disable()
    try:
        for name, value in shown.read.items():
            node.node(RESULT)[name].setValue(value)
        for name, value in shown.own.items():
            node[name].setValue(value)
        node.node(RESULT)["reload"].execute()
    finally:
        undo.enable()


def show_part(node: Any, work: node_state.Work, count: int) -> bool:  # noqa: ANN401 - a nuke.Group
    """Shows the first images of a render; the other frames show the source, and nothing counts as up to date.

    Returns:
        Whether they were there.
    """
    frames = FrameRange(work.frames.first, work.frames.first + count - 1)
    has_other_names = bool(work.offset) or frames.first < 0
    has = _linked if has_other_names else _has
    if not all(has(part, work, frames) for part in work.parts()):
        return False
    pattern = _sequence(work, "%V").pattern if has_other_names else work.pattern
    read = {"file": pattern, "first": frames.first, "last": frames.last}
    read.update(origfirst=frames.first, origlast=frames.last)
    own = {"lp_ready": 1, "lp_first": frames.first, "lp_last": frames.last, "lp_hash": "", "lp_asked": ""}
    show_again(node, Shown(own, read))
    return True


def _has(part: node_state.Work, _whole: node_state.Work, frames: FrameRange) -> bool:
    return part.result.has(frames)


def _linked(part: node_state.Work, whole: node_state.Work, frames: FrameRange) -> bool:
    """Whether a view's images are there under their final names; those that are new are linked."""
    target = _sequence(whole, part.folder.name)
    try:
        ensure_folder(target.folder)
        for number in frames:
            found, wanted = (
                part.result.path_of(number - part.offset),
                target.folder / f"result.{number:04d}.exr",
            )
            if not wanted.exists():
                os.link(str(found), str(wanted))
    except OSError:  # not there yet, or a disk without links: they are shown when all are there
        return False
    return True


def _sequence(work: node_state.Work, view: str) -> cache.Sequence:
    """The linked images of a view."""
    return cache.Sequence(work.folder / FOLDER / (view if work.views else ""), "result")


def tidy(work: node_state.Work) -> None:
    """Removes the links, once the node shows something else."""
    remove(work.folder / FOLDER)


class Watch:
    """Has the main thread show what has arrived, now and then."""

    def __init__(self, work: node_state.Work, before: Shown) -> None:
        """Nothing is shown yet.

        Args:
            work: what is rendered.
            before: what the node shows before it.
        """
        self.before = before
        self._work, self._last_s = work, time.monotonic()
        tidy(work)  # of a render that was killed

    def heard(self, progress: JobProgress) -> None:
        """Takes progress, in the thread that follows the job."""
        now = time.monotonic()
        if progress.phase != "render" or not progress.frame:
            return
        if now - self._last_s < EVERY_S:
            return
        self._last_s = now
        count = min(progress.frame, len(self._work.frames))
        nuke.executeInMainThread(_show_arrived, (self._work, count))


def _show_arrived(work: node_state.Work, count: int) -> None:
    node = nuke.toNode(work.node)
    if node is not None and str(node["status"].value()) == "rendering":
        show_part(node, work, count)
