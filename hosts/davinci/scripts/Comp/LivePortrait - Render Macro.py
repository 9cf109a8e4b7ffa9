"""Renders the macro LivePortrait of this composition; its button calls this."""

import sys

LIBRARY = ""  # the installer writes the folder here
sys.path.insert(0, LIBRARY)

from hosts.davinci.lp_resolve.actions import render  # noqa: E402 - found in LIBRARY

render(globals())
