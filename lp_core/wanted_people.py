"""A person who is chosen by looks: by an id in a clip, or by a photo. The looks are found out on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import EmptyVideo, FaceNotThere, NoFace
from lp_core.faces.base import Face
from lp_core.faces.open import open_analyzer
from lp_core.faces.people import Person, gallery_of_photo, looked_at, most_alike, people_of, required
from lp_core.faces.person_track import PersonTrack
from lp_core.faces.sface import Gallery, open_describer
from lp_core.frame import ClipInfo
from lp_core.media.base import FrameSource
from lp_core.media.open import open_source

MOST_FACES = 64
"""Faces looked for in a lone image: a group, each of which can be chosen."""
Opened = Callable[[], FrameSource]


@dataclass(frozen=True)
class WantedPerson:
    """Who is meant."""

    words: str
    """Her name or id, for messages."""
    photo: str = ""
    """Reference photo; empty: an id is given."""
    number: int = -1
    """Number of the id among the clip's people."""


@dataclass(frozen=True)
class Looks:
    """What finds a wanted person in one clip or still."""

    wanted: WantedPerson
    name: str
    """File name of the clip, for messages."""
    info: ClipInfo
    open: Opened
    """Opens the clip."""
    _cache: dict[str, Gallery] = field(default_factory=dict, repr=False, compare=False)

    def gallery(self) -> Gallery:
        """What the person looks like.

        Raises:
            ModelMissing: the model is not installed.
            NoFace: the photo shows no face.
            FaceNotThere: the clip has no person of this id.
            MediaError: the photo or the clip cannot be read.
        """
        if "known" not in self._cache:
            wanted = self.wanted
            self._cache["known"] = _of_photo(wanted) if wanted.photo else self._of_id(wanted)
        return self._cache["known"]

    def follower(self) -> PersonTrack:
        """Starts following the person."""
        return PersonTrack("largest", self.gallery())

    def most_alike(self, faces: Sequence[Face], picture: NDArray[np.uint8]) -> Face:
        """The person's face among those of an image; see ``people.most_alike``."""
        describer = required(open_describer(), self.wanted.words)
        return most_alike(faces, picture, self.gallery(), describer, self.wanted.words, self.name)

    def require(self, faces: Sequence[Face]) -> Face:
        """Says that the person is never seen in the clip.

        Raises:
            NoFace: there are no faces at all.
            FaceNotThere: there are.
        """
        if not faces:
            raise NoFace(f"No face was found in '{self.name}' that could be {self.wanted.words}.")
        raise FaceNotThere(f"{self.wanted.words} is never seen in '{self.name}'; choose another face.")

    def _of_id(self, wanted: WantedPerson) -> Gallery:
        people = people_in(self.info, self.open, wanted.words)
        if wanted.number >= len(people):
            known = ", ".join(person.id for person in people) or "none"
            raise FaceNotThere(f"{wanted.words} is not in '{self.name}'; its people are: {known}.")
        return people[wanted.number].gallery


def looks_of(wanted: WantedPerson, name: str, info: ClipInfo, opened: Opened) -> Looks:
    """What finds a person in a clip."""
    return Looks(wanted, name, info, opened)


def people_in(info: ClipInfo, opened: Opened, words: str = "people") -> tuple[Person, ...]:
    """Everybody in a clip, with ids.

    Args:
        info: of the clip.
        opened: opens it.
        words: who is looked for, for messages.

    Raises:
        ModelMissing: the model is not installed.
    """
    describer = required(open_describer(), words)
    with closing(open_analyzer(is_video=False, max_faces=MOST_FACES)) as analyzer:
        return people_of(looked_at(_pictures(opened), info.rate), analyzer, describer)


def _pictures(opened: Opened) -> Iterator[NDArray[np.uint8]]:
    with opened() as source:
        for frame in source:
            yield frame.as_rgb8()


def _of_photo(wanted: WantedPerson) -> Gallery:
    describer = required(open_describer(), wanted.words)
    with open_source(wanted.photo) as source:
        frame = next(iter(source), None)
    if frame is None:
        raise EmptyVideo(f"{wanted.photo} holds no image.")
    with closing(open_analyzer(is_video=False, max_faces=MOST_FACES)) as analyzer:
        return gallery_of_photo(wanted.photo, frame.as_rgb8(), analyzer, describer)
