"""Target landmarks -> dense inverse flow over face, hair and neck, fading to zero before the background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh import topology
from lp_core.engines.mesh.carry import Carried, Planes
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.engines.mesh.unseen import Outline
from lp_core.geometry.affine import fit_affine
from lp_core.geometry.facemesh import OVAL
from lp_core.geometry.mouth_region import MouthRegion
from lp_core.geometry.triangles import rasterize
from lp_core.geometry.warp import enlarge, enlarge_part

HOLD_UP, HOLD_SIDE, HOLD_DOWN = 1.45, 1.15, 1.0
"""Within this many radii the surroundings of the face move with it as one piece."""
FADE_RANGE = (0.5, 3.2)
"""Radii over which that dies away to exactly nothing: the less the head moves, the shorter."""
STEEPEST = 0.6
"""Largest slope of the fading flow; at 1 the image would fold."""
CARRY_HOLD, CARRY_REACH = 0.7, 1.4
"""Dense motion is whole up to so many radii beyond the hold, and dies away up to at least so many."""
EXPRESSION_REACH, CARRIED_EXPRESSION_REACH = 1.7, 1.15
"""Radii over which the outline's own change of shape (a falling jaw) dies away; dense motion knows it already, so that
with it the change dies away over less, and over as much as STEEPEST asks for."""
EDGE_FADE = 0.4
"""Radii of the face over which the flow dies away towards an image edge."""
EDGE_BEND = 12
"""With dense motion, how abruptly flow that points beyond an edge of the image ends at what the edge itself shows."""
SEAM, SEAM_MARGIN = 1.8, 8
"""Softness of the face's outline, and the room it takes, in cells of the flow's grid."""
DEPTH, DEPTH_WITHIN = 0.4, 0.8
"""Ears and hair are so many radii of the face behind its outline, from so many radii beyond it on."""
COARSE = 2
"""The surroundings are computed on a grid this many times coarser than the face's."""
ANGLES = 256

Map = NDArray[np.float32]


@dataclass(frozen=True)
class HeadFlow:
    """Where each pixel of the touched region is taken from."""

    region: tuple[int, int, int, int]
    """Half-open box (left, top, right, bottom) in pixels of the source."""
    flow: Map
    """(h, w, 2) pixels of the source: taken from (x, y) + flow."""
    matte: Map
    """(h, w) 0..1: 0 where flow is exactly 0 and nothing is touched."""


class HeadMesh:
    """The triangle tables, made once an engine."""

    def __init__(self) -> None:
        holes = np.concatenate([topology.eye_triangles(), topology.mouth_triangles()])
        self.triangles = np.concatenate([holes, topology.skin_triangles()])
        """(T, 3) the closed holes first: skin is always drawn over them."""
        self.holes = len(holes)


@dataclass(frozen=True)
class _Grid:
    """The grid of the flow: cell (i, j) is at ``corner + (i + 0.5, j + 0.5) / scale - 0.5``."""

    region: tuple[int, int, int, int]
    size: tuple[int, int]
    scale: float
    corner: NDArray[np.float64]


def head_flow(
    mesh: HeadMesh,
    portrait: MeshPortrait,
    taken: NDArray[np.float64],
    points: NDArray[np.float64],
    rigid_points: NDArray[np.float64],
    carried: Carried | None = None,
    outline: Outline | None = None,
) -> HeadFlow:
    """Inverse flow of the whole head.

    Args:
        mesh: the triangle tables.
        portrait: the prepared source.
        taken: (478, 2) where in the source each landmark's skin is taken from.
        points: (478, 3) target landmarks in pixels of the source, camera axes.
        rigid_points: (478, 3) the same under the pose alone.
        carried: the performer's dense motion; None: the surroundings follow the head alone.
        outline: where the face ends; None: at the points of OVAL.

    Convention:
        Pixels (x, y), origin top-left of the source, integer = pixel center; the result covers its own
        ``region``.
    """
    middle = points[OVAL, :2].mean(axis=0)
    back = fit_affine(rigid_points[OVAL, :2], (portrait.points - rigid_points)[OVAL, :2])
    base = _Base(
        portrait, back, _behind(portrait, rigid_points), _fade_radii(portrait, rigid_points), carried
    )
    outline = outline or Outline(points[OVAL, :2], taken[OVAL])
    table = _outline_table(portrait, outline, middle, base)
    grid = _grid(portrait, middle, table, base.reach)
    flow, fall = _surroundings(middle, table, base, grid)
    _face(mesh, taken, points, flow, fall, grid)
    corner = (float(grid.corner[0]), float(grid.corner[1]))
    x, y, matte = (enlarge_part(plane, grid.scale, corner, grid.region) for plane in (*flow, fall))
    matte *= np.float32(4)
    np.minimum(matte, np.float32(1), out=matte)
    return HeadFlow(grid.region, np.asarray(cv2.merge([x, y]), np.float32), matte)


