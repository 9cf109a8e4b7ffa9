"""Mattes of persons: MediaPipe's segmenter around a face, cleaned and refined along the image's edges.

Convention:
    Mattes are float32, 1 = person, 0 = background, on the pixels of the image they were found in.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.faces.mediapipe_library import BaseOptions, mp, vision
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.frame import Box
from lp_core.geometry.guided_filter import guided_filter
from lp_core.geometry.steady import Patch
from lp_core.geometry.warp import spread
from lp_core.models.store import locate

F32 = NDArray[np.float32]

MODEL = "person-segmenter"
"""Name of the model file in the catalog."""

_HEADS = 2.5
"""Side of the square that is looked at, in heads; the network sees it at 256 pixels."""
_HEAD_IN_FACE = 1.5
"""Height of a head with hair, in heights of the face's landmarks."""
_SIDE_PX = 1024
"""Largest side at which the matte of a still is refined."""
FILM_SIDE_PX, FILM_LOOK_PX = 384, 256
"""The same for a video, and the grid that is steadied over time: the network sees no more."""
_NEAR_HALF = 0.08
"""How near to one half a scale is at which two neighbors each way are as good as the area, and faster."""
_RADIUS = 0.012
"""Radius of the guided filter, in sides of the square."""
_EPSILON = 1e-3
"""Variance below which the guided filter smooths; gray levels 0..1."""
_LOW, _HIGH = 0.08, 0.92
"""Values of the filtered matte that become 0 and 1."""
_SEEN = 0.5
"""Value of the network from which on a pixel is the person's."""
_BORDER = 0.06
"""Width of the square's border in which the matte goes over to what is around it, in sides."""


class PersonSegmenter(ClosesOnExit):
    """Finds the matte of the person whose face is given. Not thread-safe."""

    def __init__(self) -> None:
        """Opens the network.

        Raises:
            ModelMissing, ModelDamaged: its file cannot be used.
        """
        with native_stderr_to_log():
            self._task: Any = vision.ImageSegmenter.create_from_options(
                vision.ImageSegmenterOptions(
                    base_options=BaseOptions(model_asset_buffer=locate(MODEL).read_bytes()),
                    output_confidence_masks=True,
                )
            )

    def matte(self, image: NDArray[np.uint8], landmarks_frame: F32) -> F32:
        """The matte of a person, (H, W), at the finest that the network and the image allow.

        Only what is connected with the face counts, and its holes are filled. Outside a square of 2.5 heads around
        the face, the matte is 1: nothing is known of it, and what is not background may move.

        Args:
            image: (H, W, 3) RGB, display-encoded.
            landmarks_frame: (P, 2 or 3) points of the face in pixels.
        """
        height, width = image.shape[:2]
        box = _square(landmarks_frame[:, :2], width, height)
        small = _reduced(image[box[1] : box[3], box[0] : box[2]], _SIDE_PX)
        seen = self._seen(small, box, landmarks_frame)
        return spread(edged(seen, box, small, (width, height)), box, (width, height))

    def look(self, image: NDArray[np.uint8], landmarks_frame: F32) -> tuple[Patch, NDArray[np.uint8]]:
        """A person in a video's frame as the network sees them, before the image's edges count, and the reduced image.

        Args:
            image: as for ``matte``.
            landmarks_frame: as for ``matte``.
        """
        box = _square(landmarks_frame[:, :2], image.shape[1], image.shape[0])
        small = _reduced(image[box[1] : box[3], box[0] : box[2]], FILM_SIDE_PX, is_fast=True)
        return Patch(self._seen(_reduced(small, FILM_LOOK_PX), box, landmarks_frame), box), small

    def where(self, small: NDArray[np.uint8], points: F32) -> NDArray[np.bool_]:
        """(h, w) the person in a small image, as the network sees them.

        Args:
            small: (h, w, 3) RGB, display-encoded.
            points: (P, 2) points of the face in its pixels.
        """
        return self._seen(small, (0, 0, small.shape[1], small.shape[0]), points) > _SEEN

    def _seen(self, small: NDArray[np.uint8], box: Box, landmarks_frame: F32) -> F32:
        """(h, w) what belongs to the person in a reduced image of a part of a frame."""
        raw = np.asarray(
            self._task.segment(mp.Image(image_format=mp.ImageFormat.SRGB, data=small))
            .confidence_masks[0]
            .numpy_view(),
            np.float32,
        ).reshape(small.shape[:2])
        scale = small.shape[1] / (box[2] - box[0])
        points = (landmarks_frame[:, :2] - np.array(box[:2], np.float32)) * np.float32(scale)
        return _of_the_face(raw, points)

    def close(self) -> None:
        """Frees the network."""
        self._task.close()


