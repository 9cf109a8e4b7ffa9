"""An image with what was found in it, for `lpsuite inspect --overlay`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceBox, UnreadFace
from lp_core.faces.schemes import scheme_of
from lp_core.faces.selector import HUMAN_SCORE, in_order

Color = tuple[int, int, int]

_SURE: Color = (60, 220, 90)
_UNSURE: Color = (255, 170, 40)
_UNREAD: Color = (255, 60, 60)
_POINT: Color = (90, 200, 255)
_LINE: Color = (255, 255, 255)
_AXES: tuple[Color, Color, Color] = ((255, 80, 80), (80, 255, 80), (80, 140, 255))
_CLOSED = ("lips_outer", "lips_inner", "eye_left", "eye_right")
_SUBPIXEL_BITS = 4


def draw_overlay(
    picture: NDArray[np.uint8], faces: Sequence[Face], unread: Sequence[UnreadFace] = ()
) -> NDArray[np.uint8]:
    """Draws every face's box, index with score, landmarks, eye and lip lines and head axes.

    Boxes of faces that a word may choose are green, of those that need their index orange. The axes leave
    from the middle between the eyes: red to the head's left side in the picture's right, green to the chin,
    blue where the nose points. Faces that were found and could not be read have a red box and the reason.

    Convention:
        Pixel centers at integer coordinates; RGB, display-encoded.

    Args:
        picture: (H, W, 3) uint8 RGB, not written to.
        faces: its faces, in any order; they are numbered as ``choose`` numbers them.
        unread: faces without landmarks.

    Returns:
        (H, W, 3) uint8 RGB, a new array.
    """
    drawn = np.ascontiguousarray(picture).copy()
    for index, face in enumerate(in_order(faces)):
        _draw_face(drawn, face, index)
    for item in unread:
        size = max(item.box.right - item.box.left, item.box.bottom - item.box.top)
        _draw_box(drawn, item.box, f"{item.reason}  {item.score:.2f}", _UNREAD, size)
    return drawn


def _draw_face(drawn: NDArray[np.uint8], face: Face, index: int) -> None:
    size = max(face.box.right - face.box.left, face.box.bottom - face.box.top)
    thick = max(round(size / 200), 1)
    for point in face.landmarks_frame:
        _dot(drawn, point, max(size / 300, 0.75))
    groups = scheme_of(face.scheme).groups()
    for name in _CLOSED:
        _polyline(drawn, face.landmarks_frame[list(groups[name]), :2], thick)
    _draw_axes(drawn, face, size, thick * 2)
    color = _SURE if face.score >= HUMAN_SCORE else _UNSURE
    _draw_box(drawn, face.box, f"{index}  {face.score:.2f}", color, size)


def _draw_box(drawn: NDArray[np.uint8], box: FaceBox, text: str, color: Color, size: float) -> None:
    first, last = _fixed(np.array([(box.left, box.top), (box.right, box.bottom)]))
    cv2.rectangle(drawn, first, last, color, max(round(size / 200), 1), cv2.LINE_AA, _SUBPIXEL_BITS)
    _label(drawn, box, text, color, size)


def _draw_axes(drawn: NDArray[np.uint8], face: Face, size: float, thick: int) -> None:
    eyes = scheme_of(face.scheme)
    middle = face.landmarks_frame[[*eyes.eye_corners_left, *eyes.eye_corners_right], :2].mean(axis=0)
    directions = face.head_rotation @ np.diag([1.0, 1.0, -1.0])  # the nose points along -z
    for axis, color in enumerate(_AXES):
        ends = np.array([middle, middle + directions[:2, axis] * size * 0.5])
        first, last = _fixed(ends)
        cv2.line(drawn, first, last, color, thick, cv2.LINE_AA, _SUBPIXEL_BITS)


def _dot(drawn: NDArray[np.uint8], point: NDArray[np.float32], radius: float) -> None:
    ((x, y),) = _fixed(point[None, :2])
    cv2.circle(drawn, (x, y), round(radius * 2**_SUBPIXEL_BITS), _POINT, -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _polyline(drawn: NDArray[np.uint8], points: NDArray[np.float32], thick: int) -> None:
    fixed = np.array(_fixed(points), np.int32)
    cv2.polylines(drawn, [fixed], True, _LINE, thick, cv2.LINE_AA, _SUBPIXEL_BITS)


def _label(drawn: NDArray[np.uint8], box: FaceBox, text: str, color: Color, size: float) -> None:
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, max(size / 350, 0.4)
    thick = max(round(scale * 1.6), 1)
    (_, text_height), _ = cv2.getTextSize(text, font, scale, thick)
    above = box.top - text_height * 0.5
    y = above if above > text_height else box.bottom + text_height * 1.5
    place = (round(max(box.left, 0)), round(min(y, drawn.shape[0] - 2)))
    cv2.putText(drawn, text, place, font, scale, (0, 0, 0), thick + 2, cv2.LINE_AA)
    cv2.putText(drawn, text, place, font, scale, color, thick, cv2.LINE_AA)


def _fixed(points: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Points in OpenCV's fixed-point coordinates; far outside ones are cut so that they fit its integers."""
    limit = 2**24
    scaled = np.clip(np.rint(np.asarray(points, np.float64) * 2**_SUBPIXEL_BITS), -limit, limit)
    return [(int(x), int(y)) for x, y in scaled]
