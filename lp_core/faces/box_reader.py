"""Reads the faces in YuNet's boxes: the presence network finds the roll, MediaPipe reads the upright cut."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceBox, UnreadFace
from lp_core.faces.mediapipe_tasks import OPENERS, faces_of, image_of
from lp_core.faces.presence import CERTAIN_PRESENCE, LEAST_PRESENCE, PresenceNet
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.faces.small_faces import FaceDetection
from lp_core.faces.upright import moved, square_cut
from lp_core.faces.yunet import CERTAIN_SCORE, COARSE_PX, DIAGONALS, QUARTERS, UPRIGHT, open_boxes

_CUT_FACTOR = 2.2
"""Side of the cut that is read, in boxes; the landmarker's own detector needs the room around the face."""
_CUT_PX = 512
_IN_PLACE = 0.35
"""Furthest a reading's middle may be from its box's, in boxes."""
_LEAST_SCORE = 0.65
"""Least detector score of a face that an uncertain box led to."""
_TRUSTED_SCORE = 0.88
"""YuNet's score from which on its word counts for a face's roll: it also finds faces that are turned away from it."""
_ROLLED_DEG = 30.0
"""Beyond this roll of any face, an image may hold more faces that are not upright."""

TURNED_AWAY = "found, cannot be read: turned away or hidden"
"""Reason where the landmark network says that no face it can read is there."""
NOT_CONFIRMED = "found, cannot be read: the landmarker finds no points"
"""Reason where the network is sure but the landmarker is not."""


Judge = Callable[[NDArray[np.uint8], Face], Face | None]
"""Gives a face of an image its score, read again where it is not upright; None: read wrongly."""


def weakly(judge: Judge) -> Judge:
    """A method that does not keep its object: a landmarker in a cycle hangs when the garbage collector closes it."""
    method = weakref.WeakMethod(judge)

    def judged(picture: NDArray[np.uint8], face: Face) -> Face | None:
        alive = method()
        return None if alive is None else alive(picture, face)

    return judged


