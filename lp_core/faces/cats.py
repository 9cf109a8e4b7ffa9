"""Heads of cats: OpenCV's cascade over nine rotations gives a first guess at the points, to be corrected by hand.

The cascade also fires on people, so it is asked only where no human face is found.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MissingDependency
from lp_core.faces.hand_points import F64

_CASCADE = "haarcascade_frontalcatface_extended.xml"
_TURNS_DEG = (0, -20, 20, -40, 40, -60, 60, -80, 80)
_LONGEST_PX = 720
_IN_BOX = np.array([(0.30, 0.44), (0.70, 0.44), (0.50, 0.68), (0.42, 0.78), (0.58, 0.78)])
"""Eyes, nose and mouth corners as shares of the cascade's box."""
_LEAST_WEIGHT = 2.5


def cat_points(picture: NDArray[np.uint8]) -> F64 | None:
    """(5, 2) points of the surest cat's head, in pixels of the image; None where the cascade finds none.

    Args:
        picture: (H, W, 3) uint8 RGB.

    Raises:
        MissingDependency: this OpenCV has no cascades; opencv-contrib-python has.
    """
    if not hasattr(cv2, "CascadeClassifier"):
        raise MissingDependency(
            "Cats are found by OpenCV's cascades, which this OpenCV lacks; reinstall it with: pip install "
            "--force-reinstall --no-deps opencv-contrib-python."
        )
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / _CASCADE))
    height, width = picture.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    best, found = _LEAST_WEIGHT, None
    for turn_deg in _TURNS_DEG:
        middle = ((small.shape[1] - 1) / 2, (small.shape[0] - 1) / 2)
        turned_from_small = cv2.getRotationMatrix2D(middle, turn_deg, 1.0)
        turned = cv2.warpAffine(small, turned_from_small, (small.shape[1], small.shape[0]))
        boxes, _, weights = cascade.detectMultiScale3(turned, 1.1, 3, outputRejectLevels=True)
        for box, weight in zip(boxes, weights, strict=True):
            if weight > best:
                small_from_turned = cv2.invertAffineTransform(turned_from_small)
                points = _IN_BOX * box[2:] + box[:2]
                best, found = float(weight), points @ small_from_turned[:, :2].T + small_from_turned[:, 2]
    return None if found is None else (found + 0.5) / scale - 0.5
