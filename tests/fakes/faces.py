"""An analyzer that reads a planted number instead of a face.

The top left pixel's red value v says what the image shows: 0 no face, else a face whose roll is v degrees.
"""

import numpy as np

from lp_core.faces.base import Face, FaceBox, Pose


def planted(value, height=8, width=10):
    """An image in which PlantedAnalyzer finds a face of that value (0: none)."""
    picture = np.full((height, width, 3), 7, np.uint8)
    picture[0, 0] = value
    return picture


def make_face(value, width=10, height=8, score=0.95):
    """A face that carries a value as its roll."""
    landmarks = np.zeros((478, 3), np.float32)
    return Face(
        landmarks_frame=landmarks,
        scheme="mediapipe478",
        box=FaceBox(1, 1, width - 1, height - 1),
        score=score,
        head_rotation=np.eye(3, dtype=np.float32),
        pose=Pose(0.0, 0.0, float(value)),
        blendshapes={},
    )


class PlantedAnalyzer:
    """Finds what ``planted`` planted."""

    scheme = "mediapipe478"

    def __init__(self, max_faces=4):
        self.max_faces = max_faces
        self.times_ms = []
        self.closed = 0

    def analyze(self, picture, time_ms=None):
        self.times_ms.append(time_ms)
        value = int(picture[0, 0, 0])
        return [make_face(value, picture.shape[1], picture.shape[0])] if value else []

    def close(self):
        self.closed += 1


class FirstFollower:
    """Follows the first face."""

    notes = ()

    def follow(self, faces, width, height, picture=None):
        return faces[0] if faces else None
