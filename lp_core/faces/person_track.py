"""One person through a clip: followed by place, checked by looks where place is not enough.

A descriptor costs as much as a frame's landmarks, so faces are described at the moments when the place may mislead:
after a cut or a gap, while another face is close, and where what is at the face's place suddenly looks different. A
clip without such moments does not load the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face
from lp_core.faces.sface import (
    CHOSEN,
    F32,
    NOBODY,
    OTHER,
    SAME,
    FaceDescriber,
    Gallery,
    aligned_face,
    look_of,
    open_describer,
)
from lp_core.faces.track import FaceTrack
from lp_core.geometry.cuts import Cuts

U8 = NDArray[np.uint8]

WITHOUT_SFACE = (
    "The model sface is not installed, so people are kept apart by place and size only; get it with: lpsuite models "
    "fetch sface."
)
_LOOK_CHANGE = 25.0
"""Mean change of the aligned face from one frame to the next, in codes, from which on it may be another one."""
_CLOSE = 1.6
"""Distance of two faces, in face sizes, within which one may be taken for the other."""
_AGAIN = 6
"""Frames between two checks while faces are close."""
_RETRY = 10
"""Frames after which faces that were not the lost person are looked at again."""
_LEARN_AT = frozenset((10, 40, 160, 640))
"""Sightings after which one more descriptor is learned."""
_MOST_TURN_DEG = 45.0
"""Faces turned further are not learned from."""


class PersonTrack:
    """Follows one person through the frames of a clip, in order."""

    def __init__(
        self,
        selector: str,
        known: Gallery | None = None,
        opened: Callable[[], FaceDescriber | None] = open_describer,
    ) -> None:
        """Makes a track that has not chosen yet.

        Args:
            selector: which face is meant at the first frame where it is there; not used with ``known``.
            known: what the person looks like; None: as the chosen face does.
            opened: opens what describes faces, when a face is first to be described; None where it is not installed.

        Raises:
            SettingError: the selector is not understood.
        """
        self._place = FaceTrack(selector if known is None else "largest")
        self._opened = opened
        self._describer: FaceDescriber | None = None
        self._is_open = self._lacks_model = False
        self._is_given = known is not None
        self._person = known or NOBODY
        self._unread: list[U8] = []
        self._frame = self._seen = 0
        self._check_from = self._search_from = 0
        self._searched = 0
        self._look: F32 | None = None
        self._looked_at: Face | None = None
        self._cuts = Cuts()
        self._knows_place = True
        """Whether the person was seen in this shot: where she was in another one proves nothing here."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user, once the clip has ended."""
        return (WITHOUT_SFACE,) if self._lacks_model else ()

    def follow(
        self, faces: Sequence[Face], width: int, height: int, picture: U8 | None = None
    ) -> Face | None:
        """The chosen person's face in the next frame, or None where it is lost.

        Args:
            faces: all faces of the frame, in any order; call it for frames without faces too.
            width: of the frame, pixels.
            height: of the frame, pixels.
            picture: (H, W, 3) uint8 RGB that the faces were found in.
        """
        if picture is None:
            return self._place.follow(faces, width, height)
        self._frame += 1
        is_new_shot = self._cuts.is_new_shot(picture)
        self._knows_place &= not is_new_shot
        usable = [face for face in faces if face.box.area > 0]
        if self._place.has_chosen:
            face = self._place.follow(usable, width, height)
            face = (
                self._checked(face, usable, picture, is_new_shot)
                if face
                else self._found(usable, picture, is_new_shot)
            )
        else:
            face = self._chosen(usable, width, height, picture, is_new_shot)
        if face is None:
            self._look = None
        elif face is not self._looked_at:
            self._look = look_of(picture, face)
        self._looked_at = None
        return face

    def _chosen(
        self, faces: Sequence[Face], width: int, height: int, picture: U8, is_new_shot: bool
    ) -> Face | None:
        """The face to follow from now on; None while it is not there."""
        if self._is_given:
            return self._found(faces, picture, is_new_shot, CHOSEN)
        face = self._place.follow(faces, width, height)
        if face is not None:
            self._knows_place = True
            self._unread.append(aligned_face(picture, face))
        return face

    def _checked(self, face: Face, faces: Sequence[Face], picture: U8, is_new_shot: bool) -> Face | None:
        """The face at the expected place, if it is the person's; else the person's elsewhere in the frame."""
        self._seen += 1
        is_close = any(other is not face and _apart(face, other) < _CLOSE for other in faces)
        is_due = is_close and self._frame >= self._check_from
        if not (self._looks_different(picture, face) or is_new_shot or not self._knows_place or is_due):
            if self._seen in _LEARN_AT and not is_close and abs(face.pose.yaw_deg) <= _MOST_TURN_DEG:
                self._unread.append(aligned_face(picture, face))
            return face
        self._check_from = self._frame + _AGAIN
        if self._likeness(picture, face, 1.0) >= (OTHER if self._knows_place else SAME):
            self._knows_place = True
            return face
        self._place.refuse(face)
        return self._found([other for other in faces if other is not face], picture, True)

    def _found(self, faces: Sequence[Face], picture: U8, is_new: bool, least: float = SAME) -> Face | None:
        """The lost person's face among faces anywhere in the frame; they are looked at once, then now and then."""
        if not is_new and self._frame < self._search_from and len(faces) <= self._searched:
            return None
        self._searched = len(faces)
        self._search_from = self._frame + _RETRY
        looked = [(self._likeness(picture, face, -1.0), at) for at, face in enumerate(faces)]
        likeness, at = max(looked, default=(-1.0, -1))
        if likeness < least:
            return None
        self._place.take(faces[at], faces)
        self._knows_place = True
        return faces[at]

    def _likeness(self, picture: U8, face: Face, without: float) -> float:
        """How alike a face is to the person, -1 to 1; ``without`` where the model is not installed."""
        if not self._is_open:
            self._describer, self._is_open = self._opened(), True
        describer = self._describer
        if describer is None:
            self._lacks_model = True
            return without
        while self._unread:  # what was learned is described when it is first needed
            self._person = self._person.with_also(describer.descriptor(self._unread.pop(0)))
        return self._person.likeness(describer.descriptor(aligned_face(picture, face)))

    def _looks_different(self, picture: U8, face: Face) -> bool:
        """Whether the face is new at this place, or its small image shows that it is suddenly another one."""
        before, self._look, self._looked_at = self._look, look_of(picture, face), face
        return before is None or float(np.abs(self._look - before).mean()) > _LOOK_CHANGE


def _apart(one: Face, other: Face) -> float:
    """Distance of two faces in sizes of the larger one."""
    size = math.sqrt(max(one.box.area, other.box.area))
    return math.hypot(*np.subtract(one.box.center, other.box.center)) / size
