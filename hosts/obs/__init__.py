"""OBS Studio: the source "LivePortrait"."""
