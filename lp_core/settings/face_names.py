"""How a face is named: a word, an index, a place, an id, a photo, or a person in the user's folder of photos.

::

    largest, left, 2, 412,300    a face of the frame, by its place
    p0, p1                       a person's id, as `lpsuite inspect` lists them; of a still, the index
    anna.jpg                     the person in this photo
    anna                         the person in anna.jpg of the folder ``people``

Standard library only, Python 3.7 syntax.
"""

import re
from pathlib import Path
from typing import Any, List, Optional

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
"""Suffixes of reference photos, lowercase."""
FACE_SETTINGS = ("source_face", "driving_face")
"""Settings that name a face."""
_ID = re.compile(r"p(\d{1,6})")


def is_photo(name: str) -> bool:
    """True: the name of a reference photo."""
    return Path(name).suffix.lower() in PHOTO_SUFFIXES


def person_number(name: str) -> Optional[int]:
    """The number of a person's id, such as 3 of ``p3``; None: it is not an id."""
    found = _ID.fullmatch(name.strip().lower())
    return None if found is None else int(found.group(1))


def photo_of(name: str, people: Optional[str]) -> Optional[str]:
    """The reference photo that a face's name means; None where it means none.

    Args:
        name: of the face.
        people: folder with a photo of each person; None: there is none.
    """
    if is_photo(name):
        return name
    if not people or not name or Path(name).name != name:
        return None
    places = (Path(people) / (name + suffix) for suffix in PHOTO_SUFFIXES)
    return next((str(place) for place in places if place.is_file()), None)


def photos_by_name(face: Any) -> List[str]:  # noqa: ANN401 - FaceSettings, which this module serves
    """The photos that the names of persons in face settings mean; a photo that is named itself is not among them."""
    found = (
        photo_of(getattr(face, name), face.people)
        for name in FACE_SETTINGS
        if not is_photo(getattr(face, name))
    )
    return [photo for photo in found if photo is not None]


def names_in(people: Optional[str]) -> List[str]:
    """The names of the persons in a folder of photos."""
    if not people or not Path(people).is_dir():
        return []
    return sorted(path.stem for path in Path(people).iterdir() if path.suffix.lower() in PHOTO_SUFFIXES)
