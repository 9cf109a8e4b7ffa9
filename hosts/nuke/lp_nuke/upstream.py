"""What lies upstream of an input, in a few digits: a plate is rendered again only when that changes."""

import os
import re
from typing import Any, Callable, Dict, List, Optional

import nuke

from .cache import digest, sequence_stamp

LIMIT = 400
"""Nodes looked at; a larger tree counts as changed, always."""
LIMIT_SMALL = 8
"""The same in editions that let Python touch a few nodes only (Non-commercial, Indie)."""
_LINEAR = ("linear", "scene_linear", "raw", "data", "default (linear)", "default (scene_linear)")
_ALL = nuke.INPUTS | nuke.HIDDEN_INPUTS | nuke.EXPRESSIONS
_UNSEEN = re.compile(
    r"^(xpos|ypos|selected|name|label|note_font.*|tile_color|gl_color|dope_sheet|postage_stamp)$"
)


def fingerprint(node: Any, own: str = "") -> Optional[str]:  # noqa: ANN401 - a nuke.Node
    """Twelve digits for a node, its knobs with their curves, all that feeds it, and the files that are read.

    Args:
        node: what is connected to the input.
        own: full name of the node whose input it is; it may be linked to by expressions, but does not feed itself.

    Returns:
        None where the tree is larger than the limit: nobody can tell whether it changed.
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
        feeding = _feeding(here)
        seen[name] = [_told(here), [other.fullName() for other in feeding]]
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
    pattern = str(node["file"].value())
    if not pattern.lower().endswith(".exr") or re.search(r"[\[%]V|%v|\[", pattern):
        return None
    if re.search(r"%0?\d*d|#+", os.path.basename(pattern)) is None or os.path.isfile(pattern):  # noqa: PTH113,PTH119
        return None
    if node["first"].value() > first or node["last"].value() < last:
        return None
    return pattern


def _is_plain(read: Any) -> bool:  # noqa: ANN401 - a nuke.Node
    if nuke.root()["proxy"].value() or read["disable"].value() or read["premultiplied"].value():
        return False
    if read["frame_mode"].value() != "expression" or str(read["frame"].value()).strip():
        return False
    return bool(read["raw"].value()) or str(read["colorspace"].value()).lower() in _LINEAR


def ours_upstream(node: Any, is_ours: Callable[[Any], bool]) -> List[Any]:  # noqa: ANN401 - a nuke.Node
    """The nodes of a kind that a node's image depends on, those farthest upstream last.

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
    """The nodes that a node's picture depends on."""
    found = list(node.dependencies(_ALL))
    if hasattr(node, "nodes"):  # a group, or a gizmo of any name
        found += [other for other in node.nodes() if other.Class() != "Viewer"]
    parent = node.parent() if node.Class() == "Input" else None
    if parent is not None and parent.Class() != "Root":
        outer = parent.input(int(node["number"].value()))
        found += [] if outer is None else [outer]
    return found


def _told(node: Any) -> List[Any]:  # noqa: ANN401 - a nuke.Node
    """Class and knobs of a node as its script would hold them, without what only concerns the graph's looks."""
    pairs = node.writeKnobs(nuke.TO_SCRIPT | nuke.WRITE_NON_DEFAULT_ONLY)
    knobs = [line for line in pairs.splitlines() if not _UNSEEN.match(line.strip().split(" ")[0])]
    file = node.knob("file") if node.Class() in ("Read", "DeepRead", "ReadGeo2") else None
    return [node.Class(), knobs, [] if file is None else sequence_stamp(str(file.value()))]
