"""Points set by hand, for faces that no model reads: cartoons, statues, animals, masks.

A file holds five points (the middles of both eyes, nose tip, mouth corners) or nine (eye corners, nose tip, mouth
corners, upper and lower lip) of a still, or of some frames of a video::

    {"schema": "lpsuite.points", "version": 1, "points": [[x, y], ...]}
    {"schema": "lpsuite.points", "version": 1, "keys": [{"frame": 0, "points": [[x, y], ...]}, ...]}

Convention:
    Points are (x, y) in pixels of the frame, origin at the top left, integer = pixel center. Five: eye, eye, nose,
    mouth corner, mouth corner. Nine, in the order of animal landmark models: both corners of one eye, both of the
    other, nose, mouth corners, upper lip, lower lip. Either side may come first: the mouth shows which is which.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.files import write_whole
from lp_core.geometry.rotation import from_angles_deg

F64 = NDArray[np.float64]
Keys = Mapping[int, F64]
"""Frame -> points."""

SCHEMA, VERSION = "lpsuite.points", 1
_ANCHORS: Mapping[int, tuple[tuple[int, ...], ...]] = {
    5: ((33, 133), (362, 263), (4,), (61,), (291,)),
    9: ((33,), (133,), (362,), (263,), (4,), (61,), (291,), (0,), (17,)),
}
"""Number of points -> for each of them the landmarks whose mean it is."""
_RIM = np.array([10, 152, 234, 454, 127, 356, 172, 397])
"""Outline points that follow the similarity alone, so that the warp of the inner face dies out towards them."""
_PASSES = 5
_FARTHEST_PX = 1e6
_LEAST_SPREAD_PX = 4.0


def read_keys(path: Path) -> dict[int, F64]:
    """The points of a file by frame; of a still under frame 0.

    Raises:
        UnreadableMedia: the file cannot be read.
        SettingError: it does not hold points.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableMedia(f"The points file '{path}' cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"The points file '{path}' is not JSON ({error}); write it again.") from error
    if not isinstance(table, dict) or table.get("schema") != SCHEMA or table.get("version") != VERSION:
        raise SettingError(f"'{path}' is not a points file: schema must be {SCHEMA}, version {VERSION}.")
    rows = table.get("keys", [{"frame": 0, "points": table.get("points")}])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise SettingError(f"The keys in '{path}' must be a list of objects with frame and points.")
    keys = {_frame(row.get("frame"), path): _points(row.get("points"), path) for row in rows}
    if len({len(points) for points in keys.values()}) > 1:
        raise SettingError(f"All keys in '{path}' must have the same number of points, 5 or 9.")
    return dict(sorted(keys.items()))


def write_points(path: Path, points: F64) -> None:
    """Writes the points of a still; the file is whole when this returns.

    Args:
        path: of the file.
        points: (5 or 9, 2) pixels of the frame.
    """
    table = {"schema": SCHEMA, "version": VERSION, "points": np.round(points, 2).tolist()}
    write_whole(path, json.dumps(table, indent=1))


COUNTS = tuple(_ANCHORS)
"""Numbers of points that a face may have."""


def points_of(face: Face, count: int = 5) -> F64:
    """(count, 2) the 5 or 9 points of a face with 478 landmarks, to be changed by hand."""
    return _means(face.landmarks_frame[:, :2].astype(np.float64), count)


def animal_points(face: Face) -> F64:
    """(9, 2) the points that the published animal networks are cropped by, in the order of their landmark model.

    Of a face whose nine points were set by hand, exactly these; of any other, where its mesh has them. The crop
    (lp_core.geometry.crop, layout of 9 points) then is the published one, without that landmark model.
    """
    return points_of(face, 9)


def face_from_points(points: F64, canonical: F64) -> Face:
    """The canonical mesh fitted through points: a similarity, then a thin plate that bends it onto them.

    The head is taken for frontal; only its roll is known.

    Args:
        points: (5 or 9, 2) pixels of the frame; see the module.
        canonical: (478, 3) a neutral face, x right, y down, z away from the camera.

    Raises:
        SettingError: the points have collapsed, or the mouth is not clear of the eyes.
    """
    points = _sided(points)
    anchors = _means(canonical[:, :2], len(points))
    scale, turn, offset = _similarity(anchors, points)
    if not np.isfinite(scale) or scale <= 0:
        raise SettingError("The points of the face are on each other; set them apart.")
    laid = scale * canonical[:, :2] @ turn.T + offset
    rim = laid[_RIM]
    for _ in range(_PASSES):  # a point between landmarks is reached step by step
        held = np.concatenate([_means(laid, len(points)), rim])
        moves = np.concatenate([points - held[: len(points)], rim - laid[_RIM]])
        laid = laid + _thin_plate(held, moves, laid)
    landmarks = np.column_stack([laid, scale * canonical[:, 2]])
    roll_deg = float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0])))
    (left, top), (right, bottom) = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return Face(
        landmarks_frame=landmarks.astype(np.float32),
        scheme=MEDIAPIPE478.name,
        box=FaceBox(float(left), float(top), float(right), float(bottom)),
        score=1.0,
        head_rotation=from_angles_deg(0.0, 0.0, roll_deg).astype(np.float32),
        pose=Pose(0.0, 0.0, roll_deg),
        blendshapes={},
    )


