"""Nuke's pixel coordinates and the core's, one to the other. Pure.

Convention:
    The core counts ``(x, y)`` from the top left and an integer is a pixel's centre. Nuke counts from the bottom
    left and an integer is a pixel's corner, so centres lie at halves. ST maps are fractions of the format in Nuke's
    sense. ``size`` is ``(width, height)`` of the format in pixels.
"""

from typing import Tuple

Point = Tuple[float, float]
Size = Tuple[int, int]


def core_from_nuke(point: Point, size: Size) -> Point:
    """A point of Nuke's in the core's pixels."""
    return point[0] - 0.5, size[1] - 0.5 - point[1]


def nuke_from_core(point: Point, size: Size) -> Point:
    """A point of the core's in Nuke's pixels."""
    return point[0] + 0.5, size[1] - 0.5 - point[1]


def identity_st(x: int, y: int, size: Size) -> Point:
    """What an ST map that moves nothing holds in the pixel of column x and row y, rows counted from the bottom."""
    return (x + 0.5) / size[0], (y + 0.5) / size[1]
