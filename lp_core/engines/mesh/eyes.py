"""Eyelids that close over the eye, and eyes that look elsewhere.

The skin around the eye is part of the head's flow: its lid margins already stand where the performance wants
them. Here the opening between them shows the eyeball, which keeps its place in the head instead of being
squeezed with the lids.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.layers import Opening, opening
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.geometry.affine import fit_affine
from lp_core.geometry.facemesh import EYES, EyeIndices

FEATHER = 0.012
"""Softness of the lid's edge in eye widths."""
CLOSED = 0.03
"""Below this opening (over the source's own) no eyeball is drawn at all."""

PUSH_UP, PUSH_DOWN = 0.07, 0.09
"""How far outside the landmarks the skin of the upper and lower lid begins, in eye widths: landmarks lie on
the eyeball's side of the lashes and of the wet rim, which must not travel over the eye with a closing lid."""
LASH_WIDTH = 0.035
"""Thickness of the line of lashes on a closed eye, in eye widths."""
LASH_STRENGTH = 0.75

Map = NDArray[np.float32]


def taken_points(portrait: MeshPortrait, lids: tuple[float, float]) -> NDArray[np.float64]:
    """(478, 2) where in the source a landmark's skin is taken from: lid margins a little outside the eye."""
    taken = portrait.points[:, :2].copy()
    for eye, lid in zip(EYES, lids, strict=True):
        closing = max(1 - lid, 0.0)
        if closing == 0:
            continue
        along, across = _eye_axes(portrait, eye)
        width_px = _eye_width(portrait, eye)
        for line, push in ((eye.upper, -PUSH_UP), (eye.lower, PUSH_DOWN)):
            place = (portrait.points[line, :2] - portrait.points[line[0], :2]) @ along / width_px
            taper = np.sin(np.pi * np.clip(place, 0, 1)) ** 0.35
            taken[line[1:-1]] += (push * width_px * closing * taper[:, None] * across)[1:-1]
    return taken


def lash_layer(
    portrait: MeshPortrait, eye: EyeIndices, points: NDArray[np.float64], lid: float
) -> tuple[Opening, NDArray[np.float64]] | None:
    """The line of lashes where closing lids meet: where to draw, and its colour (3,) in source codes."""
    strength = LASH_STRENGTH * float(np.clip(1 - lid / 0.5, 0, 1)) ** 2
    if strength <= 0:
        return None
    width_px = _eye_width(portrait, eye)
    line = (points[eye.upper, :2] + points[eye.lower, :2]) / 2
    _, across = _eye_axes(portrait, eye)
    thick = np.sin(np.pi * np.linspace(0.06, 0.94, len(line)))[:, None] * across * LASH_WIDTH * width_px / 2
    where = opening(np.concatenate([line - thick, (line + thick)[::-1]]), portrait.size, FEATHER * width_px)
    if where is None:
        return None
    pixels = portrait.source.pixels
    at = np.rint(portrait.points[eye.upper, :2]).astype(int).clip(0, np.array(portrait.size) - 1)
    around = np.nan_to_num(pixels[at[:, 1], at[:, 0], :3].astype(np.float64), posinf=0.0, neginf=0.0)
    dark = around[np.argsort(around.sum(axis=1))[:3]].mean(axis=0)
    return replace(where, alpha=where.alpha * np.float32(strength)), dark


def _eye_width(portrait: MeshPortrait, eye: EyeIndices) -> float:
    corners = portrait.points[[eye.upper[0], eye.upper[-1]], :2]
    return float(np.linalg.norm(corners[1] - corners[0])) + 1e-6


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
    width_px = _eye_width(portrait, eye)
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
    along, across = _eye_axes(portrait, eye)
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


def _eye_axes(portrait: MeshPortrait, eye: EyeIndices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors along and across the eye in the source, in pixels; across points down the face."""
    axis = portrait.points[eye.upper[-1], :2] - portrait.points[eye.upper[0], :2]
    along = axis / max(float(np.linalg.norm(axis)), 1e-6)
    return along, np.array([-along[1], along[0]])
