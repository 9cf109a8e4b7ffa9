"""Layers of a source: the person, the background and what is in front of the face, found or given by the user."""
