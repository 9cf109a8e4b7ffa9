"""Faces of large images are looked for in a smaller copy: landmarkers see a few hundred pixels of a face anyway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceBox, Sightings
from lp_core.faces.upright import moved
from lp_core.geometry.warp import reduce

LARGEST_PX = 8192
"""Longest side that landmarkers are given; beyond it some fail, and all of them get slow."""


def analyze_reduced(
    picture: NDArray[np.uint8], analyze: Callable[[NDArray[np.uint8]], list[Face]]
) -> list[Face]:
    """The faces of an image, read in a copy of at most LARGEST_PX a side where it is larger.

    Args:
        picture: (H, W, 3) uint8.
        analyze: finds the faces of an image of any size.

    Returns:
        Faces in pixels of ``picture``.

    Convention:
        Points (x, y), integer = pixel center.
    """
    return list(survey_reduced(picture, lambda part: Sightings(tuple(analyze(part)))).faces)


def survey_reduced(picture: NDArray[np.uint8], survey: Callable[[NDArray[np.uint8]], Sightings]) -> Sightings:
    """The same for all that is found in an image, faces that cannot be read included."""
    height, width = picture.shape[:2]
    scale = LARGEST_PX / max(height, width)
    if scale >= 1:
        return survey(picture)
    small = reduce(picture, scale)
    across, down = width / small.shape[1], height / small.shape[0]
    frame_from_small = np.array([[across, 0.0, (across - 1) / 2], [0.0, down, (down - 1) / 2]], np.float64)
    found = survey(small)
    boxes = [(item, item.box) for item in found.unread]
    return Sightings(
        tuple(moved(face, frame_from_small) for face in found.faces),
        tuple(
            replace(
                item, box=FaceBox(box.left * across, box.top * down, box.right * across, box.bottom * down)
            )
            for item, box in boxes
        ),
    )
