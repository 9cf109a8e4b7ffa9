"""YuNet: boxes of faces of any size and roll, read as data from a carrier package or the model cache.

Its five points do not follow a face's roll, so only its boxes are used; who reads a face finds the roll.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import ModelDamaged, ModelMissing
from lp_core.faces.base import FaceBox
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.faces.small_faces import FaceDetection, distinct
from lp_core.faces.upright import quarter_turned
from lp_core.models.store import locate

MODEL = "yunet"
"""Name of the model file in the catalog."""
LEAST_SCORE = 0.6
"""Boxes below this score are dropped."""
CERTAIN_SCORE = 0.8
"""From this score on a box is taken for a face; below, what reads it must be certain too."""
FINE_PX, COARSE_PX = 1920, 320
"""Longest sides at which an image is looked at: fine for small faces, coarse for those that fill it."""
UPRIGHT = (0.0,)
QUARTERS = (90.0, 180.0, 270.0)
DIAGONALS = (45.0, 135.0, 225.0, 315.0)
"""Turns in degrees; a look finds faces within about 30 degrees of it, large ones within 50."""
_OVERLAP = 0.3


class BoxDetector:
    """Finds boxes of faces in RGB images; thread-safe."""

    def __init__(self) -> None:
        """Loads the network.

        Raises:
            ModelMissing, ModelDamaged: the model file is absent or not the published one.
        """
        data = np.frombuffer(locate(MODEL).read_bytes(), np.uint8)
        self._lock = threading.Lock()
        try:
            with native_stderr_to_log():
                self._net: Any = cv2.FaceDetectorYN.create(
                    "onnx", data, np.empty(0, np.uint8), (320, 320), LEAST_SCORE, _OVERLAP
                )
        except cv2.error as error:
            raise ModelDamaged(
                f"OpenCV cannot load the model '{MODEL}' ({str(error).splitlines()[0]}); update "
                "opencv-contrib-python, or get the model again with: lpsuite models fetch yunet."
            ) from error

    def boxes(
        self, picture: NDArray[np.uint8], turns_deg: Sequence[float] = UPRIGHT, side_px: int = FINE_PX
    ) -> list[FaceDetection]:
        """Faces that are upright under one of some turns, best first.

        Args:
            picture: (H, W, 3) uint8 RGB.
            turns_deg: clockwise rolls of faces that are looked for.
            side_px: longest side that the image is reduced to, if it is longer.

        Returns:
            Boxes in pixels of the image, each face once.
        """
        height, width = picture.shape[:2]
        scale = min(1.0, side_px / max(height, width))
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        to_frame = np.array([width / size[0], height / size[1]])
        found: list[FaceDetection] = []
        for turn_deg in turns_deg:
            turned, small_from_turned = _turned(small, turn_deg)
            for box, score in self._seen(turned):
                corners = box @ small_from_turned[:, :2].T + small_from_turned[:, 2]
                (left, top), (right, bottom) = _upright_box(corners * to_frame, turn_deg)
                found.append(FaceDetection(FaceBox(left, top, right, bottom), score, turn_deg))
        return distinct(found)

    def _seen(self, picture: NDArray[np.uint8]) -> list[tuple[NDArray[np.float64], float]]:
        """(4, 2) corners and score of every face."""
        with self._lock:
            self._net.setInputSize((picture.shape[1], picture.shape[0]))
            _, rows = self._net.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return [
            (np.array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]), min(score, 1.0))
            for x, y, wide, high, score in ([] if rows is None else rows[:, [0, 1, 2, 3, 14]].tolist())
        ]


def open_boxes() -> BoxDetector | None:
    """The detector, or None where its model is not installed; a damaged model is an error.

    Raises:
        ModelDamaged: the model file is not the published one.
    """
    try:
        return BoxDetector()
    except ModelMissing:
        return None


def _turned(picture: NDArray[np.uint8], turn_deg: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The whole image turned counterclockwise, and the matrix that leads back."""
    if turn_deg % 90 == 0:
        return quarter_turned(picture, round(turn_deg / 90) % 4)
    height, width = picture.shape[:2]
    turned_from_picture = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn_deg, 1.0)
    across, down = np.abs(turned_from_picture[:, :2]) @ (width, height)
    size = int(np.ceil(across)), int(np.ceil(down))
    turned_from_picture[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
    turned = cv2.warpAffine(picture, turned_from_picture, size)
    return np.asarray(turned, np.uint8), np.asarray(
        cv2.invertAffineTransform(turned_from_picture), np.float64
    )


def _upright_box(corners: NDArray[np.float64], turn_deg: float) -> tuple[list[float], list[float]]:
    """The box of turned corners; a diagonal one keeps its sides, so that it does not grow."""
    if turn_deg % 90 == 0:
        return corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    middle = corners.mean(axis=0)
    half = max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])) / 2
    return (middle - half).tolist(), (middle + half).tolist()
