"""Which of several faces is meant.

Convention:
    Faces are numbered from the image's left to its right by the middle of their boxes (from top to bottom
    where two are in line), starting at 0: the numbers `lpsuite inspect` prints. Points are (x, y) in frame
    pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from lp_core.errors import FaceNotThere, NoFace, SettingError
from lp_core.faces.base import Face, UnreadFace
from lp_core.timing import whole_number

HUMAN_SCORE = 0.78
"""Least score of a face that a word such as "largest" may choose.

The detector also fires on animals. Over clean images (photographs, paintings, a statue, a cartoon, filmed
frames, also darkened, brightened and without color) real faces score 0.80 and more and a monkey's 0.76 and
less; real faces behind a mask or sunglasses, or badly blurred, can fall below. So a low score is not dropped:
it only has to be named by its index or position.
"""
_REACH = 0.5
"""A chosen point may lie outside a face's box by this part of the box's size: the box ends at the
forehead."""

Place = Callable[[Face, float, float], float]
_WORDS: Mapping[str, Place] = MappingProxyType(
    {
        "largest": lambda face, _x, _y: -face.box.area,
        "left": lambda face, _x, _y: face.box.center[0],
        "right": lambda face, _x, _y: -face.box.center[0],
        "top": lambda face, _x, _y: face.box.center[1],
        "bottom": lambda face, _x, _y: -face.box.center[1],
        "center": lambda face, x, y: _distance(face, x, y),
    }
)
"""Word -> what is least for the face it means, given the middle of the image."""


def in_order(faces: Sequence[Face]) -> list[Face]:
    """The faces in the order of their indices."""
    return sorted(faces, key=lambda face: face.box.center)


def parse_selector(selector: str) -> str | int | tuple[float, float]:
    """A selector as a word, an index or a point.

    Raises:
        SettingError: it is none of the three.
    """
    text = selector.strip().lower()
    if text in _WORDS:
        return text
    number = whole_number(text)
    if number is not None:
        return number
    parts = text.split(",")
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise SettingError(
            f"The face '{selector}' is not understood; write {', '.join(_WORDS)}, an index of `lpsuite "
            "inspect`, or X,Y in pixels."
        )
    return x, y


def choose_face(faces: Sequence[Face], selector: str, width: int, height: int) -> Face | None:
    """The face a selector means, or None when it is not among the faces.

    Words choose only among faces whose score says that they are human (HUMAN_SCORE); an index or a point
    takes any.

    Args:
        faces: what was found, in any order.
        selector: largest, left, right, top, bottom, center, an index, or "X,Y" in pixels.
        width: of the image, pixels.
        height: of the image, pixels.

    Raises:
        SettingError: the selector is not understood.
    """
    wanted = parse_selector(selector)
    ordered = in_order(faces)
    if isinstance(wanted, int):
        return ordered[wanted] if wanted < len(ordered) else None
    if isinstance(wanted, tuple):
        x, y = wanted
        near = [face for face in ordered if _reaches(face, x, y)]
        return min(near, key=lambda face: _distance(face, x, y), default=None)
    place = _WORDS[wanted]
    sure = [face for face in ordered if face.score >= HUMAN_SCORE]
    return min(sure, key=lambda face: place(face, width / 2, height / 2), default=None)


def require_face(
    faces: Sequence[Face],
    selector: str,
    width: int,
    height: int,
    file_name: str,
    unread: Sequence[UnreadFace] = (),
) -> Face:
    """The face a selector means; as ``choose_face``, but its absence is an error.

    Args:
        faces: what was found, in any order.
        selector: as for ``choose_face``.
        width: of the image, pixels.
        height: of the image, pixels.
        file_name: named in the error.
        unread: faces that were found and could not be read; the error names them.

    Raises:
        SettingError: the selector is not understood.
        NoFace: nothing was found, or nothing that a word may choose.
        FaceNotThere: faces were found, but not the chosen one.
    """
    chosen = choose_face(faces, selector, width, height)
    if chosen is not None:
        return chosen
    if not faces and unread:
        (x, y), reason = unread[0].box.center, unread[0].reason
        raise NoFace(
            f"The face at {x:.0f},{y:.0f} in '{file_name}' is {reason}; use an image in which it looks more "
            "towards the camera."
        )
    if not faces:
        raise NoFace(
            f"No face was found in '{file_name}'; use an image that shows a human face upright, unhidden "
            "and at least a twentieth of its height."
        )
    if isinstance(parse_selector(selector), str):
        raise NoFace(
            f"No face in '{file_name}' is certain to be human ({_listed(faces)}; {HUMAN_SCORE:.2f} is "
            "needed); use another image, or choose the face by its index if it is meant."
        )
    count = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
    raise FaceNotThere(
        f"Face {selector} is not in '{file_name}', which shows {count} ({_listed(faces)}); choose one of "
        "these."
    )


def _distance(face: Face, x: float, y: float) -> float:
    face_x, face_y = face.box.center
    return math.hypot(face_x - x, face_y - y)


def _reaches(face: Face, x: float, y: float) -> bool:
    box = face.box
    reach_x, reach_y = (box.right - box.left) * _REACH, (box.bottom - box.top) * _REACH
    return box.left - reach_x <= x < box.right + reach_x and box.top - reach_y <= y < box.bottom + reach_y


def _listed(faces: Sequence[Face]) -> str:
    return ", ".join(
        f"index {index} at {face.box.center[0]:.0f},{face.box.center[1]:.0f} with score {face.score:.2f}"
        for index, face in enumerate(in_order(faces))
    )