def confined(head: HeadFlow, where: MouthRegion) -> HeadFlow:
    """The flow inside a region; exactly nothing outside, and smooth between."""
    left, top, _, _ = head.region
    weight = where.weight(head.region)
    rows, columns = np.flatnonzero(weight.any(axis=1)), np.flatnonzero(weight.any(axis=0))
    if not len(rows):
        return replace(head, flow=np.zeros_like(head.flow), matte=np.zeros_like(head.matte))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    box = (left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1)
    weight = np.ascontiguousarray(weight[part])
    flow = np.ascontiguousarray(head.flow[part]) * weight[..., None]
    return HeadFlow(
        box, flow, np.minimum(head.matte[part], np.minimum(weight * np.float32(4), np.float32(1)))
    )


def _behind(portrait: MeshPortrait, rigid_points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,) by how much further from its place a point is taken, pixels, that is DEPTH radii behind the outline.

    What is behind the face moves against it when the head turns: so a side of the head appears or goes.
    """
    axis = portrait.face.rotation[:, 2].astype(np.float64)
    moved = portrait.affine_solver @ rigid_points
    away = axis * DEPTH * portrait.radius_px
    return np.asarray((away - away @ moved[:3])[:2])


def _fade_radii(portrait: MeshPortrait, rigid_points: NDArray[np.float64]) -> float:
    """Radii over which the head's motion must die away for the slope to stay below STEEPEST."""
    moved = np.linalg.norm((rigid_points - portrait.points)[OVAL, :2], axis=1).max()
    return float(np.clip(1.875 / STEEPEST * moved / portrait.radius_px, *FADE_RANGE))


def _grid(portrait: MeshPortrait, middle: NDArray[np.float64], table: Map, fade: float) -> _Grid:
    angle = np.arange(ANGLES + 1) * (2 * np.pi / ANGLES)
    reach = (table[:, 0] * (table[:, 3] + fade))[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    margin = (COARSE + 1) / portrait.grid_scale
    low = np.clip(np.floor(middle + reach.min(axis=0) - margin).astype(int), 0, np.array(portrait.size) - 2)
    high = np.clip(np.ceil(middle + reach.max(axis=0) + margin).astype(int) + 1, low + 2, portrait.size)
    # Cells are at the same places at any resolution of the plate, so that the flow is the same at all of them.
    first = np.floor(low * portrait.grid_scale / COARSE).astype(int)
    cells = np.maximum(np.ceil(high * portrait.grid_scale / COARSE).astype(int) - first, 2) * COARSE
    return _Grid(
        region=(int(low[0]), int(low[1]), int(high[0]), int(high[1])),
        size=(int(cells[0]), int(cells[1])),
        scale=portrait.grid_scale,
        corner=first * COARSE / portrait.grid_scale,
    )


def _face(
    mesh: HeadMesh,
    taken: NDArray[np.float64],
    points: NDArray[np.float64],
    flow: Planes,
    fall: Map,
    grid: _Grid,
) -> None:
    """Draws the face's triangles into flow and fall (both on the grid), in place."""
    shown = (points[:, :2] - grid.corner + 0.5) * grid.scale - 0.5
    low = np.maximum(np.floor(shown.min(axis=0)).astype(int) - SEAM_MARGIN, 0)
    high = np.minimum(np.ceil(shown.max(axis=0)).astype(int) + SEAM_MARGIN + 1, grid.size)
    if (high <= low).any():
        return
    depth = -points[mesh.triangles, 2].sum(axis=1)
    depth[: mesh.holes] -= depth.max() - depth.min() + 1
    triangles = mesh.triangles[np.argsort(depth, kind="stable")]
    corners = shown[triangles] - low
    moved = (taken - points[:, :2])[triangles]
    *maps, covered = rasterize(corners, moved, int(high[0] - low[0]), int(high[1] - low[1]))
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    here = flow[0][part], flow[1][part]
    for plane, drawn in zip(here, maps, strict=True):
        cv2.copyTo(drawn, covered.view(np.uint8), plane)
    np.maximum(fall[part], covered, out=fall[part])
    _soften_seam(here, fall[part], covered)


def _soften_seam(flow: Planes, fall: Map, covered: NDArray[np.bool_]) -> None:
    """Lets the flow change over a few pixels along the face's outline, in place.

    Where a turning cheek comes to lie over hair the flow jumps; without this the edge would be a staircase.
    """
    inside = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), SEAM)
    band = 4 * inside * (1 - inside) * (fall > 0)
    for plane in flow:
        smooth = cv2.GaussianBlur(plane, (0, 0), SEAM, borderType=cv2.BORDER_REPLICATE)
        smooth -= plane
        smooth *= band
        plane += smooth


