"""Where lips meet that are apart in the source: each side of the line is taken from its own lip.

The flow lives on a grid and is smooth between its cells. Across the line it would point to what is between the lips
in the source: a thread of teeth.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.deform import HeadFlow
from lp_core.engines.mesh.layers import Map, patch
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER

OUT_PX = 1.2
"""By how much further out than their very edge lips are taken at the line: their edge holds some of the teeth."""
CELLS, MARGIN_PX = 1.5, 1.0
"""Half of the width in which the flow of one lip runs into the other's: cells of the flow's grid, and pixels."""
APART_PX = 2.0
"""Lips of the source that are further apart have something between them."""
MEET_PX, MEET_SHARE = 2.0, 0.15
"""Lips meet where they are closer than so many pixels, or than this part of their distance in the source."""

F64 = NDArray[np.float64]


def part_at_line(head: HeadFlow, portrait: MeshPortrait, points: F64) -> None:
    """Lets each side of a closed mouth's line be taken from its own lip, in place.

    Args:
        head: the flow of the whole head.
        portrait: the source.
        points: (478, 3) target landmarks in pixels of the source.
    """
    own, gaps = _gaps(portrait.points), np.maximum(_gaps(points), 0)
    if own[3:-3].mean() < APART_PX or gaps[3:-3].mean() > MEET_PX:
        return
    line = (points[LIPS_INNER_UPPER, :2] + points[LIPS_INNER_LOWER, :2]) / 2
    reach = CELLS / portrait.grid_scale + MARGIN_PX
    where = patch(line, portrait.size, reach + 1)
    if where is None:
        return
    x, y = where.grid()
    axis = line[-1] - line[0]
    along = axis / max(float(np.linalg.norm(axis)), 1e-6)
    across = np.array([-along[1], along[0]])
    at = np.maximum.accumulate((line - line[0]) @ along)
    u = (x - line[0, 0]) * along[0] + (y - line[0, 1]) * along[1]
    height, gap, apart = (
        np.interp(u.ravel(), at, row).reshape(u.shape) for row in ((line - line[0]) @ across, gaps, own)
    )
    v = (x - line[0, 0]) * across[0] + (y - line[0, 1]) * across[1] - height
    far = reach + gap / 2
    meets = gap < np.maximum(MEET_PX, MEET_SHARE * apart)
    inside = (np.abs(v) < far) & meets & (u > at[0]) & (u < at[-1])
    if inside.any():
        side = np.where(v < 0, -1.0, 1.0)
        near, beyond = (
            _flow_at(head, x + across[0] * (reached * side - v), y + across[1] * (reached * side - v))
            for reached in (far, 1.5 * far)
        )
        # A lip that is stretched or squeezed goes on as it does from there outwards, up to the line.
        rest = (1 - np.abs(v) / far)[..., None]
        more = np.clip(2 * rest * (near - beyond), -far[..., None] / 2, far[..., None] / 2)
        taken = near + more + OUT_PX * (side[..., None] * rest) * across
        _lay(head, inside, taken.astype(np.float32), (where.left, where.top))


def _flow_at(head: HeadFlow, x: F64, y: F64) -> Map:
    """(h, w, 2) the flow at other places, pixels of the source."""
    left, top = head.region[:2]
    at = np.asarray(x - left, np.float32), np.asarray(y - top, np.float32)
    found = cv2.remap(head.flow, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def _lay(head: HeadFlow, inside: NDArray[np.bool_], flow: Map, corner: tuple[int, int]) -> None:
    """Replaces the flow of a patch, in place, where the patch is inside."""
    left, top, right, bottom = head.region
    rows, columns = np.nonzero(inside)
    y, x = rows + corner[1], columns + corner[0]
    kept = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    head.flow[y[kept] - top, x[kept] - left] = flow[rows[kept], columns[kept]]


def _gaps(points: F64) -> F64:
    """(11,) distances of the inner lips from corner to corner, pixels; below 0 where they cross."""
    gaps: F64 = (points[LIPS_INNER_LOWER, 1] - points[LIPS_INNER_UPPER, 1]).astype(np.float64)
    return gaps
