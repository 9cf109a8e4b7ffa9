"""Things in front of a face that no skin looks like: microphones, cups, bars.

Colors that do not belong to the skin at their place are the seeds; the object is cut out around them. Hair and hats are
of the head and move with it, and shade has the skin's own hue: neither counts.

Convention:
    Masks (h, w) bool on the image's pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.cut_out import cut_out
from lp_core.geometry.face_parts import FaceParts
from lp_core.geometry.skin_color import skin_distance

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

ODD = 4.5
"""Distance from the skin's color from which a pixel does not belong to it."""
_THIN = 0.035
"""Parts thinner than this are strands, wrinkles and edges, in sizes of the face."""
_LEAST = 0.008
"""Part of the face that an object must cover to count."""
_NEAR, _WIDE = 0.3, 1.6
"""How far around its seeds an object may reach, and how far where its color is the same, in sizes of the face."""


@dataclass(frozen=True)
class Foreign:
    """What was found."""

    found: Mask
    """Objects that can be separated."""
    unclear: Mask
    """Parts of the face that look covered, by something that cannot."""


def foreign_parts(image: NDArray[np.uint8], parts: FaceParts, hands: Mask, person: Mask) -> Foreign:
    """Things in front of a face.

    Args:
        image: (h, w, 3) RGB as shown.
        parts: of the face.
        hands: what is known to be in front.
        person: where the person is: a wall of an object's color behind the head is not hair.
    """
    thin = max(round(_THIN * parts.size_px), 1)
    inside = _eroded(parts.face, thin) & ~parts.features & ~_dilated(hands, thin)
    distance = skin_distance(image, inside, parts.face & ~parts.features & ~hands)
    odd = _opened(distance > ODD, thin)
    found, unclear = np.zeros_like(odd), np.zeros_like(odd)
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.float32)
    objects, possible = found.copy(), found.copy()
    for seeds in _of_one_color(lab, odd, thin):
        if (
            parts.share(seeds) < _LEAST
            or _is_of_the_head(lab, seeds, parts, person)
            or _is_shade(image, seeds, parts)
        ):
            continue
        if _edge(lab, seeds, parts) < SHARP:
            unclear |= seeds
        else:
            objects |= seeds
            possible |= _possible(lab, seeds, parts)
    if objects.any():
        found = cut_out(image, _eroded(objects, 1), objects, possible, np.zeros_like(objects), rounds=1)
        found = _without_hats(found, parts)
        unclear |= objects & ~found
    return Foreign(found, unclear & ~found)


def _possible(lab: F32, seeds: Mask, parts: FaceParts) -> Mask:
    """Where an object may be: close to its seeds, and farther away where it goes on in its own colors."""
    near, far = (_dilated(seeds, round(reach * parts.size_px)) for reach in (_NEAR, _WIDE))
    apart = np.linalg.norm(lab - np.median(lab[seeds], axis=0), axis=2)
    return near | (far & _dilated(apart < _ALIKE + 8, 2))


SHARP = 0.55
"""Contrast over the edge of a seed, over its contrast to the skin around it, from which it is an object."""
_EDGE_PX, _FAR = 2, 0.1
"""How far from its edge, in pixels and in sizes of the face, the colors are compared."""
_ALIKE = 22.0
"""Distance of two colors, 8-bit codes of CIELAB, below which they are the same thing."""
_HEAD, _HEAD_SHARES = 0.2, (0.2, 0.1)
"""How far beyond the face's outline the head is looked at, in sizes of the face; how much of it must be alike, and how
much of each of its sides: hair is on both."""
_SOME_HEAD = 0.1
"""Part of a side of what is around the face that must be of the person for the side to count."""
_HAT = 0.2
"""Radius from which a thing that reaches over the forehead's outline is worn on the head, in sizes of the face."""


def _is_of_the_head(lab: F32, seeds: Mask, parts: FaceParts, person: Mask) -> bool:
    """Whether a part at the face's outline has the color of what is around the face's upper half: hair."""
    whole, side = head_shares(lab, seeds, parts, person)
    return whole > _HEAD_SHARES[0] and side > _HEAD_SHARES[1]


