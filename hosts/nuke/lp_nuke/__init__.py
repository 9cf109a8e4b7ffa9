"""The Python side of the gizmo LivePortrait; standard library only, Python 3.7 syntax, for Nuke 13.2 to 17.1."""
