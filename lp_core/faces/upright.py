"""Faces that are not upright in the image: cut out turned, read there, and moved back.

A landmarker reads an upside-down face wrongly now and then: it puts a small upright face on the forehead. The
detector's confidence shows this: it is higher when the same place is looked at turned by half.

Convention:
    Points are (x, y) in pixels, x right, y down, integer = pixel center. Angles are in degrees; positive rolls are
    clockwise in the image. A matrix ``frame_from_turned`` is (2, 3), a similarity without mirroring.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.faces.small_faces import window_around
from lp_core.geometry.rotation import angles_deg, nearest_rotation

CERTAIN_SCORE = 0.84
"""From this detector score on a face is taken as read. Over photographs at 0, 90 and 270 degrees and four sizes, faces
score 0.87 to 0.94; wrong readings of the same ones upside down score 0.57 to 0.79."""
CLEAR_GAIN = 0.05
"""A turned look counts only if the detector scores it higher by this much."""
MOST_ROLL_DEG = 45.0
"""Beyond this roll, landmarks are read again in an upright cut: at 90 degrees they are up to 13 % of the face off."""
QUARTERS = (2, 1, 3)
"""Numbers of counterclockwise quarter turns to try on an image without a face; upside down is the most frequent."""
LOOK_SIZE_PX = 256
_READ_SIZE_PX = 512
_READ_FACTOR = 2.5
"""Side of the cut a turned face is read in, in landmark boxes."""


def wrapped(angle_deg: float) -> float:
    """The same angle in [-180, 180)."""
    return (angle_deg + 180.0) % 360.0 - 180.0


def quarter_turned(
    picture: NDArray[np.uint8], quarters: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Turns an image counterclockwise.

    Args:
        picture: (H, W, 3).
        quarters: number of quarter turns, 0 to 3.

    Returns:
        The image, C-contiguous, and ``frame_from_turned``.
    """
    height, width = picture.shape[:2]
    matrices = (
        ((1, 0, 0), (0, 1, 0)),
        ((0, -1, width - 1), (1, 0, 0)),
        ((-1, 0, width - 1), (0, -1, height - 1)),
        ((0, 1, 0), (-1, 0, height - 1)),
    )
    return np.ascontiguousarray(np.rot90(picture, quarters)), np.array(matrices[quarters], np.float64)


def quarters_of(roll_deg: float) -> int:
    """The counterclockwise quarter turns, 0 to 3, that bring a rolled face nearest to upright."""
    return round(roll_deg / 90.0) % 4


def turned_cut(
    picture: NDArray[np.uint8], face: Face, angle_deg: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Cuts a square around a face, turned counterclockwise by an angle.

    Returns:
        The cut and ``frame_from_turned``.
    """
    side = max(face.box.right - face.box.left, face.box.bottom - face.box.top) * _READ_FACTOR
    return square_cut(picture, face.box, side, _READ_SIZE_PX, angle_deg)


def looks(
    picture: NDArray[np.uint8], face: Face, factor: float, turn_deg: float = 0.0
) -> list[NDArray[np.uint8]]:
    """A face in the middle of a small square, ``factor`` times its box, and the same mirrored.

    Args:
        picture: (H, W, 3).
        face: where to look; it is shown upright by its own roll.
        factor: side of the square, in longer sides of the face's box.
        turn_deg: a further turn, counterclockwise.
    """
    side = max(face.box.right - face.box.left, face.box.bottom - face.box.top) * factor
    look, _ = square_cut(picture, face.box, side, LOOK_SIZE_PX, face.pose.roll_deg + turn_deg)
    return [look, look[:, ::-1]]


def moved(face: Face, frame_from_turned: NDArray[np.float64]) -> Face:
    """A face read in a turned image, in the frame's own pixels, with its rotation turned too."""
    turn = frame_from_turned[:, :2]
    scale = float(np.hypot(turn[0, 0], turn[1, 0]))
    landmarks = face.landmarks_frame.astype(np.float64)
    landmarks[:, :2] = landmarks[:, :2] @ turn.T + frame_from_turned[:, 2]
    landmarks[:, 2] *= scale
    about_z = np.eye(3)
    about_z[:2, :2] = turn / scale
    rotation = nearest_rotation(about_z @ face.head_rotation)
    (left, top), (right, bottom) = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return replace(
        face,
        landmarks_frame=landmarks.astype(np.float32),
        box=FaceBox(float(left), float(top), float(right), float(bottom)),
        head_rotation=rotation.astype(np.float32),
        pose=Pose(*angles_deg(rotation)),
    )


def square_cut(
    picture: NDArray[np.uint8], box: FaceBox, side: float, size: int, angle_deg: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A square around a box's middle, turned counterclockwise; black outside of the image.

    Args:
        picture: (H, W, 3) uint8.
        box: in its pixels.
        side: of the square, frame pixels.
        size: of the result, pixels.
        angle_deg: counterclockwise turn.

    Returns:
        (size, size, 3) uint8 and ``frame_from_square``.
    """
    height, width = picture.shape[:2]
    part = window_around(box, side * 2**0.5 / max(box.right - box.left, box.bottom - box.top), width, height)
    shrink = min(size / side, 1.0)
    # Shrunk by area first, so that a large face is not made of single pixels.
    small_size = (
        max(round((part.right - part.left) * shrink), 1),
        max(round((part.bottom - part.top) * shrink), 1),
    )
    cut = np.ascontiguousarray(picture[int(part.top) : int(part.bottom), int(part.left) : int(part.right)])
    small = cv2.resize(cut, small_size, interpolation=cv2.INTER_AREA)
    middle = ((box.center[0] - part.left) * shrink, (box.center[1] - part.top) * shrink)
    square_from_small = cv2.getRotationMatrix2D(middle, angle_deg, size / (side * shrink))
    square_from_small[:, 2] += size / 2 - np.array(middle)
    drawn = cv2.warpAffine(small, square_from_small, (size, size), flags=cv2.INTER_LINEAR)
    small_from_frame = np.array(
        [[shrink, 0.0, -part.left * shrink], [0.0, shrink, -part.top * shrink], [0.0, 0.0, 1.0]]
    )
    frame_from_square = cv2.invertAffineTransform(square_from_small @ small_from_frame)
    return np.asarray(drawn, np.uint8), np.asarray(frame_from_square, np.float64)