@dataclass(frozen=True)
class _Base:
    """What moves the surroundings of the face, before the outline's own change of shape."""

    portrait: MeshPortrait
    back: NDArray[np.float64]
    """(2, 3) pixels of the result -> displacement that the head's rigid motion makes."""
    behind: NDArray[np.float64]
    """(2,) what is added to it behind the face, pixels."""
    fade: float
    """Radii over which that dies away."""
    carried: Carried | None

    @property
    def reach(self) -> float:
        """Radii beyond the hold over which everything dies away."""
        return self.fade if self.carried is None else max(self.fade + CARRY_HOLD, CARRY_REACH)

    def expression_reach(self, residual: list[Map], length: Map) -> Map | np.float32:
        """Radii over which the outline's own change of shape, ``residual`` pixels along x and y, dies away.

        Args:
            residual: (h, w) each.
            length: (h, w) radius of the outline in that direction, pixels.
        """
        if self.carried is None:
            return np.float32(EXPRESSION_REACH)
        gentle = np.float32(1.875 / STEEPEST) * cv2.magnitude(*residual) / length
        reach = np.clip(1 + gentle, CARRIED_EXPRESSION_REACH, EXPRESSION_REACH)
        return np.asarray(reach, np.float32)

    def at(self, x: Map, y: Map, rho: Map, hold: Map) -> tuple[Planes, Map]:
        """Flow and (h, w) fall at (1, w) columns and (h, 1) rows, ``rho`` radii from the middle."""
        # The neck is not behind the face; it is below, where the hold ends with the outline.
        depth = (1 - _fade(rho, np.float32(1), np.float32(1 + DEPTH_WITHIN))) * np.clip(
            (hold - np.float32(HOLD_DOWN)) / np.float32(HOLD_SIDE - HOLD_DOWN), 0, 1
        )
        fall = _fade(rho, hold, hold + np.float32(self.fade))
        flow, behind = _affine(self.back, x, y), self.behind.astype(np.float32)
        if self.carried is None:
            fall *= _edge_fade(self.portrait, x, y, np.float32(EDGE_FADE * self.portrait.radius_px))
            for plane, shift in zip(flow, behind, strict=True):
                plane += depth * shift
                plane *= fall
            return flow, fall
        dense, trust = self.carried.at(x, y)
        weight = trust * _fade(rho, hold + np.float32(CARRY_HOLD), hold + np.float32(self.reach))
        depth *= 1 - trust
        rigid = _affine(self.carried.rigid, x, y)
        for plane, shift, head, own in zip(flow, behind, rigid, dense, strict=True):
            plane += depth * shift
            plane -= trust * head
            plane *= fall
            plane += weight * own
        rooms = _rooms(self.portrait, x, y, flow)
        for plane, room in zip(flow, rooms, strict=True):
            plane *= room
        return flow, np.maximum(fall, weight) * np.maximum(*rooms)


def _affine(matrix: NDArray[np.float64], x: Map, y: Map) -> Planes:
    """What an affine map gives at (1, w) columns and (h, 1) rows."""
    m = matrix.astype(np.float32)
    return m[0, 0] * x + (m[0, 1] * y + m[0, 2]), m[1, 0] * x + (m[1, 1] * y + m[1, 2])


