"""The people of a clip: each with an id that stays the same however often the clip is read.

Two frames a second and the first frame after every cut are looked at. A person's id is her place in the order of first
appearance, from left to right where several appear at once: p0, p1 and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import FaceNotThere, ModelMissing, NoFace
from lp_core.faces.base import Face, FaceAnalyzer, FaceBox
from lp_core.faces.selector import choose_face, in_order
from lp_core.faces.sface import CHOSEN, F32, MODEL, NOBODY, OTHER, SAME, FaceDescriber, Gallery, aligned_face
from lp_core.faces.small_faces import overlap
from lp_core.geometry.cuts import Cuts
from lp_core.timing import FrameRate

U8 = NDArray[np.uint8]

LOOKS_PER_S = 2
"""Frames a second that are looked at."""


@dataclass(frozen=True)
class Person:
    """Somebody who is seen in a clip."""

    number: int
    """The number of the id."""
    first_frame: int
    """Where she is first seen, among the frames that were looked at."""
    last_frame: int
    """Where she is last seen."""
    looks: int
    """In how many of the frames looked at she is seen."""
    box: FaceBox
    """Where she was last seen."""
    gallery: Gallery
    """What she looks like; never written anywhere."""
    shot: int
    """The number of cuts before she was last seen."""

    @property
    def id(self) -> str:
        """The id that source_face and driving_face take."""
        return f"p{self.number}"


@dataclass(frozen=True)
class LookedAt:
    """A frame of a clip in which people are looked for."""

    index: int
    """Its number, from 0."""
    picture: U8
    """(H, W, 3) RGB."""
    shot: int
    """The number of cuts before it."""


def people_of(
    frames: Iterable[LookedAt], analyzer: FaceAnalyzer, describer: FaceDescriber
) -> tuple[Person, ...]:
    """Everybody in some frames of a clip.

    Args:
        frames: in order.
        analyzer: for lone images.
        describer: describes faces.
    """
    people: list[Person] = []
    for frame in frames:
        faces = in_order(analyzer.analyze(frame.picture))
        looks = [describer.descriptor(aligned_face(frame.picture, face)) for face in faces]
        owners = _owners(people, faces, looks, frame.shot)
        for at, (face, look) in enumerate(zip(faces, looks, strict=True)):
            if at in owners:
                people[owners[at]] = _seen_again(people[owners[at]], frame, face, look)
            else:
                gallery = NOBODY.with_also(look)
                people.append(Person(len(people), frame.index, frame.index, 1, face.box, gallery, frame.shot))
    return tuple(people)


def looked_at(pictures: Iterable[U8], rate: FrameRate) -> Iterable[LookedAt]:
    """The frames of a clip that are looked at."""
    step = max(round(float(rate.fps) / LOOKS_PER_S), 1)
    cuts, shot = Cuts(), 0
    for index, picture in enumerate(pictures):
        is_first = cuts.is_new_shot(picture)
        shot += is_first
        if is_first or index % step == 0:
            yield LookedAt(index, picture, shot)


def _owners(
    people: Sequence[Person], faces: Sequence[Face], looks: Sequence[F32], shot: int
) -> dict[int, int]:
    """Index of face -> index of person, surest pairs first; what the shot before showed at a place proves nothing."""
    pairs = []
    for at, (face, look) in enumerate(zip(faces, looks, strict=True)):
        for number, person in enumerate(people):
            likeness = person.gallery.likeness(look)
            is_there = person.shot == shot and overlap(person.box, face.box) > 0
            if likeness >= (OTHER if is_there else SAME):
                pairs.append((likeness, at, number))
    owners: dict[int, int] = {}
    for _, at, number in sorted(pairs, reverse=True):
        if at not in owners and number not in owners.values():
            owners[at] = number
    return owners


def _seen_again(person: Person, frame: LookedAt, face: Face, look: F32) -> Person:
    gallery = person.gallery
    if gallery.likeness(look) < 2 * SAME - OTHER:  # what looks nearly the same teaches nothing
        gallery = gallery.with_also(look)
    return replace(
        person,
        last_frame=frame.index,
        looks=person.looks + 1,
        box=face.box,
        gallery=gallery,
        shot=frame.shot,
    )


def gallery_of_photo(name: str, picture: U8, analyzer: FaceAnalyzer, describer: FaceDescriber) -> Gallery:
    """What the person in a photo looks like: the largest face.

    Args:
        name: of the photo, for messages.
        picture: (H, W, 3) uint8 RGB.
        analyzer: for lone images.
        describer: describes faces.

    Raises:
        NoFace: the photo shows no face.
    """
    faces = analyzer.analyze(picture)
    face = choose_face(faces, "largest", picture.shape[1], picture.shape[0])
    if face is None:
        raise NoFace(
            f"The reference photo '{name}' shows no face; give one that shows the person from the front."
        )
    return NOBODY.with_also(describer.descriptor(aligned_face(picture, face)))


def most_alike(
    faces: Sequence[Face], picture: U8, gallery: Gallery, describer: FaceDescriber, words: str, file_name: str
) -> Face:
    """The face of a frame that is a person's.

    Args:
        faces: of the frame.
        picture: the frame.
        gallery: what the person looks like.
        describer: describes faces.
        words: the person, for messages.
        file_name: the frame's file, for messages.

    Raises:
        NoFace: the frame shows no face.
        FaceNotThere: none of the faces is the person's.
    """
    if not faces:
        raise NoFace(f"No face was found in '{file_name}' that could be {words}.")
    likeness, at = max(
        (gallery.likeness(describer.descriptor(aligned_face(picture, face))), at)
        for at, face in enumerate(faces)
    )
    if likeness < CHOSEN:
        raise FaceNotThere(
            f"{words} is not in '{file_name}': none of its {len(faces)} faces is like enough; give another photo, or "
            "choose the face by its index."
        )
    return faces[at]


def required(describer: FaceDescriber | None, words: str) -> FaceDescriber:
    """The describer, where a person is chosen by looks.

    Raises:
        ModelMissing: its model is not installed.
    """
    if describer is None:
        raise ModelMissing(
            f"To choose {words} by looks the model {MODEL} is needed; get it with: lpsuite models fetch {MODEL}."
        )
    return describer
