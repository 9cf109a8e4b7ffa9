"""What is upstream of an input, in a few digits: a plate is rendered again only when that changes."""

import os
import re
from pathlib import Path
from typing import Any, Dict, List, Optional

import nuke

from .cache import digest, sequence_stamp
from .gizmo import NOT_RENDERED, SINGLE

LIMIT = 400
"""Nodes looked at; a larger tree counts as changed, always."""
LIMIT_SMALL = 8
"""The same in editions that let Python touch a few nodes only (Non-commercial, Indie)."""
_LINEAR = ("linear", "scene_linear", "raw", "data", "default (linear)", "default (scene_linear)")
_ALL = nuke.INPUTS | nuke.HIDDEN_INPUTS | nuke.EXPRESSIONS
_OWN_UNSEEN = ("status", "lp_job", "lp_frame", "lp_frame_ready", "follow_frame")
"""Knobs of a LivePortrait node that say nothing of what a render gives."""
_UNSEEN = re.compile(
    r"^(xpos|ypos|selected|name|label|note_font.*|tile_color|gl_color|dope_sheet|postage_stamp)$"
)


def fingerprint(node: Any, own: str = "") -> Optional[str]:  # noqa: ANN401 - a nuke.Node
    """Twelve digits for a node, its knobs with their curves, all that feeds it, and the files that are read.

    Args:
        node: what is connected to the input.
        own: full name of the node whose input it is; it may be linked to by expressions, but does not feed itself.

    Returns:
        None where it is unknown whether it changed: the tree is larger than the limit, or a file that is named is
        nowhere to be found.
    """
    seen: Dict[str, Any] = {}
    waiting = [node]
    limit = LIMIT_SMALL if nuke.env.get("nc") or nuke.env.get("indie") else LIMIT
    while waiting:
        here = waiting.pop()
        name = here.fullName()
        if name in seen or name == own or here.Class() == "Root":  # the Root's knobs hold the current frame
            continue
        if len(seen) >= limit:
            return None
        feeding, told = _feeding(here), _told(here)
        if told is None:
            return None
        seen[name] = [told, [other.fullName() for other in feeding]]
        waiting.extend(feeding)
    return digest(seen)


def direct_file(node: Any, first: int, last: int) -> Optional[str]:  # noqa: ANN401 - a nuke.Node
    """The EXR files of a plain Read, where they are exactly what the node gives; None where it does more.

    Only files whose numbers are taken as they are qualify: no offset, no conversion, no proxy, all frames there.
    """
    while node is not None and node.Class() == "Dot":
        node = node.input(0)
    if node is None or node.Class() != "Read" or not _is_plain(node):
        return None
    pattern = file_of(node)
    if not pattern.lower().endswith(".exr") or "[" in pattern or not os.path.isabs(pattern):  # noqa: PTH117
        return None
    if re.search(r"%0?\d*d|#+", os.path.basename(pattern)) is None or os.path.isfile(pattern):  # noqa: PTH113,PTH119
        return None
    if node["first"].value() > first or node["last"].value() < last:
        return None
    views = [str(view) for view in nuke.views()]
    if not all(sequence_stamp(for_view(pattern, view)) for view in views):
        return None
    return pattern


def file_of(node: Any) -> str:  # noqa: ANN401 - a nuke.Node
    """The file that a Read reads: expressions evaluated, filename filters applied, below the project's folder.

    Frame and view stay placeholders. Only Nuke knows its filename filters, so it is asked.
    """
    named = str(nuke.filename(node) or "")
    knob: Any = nuke.root()["project_directory"]
    folder = str(knob.getEvaluatedValue() or "")
    if not named or os.path.isabs(named) or not folder:  # noqa: PTH117
        return named
    return (Path(folder) / named).as_posix()


def for_view(pattern: str, view: str) -> str:
    """A pattern with the view's name, or its first letter, in place of %V and %v."""
    return pattern.replace("%V", view).replace("%v", view[:1])


def _is_plain(read: Any) -> bool:  # noqa: ANN401 - a nuke.Node
    if nuke.root()["proxy"].value() or read["disable"].value() or read["premultiplied"].value():
        return False
    if read["frame_mode"].value() != "expression" or str(read["frame"].value()).strip():
        return False
    return bool(read["raw"].value()) or str(read["colorspace"].value()).lower() in _LINEAR


