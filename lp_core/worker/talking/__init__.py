"""Portraits that talk to a browser in real time."""
