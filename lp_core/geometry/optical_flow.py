"""Motion between two images of a video, from the images alone.

Dense Inverse Search (Kroeger, Timofte, Dai, Van Gool: Fast Optical Flow using Dense Inverse Search, ECCV 2016), as
OpenCV has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

LONGEST_PX = 1920
"""Larger images are reduced to this for the search."""
CUT, CUT_LEAST, CUT_MOST = 0.4, 0.02, 0.06
"""Mean difference after motion compensation from which two images are different shots: a share of the image's
contrast (mean distance from its mean), within limits on the scale 0..1. Grain stays below them."""
_LEAST_PX = 16
"""Smaller images have nothing that could be searched."""


@dataclass(frozen=True)
class Search:
    """How much effort goes into a search."""

    preset: int
    """OpenCV's, for the sizes of patches and their distances."""
    steps: int
    """Steps of gradient descent for each patch, at most."""
    refinements: int
    """Variational refinements in each scale."""
    stride: int
    """Pixels from one patch to the next."""


FINE = Search(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, 25, 5, 3)
"""All that OpenCV's medium preset does."""
COARSE = Search(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, 12, 1, 4)
"""Takes less time. It is enough where a good guess is available and the flow is averaged afterwards."""
ROUGH = Search(cv2.DISOPTICAL_FLOW_PRESET_FAST, 16, 5, 4)
"""A quarter of the time, on a grid twice as coarse."""


def dense_flow(gray: U8, other: U8, effort: Search = FINE, guess: F32 | None = None) -> F32:
    """(h, w, 2) pixels (x, y), y downwards: what ``gray`` shows at a place is in ``other`` at the place + flow.

    Args:
        gray: (h, w).
        other: (h, w).
        effort: how well it is searched.
        guess: (h, w, 2) what the search begins with; None: that nothing moves.
    """
    search = cv2.DISOpticalFlow.create(effort.preset)
    search.setGradientDescentIterations(effort.steps)
    search.setVariationalRefinementIterations(effort.refinements)
    search.setPatchStride(effort.stride)
    return np.asarray(search.calc(gray, other, None if guess is None else guess.copy()), np.float32)


def film_motion(picture: U8, following: U8) -> F32 | None:
    """Where everything in an image of a video has gone in the following one.

    Args:
        picture: (H, W, 3) RGB, display codes.
        following: (H, W, 3).

    Returns:
        (H, W, 2) pixels (x, y), y downwards; None where nothing goes on: across a cut, or in a tiny image.
    """
    height, width = picture.shape[:2]
    scale = min(LONGEST_PX / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    if min(size) < _LEAST_PX:
        return None
    now, then = (
        cv2.resize(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
        for one in (picture, following)
    )
    flow = dense_flow(np.asarray(now, np.uint8), np.asarray(then, np.uint8))
    columns = np.arange(size[0], dtype=np.float32)
    rows = np.arange(size[1], dtype=np.float32)[:, None]
    there = cv2.remap(
        then, flow[..., 0] + columns, flow[..., 1] + rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    contrast = float(np.abs(now - now.mean()).mean()) / 255
    left = float(cv2.absdiff(now, there).mean()) / 255
    if left > min(max(CUT * contrast, CUT_LEAST), CUT_MOST):
        return None
    if size == (width, height):
        return flow
    factor = np.array([width / size[0], height / size[1]], np.float32)
    return np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32) * factor
