"""Upscaled videos without flicker: each image is mixed with the one before, carried along the motion.

A network that looks at one image at a time invents its detail again in every frame. Here the last result is moved
by the optical flow between the small images (DIS, Kroeger et al., ECCV 2016) and mixed in wherever the small
images agree that it is the same thing; a cut starts afresh.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.optical_flow import dense_flow

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

AGREE = 0.05
"""Difference of the small images, 0..1, at which trust in the motion has fallen to a third."""
CUT = 0.12
"""Mean difference after motion compensation from which two images are different shots."""


class Steady:
    """Mixes results over time; hand it every image of one video in order."""

    def __init__(self, strength: float) -> None:
        """Makes a mixer.

        Args:
            strength: 0..1, share of the last result where nothing speaks against it.
        """
        self._strength = strength
        self._last: tuple[F32, F32] | None = None

    def mix(self, small: F32, result: F32) -> F32:
        """The result, steadied.

        Args:
            small: (h, w, 3) the image before upscaling, display-encoded, 1.0 = white.
            result: (H, W, 3) the same upscaled.
        """
        steady = result
        if self._last is not None and self._strength > 0 and self._last[0].shape == small.shape:
            carried = carry(*self._last, small)
            if carried is not None:
                moved, trust = carried
                steady = result + (self._strength * trust)[..., None] * (moved - result)
        self._last = small, steady
        return steady


def carry(small_before: F32, result_before: F32, small: F32) -> tuple[F32, F32] | None:
    """The last result, moved to where this image has it.

    Args:
        small_before: (h, w, 3) the image before.
        result_before: (H, W, 3) its result.
        small: (h, w, 3) this image.

    Returns:
        (H, W, 3) the moved result, and (H, W) 0..1 how far it can be trusted; None across a cut.
    """
    flow = dense_flow(_gray(small), _gray(small_before))
    height, width = small.shape[:2]
    there = _moved(small_before, flow)
    difference = np.abs(there - small).max(axis=2)
    if float(difference.mean()) > CUT:
        return None
    trust = np.exp(-((cv2.GaussianBlur(difference, (0, 0), 1.0) / AGREE) ** 2)).astype(np.float32)
    size = result_before.shape[1], result_before.shape[0]
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    large = cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR) * scale
    return _moved(result_before, large), np.asarray(cv2.resize(trust, size), np.float32)


def flicker(small_before: F32, result_before: F32, small: F32, result: F32) -> float:
    """Mean change of a result that motion does not explain, in 8-bit codes; 0 across a cut.

    Args: as ``carry``'s, and this image's own result.
    """
    carried = carry(small_before, result_before, small)
    if carried is None:
        return 0.0
    moved, trust = carried
    weight = (trust > 0.5)[..., None]
    count = max(int(weight.sum()) * 3, 1)
    return float((np.abs(moved - result) * weight).sum() / count * 255)


def _moved(picture: F32, flow: F32) -> F32:
    """The image at (x, y) + flow, cubic."""
    height, width = flow.shape[:2]
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    moved = cv2.remap(
        picture, flow[..., 0] + columns, flow[..., 1] + rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)


def _gray(picture: F32) -> U8:
    gray = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.rint(np.clip(np.nan_to_num(gray), 0, 1) * 255).astype(np.uint8)
