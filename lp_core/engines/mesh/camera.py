"""A moving driving camera, taken off a performance: what is left is how the head moves before its background.

The camera's motion is the similarity that most of the background follows from a frame to the reference frame (RANSAC
over the dense motion outside the head). Motion and dense motion are then those of a video from a camera that stays.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.dense_field import DenseField
from lp_core.geometry.facemesh import CHIN, OVAL
from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.landmarks.motion import landmarks_from_motion
from lp_core.motion.sequence import MotionFrame

HEAD = 1.9
"""Radii of the face around its middle that are the head, hair included; shoulders are below the chin."""
LEAST_CELLS = 60
"""Fewer places of background say nothing of the camera."""
EVERY = 4
"""Every so many cells one is looked at."""
AGREE_CELLS = 0.5
"""How far from the camera's motion a place may move that belongs to the background, in cells."""
LEAST_SHARE = 0.3
"""Share of the background that must agree."""

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def without_camera(motion: MotionFrame, dense: DenseField) -> tuple[MotionFrame, DenseField]:
    """Motion and dense motion as a camera that stays would have seen them; the same where it stays, or is not seen.

    Args:
        motion: the performance at the frame.
        dense: its dense motion to the reference.
    """
    camera = camera_motion(landmarks_from_motion(motion, *dense.size)[:, :2].astype(np.float64), dense)
    if camera is None:
        return motion, dense
    width, height = dense.size
    middle = np.array([width - 1, height - 1]) / 2
    place = camera[:, :2] @ (motion.translation.astype(np.float64) * height + middle) + camera[:, 2]
    size = float(np.hypot(camera[0, 0], camera[1, 0]))
    turn = from_angles_deg(0.0, 0.0, 0.0)
    turn[:2, :2] = camera[:, :2] / size
    steady = replace(
        motion,
        translation=((place - middle) / height).astype(np.float32),
        scale=np.float32(motion.scale * size),
        rotation=(turn @ motion.rotation.astype(np.float64)).astype(np.float32),
    )
    return steady, _seen_by(camera, dense)


def camera_motion(points: F64, dense: DenseField) -> F64 | None:
    """(2, 3) similarity from the frame to the reference that the background follows, pixels; None: none is seen.

    Args:
        points: (478, 2) landmarks of the frame, pixels.
        dense: its dense motion.
    """
    height, width = dense.flow.shape[:2]
    y, x = (grid[::EVERY, ::EVERY].ravel() for grid in np.mgrid[:height, :width])
    flow = dense.flow[y, x].astype(np.float64)
    at = (np.column_stack([x, y]) + 0.5) / dense.scale - 0.5
    middle = points[OVAL].mean(axis=0)
    radius = np.linalg.norm(points[OVAL] - middle, axis=1).max()
    down = points[CHIN] - middle
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    behind = (np.linalg.norm(at - middle, axis=1) > HEAD * radius) & ((at - points[CHIN]) @ down < 0)
    if behind.sum() < LEAST_CELLS:
        return None
    here, there = at[behind], at[behind] + flow[behind]
    found, agree = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=AGREE_CELLS / dense.scale
    )
    if found is None or agree.mean() < LEAST_SHARE:
        return None
    moved = np.abs(at @ found[:, :2].T + found[:, 2] - at).max()
    return None if moved < AGREE_CELLS / 4 / dense.scale else np.asarray(found, np.float64)


def _seen_by(camera: F64, dense: DenseField) -> DenseField:
    """The dense motion in the image of a camera that stays where it was in the reference frame."""
    height, width = dense.flow.shape[:2]
    cells = camera.copy()
    cells[:, 2] = camera[:, 2] * dense.scale + (dense.scale - 1) / 2 * (1 - camera[:, :2].sum(axis=1))
    x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    places = cv2.merge([dense.cells[..., 0] + x, dense.cells[..., 1] + y])
    moved = cv2.warpAffine(
        places, cells, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    flow = cv2.merge([moved[..., 0] - x, moved[..., 1] - y]) / np.float32(dense.scale)

    def warped(plane: F32) -> F32:
        return np.asarray(cv2.warpAffine(plane, cells, (width, height), flags=cv2.INTER_LINEAR), np.float32)

    shade = None if dense.shade is None else warped(dense.shade)
    return DenseField(np.asarray(flow, np.float32), warped(dense.trust), dense.size, shade)
