"""The inside of the mouth, which the photo does not show: borrowed from the driving image, or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import DrivingPicture
from lp_core.engines.mesh import topology
from lp_core.engines.mesh.layers import Opening, opening
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.engines.mesh.tone import LUMA, FaceTone, face_tone, grained, toned
from lp_core.frame import Frame
from lp_core.geometry.facemesh import (
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
)
from lp_core.geometry.triangles import rasterize
from lp_core.geometry.warp import sample

FEATHER = 0.012
"""Softness of the lip's edge in mouth widths."""
OVERHANG = 1.25
"""The borrowed piece is this much larger than the opening: its own soft edge shows lips, not a border."""
SHOWN_PX = 0.5
"""An opening of less than this is not worth drawing; it fades in up to twice that."""
STRETCH = 1.15
"""A view of a mouth is stretched by no more than this."""
SOFT = 0.12
"""Softness of its lower end, in its own openings."""
CAVITY = np.array([46.0, 16.0, 18.0])
TONGUE = np.array([150.0, 72.0, 72.0])
TEETH = np.array([226.0, 218.0, 204.0])
"""Colors of the drawn mouth, 8-bit sRGB, for skin of SKIN_LIGHT."""
SKIN_LIGHT = 185.0
LINE, CLOSED_GAP = 0.22, 0.06
"""Half of the dark line between closed lips over their thickness; the gap, in mouth widths, from which it is gone."""
CORNER = (0.012, 0.05)
"""Gap between the lips, in mouth widths, over which the inside comes: nothing of it shows in the corners."""
UPPER_TEETH, LOWER_TEETH = 0.13, 0.055
"""How far they show below and above a lip at rest, mouth widths."""
LIFT = (-0.1, 0.12)
"""Limits of what the upper lip shows more of the teeth when it rises over them, mouth widths."""
BRIDGE, NOSE_BASE, UPPER_LIP, EYE_RIGHT, EYE_LEFT = 168, 2, 13, 33, 263
"""Landmarks: two of the skull, the middle of the upper lip's inner edge, and the outer corners of the eyes."""
COVERED, SHADED, NARROWED = 0.45, 0.5, 0.25
"""Height and light that teeth lose behind lips that have come forward, and the part of its width that such a mouth has
lost."""
COLORED = 0.05
"""Spread of a face's colors from which the drawn mouth has its full color."""

_CONTOUR = np.concatenate([LIPS_INNER_UPPER, LIPS_INNER_LOWER[-2:0:-1]])
_TRIANGLES = topology.mouth_triangles()


def mouth_opening(
    portrait: MeshPortrait, points: NDArray[np.float64], replaces: bool = False
) -> Opening | None:
    """Where the target's mouth shows more inside than the photo has; None when it does not.

    Args:
        portrait: the source.
        points: (478, 3) target landmarks in pixels of the source.
        replaces: True: whatever the source shows of its mouth is replaced.
    """
    more = _shown(portrait, points, replaces)
    if more <= 0:
        return None
    width_px = _width(points)
    where = opening(points[_CONTOUR, :2], portrait.size, FEATHER * width_px)
    if where is None:
        return None
    if replaces:
        return replace(where, alpha=where.alpha * np.float32(more))
    # Towards the corners the opening is thinner than its own soft edge: there it would be a dark smudge.
    x, y = where.grid()
    line = (points[LIPS_INNER_UPPER, :2] + points[LIPS_INNER_LOWER, :2]) / 2
    axis = (line[-1] - line[0]) / width_px
    u = (x - line[0, 0]) * axis[0] + (y - line[0, 1]) * axis[1]
    gaps = np.linalg.norm(points[LIPS_INNER_LOWER, :2] - points[LIPS_INNER_UPPER, :2], axis=1)
    gap = np.interp(u.ravel(), np.maximum.accumulate((line - line[0]) @ axis), gaps).reshape(u.shape)
    wide = _step(gap / width_px, *CORNER)
    return replace(where, alpha=(where.alpha * more * wide).astype(np.float32))