def _surroundings(middle: NDArray[np.float64], table: Map, base: _Base, grid: _Grid) -> tuple[Planes, Map]:
    """Flow of hair, neck and what is around them, and where it is, on the grid."""
    coarse = grid.size[0] // COARSE, grid.size[1] // COARSE
    step = COARSE / grid.scale
    x = ((np.arange(coarse[0]) + 0.5) * step - 0.5 + grid.corner[0]).astype(np.float32)[None, :]
    y = ((np.arange(coarse[1]) + 0.5) * step - 0.5 + grid.corner[1]).astype(np.float32)[:, None]
    radius, angle = cv2.cartToPolar(
        np.ascontiguousarray(np.broadcast_to(x - np.float32(middle[0]), coarse[::-1])),
        np.ascontiguousarray(np.broadcast_to(y - np.float32(middle[1]), coarse[::-1])),
    )
    looked_up = cv2.remap(
        table[None], angle * np.float32(ANGLES / (2 * np.pi)), np.zeros_like(angle), cv2.INTER_LINEAR
    )
    length, *residual, hold = (np.asarray(plane, np.float32) for plane in cv2.split(looked_up))
    rho = radius / length
    flow, fall = base.at(x, y, rho, hold)
    local = _fade(rho, np.float32(1.0), base.expression_reach(residual, length)) * fall
    for plane, change in zip(flow, residual, strict=True):
        plane += change * local
    return (enlarge(flow[0], *grid.size), enlarge(flow[1], *grid.size)), enlarge(fall, *grid.size)


def _outline_table(portrait: MeshPortrait, outline: Outline, middle: NDArray[np.float64], base: _Base) -> Map:
    """(ANGLES + 1, 4) by direction from the middle: radius, residual flow x and y, hold in radii."""
    shown = outline.shown
    away = shown - middle
    length = np.linalg.norm(away, axis=1)
    angle = np.arctan2(away[:, 1], away[:, 0]) % (2 * np.pi)
    up = -portrait.face.rotation[:2, 1].astype(np.float64)
    upness = (away @ up) / (np.maximum(length, 1e-6) * max(float(np.linalg.norm(up)), 1e-6))
    above, below = np.clip(upness, 0, 1) ** 2, np.clip(-upness, 0, 1) ** 2
    hold = HOLD_SIDE + (HOLD_UP - HOLD_SIDE) * above + (HOLD_DOWN - HOLD_SIDE) * below
    x, y, one = (column.astype(np.float32)[:, None] for column in (*shown.T, np.ones(len(shown))))
    moved = np.column_stack(base.at(x, y, one, hold.astype(np.float32)[:, None])[0])
    values = np.column_stack([np.maximum(length, 1e-3), outline.taken - shown - moved, hold])
    order = np.argsort(angle)
    angle, values = angle[order], values[order]
    wrapped = np.concatenate([[angle[-1] - 2 * np.pi], angle, [angle[0] + 2 * np.pi]])
    values = np.concatenate([values[-1:], values, values[:1]])
    at = np.arange(ANGLES + 1) * (2 * np.pi / ANGLES)
    return np.column_stack([np.interp(at, wrapped, column) for column in values.T]).astype(np.float32)


def _fade(rho: Map, hold: Map | np.float32, reach: Map | np.float32) -> Map:
    """1 up to ``hold``, 0 from ``reach``, smooth (quintic, zero slope and curvature at both ends) between."""
    t = np.clip((reach - rho) / (reach - hold), 0.0, 1.0)
    faded: Map = t * t * t * (t * (t * 6 - 15) + 10)
    return faded


def _edge_fade(portrait: MeshPortrait, x: Map, y: Map, soft: Map | np.float32) -> Map:
    """(h, w) falls to 0 over ``soft`` pixels towards image edges, so that nothing is taken from outside."""
    width, height = portrait.size
    along_x = np.clip(np.minimum(x, width - 1 - x) / soft, 0, 1)
    along_y = np.clip(np.minimum(y, height - 1 - y) / soft, 0, 1)
    faded = (along_x * along_x * (3 - 2 * along_x)) * (along_y * along_y * (3 - 2 * along_y))
    return np.asarray(faded, np.float32)


def _rooms(portrait: MeshPortrait, x: Map, y: Map, flow: Planes) -> Planes:
    """(h, w) each, along x and along y: shares of the flow that take pixels from no further than the image's edges.

    So a head that moves out of the image leaves it, what is next to an edge is not seen twice, and along an edge
    everything may move: a neck that the lower edge cuts off follows its head to the side.
    """
    rooms = []
    for plane, at, size in zip(flow, (x, y), portrait.size, strict=True):
        inside = np.where(plane < 0, at, size - 1 - at) + np.float32(1)
        beyond = np.minimum(np.abs(plane) / inside, np.float32(1e3))
        rooms.append(np.asarray((1 + beyond**EDGE_BEND) ** np.float32(-1 / EDGE_BEND), np.float32))
    return rooms[0], rooms[1]
