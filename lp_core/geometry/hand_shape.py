"""The area that a hand covers, from its joints.

Convention:
    Points (21, 2) x, y in pixels, y downwards, in MediaPipe's order; masks (h, w) bool on the same pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_PALM = (0, 1, 5, 9, 13, 17)
_KNUCKLES = 5, 17
"""First and last knuckle: the width of the palm."""
_WIDTH_IN_PALM, _WIDTH_IN_LENGTH = 1 / 3.4, 1 / 5
"""Width of a finger over the width of the palm, and over its own length; the wider of both."""
_TIP = 0.5
"""Part of the last phalanx by which a finger is longer than its joints."""
_WRIST = 0.45
"""Length of wrist that is taken along, over the length of the palm."""


def finger_width(hand: F32) -> float:
    """Width of a finger, pixels."""
    palm = float(np.linalg.norm(hand[_KNUCKLES[0]] - hand[_KNUCKLES[1]]))
    lengths = [np.linalg.norm(np.diff(hand[list(finger)], axis=0), axis=1).sum() for finger in _FINGERS]
    return max(palm * _WIDTH_IN_PALM, float(max(lengths)) * _WIDTH_IN_LENGTH, 1.0)


def hand_mask(hand: F32, size: tuple[int, int]) -> NDArray[np.bool_]:
    """What a hand covers: a capsule around each bone, the palm, and a piece of the wrist.

    Args:
        hand: its points.
        size: width and height of the mask.
    """
    mask = np.zeros((size[1], size[0]), np.uint8)
    width = max(round(finger_width(hand)), 1)
    palm = cv2.convexHull(hand[list(_PALM)])
    cv2.fillConvexPoly(mask, np.rint(palm).astype(np.int32), 1)
    for finger in _FINGERS:
        joints = hand[list(finger)]
        tip = joints[-1] + _TIP * (joints[-1] - joints[-2])
        for start, end in zip((hand[0], *joints), (*joints, tip), strict=True):
            _capsule(mask, start, end, width)
    middle = hand[[5, 9, 13, 17]].mean(axis=0)
    stub = hand[0] + _WRIST * (hand[0] - middle)
    _capsule(mask, hand[0], stub, round(2 * width))
    return mask > 0


def _capsule(mask: NDArray[np.uint8], start: F32, end: F32, width: int) -> None:
    first, last = (tuple(int(round(float(value))) for value in point) for point in (start, end))
    cv2.line(mask, first, last, 1, max(width, 1))
    cv2.circle(mask, last, max(width // 2, 1), 1, -1)
