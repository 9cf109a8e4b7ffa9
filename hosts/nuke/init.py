"""Run by Nuke at every start, with or without a window: makes gizmo, icon and package known. No user interface here."""

import os
import sys
import traceback

import nuke

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - nothing heavy at Nuke's start
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)


def _check_before_render() -> None:
    try:
        from lp_nuke import before_render
    except Exception:  # noqa: BLE001 - scripts without our node have to render
        sys.stderr.write("LP Suite cannot check LivePortrait nodes:\n" + traceback.format_exc())
        return
    before_render.check()


nuke.addBeforeRender(_check_before_render)
nuke.pluginAddPath(os.path.join(_HERE, "icons"))  # noqa: PTH118
