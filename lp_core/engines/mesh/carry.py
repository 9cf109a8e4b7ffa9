"""The performer's dense motion, carried over to a portrait.

With S the similarity from portrait to driving image, a place x of the result shows what the driving image shows at
S(x); F(S(x)) leads from there to the reference, and S's inverse back to the portrait: x is taken from
x + L^-1 F(S(x)), L the linear part of S. For a twin of the performer this is exact. On another head the outlines
differ, so the more the faces differ, the smoother the field is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.geometry.affine import fit_affine, fit_similarity
from lp_core.geometry.dense_field import DenseField
from lp_core.geometry.facemesh import (
    EYES,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    OVAL,
)
from lp_core.geometry.gentle import STEEPEST, gentle
from lp_core.motion.landmarks.motion import landmarks_from_motion
from lp_core.motion.landmarks.transfer import seen_rotation
from lp_core.motion.sequence import MotionFrame

SMOOTH = 0.4
"""Softness of the field for a twin, in its cells."""
SMOOTHER = 1.5
"""How much softer it gets, over the distance by which the outlines of both faces differ."""
STILL_CELLS = 0.03
"""Motion below this, in cells, is the search's own noise; it counts in full from twice as much."""
BORDER, WIDEST_BORDER = 0.03, 0.5
"""Over which the field dies away towards the border of the driving image, in its widths; the wider, the further it
points along that axis: what ends too early tears the other person's collar."""
OTHERS = 0.009, 0.012
"""How far outlines of the same and of different people are apart, over the size of the face: 0.0015 to 0.008 between
images of one person that are turned and scaled, 0.012 and more between people."""
LOST = (0.1, 0.25)
"""How far the field misses the landmarks, in radii of the face, from which it counts less, and counts for nothing."""
LOST_PERCENTILE = 85.0
"""Of the landmarks' distances: a search that lost a part of the face is not to be believed around it either."""
FARTHEST = 0.3
"""Correction of a landmark beyond which the field is not believed there, in radii of the face."""

F64 = NDArray[np.float64]
Map = NDArray[np.float32]
Planes = tuple[Map, Map]
"""(h, w) each: flow along x and along y. Most steps are far quicker on two planes than on pairs of numbers."""


