"""Timelines: read, mark, relink and write OTIO."""
