"""Eyeballs between the lids, and eyes that look elsewhere.

The skin around the eye is part of the head's flow: its lid margins already stand where the performance wants
them. Here the opening between them shows the eyeball, which keeps its place in the head instead of being
squeezed with the lids.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.lashes import eye_axes, eye_width
from lp_core.engines.mesh.layers import Opening, opening
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.geometry.affine import fit_affine
from lp_core.geometry.facemesh import EyeIndices

FEATHER = 0.02
"""Softness of the lid's edge in eye widths."""
CLOSED = 0.03
"""Below this opening (over the source's own) no eyeball is drawn at all."""

Map = NDArray[np.float32]


def eye_layer(
    portrait: MeshPortrait,
    eye: EyeIndices,
    points: NDArray[np.float64],
    rigid_points: NDArray[np.float64],
    lid: float,
    gaze: NDArray[np.float64],
) -> tuple[Opening, Map, Map] | None:
    """The eyeball seen between the target's lids.

    Args:
        portrait: the prepared source.
        eye: index tables of the eye.
        points: (478, 3) target landmarks in pixels of the source.
        rigid_points: (478, 3) the same under the pose alone.
        lid: opening over the source's own, 0..1 and above.
        gaze: (2,) shift of the iris in eye widths, along and across the eye.

    Returns:
        Where to draw, and the source positions to take (map_x, map_y); None when the eye is closed or out of
        sight.
    """
    if lid < CLOSED:
        return None
    margin = np.concatenate([eye.upper, eye.lower[-2:0:-1]])
    width_px = eye_width(portrait.points, eye)
    where = opening(points[margin, :2], portrait.size, FEATHER * width_px)
    if where is None:
        return None
    source = portrait.points[margin, :2]
    corners = [eye.upper[0], eye.upper[-1]]
    moved = (points[corners, :2] - rigid_points[corners, :2]).mean(axis=0)
    to_source = fit_affine(rigid_points[margin, :2] + moved, source)
    x, y = where.grid()
    plain_x = (to_source[0, 0] * x + to_source[0, 1] * y + to_source[0, 2]).astype(np.float32)
    plain_y = (to_source[1, 0] * x + to_source[1, 1] * y + to_source[1, 2]).astype(np.float32)
    along, across = eye_axes(portrait.points, eye)
    middle = source.mean(axis=0)
    u = (plain_x - middle[0]) * along[0] + (plain_y - middle[1]) * along[1]
    v = (plain_x - middle[0]) * across[0] + (plain_y - middle[1]) * across[1]
    half_gap = float(np.abs((source - middle) @ across).max()) * max(lid, 1.0)
    weight = np.clip(1 - (u / (width_px / 2)) ** 2, 0, 1) * np.clip(1 - 0.6 * (v / half_gap) ** 2, 0, 1)
    shift = (gaze[0] * along + gaze[1] * across) * width_px
    tighter = (1 / max(lid, 1.0) - 1) * v
    map_x = plain_x + tighter * across[0] - weight * shift[0]
    map_y = plain_y + tighter * across[1] - weight * shift[1]
    return where, map_x.astype(np.float32), map_y.astype(np.float32)
