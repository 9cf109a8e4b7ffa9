"""Who is who in a set, and which people are kept for validation and tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.faces.sface import OTHER, FaceDescriber, aligned_face

LOOKS = 5
"""Frames of a shot that are described."""
TEST, VALIDATION = 0.1, 0.1
"""Shares of people, by a hash of their names."""


def group_people(names: Sequence[str], vectors: Sequence[NDArray[np.float32]]) -> list[str]:
    """The person of every shot, named after the first source that shows them.

    Shots whose descriptors might be of one person are taken for one person, because a doubtful pair on both sides of a
    split would spoil it.

    Args:
        names: of the sources, one a shot; shots of one source and shot may repeat.
        vectors: (128,) mean descriptors of length 1.
    """
    people: list[tuple[str, list[NDArray[np.float32]]]] = []
    found = []
    for name, vector in zip(names, vectors, strict=True):
        near = [max(float(vector @ seen) for seen in members) for _, members in people]
        best = int(np.argmax(near)) if near else -1
        if best >= 0 and near[best] >= OTHER:
            people[best][1].append(vector)
        else:
            people.append((_unused(name, [person for person, _ in people]), [vector]))
            best = len(people) - 1
        found.append(people[best][0])
    return found


def _unused(name: str, taken: Sequence[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate


def split_of(person: str) -> str:
    """The split of a person, the same in every run."""
    place = int.from_bytes(hashlib.sha256(person.encode()).digest()[:4], "big") / 2**32
    if place < TEST:
        return "test"
    return "validation" if place < TEST + VALIDATION else "train"


def describe(
    describer: FaceDescriber, picture: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(128,) descriptor of the face with 478 landmarks, (478, 3) in pixels of an RGB image."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    face = Face(
        landmarks_frame=landmarks,
        scheme="mediapipe478",
        box=FaceBox(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        score=1.0,
        head_rotation=np.eye(3, dtype=np.float32),
        pose=Pose(0.0, 0.0, 0.0),
        blendshapes={},
    )
    return describer.descriptor(aligned_face(picture, face))
