"""Run by Nuke when it has a window: toolbar, Tab menu and panel. A failure is reported and never stops Nuke's start."""

import sys
import traceback

import nuke


def _add() -> None:
    from lp_nuke import panel

    nuke.menu("Nodes").addMenu("LP Suite", icon="LivePortrait.png").addCommand(
        "LivePortrait", "from lp_nuke import buttons; buttons.create()", icon="LivePortrait.png"
    )
    panel.register()
    if nuke.env.get("studio") or nuke.env.get("hiero"):
        from lp_nuke import hiero_mark

        hiero_mark.register()


try:
    _add()
except Exception:  # noqa: BLE001 - whatever it is, Nuke has to start
    sys.stderr.write("LP Suite cannot be added to Nuke's menus:\n" + traceback.format_exc())
