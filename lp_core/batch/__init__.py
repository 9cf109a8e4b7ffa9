"""Whole timelines: what is to be animated is found, planned, rendered in chunks, and put back into the timeline."""
