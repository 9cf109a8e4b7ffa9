"""Skin that the photo does not show, on the far side of a turned face, and where it is taken from instead.

A landmarker also gives points of the far cheek, behind the edge of the face. In the photo other things are in their
place: an eye, the nose, the background. When the head turns towards the camera that skin comes into view, and is then
taken from the visible skin along the edge, mirrored for a little way. What surrounds it is taken from beyond the edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh import topology
from lp_core.geometry.facemesh import OVAL

MARGIN = 0.05
"""Radii of the face within its edge where skin begins for certain: landmarks meet an edge no better."""
MIRRORED = 0.08
"""Radii further in that skin is mirrored from at most."""
NEAR = 0.25
"""Radii from the edge within which visible skin keeps away from it."""
BLUR = 0.1
"""Radii over which the points of the edge are averaged."""
HIDDEN = 0.03, 0.13
"""Cosine between a normal and the line of sight, past the edge: from the first on a point counts as hidden, from the
second on in full."""
SHOWN = 0.25
"""How much that cosine rises until a point is taken from elsewhere."""


@dataclass(frozen=True)
class Outline:
    """Where the face ends and its surroundings begin, point by point of OVAL."""

    shown: NDArray[np.float64]
    """(36, 2) in the result, pixels of the source."""
    taken: NDArray[np.float64]
    """(36, 2) where in the source that is taken from."""


@dataclass(frozen=True)
class UnseenSkin:
    """The points that a photo does not show, and those near its edge."""

    normals: NDArray[np.float64]
    """(478, 3) unit normals, camera axes, out of the head; zero where a point has no skin."""
    inward: NDArray[np.float64]
    """(478, 2) from each point to the skin that it is taken from once it has turned into view, pixels."""
    edge: NDArray[np.float64]
    """(36, 478) weights: the points of OVAL, those that are hidden moved to the edge."""
    outward: NDArray[np.float64]
    """(36, 2) from there to what is certainly beyond the edge, pixels."""

    def turned(
        self, points: NDArray[np.float64], taken: NDArray[np.float64], linear: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], Outline]:
        """Where skin is taken from when the head has turned, and where the face ends.

        Args:
            points: (478, 3) target landmarks in pixels of the source.
            taken: (478, 2) where the landmarks' skin is in the source, pixels.
            linear: (3, 3) what the head's motion does to row vectors.
        """
        scale = np.cbrt(abs(np.linalg.det(linear))) + 1e-9
        rise = (self.normals[:, 2:] - self.normals @ linear[:, 2:] / scale) / SHOWN
        beyond = self.edge @ taken + _smooth(np.abs(rise[OVAL])) * self.outward
        return taken + _smooth(rise) * self.inward, Outline(self.edge @ points[:, :2], beyond)


def unseen_skin(points: NDArray[np.float64], radius: float) -> UnseenSkin | None:
    """What a photo does not show of its face; None where it shows all.

    Args:
        points: (478, 3) landmarks in pixels, camera axes.
        radius: of the face, pixels.
    """
    normals = _normals(points)
    facing = -normals[:, 2]
    strength = np.clip((-facing - HIDDEN[0]) / (HIDDEN[1] - HIDDEN[0]), 0, 1)
    triangles = topology.skin_triangles()
    next_to_hidden = np.zeros(len(points))
    np.maximum.at(next_to_hidden, triangles, strength[triangles].max(axis=1, keepdims=True))
    edge = np.flatnonzero((next_to_hidden > 0) & (strength == 0))
    if not len(edge):
        return None
    skin = np.flatnonzero(facing)
    own, strength = points[skin, :2], strength[skin, None]
    away = np.linalg.norm(points[skin, None] - points[None, edge], axis=2) / radius
    near = away.min(axis=1, keepdims=True)
    weight = np.exp(-(((away - near) / BLUR) ** 2))
    weight /= weight.sum(axis=1, keepdims=True)
    across = normals[edge, :2] / np.maximum(np.linalg.norm(normals[edge, :2], axis=1, keepdims=True), 1e-6)
    line, out = weight @ points[edge, :2], weight @ across * radius
    within = ((line - own) * out).sum(axis=1, keepdims=True) / radius**2
    is_near = np.clip(1 - (near / NEAR) ** 2, 0, 1) * (weight @ next_to_hidden[edge, None])
    kept_off = -out * np.clip(MARGIN - within, 0, 2 * MARGIN) * is_near
    mirrored = line - own - out * (MARGIN + MIRRORED * (1 - np.exp(-near / MIRRORED)))
    inward, outward, to_edge = np.zeros((len(points), 2)), np.zeros((len(points), 2)), np.eye(len(points))
    inward[skin] = strength * mirrored + (1 - strength) * kept_off
    outward[skin] = strength * MARGIN * out
    to_edge[skin] *= 1 - strength
    to_edge[np.ix_(skin, edge)] += strength * weight
    return UnseenSkin(normals, inward, to_edge[OVAL], outward[OVAL])


def _smooth(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 up to 0, 1 from 1, smooth between."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _normals(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(478, 3) unit normals that point out of the head; zero at points without skin."""
    triangles = topology.skin_triangles()
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return normals
