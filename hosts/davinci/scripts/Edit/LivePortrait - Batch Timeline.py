"""Animates what is marked on the timeline."""

import sys

LIBRARY = ""  # the installer writes the folder here
sys.path.insert(0, LIBRARY)

from hosts.davinci.lp_resolve.actions import main  # noqa: E402 - found in LIBRARY

main("batch", globals())
