"""Catches what a network can get wrong as a whole: an image that is not finite, or black.

Source: users of PerformRecast in half precision report black frames; a tool of others guards each frame the same way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

BLACK = 0.02
"""Value, 0..1, under which a number counts as black."""
BLACK_SHARE = 0.9
"""Share of black numbers from which an image counts as black."""
KEPT_NOTE = "the network's image was black or not finite, also in fp32, and the source was kept"
"""What the summary says of frames that were not drawn."""


def is_black(picture: F32) -> bool:
    """Whether an image, 0..1, is almost entirely black."""
    return bool(np.mean(picture < BLACK) > BLACK_SHARE)


def is_broken(picture: F32, is_dark: bool) -> bool:
    """Whether a drawn image, 0..1, cannot be meant.

    Args:
        picture: (S, S, 3).
        is_dark: what it was drawn from is black itself.
    """
    return not bool(np.isfinite(picture).all()) or (not is_dark and is_black(picture))
