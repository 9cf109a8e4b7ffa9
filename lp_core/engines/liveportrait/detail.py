"""What the network cannot draw, taken from the source along the flow: light beyond white, and fine detail.

Convention:
    Colors are display views, (h, w, 3) float32, 1.0 = white. Flows are inverse, in pixels (x, y) of the image
    they belong to.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.frame import Frame
from lp_core.geometry.warp import sample

F32 = NDArray[np.float32]

SPLIT_PX = 3.0
"""Standard deviation, in pixels of the crop, between what the network and what the source gives."""
DOUBT = 0.08
"""Where coarse colors of both differ by this much the source's detail counts for a third: it is elsewhere."""


def beyond_white(source: Frame, crop: F32) -> F32 | None:
    """The part of a crop that a network cannot be shown, below 0 and above 1; None where there is none.

    Args:
        source: says what the crop's codes mean.
        crop: (S, S, 3) in the source's codes.
    """
    shown = np.nan_to_num(source.shown(crop), posinf=float(np.finfo(np.float16).max), neginf=0.0)
    beyond = np.asarray(shown - np.clip(shown, 0, 1), np.float32)
    return beyond if beyond.any() else None


def moved(picture: F32, flow: F32) -> F32:
    """An image seen through a flow of the same size."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(sample(picture, x + flow[..., 0], y + flow[..., 1]), np.float32)


def with_detail(drawn: F32, carried: F32, scale: float) -> F32:
    """The network's image with the source's fine detail in place of the network's.

    Args:
        drawn: the network's image, enlarged to the frame.
        carried: the source as the flow carries it, the same part.
        scale: pixels of the frame per pixel of the crop.
    """
    sigma = SPLIT_PX * max(scale, 0.3)
    coarse, own = (cv2.GaussianBlur(picture, (0, 0), sigma) for picture in (drawn, carried))
    apart = np.abs(coarse - own).max(axis=2, keepdims=True)
    trust = np.exp(-np.square(apart / np.float32(DOUBT)))
    return np.asarray(drawn + trust * ((carried - own) - (drawn - coarse)), np.float32)
