"""Faces in images: detection, landmarks, identity over a clip."""
