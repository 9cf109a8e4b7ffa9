"""How surely a place shows a readable face: the landmark network's own presence, which MediaPipe does not hand out.

The network inside the landmarker's bundle is run by OpenCV on squares around a box. It is sure of upright faces
alone, so it finds a face's roll too: the turn under which it is surest.
"""

from __future__ import annotations

import math
import threading
import zipfile
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import ModelDamaged
from lp_core.faces.base import FaceBox
from lp_core.faces.upright import square_cut

LEAST_PRESENCE = 0.5
"""From this presence on a face counts as readable."""
CERTAIN_PRESENCE = 0.9999
"""Presence that is asked for where the box itself is uncertain."""
_MEMBER = "face_landmarks_detector.tflite"
_SIZE_PX = 256
_FACTORS = (1.1, 1.5)
"""Sides of the squares looked at, in boxes."""
_SURE = 20.0
"""Logit from which on no other look is taken: over portraits, upright faces give 15 to 31, turned ones up to 18."""
_SURE_AS_FOUND = 12.0
"""The same under the roll that the detector has certainly found the face under."""
_TURNS = (0.0, 180.0, 90.0, 270.0, 45.0, 315.0, 135.0, 225.0)
_MOST_LOGIT = 60.0
_EYE_LEFT, _EYE_RIGHT = 33, 263


@dataclass(frozen=True)
class Presence:
    """What the network says of a place."""

    value: float
    """Presence, 0..1."""
    roll_deg: float
    """Roll of the face in the image, positive clockwise, -180..180."""


class PresenceNet:
    """The landmark network on its own; thread-safe."""

    def __init__(self, bundle: bytes) -> None:
        """Loads the network.

        Args:
            bundle: the landmarker's ``.task`` file.

        Raises:
            ModelDamaged: the bundle does not hold the network, or OpenCV cannot load it.
        """
        self._lock = threading.Lock()
        try:
            data = np.frombuffer(zipfile.ZipFile(BytesIO(bundle)).read(_MEMBER), np.uint8)
            self._net: Any = cv2.dnn.readNetFromTFLite(data)
        except (KeyError, zipfile.BadZipFile, cv2.error) as error:
            raise ModelDamaged(
                f"The model 'face-landmarker' does not hold '{_MEMBER}' as OpenCV can load it; get it again "
                "with: lpsuite models fetch face-landmarker."
            ) from error
        self._outputs = self._net.getUnconnectedOutLayersNames()

    def is_sure(self, picture: NDArray[np.uint8], box: FaceBox, roll_deg: float) -> bool:
        """Whether a face is surely at a box under a roll (one look)."""
        return self._look(picture, box, _FACTORS[0], roll_deg)[0] >= _SURE

    def at(
        self, picture: NDArray[np.uint8], box: FaceBox, guess_deg: float = 0.0, is_trusted: bool = False
    ) -> Presence:
        """The surest look at a box over turns and sizes.

        Args:
            picture: (H, W, 3) uint8 RGB.
            box: of a face, in its pixels.
            guess_deg: roll under which the face was found; looked at first.
            is_trusted: whether less certainty is enough under that roll.
        """
        best, roll = -_MOST_LOGIT, 0.0
        for turn, factor in product(_TURNS, _FACTORS):
            logit, tilt = self._look(picture, box, factor, guess_deg + turn)
            if logit > best:
                best, roll = logit, guess_deg + turn + tilt
            if best >= (_SURE_AS_FOUND if is_trusted and not turn else _SURE):
                break
        return Presence(1 / (1 + math.exp(-min(best, _MOST_LOGIT))), (roll + 180.0) % 360.0 - 180.0)

    def _look(
        self, picture: NDArray[np.uint8], box: FaceBox, factor: float, turn_deg: float
    ) -> tuple[float, float]:
        """(logit of the presence, roll in degrees within the turned square)."""
        side = max(box.right - box.left, box.bottom - box.top) * factor
        cut, _ = square_cut(picture, box, side, _SIZE_PX, turn_deg)
        blob = cut.astype(np.float32).transpose(2, 0, 1)[None] / 255
        with self._lock:
            self._net.setInput(blob)
            points, presence, _ = self._net.forward(self._outputs)
        left, right = points.reshape(-1, 3)[[_EYE_LEFT, _EYE_RIGHT], :2]
        across = right - left
        return float(presence.ravel()[0]), float(np.degrees(np.arctan2(across[1], across[0])))