def head_shares(lab: F32, seeds: Mask, parts: FaceParts, person: Mask) -> tuple[float, float]:
    """How much of the head around the upper half of a face has a part's color, and of that side which has less of it.

    A side on which there is hardly any head says nothing.
    """
    outside = _dilated(parts.face, round(_HEAD * parts.size_px)) & ~parts.face
    if not (_dilated(seeds, max(round(_HEAD * parts.size_px / 3), 2)) & outside).any():
        return 0.0, 0.0
    rows, columns = np.indices(seeds.shape)
    middle = parts.points[168]
    ring = outside & (rows < middle[1] + 0.3 * parts.size_px)
    alike = np.linalg.norm(lab - np.median(lab[seeds], axis=0), axis=2) < _ALIKE
    head = ring & person
    if not head.any():
        return 0.0, 0.0
    sides = [side for side in (columns < middle[0], columns >= middle[0]) if _has_head(ring & side, head)]
    whole = float(alike[head].mean())
    return whole, min([float(alike[head & side].mean()) for side in sides], default=whole)


def _has_head(ring: Mask, head: Mask) -> bool:
    return int((ring & head).sum()) > _SOME_HEAD * int(ring.sum())


def _without_hats(found: Mask, parts: FaceParts) -> Mask:
    """The objects without those that are broad and reach over the forehead's outline."""
    rows = np.arange(found.shape[0])[:, None]
    brim = parts.face & ~_eroded(parts.face, 1) & (rows < parts.points[[105, 334], 1].min())
    kept = np.zeros_like(found)
    for one in _components(found):
        radius = float(cv2.distanceTransform(one.astype(np.uint8), cv2.DIST_L2, 3).max())
        if not ((one & brim).any() and radius > _HAT * parts.size_px):
            kept |= one
    return kept


_SHADE_SHIFT = 0.035
"""Change of chromaticity, r and g of r + g + b = 1, from the skin around up to which a darker part is its shadow."""


def _is_shade(image: NDArray[np.uint8], seeds: Mask, parts: FaceParts) -> bool:
    """Whether a part is skin with less light, or with a blush: darker, of the same hue or a warmer one."""
    skin = parts.face & ~parts.features & ~_dilated(seeds, 2)
    if not skin.any():
        return False
    here, around = (np.median(image[mask], axis=0).astype(np.float64) + 1 for mask in (seeds, skin))
    shift = here / here.sum() - around / around.sum()
    is_warmer = shift[0] > -_SHADE_SHIFT and shift[2] < _SHADE_SHIFT
    return bool(here.sum() < around.sum() and is_warmer and abs(shift[1]) < 1.5 * _SHADE_SHIFT)


def _edge(lab: F32, seeds: Mask, parts: FaceParts) -> float:
    """Contrast right at the edge of a part, over its contrast to the skin farther away."""
    far = max(round(_FAR * parts.size_px), _EDGE_PX + 2)
    skin = parts.face & ~parts.features
    inner, outer = (
        seeds & ~_eroded(seeds, _EDGE_PX),
        _dilated(seeds, 2 * _EDGE_PX) & ~_dilated(seeds, 1) & skin,
    )
    deep, away = seeds, _dilated(seeds, far) & ~_dilated(seeds, 2 * _EDGE_PX) & skin
    if not outer.any() or not away.any() or not inner.any():
        return 0.0
    means = [np.median(lab[mask], axis=0) for mask in (inner, outer, deep, away)]
    whole = float(np.linalg.norm(means[2] - means[3]))
    return float(np.linalg.norm(means[0] - means[1])) / max(whole, 1.0)


_APART = 30.0
"""Distance of two mean colors, 8-bit codes of CIELAB, from which a part is two things, such as a bar over hair."""


def _of_one_color(lab: F32, odd: Mask, thin: int) -> list[Mask]:
    """The connected parts of a mask; where one has two colors, one for each."""
    found: list[Mask] = []
    for part in _components(odd):
        halves = _halves(lab, part)
        found += (
            [part] if halves is None else [one for half in halves for one in _components(_opened(half, thin))]
        )
    return found


def _halves(lab: F32, part: Mask) -> tuple[Mask, Mask] | None:
    colors = np.ascontiguousarray(lab[part], np.float32)
    if len(colors) < _FEW:
        return None
    cv2.setRNGSeed(1)  # the clusters begin at random: the same image must give the same parts
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    _, labels, centers = cv2.kmeans(colors, 2, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    if float(np.linalg.norm(centers[0] - centers[1])) < _APART:
        return None
    first = np.zeros_like(part)
    first[part] = labels[:, 0] == 0
    return first, part & ~first


_FEW = 32
"""Pixels below which a part is not divided."""


def _components(mask: Mask) -> list[Mask]:
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return [np.asarray(labels == label) for label in range(1, count)]


def _kernel(pixels: int) -> NDArray[np.uint8]:
    side = 2 * max(pixels, 1) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _dilated(mask: Mask, pixels: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _kernel(pixels)) > 0)


def _eroded(mask: Mask, pixels: int) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), _kernel(pixels)) > 0)


def _opened(mask: Mask, pixels: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _kernel(pixels)) > 0)