def edged(
    values: F32, box: Box, small: NDArray[np.uint8], size: tuple[int, int], is_fast: bool = False
) -> F32:
    """(h, w) matte of a part of a frame, from what the network sees of it.

    Args:
        values: (h, w) 0..1 what belongs to the person, perhaps steadied over time.
        box: the part, half-open.
        small: (h, w, 3) RGB of the part, as large as its edges shall be refined.
        size: width and height of the frame.
        is_fast: whether the edges are searched at half the size.
    """
    width, height = small.shape[1], small.shape[0]
    if values.shape != (height, width):
        values = np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    found = _refined(values, small, is_fast)
    at_border = [edge == limit for edge, limit in zip(box, (0, 0, *size), strict=True)]
    return np.maximum(found, _outside((width, height), at_border))


def _reduced(image: NDArray[np.uint8], side_px: int, is_fast: bool = False) -> NDArray[np.uint8]:
    """An image with sides of at most so many pixels."""
    scale = min(side_px / max(image.shape[:2]), 1.0)
    size = max(round(image.shape[1] * scale), 8), max(round(image.shape[0] * scale), 8)
    how = cv2.INTER_LINEAR if is_fast and abs(scale - 0.5) < _NEAR_HALF else cv2.INTER_AREA
    return np.ascontiguousarray(cv2.resize(image, size, interpolation=how))


def _square(points: F32, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of the image that is looked at: a square around the head, cut at the image's edges."""
    low, high = points.min(axis=0), points.max(axis=0)
    face = float(max(high - low))
    center = (low + high) / 2 - (0, 0.1 * face)
    half = _HEADS * _HEAD_IN_FACE * face / 2
    left, top = np.maximum(np.floor(center - half), 0).astype(int)
    right, bottom = np.minimum(np.ceil(center + half), (width, height)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _of_the_face(raw: F32, points: F32) -> F32:
    """The part of a raw matte that is connected with the face, without holes."""
    solid = (raw > _SEEN).astype(np.uint8)
    hull = cv2.convexHull(points.astype(np.float32)).astype(np.int32)
    cv2.fillConvexPoly(solid, hull, 1)
    _, labels = cv2.connectedComponents(solid)
    x, y = np.clip(points.mean(axis=0).astype(int), 0, (raw.shape[1] - 1, raw.shape[0] - 1))
    kept = (labels == labels[y, x]).astype(np.uint8)
    padded = cv2.copyMakeBorder(kept, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    around = padded.copy()
    cv2.floodFill(around, None, (0, 0), 1)
    filled = (padded | (1 - around))[1:-1, 1:-1]
    near = cv2.dilate(filled, np.ones((3, 3), np.uint8), iterations=max(raw.shape[0] // 64, 1))
    rim = int(np.clip(raw.shape[0] // 256, 1, 3))
    inside = cv2.erode(filled, np.ones((3, 3), np.uint8), iterations=rim) > 0
    return np.asarray(np.where(inside, 1, raw * near), np.float32)


def _refined(matte: F32, image: NDArray[np.uint8], is_fast: bool) -> F32:
    """The matte with its edges on the image's edges, stretched so that inside and outside are exactly 1 and 0."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    radius = max(round(_RADIUS * max(matte.shape)), 1)
    filtered = guided_filter(gray, matte, radius, _EPSILON, is_fast)
    return np.asarray(np.clip((filtered - _LOW) / (_HIGH - _LOW), 0, 1), np.float32)


def _outside(size: tuple[int, int], at_border: list[bool]) -> F32:
    """(h, w) weight of the unknown around the square: 0 inside, rising to 1 at each side that cuts the image."""
    width, height = size
    band = _BORDER * max(size)
    ramps = []
    for length, (first, last) in (
        (width, (at_border[0], at_border[2])),
        (height, (at_border[1], at_border[3])),
    ):
        at = np.arange(length, dtype=np.float32)
        low = np.zeros(length, np.float32) if first else 1 - at / band
        high = np.zeros(length, np.float32) if last else 1 - (length - 1 - at) / band
        ramps.append(np.clip(np.maximum(low, high), 0, 1))
    return np.asarray(np.maximum(ramps[0][None, :], ramps[1][:, None]), np.float32)
