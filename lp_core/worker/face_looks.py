"""Faces of a source for the page, as plain values."""

from __future__ import annotations

from typing import Any

from lp_core.clips import filmed_face, one_frame, sightings_of_frame
from lp_core.faces.base import Face, FaceBox
from lp_core.faces.cats import cat_points
from lp_core.faces.hand_points import COUNTS, points_of
from lp_core.faces.selector import in_order
from lp_core.worker.thumbnails import small_jpeg

SHOWN_PX = 1280
"""Longer side of the image that the page draws on."""


def find_faces(source: str, number: int) -> dict[str, Any]:
    """The faces of a frame, by the names of ``FacesFound``.

    Raises:
        MediaError: the source cannot be read, or has no such frame.
    """
    film = filmed_face(source, "largest")
    shown, seen = sightings_of_frame(film, number)
    guess = None if seen.faces else cat_points(shown.as_rgb8())
    height, width = shown.pixels.shape[:2]
    return {
        "width": width,
        "height": height,
        "is_still": film.info.is_still,
        "faces": [_described(index, face) for index, face in enumerate(in_order(seen.faces))],
        "unread": [{"box": _box(item.box), "reason": item.reason} for item in seen.unread],
        "guess": None if guess is None else _rounded(guess),
    }


def frame_jpeg(source: str, number: int) -> bytes:
    """A frame as JPEG, at most SHOWN_PX on its longer side; raises as ``find_faces``."""
    return small_jpeg(one_frame(filmed_face(source, "largest"), number).as_rgb8(), SHOWN_PX)


def _described(index: int, face: Face) -> dict[str, Any]:
    return {
        "id": f"p{index}",
        "index": index,
        "box": _box(face.box),
        "score": round(float(face.score), 3),
        "points": {str(count): _rounded(points_of(face, count)) for count in COUNTS},
    }


def _box(box: FaceBox) -> list[float]:
    return [round(value, 1) for value in (box.left, box.top, box.right, box.bottom)]


def _rounded(points: Any) -> list[list[float]]:  # noqa: ANN401 - (N, 2)
    return [[round(float(x), 1), round(float(y), 1)] for x, y in points]
