"""Frames in which two people move over a textured ground, with the places of their faces."""

import numpy as np
from fakes.collages import placed, textured


def frame_of(people, centers, face_px, size=(640, 360)):
    """(H, W, 3) RGB: a head for each center, later ones in front.

    Args:
        people: (cut, share, middle) of each head, see ``collages.head``.
        centers: (x, y) of each face; None: not in sight.
        face_px: height of the faces.
        size: width and height.
    """
    canvas = textured(size[1], size[0])
    for (cut, share, middle), center in zip(people, centers, strict=True):
        if center is not None:
            placed(canvas, cut, middle, share, center, face_px, 0)
    return canvas


def crossing(count=30, reach=190, y=190, is_bounced=False):
    """Places of two faces that come together in the middle, and pass each other or turn back."""
    for t in np.linspace(-1, 1, count):
        step = -abs(t) if is_bounced else t
        yield (320 + reach * step, y), (320 - reach * step, y)
