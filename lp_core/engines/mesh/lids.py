"""Eyelids that close: where their skin is taken from, and their edge with the source's own lashes.

The head's flow is computed on a coarse grid, where the eyeball is squeezed between the two lids of a closed eye.
So a strip along the edge is laid over it here at full resolution: above the line the upper lid with its lashes,
below it, where the lids have met, the lower lid. It is flow like the rest, nothing is painted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.lashes import PUSH_UP, eye_axes, eye_width
from lp_core.engines.mesh.layers import Opening, patch
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.geometry.facemesh import EYES, EyeIndices

Map = NDArray[np.float32]

PUSH_DOWN = 0.09
"""How far below the landmarks the skin of the lower lid begins, in eye widths; as PUSH_UP."""
LASH_WIDTH = 0.03
"""Thickness of the line of lashes, in eye widths; at least a pixel."""
STRIP, STRIP_FADE = 0.045, 0.02
"""How far above and below the line the strip reaches, and over how much of that it fades away, in eye widths."""
LASHES_CLOSING = 0.4
"""Closing, as a share of the source's own opening, over which the strip comes."""
EDGE = 0.05
"""Over which the line fades into an eyeball below it, in eye widths."""
MEETING = 0.04
"""Gap below which lids have met, in eye widths."""


@dataclass(frozen=True)
class LidEdge:
    """The strip along the edge of a closing lid: where pixels are taken from."""

    where: Opening
    """The strip, soft towards the head's flow."""
    maps: Map
    """(2, h, w) of the patch: x and y in the source."""
    seam: Opening
    """Where lids meet, a pixel holds both: the share, at most half, of the one that the maps do not show."""
    others: Map
    """(2, h, w) where that one is taken from."""


def taken_points(portrait: MeshPortrait, lids: tuple[float, float]) -> NDArray[np.float64]:
    """(478, 2) where in the source a landmark's skin is taken from: lid margins a little outside the eye."""
    taken = portrait.points[:, :2].copy()
    for eye, lid in zip(EYES, lids, strict=True):
        closing = max(1 - lid, 0.0)
        if closing == 0:
            continue
        along, across = eye_axes(portrait.points, eye)
        width_px = eye_width(portrait.points, eye)
        for line, push in ((eye.upper, -PUSH_UP), (eye.lower, PUSH_DOWN)):
            place = (portrait.points[line, :2] - portrait.points[line[0], :2]) @ along / width_px
            taper = np.sin(np.pi * np.clip(place, 0, 1)) ** 0.35
            taken[line[1:-1]] += (push * width_px * closing * taper[:, None] * across)[1:-1]
    return taken


def lid_edge(
    portrait: MeshPortrait, eye: EyeIndices, points: NDArray[np.float64], lid: float
) -> LidEdge | None:
    """The edge of a closing upper lid with the source's own lashes.

    Args:
        portrait: the prepared source.
        eye: index tables of the eye.
        points: (478, 3) target landmarks in pixels of the source.
        lid: opening over the source's own, 0..1 and above.

    Returns:
        None when the lid is up or out of sight.
    """
    strength = min((1 - lid) / LASHES_CLOSING, 1.0)
    if strength <= 0:
        return None
    upper, lower = points[eye.upper, :2], points[eye.lower, :2]
    width_px = float(np.linalg.norm(upper[-1] - upper[0])) + 1e-6
    along = (upper[-1] - upper[0]) / width_px
    across = np.array([-along[1], along[0]])
    gap = (lower - upper) @ across / width_px
    line = upper + np.clip(1 - gap / MEETING, 0, 1)[:, None] * (lower - upper) / 2
    reach = STRIP * width_px * across
    where = patch(np.concatenate([line - reach, line + reach]), portrait.size)
    if where is None:
        return None
    x, y = where.grid()
    place = _Place(
        np.maximum.accumulate((line - line[0]) @ along),
        (x - line[0, 0]) * along[0] + (y - line[0, 1]) * along[1],
    )
    down = (x - line[0, 0]) * across[0] + (y - line[0, 1]) * across[1] - place.of((line - line[0]) @ across)
    down = down / width_px  # from the line, in eye widths
    thin = np.sqrt(np.sin(np.pi * place.share).clip(1e-3))
    below = down - max(LASH_WIDTH, 1 / width_px) * thin
    have_met = place.of(gap) < MEETING

    upper_skin = _skin_beside(
        portrait, eye, eye.upper, place, np.minimum(down, 0) - portrait.lash_offsets[eye.blink]
    )
    lower_skin = _skin_beside(portrait, eye, eye.lower, place, below + PUSH_DOWN)
    is_upper = np.where(have_met, np.clip(0.5 - below * width_px, 0, 1), 1)
    shown = np.where(is_upper >= 0.5, upper_skin, lower_skin)
    other = np.where(is_upper >= 0.5, lower_skin, upper_skin)

    over_eyeball = (below > 0) & ~have_met
    fade = np.where(over_eyeball, 1 - below / EDGE, (STRIP - np.abs(down) / thin) / STRIP_FADE).clip(0, 1)
    alpha = (fade * fade * (3 - 2 * fade) * strength * place.is_inside).astype(np.float32)
    seam = (alpha * np.minimum(is_upper, 1 - is_upper)).astype(np.float32)
    return LidEdge(replace(where, alpha=alpha), shown, replace(where, alpha=seam), other)


class _Place:
    """Where pixels stand along a line of landmarks."""

    def __init__(self, marks: NDArray[np.float64], along: NDArray[np.float64]) -> None:
        """Finds each pixel's neighbors.

        Args:
            marks: (n,) ascending places of the landmarks.
            along: (h, w) places of the pixels, in the same unit.
        """
        at = np.interp(along, marks, np.arange(len(marks)))
        self._first = at.astype(np.intp).clip(0, len(marks) - 2)
        self._rest = at - self._first
        self.share = at / (len(marks) - 1)
        """(h, w) 0..1 from end to end."""
        self.is_inside = (along > marks[0]) & (along < marks[-1])
        """(h, w) between the ends."""

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(h, w) what is between the landmarks' (n,) values."""
        between: NDArray[np.float64] = values[self._first] + self._rest * np.diff(values)[self._first]
        return between


def _skin_beside(
    portrait: MeshPortrait, eye: EyeIndices, line: NDArray[np.intp], place: _Place, down: NDArray[np.float64]
) -> Map:
    """(2, h, w) positions in the source next to a lid's landmarks, ``down`` eye widths down the face from them."""
    _, across = eye_axes(portrait.points, eye)
    far = down * eye_width(portrait.points, eye)
    return np.stack([place.of(portrait.points[line, axis]) + far * across[axis] for axis in (0, 1)]).astype(
        np.float32
    )
