"""Run by Nuke at every start, with or without a window: makes gizmo, icon and package known. No user interface here."""

import os
import sys

import nuke

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - nothing heavy at Nuke's start
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)
nuke.pluginAddPath(os.path.join(_HERE, "icons"))  # noqa: PTH118