def ours_upstream(node: Any) -> List[Any]:  # noqa: ANN401 - a nuke.Node
    """The LivePortrait nodes that a node's image depends on, those farthest upstream last.

    Nodes that are disabled, and inputs that a Switch does not take, are left out with all that only they need.
    """
    found: Dict[str, Any] = {}
    seen = set()
    waiting = [node]
    while waiting:
        here = waiting.pop(0)
        name = here.fullName()
        counts = is_ours(here) and not _is_off(here)
        if here.Class() == "Root" or (name in seen and not counts):
            continue
        if counts:
            found.pop(name, None)  # met again, farther upstream
            found[name] = here
        if name not in seen:
            seen.add(name)
            waiting.extend(here.dependencies(_ALL) if counts else _taken(here))
    return list(found.values())


def is_ours(node: Any) -> bool:  # noqa: ANN401 - a nuke.Node
    """Whether it is a LivePortrait node."""
    return hasattr(node, "nodes") and node.knob("lp_version") is not None


def _is_look(node: Any) -> bool:  # noqa: ANN401 - a nuke.Node
    """Whether it is what shows a frame rendered alone, which no render takes."""
    return bool(node.name() == SINGLE) and is_ours(node.parent())


def _is_off(node: Any) -> bool:  # noqa: ANN401 - a nuke.Node
    knob = node.knob("disable")
    return knob is not None and bool(knob.value())


def _taken(node: Any) -> List[Any]:  # noqa: ANN401 - a nuke.Node
    number = 0 if _is_off(node) else None
    which = node.knob("which") if node.Class() == "Switch" and number is None else None
    if which is not None and not (which.isAnimated() or which.hasExpression()):
        number = int(which.value())
    if number is None:
        return _feeding(node)
    chosen = node.input(number)
    return [] if chosen is None else [chosen]


def _feeding(node: Any) -> List[Any]:  # noqa: ANN401 - a nuke.Node
    """The nodes that a node's image depends on."""
    found = [other for other in node.dependencies(_ALL) if not _is_look(other)]
    if hasattr(node, "nodes"):  # a group, or a gizmo of any name
        found += [other for other in node.nodes() if other.Class() != "Viewer" and not _is_look(other)]
    parent = node.parent() if node.Class() == "Input" else None
    if parent is not None and parent.Class() != "Root":
        outer = parent.input(int(node["number"].value()))
        found += [] if outer is None else [outer]
    return found


def _told(node: Any) -> Optional[List[Any]]:  # noqa: ANN401 - a nuke.Node
    """Class and knobs of a node as its script would hold them, without what only concerns the graph's looks.

    None where it names a file that is nowhere: it may be there for Nuke, and change unseen.
    """
    pairs = node.writeKnobs(nuke.TO_SCRIPT | nuke.WRITE_NON_DEFAULT_ONLY)
    own = _OWN_UNSEEN if is_ours(node) else ()
    names = {line: line.strip().split(" ")[0] for line in pairs.splitlines()}
    knobs = [line for line, name in names.items() if not _UNSEEN.match(name) and name not in own]
    stamps: List[Any] = []
    pattern = file_of(node) if node.Class() in ("Read", "DeepRead", "ReadGeo2") else ""
    if pattern and os.path.basename(pattern) != os.path.basename(NOT_RENDERED):  # noqa: PTH119
        views = [str(view) for view in nuke.views()] if re.search("%[Vv]", pattern) else [""]
        stamps = [sequence_stamp(for_view(pattern, view)) for view in views]
        if not all(stamps):
            return None
    return [node.Class(), knobs, stamps]


def own_hashes(node: Any) -> List[int]:  # noqa: ANN401 - a nuke.Node
    """Nuke's own hashes of all that a node's image depends on, at the current frame; empty where Nuke has none.

    Dots and NoOps have no hash: the node above them is asked.
    """
    while node is not None:
        found = list(node.opHashes())
        if found or node.Class() not in ("Dot", "NoOp"):
            return [int(number) for number in found]
        node = node.input(0)
    return []