@dataclass(frozen=True)
class Carried:
    """Dense motion in the portrait's own pixels."""

    field: Map
    """(h, w, 3) over the driving image's cells: flow x and y in pixels of the portrait, and trust 0..1."""
    cells_from_frame: F64
    """(2, 3) pixels of the result -> cells."""
    border: tuple[float, float]
    """Over which the field dies away towards the borders of the driving image along x and y, in its widths."""
    rigid: F64
    """(2, 3) pixels of the result -> displacement that the performer's head alone makes, pixels."""
    nudged: F64
    """(478, 2) by how much the field corrects where each landmark is taken from, pixels of the portrait."""

    def at(self, x: Map, y: Map) -> tuple[Planes, Map]:
        """Flow and (h, w) trust at (1, w) columns and (h, 1) rows of the result."""
        a = self.cells_from_frame.astype(np.float32)
        cells_x = a[0, 0] * x + a[0, 1] * y + a[0, 2]
        cells_y = a[1, 0] * x + a[1, 1] * y + a[1, 2]
        found = cv2.remap(self.field, cells_x, cells_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        flow_x, flow_y, trust = (np.asarray(plane, np.float32) for plane in cv2.split(found))
        height, width = self.field.shape[:2]
        near_x, near_y = (
            np.minimum(cells, size - 1 - cells) / np.float32(border * width)
            for cells, size, border in zip((cells_x, cells_y), (width, height), self.border, strict=True)
        )
        near = np.clip(np.minimum(near_x, near_y), 0, 1)
        trust *= near * near * (3 - 2 * near)
        return (flow_x, flow_y), trust


@dataclass(frozen=True)
class Performer:
    """The performer's landmarks, (478, 2) each, pixels of the driving image."""

    seen: F64
    """In the frame."""
    neutral: F64
    """In the reference frame."""
    posed: F64
    """Those of the reference frame under the pose of the frame."""

    @classmethod
    def of(cls, motion: MotionFrame, reference: MotionFrame, size: tuple[int, int]) -> Performer:
        """The landmarks of a frame of a performance in an image of a size."""
        rotation = seen_rotation(motion, reference).astype(np.float32)
        posed = replace(motion, rotation=rotation, expression=reference.expression)
        seen, neutral, rigid = (
            landmarks_from_motion(one, *size)[:, :2].astype(np.float64) for one in (motion, reference, posed)
        )
        return cls(seen, neutral, rigid)


def carry(
    portrait: MeshPortrait, dense: DenseField, rigid_points: F64, performer: Performer, strength: float
) -> Carried:
    """Lays a performer's dense motion onto a portrait.

    Args:
        portrait: the prepared source.
        dense: the motion.
        rigid_points: (478, 3) target landmarks under the pose alone, pixels of the portrait.
        performer: the performer's landmarks.
        strength: multiplies the motion.
    """
    seen, neutral, posed = performer.seen, performer.neutral, performer.posed
    still = fit_similarity(portrait.points[OVAL, :2], neutral[OVAL])
    now = fit_similarity(rigid_points[OVAL, :2], posed[OVAL])
    back = np.asarray(np.linalg.inv(still[:, :2]), np.float64)
    apart = np.linalg.norm(
        portrait.points[OVAL, :2] @ still[:, :2].T + still[:, 2] - neutral[OVAL], axis=1
    ).mean()
    sigma = SMOOTH + SMOOTHER * apart * dense.scale
    size = float(np.sqrt(np.prod(np.ptp(neutral[OVAL], axis=0))))
    other = float(np.interp(apart / max(size, 1e-6), OTHERS, (0.0, 1.0)))
    flow, trust = _smooth(dense, sigma, other)
    trust = trust * np.float32(agreement(dense, performer))
    field = _turned(flow, trust, strength * back / dense.scale)
    wide = 1.5 / STEEPEST * np.abs(flow).max(axis=(0, 1)) / field.shape[1]
    border = BORDER + other * (np.clip(wide, BORDER, WIDEST_BORDER) - BORDER)
    head = fit_affine(posed[OVAL], (neutral - posed)[OVAL])
    cells = now * dense.scale
    cells[:, 2] += (dense.scale - 1) / 2
    # Between people landmarks are the better witness inside a face: what corrects one is wrong on the other.
    nudged = (1 - other) * _nudged(portrait, dense, field, seen, neutral, strength * back)
    rigid = (
        strength * back @ np.column_stack([head[:, :2] @ now[:, :2], head[:, :2] @ now[:, 2] + head[:, 2]])
    )
    return Carried(field, cells, (float(border[0]), float(border[1])), rigid, nudged)


def agreement(dense: DenseField, performer: Performer) -> float:
    """1 where a performer's dense motion takes the landmarks where they were in the reference, 0 where it is lost."""
    found = _at_points(dense.flow, performer.seen, dense.scale)
    radius = float(
        np.linalg.norm(performer.neutral[OVAL] - performer.neutral[OVAL].mean(axis=0), axis=1).max()
    )
    missed = np.linalg.norm(performer.seen + found - performer.neutral, axis=1)[_BELIEVED > 0]
    far = float(np.percentile(missed, LOST_PERCENTILE)) / max(radius, 1e-6)
    return float(np.interp(far, LOST, (1.0, 0.0)))


def _at_points(field: Map, points: F64, scale: float) -> Map:
    """(N, C) an (h, w, C) field at (N, 2) points in pixels."""
    at = ((points + 0.5) * scale - 0.5).astype(np.float32)
    found = cv2.remap(
        field, at[:, 0].copy(), at[:, 1].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(found, np.float32).reshape(len(points), -1)


def _smooth(dense: DenseField, sigma: float, other: float) -> tuple[Map, Map]:
    """(h, w, 2) flow in cells, and (h, w) trust; gaps are filled from around them, and noise is cut.

    Args:
        dense: the motion.
        sigma: softness in cells.
        other: 0 for the performer's own portrait, 1 for another person, whose outlines are elsewhere.
    """
    weight = np.maximum(dense.trust, np.float32(1e-3))
    weighted = dense.flow * (weight * np.float32(dense.scale))[..., None]
    known = cv2.GaussianBlur(weight, (0, 0), sigma)
    flow = cv2.GaussianBlur(weighted, (0, 0), sigma) / known[..., None]
    if other > 0:
        flow = flow + np.float32(other) * (gentle(flow, weight) - flow)
    moved = np.clip(cv2.magnitude(flow[..., 0], flow[..., 1]) / np.float32(STILL_CELLS) - 1, 0, 1)
    return flow * moved[..., None], np.minimum(2 * known, 1)


def _turned(flow: Map, trust: Map, to: F64) -> Map:
    """(h, w, 3) the flow under a (2, 2) linear map, and trust."""
    m, (x, y) = to.astype(np.float32), (flow[..., 0], flow[..., 1])
    return np.asarray(cv2.merge([m[0, 0] * x + m[0, 1] * y, m[1, 0] * x + m[1, 1] * y, trust]), np.float32)


def _nudged(portrait: MeshPortrait, dense: DenseField, field: Map, seen: F64, neutral: F64, back: F64) -> F64:
    found = _at_points(field, seen, dense.scale)
    missed = (seen - neutral) @ back.T + found[:, :2]
    far = np.linalg.norm(missed, axis=1) / (FARTHEST * portrait.radius_px)
    weight = found[:, 2] * np.clip(2 - 2 * far, 0, 1) * _BELIEVED
    return np.asarray(missed * weight[:, None], np.float64)


def _believed() -> F64:
    """(478,) 1 where the field knows better than landmarks, 0 at lids, irises and lips."""
    believed = np.ones(478)
    for eye in EYES:
        for line in (eye.upper, eye.lower, eye.iris):
            believed[line] = 0
    for line in (LIPS_INNER_UPPER, LIPS_INNER_LOWER, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER):
        believed[line] = 0
    return believed


_BELIEVED = _believed()
