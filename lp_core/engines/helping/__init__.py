"""Processes that draw the frames of a render."""
