"""Adapters for host programs: Nuke, DaVinci Resolve, OBS."""
