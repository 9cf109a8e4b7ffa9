"""Nuke's pixel coordinates and the core's, one to the other. Pure.

Convention:
    The core counts ``(x, y)`` from the top left and an integer is a pixel's center. Nuke counts from the bottom
    left and an integer is a pixel's corner, so centers are at halves. ``size`` is ``(width, height)`` of the
    format in pixels.
"""

from typing import Tuple

Point = Tuple[float, float]
Size = Tuple[int, int]


def core_from_nuke(point: Point, size: Size) -> Point:
    """A point of Nuke's in the core's pixels."""
    return point[0] - 0.5, size[1] - 0.5 - point[1]
