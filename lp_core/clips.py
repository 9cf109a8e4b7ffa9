"""Clips with everything that reads their faces, opened by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.color.management import ColorManagement
from lp_core.errors import EmptyVideo, NoFace, SettingError
from lp_core.faces.base import Face, Sightings
from lp_core.faces.cats import cat_points
from lp_core.faces.hand_points import face_from_points, read_keys
from lp_core.faces.hand_track import HandAnalyzer, HandTrack
from lp_core.faces.open import open_analyzer
from lp_core.faces.person_track import PersonTrack
from lp_core.faces.selector import parse_selector, require_face
from lp_core.faces.track import FaceTrack
from lp_core.frame import Frame
from lp_core.media.base import AS_STORED, ReadOptions
from lp_core.media.interpret import InterpretedSource
from lp_core.media.open import open_source
from lp_core.motion.builtin import neutral_face
from lp_core.render.edges import FilmedFace, Still
from lp_core.settings import ColorSettings, FaceSettings
from lp_core.settings.face_names import is_photo, names_in, person_number, photo_of
from lp_core.wanted_people import MOST_FACES, WantedPerson, looks_of

CAT_NOTE = (
    "The cat's head was found by OpenCV's cascade; where the crop is off, correct its points: lpsuite inspect CAT "
    "--write-points points.json, then --points points.json."
)
BY_TAGS = ColorManagement(ColorSettings())  # every clip means what its own header says


def filmed_face(
    name: str,
    selector: str,
    options: ReadOptions = AS_STORED,
    color: ColorManagement = BY_TAGS,
    is_source: bool = False,
    people: str | None = None,
) -> FilmedFace:
    """A clip or still with everything that reads its faces.

    Args:
        name: of the file or sequence.
        selector: which face: by place, by the id of a person, by a photo or a name (lp_core.settings.face_names).
        options: how it is read.
        color: what its numbers mean.
        is_source: True: the user's word for the source's colors counts.
        people: folder with a photo of each person.

    Raises:
        UnreadableMedia: the file cannot be opened.
        SettingError: the selector or the color space is not understood.
    """
    with open_source(name, options=options) as source:
        info = source.info
    encoding = color.encoding(info, is_source)

    def opened() -> InterpretedSource:
        return InterpretedSource(open_source(name, options=options), encoding)

    face = _chosen_by(selector, people, info.is_still)
    place = face if isinstance(face, str) else ""
    looks = None if isinstance(face, str) else looks_of(face, name, info, opened)

    def require(faces: list[Face], width: int, height: int) -> Face:
        return require_face(faces, place, width, height, name) if looks is None else looks.require(faces)

    return FilmedFace(
        name=name,
        info=info,
        open=opened,
        open_analyzer=lambda limit: open_analyzer(is_video=not info.is_still, max_faces=limit),
        open_follower=partial(PersonTrack, place) if looks is None else looks.follower,
        require=require,
        face=Path(selector).stem if is_photo(selector) else selector,
    )


def _chosen_by(selector: str, people: str | None, is_still: bool) -> str | WantedPerson:
    """A face's name as a place, or as the person it means.

    Raises:
        SettingError: it is not understood.
    """
    photo, number = photo_of(selector, people), person_number(selector)
    if photo is not None:
        return WantedPerson(Path(photo).stem, photo=photo)
    if number is not None and not is_still:
        return WantedPerson(f"p{number}", number=number)
    place = selector if number is None else str(number)
    try:
        parse_selector(place)  # before anything is decoded
    except SettingError as error:
        if people is None:
            raise
        known = ", ".join(names_in(people)) or "it holds no photos"
        raise SettingError(f"{error} '{people}' has no photo of '{selector}' either ({known}).") from error
    return place


def by_points(film: FilmedFace, points_file: str) -> FilmedFace:
    """The same clip, whose only face is the one that points were set for by hand.

    Raises:
        SettingError, UnreadableMedia: the file does not hold points, or cannot be read.
    """
    keys, canonical = read_keys(Path(points_file)), neutral_face()
    for points in keys.values():
        face_from_points(points, canonical)  # refuses points that cannot be a face before anything is decoded

    def pictures() -> Iterator[NDArray[np.uint8]]:
        with film.open() as source:
            for frame in source:
                yield frame.as_rgb8()

    track = HandTrack(pictures, keys)
    return replace(
        film,
        open_analyzer=lambda _limit: HandAnalyzer(track, canonical, film.info.rate),
        open_follower=partial(FaceTrack, "largest"),
    )


def face_by_points(film: FilmedFace, points_file: str, frame: Frame) -> Face:
    """The face that points set by hand give a frame of a clip.

    Raises:
        SettingError, UnreadableMedia: the file does not hold points, or cannot be read.
    """
    with closing(by_points(film, points_file).open_analyzer(1)) as analyzer:
        return analyzer.analyze(frame.as_rgb8(), frame.time_ms)[0]


def still_of(film: FilmedFace, given: FaceSettings, is_animal: bool = False) -> Still:
    """A still and the face that is animated.

    Args:
        film: the still; with points, their face is its only one.
        given: which face is meant.
        is_animal: the face is an animal's, as far as no points say where it is.

    Raises:
        NoFace, FaceNotThere, ModelMissing, EmptyVideo: there is no such face; see ``still_face``.
    """
    if given.points is not None:
        return Still(film.info, *first_face(film))
    if is_animal:
        return _animal_still(film, given)
    return Still(film.info, *still_face(film, given.source_face, given.people))


def _animal_still(film: FilmedFace, given: FaceSettings) -> Still:
    """An animal's head: what the landmarker reads, however unsure, else a cat's head as OpenCV's cascade finds it."""
    frame, seen = sightings_of_frame(film)
    if seen.faces:
        sure = [replace(face, score=1.0) for face in seen.faces]  # no detector is certain of an animal
        wanted = _chosen_by(given.source_face, given.people, is_still=True)
        if isinstance(wanted, str):
            return Still(
                film.info, frame, require_face(sure, wanted, film.info.width, film.info.height, film.name)
            )
        return Still(film.info, *still_face(film, given.source_face, given.people))
    points = cat_points(frame.as_rgb8())
    if points is None:
        raise NoFace(
            f"No head of an animal was found in '{film.name}'; set its points by hand: lpsuite inspect shows how "
            "(--write-points, --points), and docs/faces.md."
        )
    info = replace(film.info, notes=(*film.info.notes, CAT_NOTE))
    return Still(info, frame, face_from_points(points, neutral_face()))


