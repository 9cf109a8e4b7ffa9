"""SFace: a descriptor that tells people apart, from a model file that is read as data.

Compared by the cosine. On the project's clips and portraits, pairs of one person read 0.42 to 1 (median 0.88), pairs of
two people at most 0.42 (median 0.08).
"""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import ModelDamaged, SettingError
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.geometry.affine import fit_similarity
from lp_core.models.store import locate

MODEL = "sface"
"""Name of the model file in the catalog."""
SAME, OTHER = 0.5, 0.35
"""From SAME on two descriptors are of one person; below OTHER they are of two people."""
SIDE = 112
PLACES = np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]])
"""Where the eyes, the tip of the nose and the corners of the mouth belong in the network's image, pixels."""
LANDMARKS = np.array([468, 473, 1, 61, 291])
"""The same points among MediaPipe's 478."""


class FaceDescriber:
    """Describes faces by vectors whose cosine says whether they are of one person; thread-safe."""

    def __init__(self) -> None:
        """Loads the network.

        Raises:
            ModelMissing, ModelDamaged: the model file is absent or not the published one.
        """
        self._lock = threading.Lock()
        try:
            with native_stderr_to_log():
                self._net: Any = cv2.dnn.readNet(str(locate(MODEL)))
        except cv2.error as error:
            raise ModelDamaged(
                f"OpenCV cannot load the model '{MODEL}' ({str(error).splitlines()[0]}); get it again with: "
                "lpsuite models fetch sface."
            ) from error

    def describe(self, picture: NDArray[np.uint8], landmarks: NDArray[Any]) -> NDArray[np.float32]:
        """The descriptor of a face.

        Args:
            picture: (H, W, 3) uint8 RGB, display-encoded.
            landmarks: (478, 2) or (478, 3) of MediaPipe, in its pixels.

        Returns:
            (128,) of length 1.

        Raises:
            SettingError: the landmarks are of another layout.
        """
        if len(landmarks) != 478:
            raise SettingError(f"{len(landmarks)} landmarks cannot be described; give MediaPipe's 478.")
        points = np.asarray(landmarks[LANDMARKS, :2], np.float64)
        aligned = cv2.warpAffine(picture, fit_similarity(points, PLACES)[:2], (SIDE, SIDE))
        blob = np.ascontiguousarray(aligned.transpose(2, 0, 1)[None], np.float32)
        with self._lock:
            self._net.setInput(blob, "data")
            vector = np.asarray(self._net.forward(), np.float32).reshape(-1)
        unit: NDArray[np.float32] = vector / max(float(np.linalg.norm(vector)), 1e-9)
        return unit