class BoxReader:
    """Finds and reads faces of any size and roll in lone images. Not thread-safe."""

    def __init__(self, bundle: bytes, judge: Judge) -> None:
        """Loads what is needed on first use.

        Args:
            bundle: the landmarker's ``.task`` file.
            judge: gives a face of an image its score, read again where it is not upright; None: read wrongly.
        """
        self._bundle = bundle
        self._judge = judge
        self._detector = open_boxes()
        self._presence: PresenceNet | None = None
        self._task: Any = None

    @property
    def is_there(self) -> bool:
        """Whether YuNet is installed; without it nothing is found here."""
        return self._detector is not None

    def read(
        self, picture: NDArray[np.uint8], known: Sequence[Face], most: int
    ) -> tuple[list[Face], list[UnreadFace]]:
        """The faces beyond those already known, and the places where a face is found but cannot be read.

        Where all faces are upright, turned ones are looked for coarsely; else under eight turns, finely.

        Args:
            picture: (H, W, 3) uint8 RGB.
            known: faces that have been read in it.
            most: at most so many faces are read.

        Raises:
            ModelDamaged: the landmarker's bundle lacks its network.
        """
        if self._detector is None:
            return [], []
        found = self._detector.boxes(picture) + self._detector.boxes(
            picture, (*UPRIGHT, *QUARTERS), COARSE_PX
        )
        faces, unread = self._read_boxes(picture, found, known, most)
        seen = [*known, *faces]
        if not seen or any(abs(face.pose.roll_deg) > _ROLLED_DEG for face in seen):
            turned = self._detector.boxes(picture, (*QUARTERS, *DIAGONALS))
            more, hidden = self._read_boxes(picture, turned, seen, most - len(faces))
            faces, unread = faces + more, unread + _apart_from([item.box for item in unread], hidden)
        places = [face.box for face in (*known, *faces)]
        return faces, _apart_from(places, unread)

    def read_upright(self, picture: NDArray[np.uint8], known: Sequence[Face], most: int) -> list[Face]:
        """The upright faces beyond those already known, after one look; see ``read``."""
        if self._detector is None:
            return []
        return self._read_boxes(picture, self._detector.boxes(picture), known, most)[0]

    def _read_boxes(
        self, picture: NDArray[np.uint8], boxes: Sequence[FaceDetection], known: Sequence[Face], most: int
    ) -> tuple[list[Face], list[UnreadFace]]:
        faces, unread = list[Face](), list[UnreadFace]()
        for found in sorted(boxes, key=lambda item: -item.score):
            places = [face.box for face in (*known, *faces)] + [item.box for item in unread]
            if len(faces) >= most or any(covers(place, found.box) for place in places):
                continue
            face = self._read_box(picture, found)
            if isinstance(face, UnreadFace):
                unread.append(face)
            elif face is not None and not any(covers(other.box, face.box) for other in (*known, *faces)):
                faces.append(face)
        return faces, unread

    def is_sure(self, picture: NDArray[np.uint8], face: Face) -> bool:
        """Whether the network, too, sees a face as another reading has it: at its place and under its roll."""
        return self._net().is_sure(picture, face.box, face.pose.roll_deg)

    def close(self) -> None:
        """Releases the landmarker; may be called twice."""
        if self._task is not None:
            self._task.close()
            self._task = None

    def _read_box(self, picture: NDArray[np.uint8], found: FaceDetection) -> Face | UnreadFace | None:
        """The face; None where neither the box nor what is read there is certain."""
        presence = self._net().at(picture, found.box, found.roll_deg, found.score >= _TRUSTED_SCORE)
        is_certain = found.score >= CERTAIN_SCORE
        is_readable = presence.value >= (LEAST_PRESENCE if is_certain else CERTAIN_PRESENCE)
        face = self._read_cut(picture, found.box, presence.roll_deg) if is_readable else None
        if face is not None:
            face = self._judge(picture, face)
        if face is not None:
            return face if is_certain or face.score >= _LEAST_SCORE else None
        if not is_certain:
            return None
        return UnreadFace(found.box, found.score, NOT_CONFIRMED if is_readable else TURNED_AWAY)

    def _read_cut(self, picture: NDArray[np.uint8], box: FaceBox, roll_deg: float) -> Face | None:
        side = max(box.right - box.left, box.bottom - box.top)
        cut, frame_from_cut = square_cut(picture, box, side * _CUT_FACTOR, _CUT_PX, roll_deg)
        result = self._landmarker().detect(image_of(cut))
        read = [moved(face, frame_from_cut) for face in faces_of(result, FaceBox(0, 0, _CUT_PX, _CUT_PX))]
        near = [face for face in read if _apart(face.box, box) <= _IN_PLACE * side]
        return min(near, key=lambda face: _apart(face.box, box), default=None)

    def _net(self) -> PresenceNet:
        if self._presence is None:
            self._presence = PresenceNet(self._bundle)
        return self._presence

    def _landmarker(self) -> Any:  # noqa: ANN401 - an untyped library's object
        if self._task is None:
            with native_stderr_to_log():
                self._task = OPENERS["crop"](self._bundle, 2)
                self._task.detect(image_of(np.zeros((16, 16, 3), np.uint8)))
        return self._task


def _apart_from(places: Sequence[FaceBox], unread: Sequence[UnreadFace]) -> list[UnreadFace]:
    return [item for item in unread if not any(covers(place, item.box) for place in places)]


def covers(one: FaceBox, other: FaceBox) -> bool:
    """Whether two boxes are of one face: the middle of one is well within the other, and their sizes are alike."""
    sides = sorted(max(box.right - box.left, box.bottom - box.top) for box in (one, other))
    return _apart(one, other) < 0.4 * sides[1] and sides[1] < 2.5 * sides[0]


def _apart(one: FaceBox, other: FaceBox) -> float:
    return float(np.hypot(one.center[0] - other.center[0], one.center[1] - other.center[1]))
