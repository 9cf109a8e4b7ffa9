"""Faces in pictures: detection, landmarks, identity over a clip."""
