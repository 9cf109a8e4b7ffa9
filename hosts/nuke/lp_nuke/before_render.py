"""Called by Nuke before every render of a Write: stops where a LivePortrait node upstream would give another image.

Nothing is silent on a farm: a node that was never rendered, or has changed since, ends the render with a sentence.
"""

import sys
from typing import Any

import nuke

from lp_core.errors import LpError, SettingError

from . import node_state
from .knobs import MISSING_ERRORS
from .upstream import ours_upstream

ON_A_FARM, ALWAYS, NEVER = MISSING_ERRORS


def check() -> None:
    """The callback.

    Raises:
        SettingError: a node is stale, not rendered, or its files are gone, and its knob says that this is an error.
    """
    check_upstream(nuke.thisNode())


def check_upstream(end: Any) -> None:  # noqa: ANN401 - a nuke.Node
    """The same for everything that a node's image depends on."""
    for node in ours_upstream(end):
        if not _counts(node):
            continue
        try:
            told = node_state.state_of(node)
        except LpError as error:
            told = str(error)
        if told in (node_state.UNKNOWN, node_state.SAME_HERE):
            sys.stderr.write(f"{node.fullName()}: {told}.\n")
        elif told != node_state.UP_TO_DATE:
            raise SettingError(
                f"{node.fullName()} is not up to date ({told}); render it, or set its knob 'error where not rendered' "
                "to never."
            )


def _counts(node: Any) -> bool:  # noqa: ANN401 - a nuke.Group
    knob = node.knob("missing_error")
    chosen = ON_A_FARM if knob is None else str(knob.value())
    return chosen == ALWAYS or (chosen == ON_A_FARM and not nuke.GUI)