def _sided(points: F64) -> F64:
    """The points with the sides of an upright face: what is on the image's left comes first."""
    nine = len(points) == 9
    eyes = (points[0:2].mean(axis=0), points[2:4].mean(axis=0)) if nine else (points[0], points[1])
    corners = (5, 6) if nine else (3, 4)
    down = points[list(corners)].mean(axis=0) - (eyes[0] + eyes[1]) / 2
    if np.linalg.norm(down) < _LEAST_SPREAD_PX:
        raise SettingError("The mouth is between the eyes; set the points again.")

    def across(point: F64) -> float:
        """Place along the line from the image's left to its right, had the face no roll."""
        return float(point[0] * down[1] - point[1] * down[0])

    groups = [[0, 1], [2, 3]] if nine else [[0], [1]]
    groups = [sorted(group, key=lambda index: across(points[index])) for group in groups]
    groups.sort(key=lambda group: across(points[group].mean(axis=0)))
    rest = [4, *sorted(corners, key=lambda index: across(points[index])), 7, 8] if nine else []
    order = [
        *groups[0],
        *groups[1],
        *(rest or [2, *sorted(corners, key=lambda index: across(points[index]))]),
    ]
    return points[order]


def _means(landmarks: F64, count: int) -> F64:
    return np.stack([landmarks[list(group)].mean(axis=0) for group in _ANCHORS[count]])


def _similarity(from_points: F64, to_points: F64) -> tuple[float, F64, F64]:
    """Scale, (2, 2) rotation and offset of the closest similarity without mirroring."""
    start, end = from_points - from_points.mean(axis=0), to_points - to_points.mean(axis=0)
    cosine, sine = (
        float((start * end).sum()),
        float((start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]).sum()),
    )
    length = float(np.hypot(cosine, sine))
    scale = length / float((start**2).sum())
    turn = np.array([[cosine, -sine], [sine, cosine]]) / max(length, 1e-12)
    return scale, turn, to_points.mean(axis=0) - scale * turn @ from_points.mean(axis=0)


def _thin_plate(held: F64, moves: F64, at: F64) -> F64:
    """(N, 2) moves at other places: the thin-plate spline through (held, moves).

    Source: Bookstein, "Principal warps", 1989.
    """
    unit = float(np.ptp(held, axis=0).max())
    held, at = held / unit, at / unit

    def kernel(places: F64) -> F64:
        square = ((places[:, None] - held[None]) ** 2).sum(axis=2)
        return np.where(square > 0, square * np.log(np.maximum(square, 1e-20)), 0.0)

    plane = np.column_stack([np.ones(len(held)), held])
    system = np.block([[kernel(held), plane], [plane.T, np.zeros((3, 3))]])
    weights, *_ = np.linalg.lstsq(system, np.concatenate([moves, np.zeros((3, 2))]), rcond=None)
    moved: F64 = (
        kernel(at) @ weights[: len(held)] + np.column_stack([np.ones(len(at)), at]) @ weights[len(held) :]
    )
    return moved


def _frame(value: Any, path: Path) -> int:  # noqa: ANN401 - untrusted JSON
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise SettingError(f"A key in '{path}' has the frame {value!r}; write a number from 0.")
    return value


def _points(value: Any, path: Path) -> F64:  # noqa: ANN401 - untrusted JSON
    if isinstance(value, list) and len(value) in _ANCHORS and all(_is_point(item) for item in value):
        points = np.array(value, np.float64)
        if np.isfinite(points).all() and np.ptp(points, axis=0).max() >= _LEAST_SPREAD_PX:
            return points
    raise SettingError(f"'{path}' needs 5 or 9 points [x, y] in pixels, at different places.")


def _is_point(item: Sequence[Any]) -> bool:
    return (
        isinstance(item, list)
        and len(item) == 2
        and all(type(number) in (int, float) and abs(number) < _FARTHEST_PX for number in item)
    )