def first_face(film: FilmedFace) -> tuple[Frame, Face]:
    """The first frame of a clip with points, and its face.

    Raises:
        EmptyVideo: the clip has no frame.
    """
    with film.open() as source, closing(film.open_analyzer(1)) as analyzer:
        for frame in source:
            return frame, analyzer.analyze(frame.as_rgb8())[0]
    raise EmptyVideo(f"{film.name} has no frames.")


def still_face(film: FilmedFace, selector: str, people: str | None) -> tuple[Frame, Face]:
    """A still and its chosen face.

    Args:
        film: the still.
        selector: which face; see ``filmed_face``.
        people: folder with a photo of each person.

    Raises:
        NoFace, FaceNotThere: there is none, or the chosen one is not there.
        ModelMissing: a person is to be chosen by looks, and the model is not installed.
    """
    frame, seen = sightings_of_frame(film)
    face = _chosen_by(selector, people, is_still=True)
    if isinstance(face, str):
        size = film.info.width, film.info.height
        return frame, require_face(seen.faces, face, *size, film.name, seen.unread)
    looks = looks_of(face, film.name, film.info, film.open)
    return frame, looks.most_alike(seen.faces, frame.as_rgb8())


def faces_of_frame(film: FilmedFace, index: int = 0) -> tuple[Frame, list[Face]]:
    """One frame of a clip and all faces that can be read in it, looked at as a lone image.

    Raises:
        EmptyVideo: the clip has no such frame.
    """
    frame, seen = sightings_of_frame(film, index)
    return frame, list(seen.faces)


def sightings_of_frame(film: FilmedFace, index: int = 0) -> tuple[Frame, Sightings]:
    """One frame of a clip and all that was found in it.

    Raises:
        EmptyVideo: the clip has no such frame.
    """
    frame = one_frame(film, index)
    with closing(open_analyzer(is_video=False, max_faces=MOST_FACES)) as analyzer:
        return frame, analyzer.survey(frame.as_rgb8())


def one_frame(film: FilmedFace, index: int) -> Frame:
    """One frame of a clip.

    Raises:
        EmptyVideo: the clip has no such frame.
    """
    with film.open() as source:
        for frame in source:
            if frame.index == index:
                return frame
    raise EmptyVideo(f"{film.name} has no frame {index}; give a frame number from 0 within its length.")
