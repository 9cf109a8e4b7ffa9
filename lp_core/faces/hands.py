"""Hands in an image: MediaPipe's hand landmarker, each image by itself.

Convention:
    Points (21, 2) in pixels of the image, in MediaPipe's order: wrist, then four points of each finger from the palm to
    the tip, thumb first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.faces.mediapipe_library import BaseOptions, vision
from lp_core.faces.mediapipe_tasks import image_of, translated
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.models.store import locate

F32 = NDArray[np.float32]

MODEL = "hand-landmarker"
"""Name of the model file in the catalog."""
_LEAST = 0.3
"""Confidence that is asked for; hands at a face are often half hidden."""
_MOST = 4
"""Hands looked for."""


class HandFinder(ClosesOnExit):
    """Finds hands. Not thread-safe."""

    def __init__(self) -> None:
        """Opens the network.

        Raises:
            ModelMissing, ModelDamaged: its file cannot be used.
        """
        with native_stderr_to_log():
            self._task: Any = vision.HandLandmarker.create_from_options(
                vision.HandLandmarkerOptions(
                    base_options=BaseOptions(model_asset_buffer=locate(MODEL).read_bytes()),
                    running_mode=vision.RunningMode.IMAGE,
                    num_hands=_MOST,
                    min_hand_detection_confidence=_LEAST,
                    min_hand_presence_confidence=_LEAST,
                )
            )

    def find(self, image: NDArray[np.uint8]) -> list[F32]:
        """The hands of an image, (H, W, 3) RGB.

        Raises:
            FaceError: the network fails.
        """
        height, width = image.shape[:2]
        with translated():
            result = self._task.detect(image_of(image))
        size = np.array([width, height], np.float32)
        return [np.array([(p.x, p.y) for p in hand], np.float32) * size for hand in result.hand_landmarks]

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._task.close()
