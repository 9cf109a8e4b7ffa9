"""Small images for the page."""

from __future__ import annotations

import cv2
import numpy as np

from lp_core.errors import EmptyVideo
from lp_core.media.open import open_source

SIDE_PX = 192
"""Longer side; twice the size it is shown at, for screens of high density."""
_QUALITY = 85


def small_picture(path: str) -> bytes:
    """The first image of a file or sequence as a small JPEG.

    Raises:
        MediaError: it cannot be read.
    """
    with open_source(path) as source:
        frame = next(iter(source), None)
    if frame is None:
        raise EmptyVideo(f"{path} holds no image.")
    return small_jpeg(frame.as_rgb8())


def small_jpeg(picture: np.typing.NDArray[np.uint8], side_px: int = SIDE_PX) -> bytes:
    """A (H, W, 3) RGB image as JPEG, at most ``side_px`` long on either side."""
    height, width = picture.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    return data.tobytes()