def parted_lips(portrait: MeshPortrait, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(478, 2) by how much further out the edge of opening lips is taken from the source, pixels.

    Between closed lips there is a dark line. It must not outline both lips when they part.
    """
    moved = np.zeros((len(portrait.points), 2))
    share = _shown(portrait, points) * np.clip(
        1 - _gap(portrait.points) / _width(portrait.points) / CLOSED_GAP, 0, 1
    )
    if share > 0:
        for inner, outer in ((LIPS_INNER_UPPER, LIPS_OUTER_UPPER), (LIPS_INNER_LOWER, LIPS_OUTER_LOWER)):
            taper = np.sin(np.pi * np.linspace(0, 1, len(inner)))[1:-1, None] ** 0.5
            thick = (portrait.points[outer, :2] - portrait.points[inner, :2])[1:-1]
            moved[inner[1:-1]] = LINE * share * taper * thick
    return moved


def _shown(portrait: MeshPortrait, points: NDArray[np.float64], replaces: bool = False) -> float:
    """0..1 how much of the inside is drawn: none where the photo has as much, unless it is replaced."""
    own, wanted = _gap(portrait.points), _gap(points)
    more = float(np.clip(wanted / SHOWN_PX - 1, 0.0, 1.0))
    return more if replaces else more * float(np.clip((wanted / max(own, 1e-6) - 1.1) / 0.5, 0.0, 1.0))


def _gap(points: NDArray[np.float64]) -> float:
    """Mean inner lip gap in pixels over the middle of the mouth."""
    return float((points[LIPS_INNER_LOWER[2:-2], 1] - points[LIPS_INNER_UPPER[2:-2], 1]).clip(0).mean())


def borrowed(
    where: Opening,
    points: NDArray[np.float64],
    driving: DrivingPicture,
    tone: FaceTone,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The driver's own mouth fitted into the opening, in the light, cast and saturation of the portrait.

    Args:
        where: the opening in the portrait.
        points: (478, 3) target landmarks in pixels of the portrait.
        driving: the driving image and its landmarks.
        tone: color of the portrait's face.

    Returns:
        (h, w, 3) float32, 8-bit codes, and (h, w) where the driver's mouth gives any.
    """
    if driving.pixels is None:
        raise ValueError("a stored motion has no image to borrow a mouth from")
    shown = _overhang(points) - (where.left, where.top)
    taken = _overhang(driving.landmarks_frame.astype(np.float64))
    height, width = where.alpha.shape
    map_x, map_y, covered = rasterize(shown[_TRIANGLES], taken[_TRIANGLES], width, height)
    content = sample(driving.pixels, map_x, map_y)
    other = face_tone(Frame(driving.pixels, 0, Fraction(0)), driving.landmarks_frame)
    scale = _width(points) / _width(driving.landmarks_frame.astype(np.float64))
    fitted = toned(content.astype(np.float32), tone, other)
    return grained(fitted, (where.left, where.top), tone, other, scale), covered


def seen(
    where: Opening,
    points: NDArray[np.float64],
    views: Sequence[tuple[DrivingPicture, float]],
    tone: FaceTone,
    rest: NDArray[np.float64],
) -> NDArray[np.float32]:
    """The source's own open mouth, from several views with weights that add up to 1.

    Teeth do not stretch: where the mouth is wider open than the views, they hang from the upper lip and the rest is
    drawn.

    Returns:
        (h, w, 3) float32, 8-bit codes.
    """
    content = drawn(where, points, tone, rest)
    wanted, widest = _gap(points), max(_share(view) for view, _ in views) * _width(points)
    inner = points.copy()
    if wanted > STRETCH * widest:
        part = STRETCH * widest / wanted
        inner[LIPS_INNER_LOWER] = inner[LIPS_INNER_UPPER] + part * (
            points[LIPS_INNER_LOWER] - inner[LIPS_INNER_UPPER]
        )
    parts = [(*borrowed(where, inner, view, tone), np.float32(weight)) for view, weight in views]
    covered = np.logical_and.reduce([inside for _, inside, _ in parts]).astype(np.float32)
    if wanted > STRETCH * widest:
        covered *= cv2.GaussianBlur(covered, (0, 0), max(SOFT * widest, 0.5))
    shown = np.asarray(sum(weight * part for part, _, weight in parts), np.float32)
    return np.asarray(content + covered[..., None] * (shown - content), np.float32)


def _share(view: DrivingPicture) -> float:
    """How far the mouth of a view is open, in mouth widths."""
    points = view.landmarks_frame.astype(np.float64)
    return _gap(points) / _width(points)


def _width(points: NDArray[np.float64]) -> float:
    """Distance of the inner mouth corners in pixels; above 0."""
    return max(
        float(np.linalg.norm(points[LIPS_INNER_UPPER[0], :2] - points[LIPS_INNER_UPPER[-1], :2])), 1e-6
    )


def _overhang(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(478, 2) points with the inner lip contour pushed outwards onto the lips."""
    flat = points[:, :2].copy()
    middle = (flat[LIPS_INNER_UPPER] + flat[LIPS_INNER_LOWER]) / 2
    width = np.linalg.norm(flat[LIPS_INNER_UPPER[0]] - flat[LIPS_INNER_UPPER[-1]])
    for contour in (LIPS_INNER_UPPER, LIPS_INNER_LOWER):
        out = (flat[contour] - middle) * OVERHANG
        side = np.array([0.0, -1.0 if contour is LIPS_INNER_UPPER else 1.0]) * 0.04 * width
        flat[contour] = middle + out + side
    return flat


def drawn(
    where: Opening,
    points: NDArray[np.float64],
    tone: FaceTone,
    rest: NDArray[np.float64],
    has_teeth: bool = True,
) -> NDArray[np.float32]:
    """A mouth cavity with teeth and tongue, shaded to the portrait's light.

    Upper teeth keep to the skull, so a lip that rises over them shows more of them. Lower teeth go with the lower
    lip, which is the jaw's best witness: the landmarks of the chin follow an open mouth too little. Neither stretches
    as the mouth opens.

    Args:
        where: the opening in the portrait.
        points: (478, 3) target landmarks in pixels of the portrait.
        tone: color of the portrait's face.
        rest: (478, 3) the portrait's own landmarks.
        has_teeth: False: the cavity is plain, for an animal or a drawing has no human teeth.

    Returns:
        (h, w, 3) float32, 8-bit codes.
    """
    x, y = where.grid()
    first, last = points[LIPS_INNER_UPPER[0], :2], points[LIPS_INNER_UPPER[-1], :2]
    axis = last - first
    width_px = float(np.linalg.norm(axis)) + 1e-6
    along = axis / width_px
    across = np.array([-along[1], along[0]])
    u = ((x - first[0]) * along[0] + (y - first[1]) * along[1]) / width_px
    v = ((x - first[0]) * across[0] + (y - first[1]) * across[1]) / width_px
    upper, lower = (
        _contour_height(points[line, :2], first, along, across, width_px, u)
        for line in (LIPS_INNER_UPPER, LIPS_INNER_LOWER)
    )
    arch = np.clip(1 - ((u - 0.5) / 0.42) ** 2, 0, 1)
    forward = _protruded(points, rest)
    above = _upper_teeth(points, rest) * (1 - COVERED * forward)
    depth = np.minimum(v - upper, lower - v)
    color = CAVITY * (0.6 + 0.4 * _step(depth, 0.0, 0.12)[..., None])
    tongue = _step(v, lower - np.maximum(0.16 * arch, 0.06), lower - 0.05) * _step(arch, 0.1, 0.7)
    color = color + tongue[..., None] * (TONGUE - color)
    gaps = 0.9 + 0.1 * np.abs(np.sin((u - 0.5) * np.pi / 0.115)) ** 0.25
    top = _step(upper + above * arch**0.5 - v, -0.01, 0.012) * _step(arch, 0.0, 0.25)
    bottom = _step(v - lower + LOWER_TEETH * arch**0.5, -0.01, 0.012) * _step(arch, 0.1, 0.4) * 0.75
    shade = gaps * (1 - SHADED * forward) * (0.72 + 0.28 * arch) * (0.75 + 0.25 * _step(v - upper, 0.0, 0.06))
    for teeth in (bottom, top) if has_teeth else ():
        color = color + teeth[..., None] * (TEETH * shade[..., None] - color)
    light = np.clip(tone.skin / SKIN_LIGHT, 0.35, 1.1)
    lit = (color * (0.35 * light.mean() + 0.65 * light)).clip(0, 255)
    lit = tone.black + (1 - tone.black / 255) * lit
    colored = min(tone.spread / COLORED, 1.0)
    own = (lit @ LUMA)[..., None]
    return np.asarray(own * (1 + tone.cast) * (1 - colored) + lit * colored, np.float32)


def _upper_teeth(points: NDArray[np.float64], rest: NDArray[np.float64]) -> float:
    """How far the upper teeth show, mouth widths: by how far the lip has moved over the skull.

    Distances are compared in lengths of the nose, which a nod shortens alike.
    """
    now, before = (
        float(np.linalg.norm(face[UPPER_LIP, :2] - face[BRIDGE, :2])) / _nose(face) for face in (points, rest)
    )
    return UPPER_TEETH + float(np.clip((before - now) * _nose(points) / _width(points), *LIFT))


def _protruded(points: NDArray[np.float64], rest: NDArray[np.float64]) -> float:
    """0..1 how far lips have come forward, as those do that narrow.

    Widths are compared in distances of the eyes, which a turn shortens alike.
    """
    now, before = (
        _width(face) / max(float(np.linalg.norm(face[EYE_RIGHT, :2] - face[EYE_LEFT, :2])), 1e-6)
        for face in (points, rest)
    )
    return float(np.clip((1 - now / max(before, 1e-6)) / NARROWED, 0, 1))


def _nose(points: NDArray[np.float64]) -> float:
    """Length of the nose in pixels; above 0."""
    return max(float(np.linalg.norm(points[NOSE_BASE, :2] - points[BRIDGE, :2])), 1e-6)


def _contour_height(
    line: NDArray[np.float64],
    first: NDArray[np.float64],
    along: NDArray[np.float64],
    across: NDArray[np.float64],
    width_px: float,
    u: NDArray[Any],
) -> NDArray[np.float64]:
    """Height of a lip line over the mouth's axis at every u, in mouth widths."""
    line_u, line_v = (line - first) @ along / width_px, (line - first) @ across / width_px
    heights: NDArray[np.float64] = np.interp(u.ravel(), np.maximum.accumulate(line_u), line_v)
    return heights.reshape(u.shape)


def _step(value: NDArray[Any], low: NDArray[Any] | float, high: NDArray[Any] | float) -> NDArray[Any]:
    t = np.clip((value - low) / (np.asarray(high) - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
