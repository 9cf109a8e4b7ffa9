"""Foundry Nuke: the gizmo LivePortrait, its Python package ``lp_nuke`` and what installs them."""
