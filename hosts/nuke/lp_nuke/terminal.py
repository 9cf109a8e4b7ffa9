"""Renders nodes from the command line: ``nuke -t terminal.py shot.nk node=LivePortrait1 frames=1001-1100``.

A range alone as the last word would be taken by Nuke itself, hence ``frames=``. Without ``node=`` every LivePortrait
node of the script is rendered, one that another one needs before it. The exit code is the error's own.
"""

import sys
from pathlib import Path
from typing import Dict, List

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import nuke
from lp_nuke import node_state
from lp_nuke import render as rendering
from lp_nuke.upstream import ours_upstream

from lp_core.errors import LpError, SettingError, one_line
from lp_core.timing import FrameRange


def main(arguments: List[str]) -> int:
    """Opens the script, renders, and says what went wrong."""
    try:
        script, words = arguments[0], _words(arguments[1:])
        nuke.scriptOpen(script)
        for node in _nodes(words.get("node")):
            if "frames" in words:
                frames = FrameRange.parse(words["frames"])
                node["first"].setValue(frames.first)
                node["last"].setValue(frames.last)
            rendering.render(node)
            sys.stdout.write(one_line(f"{node.fullName()}: {node['status'].value()}") + "\n")
    except IndexError:
        sys.stderr.write("Name a script: nuke -t terminal.py shot.nk [node=NAME] [frames=1001-1100].\n")
        return SettingError.exit_code
    except LpError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _words(arguments: List[str]) -> Dict[str, str]:
    found = {word.partition("=")[0]: word.partition("=")[2] for word in arguments}
    unknown = set(found) - {"node", "frames"}
    if unknown:
        raise SettingError(f"'{sorted(unknown)[0]}' is not known; write node=NAME or frames=1001-1100.")
    return found


def _nodes(name: object) -> list:  # type: ignore[type-arg]
    if name is not None:
        node = nuke.toNode(str(name))
        if node is None:
            raise SettingError(f"The script has no node {name}; look at its name.")
        return [node]
    found = node_state.all_nodes()
    if not found:
        raise SettingError("The script has no LivePortrait node.")
    before = {node.fullName(): len(ours_upstream(node)) for node in found}
    return sorted(found, key=lambda node: before[node.fullName()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
