"""Separating an object from what is behind it, from a rough idea of where it is.

Formula: Rother, Kolmogorov, Blake: GrabCut, Interactive Foreground Extraction using Iterated Graph Cuts, SIGGRAPH 2004,
as OpenCV has it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_MARGIN = 4
"""Pixels of background that are looked at around the place where the object may be."""


def cut_out(
    image: NDArray[np.uint8], sure: Mask, likely: Mask, possible: Mask, never: Mask, rounds: int = 2
) -> Mask:
    """The object, as far as its colors and edges reach; what is not connected with what is sure is left out.

    Args:
        image: (h, w, 3) RGB.
        sure: (h, w) belongs to the object.
        likely: (h, w) probably does.
        possible: (h, w) may; outside of it nothing does.
        never: (h, w) does not, even where the other masks say so.
        rounds: of the search.

    Returns:
        (h, w); ``sure`` itself where there is nothing to separate.
    """
    found = np.zeros(sure.shape, bool)
    rows, columns = (np.flatnonzero((possible | sure).any(axis=axis)) for axis in (1, 0))
    if not len(rows) or not (sure & ~never).any():
        return found
    part = (
        slice(max(rows[0] - _MARGIN, 0), rows[-1] + 1 + _MARGIN),
        slice(max(columns[0] - _MARGIN, 0), columns[-1] + 1 + _MARGIN),
    )
    labels = np.full(sure[part].shape, cv2.GC_BGD, np.uint8)
    for mask, label in (
        (possible, cv2.GC_PR_BGD),
        (likely, cv2.GC_PR_FGD),
        (sure, cv2.GC_FGD),
        (never, cv2.GC_BGD),
    ):
        labels[mask[part]] = label
    is_background = (labels == cv2.GC_BGD) | (labels == cv2.GC_PR_BGD)
    if not is_background.any():
        found[part] = True
        return found
    cv2.setRNGSeed(1)  # the colors' clusters begin at random: the same image must give the same mask
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image[part]), labels, None, *models, rounds, cv2.GC_INIT_WITH_MASK)
    found[part] = connected((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), sure[part] & ~never[part])
    return found


def connected(mask: Mask, seeds: Mask) -> Mask:
    """The parts of a mask that hold a seed."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    wanted = np.unique(labels[seeds & mask])
    return np.asarray(np.isin(labels, wanted[wanted > 0]))
