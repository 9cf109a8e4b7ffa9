"""Wrinkles, dimples and the light of a turning head, taken from the driving video as a ratio of brightness.

Skin that folds changes its brightness where no pixel moves. Both frames are compared along the flow
(lp_core.geometry.dense_field), and the portrait is multiplied by the ratio: an expression ratio image (Liu, Shan,
Zhang: Expressive Expression Mapping with Ratio Images, SIGGRAPH 2001), low-passed, limited, without the video's noise.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Shading
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.frame import Frame
from lp_core.geometry.affine import fit_similarity
from lp_core.geometry.dense_field import DenseField
from lp_core.geometry.facemesh import EYES, LIPS_INNER_LOWER, LIPS_INNER_UPPER, MESH_POINTS, OVAL
from lp_core.geometry.warp import enlarge_part

FACE_CELLS = 112.0
"""Height of the face on the grid of the ratio."""
NEAR_CELLS = 4.0
"""Over which the places of neighboring landmarks are smoothed into one map."""
NOISE = 0.025
"""Logarithm of a ratio that a still face may show; it counts for nothing."""
MOST = 0.45
"""Limit of the logarithm."""
BROAD_CELLS = 14.0
"""Wider changes than this are light, narrower ones are folds of the skin."""
LIGHT = 0.5
"""Share of the change of light that the portrait takes on."""
FADE_CELLS = 3.0
"""Softness of the border: at the outline of the face and around eyes and mouth."""

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def face_shading(
    portrait: MeshPortrait, points: F64, seen: F64, dense: DenseField, strength: float
) -> Shading | None:
    """The performer's change of shading on the portrait; None where there is none.

    Args:
        portrait: the prepared source.
        points: (478, 2 or 3) target landmarks, pixels of the portrait.
        seen: (478, 2) landmarks of the driving image, pixels.
        dense: the performer's dense motion with its shade.
        strength: multiplies the change.
    """
    if dense.shade is None:
        return None
    flat = points[:, :2].astype(np.float64)
    low = np.clip(np.floor(flat[OVAL].min(axis=0)).astype(int), 0, np.array(portrait.size) - 2)
    high = np.clip(np.ceil(flat[OVAL].max(axis=0)).astype(int) + 1, low + 2, portrait.size)
    scale = min(FACE_CELLS / float(np.ptp(flat[OVAL, 1]) + 1), 1.0)
    size = tuple(int(np.ceil(side * scale)) + 1 for side in high - low)
    at = _driving_cells(flat, seen, dense, low, scale, size)
    raw = cv2.remap(dense.shade, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    skin = _skin(flat, low, scale, size)
    if not skin.any():
        return None
    heard = np.sign(raw) * np.maximum(np.abs(raw) - np.float32(NOISE), 0)
    light = cv2.GaussianBlur(heard * skin, (0, 0), BROAD_CELLS)
    light /= np.maximum(cv2.GaussianBlur(skin, (0, 0), BROAD_CELLS), np.float32(1e-3))
    # A camera that adapts to the scene brightens all of it: only what differs over the face is the head's.
    exposure = float((light * skin).sum() / skin.sum())
    change = heard - light + np.float32(LIGHT) * (light - exposure)
    change = np.float32(MOST) * np.tanh(change * skin * np.float32(strength / MOST))
    if np.abs(change).max() < NOISE / 4:
        return None
    region = int(low[0]), int(low[1]), int(high[0]), int(high[1])
    part = enlarge_part(change.astype(np.float32), scale, (float(low[0]), float(low[1])), region)
    return Shading(region, np.asarray(cv2.exp(part), np.float32))


def _driving_cells(
    points: F64, seen: F64, dense: DenseField, low: NDArray[Any], scale: float, size: tuple[int, ...]
) -> tuple[F32, F32]:
    """(h, w) each: cells of the driving image that the cells of the grid show, by the landmarks around them."""
    points, seen = points[:MESH_POINTS], seen[:MESH_POINTS]
    similar = fit_similarity(points, seen)
    rest = seen - points @ similar[:, :2].T - similar[:, 2]
    cells = np.rint((points - low + 0.5) * scale - 0.5).astype(int)
    inside = ((cells >= 0) & (cells < size)).all(axis=1)
    sums = np.zeros((size[1], size[0], 3), np.float32)
    np.add.at(sums, (cells[inside, 1], cells[inside, 0]), np.column_stack([rest, np.ones(len(rest))])[inside])
    sums = cv2.GaussianBlur(sums, (0, 0), NEAR_CELLS)
    near = sums[..., :2] / np.maximum(sums[..., 2:], np.float32(1e-4))
    x = ((np.arange(size[0]) + 0.5) / scale - 0.5 + low[0]).astype(np.float32)[None, :]
    y = ((np.arange(size[1]) + 0.5) / scale - 0.5 + low[1]).astype(np.float32)[:, None]
    m = similar.astype(np.float32)
    found = (m[axis, 0] * x + m[axis, 1] * y + m[axis, 2] + near[..., axis] for axis in (0, 1))
    across, down = (((place + 0.5) * np.float32(dense.scale) - 0.5).astype(np.float32) for place in found)
    return across, down


def _skin(points: F64, low: NDArray[Any], scale: float, size: tuple[int, ...]) -> F32:
    """(h, w) 1 on skin, 0 outside the face, in eyes and in the mouth; soft between."""
    mask = np.zeros((size[1], size[0]), np.uint8)

    def outline(index: NDArray[np.intp]) -> NDArray[np.int32]:
        return np.asarray(np.rint((points[index] - low + 0.5) * scale - 0.5), np.int32)

    cv2.fillPoly(mask, [outline(OVAL)], 1)
    # Nothing is known beyond the image: it counts as outside the face.
    mask = cv2.erode(mask, np.ones((9, 9), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    holes = np.zeros_like(mask)
    lines = [(eye.upper, eye.lower) for eye in EYES] + [(LIPS_INNER_UPPER, LIPS_INNER_LOWER)]
    for upper, lower in lines:
        cv2.fillPoly(holes, [outline(np.concatenate([upper, lower[-2:0:-1]]))], 1)
    mask[cv2.dilate(holes, np.ones((7, 7), np.uint8)) > 0] = 0
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    near = np.clip(inside / np.float32(2 * FADE_CELLS), 0, 1)
    return np.asarray(near * near * (3 - 2 * near), np.float32)


def shade(pixels: NDArray[Any], source: Frame, shading: Shading) -> None:
    """Multiplies colors as shown by the shading, in place; alpha stays.

    Args:
        pixels: (H, W, C) in the source's codes.
        source: says what the codes mean.
        shading: the factors.
    """
    left, top, right, bottom = shading.region
    part = pixels[top:bottom, left:right, :3]
    factor = shading.factor[..., None]
    if source.encoding is None or source.encoding.is_display:
        shaded = part.astype(np.float32) * factor
    else:
        shaded = source.coded(source.shown(part) * factor)
    if pixels.dtype.kind != "f":
        shaded = np.clip(np.rint(shaded), 0, np.iinfo(pixels.dtype).max)
    changed = (np.abs(factor - 1) > 1e-6) & np.isfinite(shaded)
    np.copyto(part, shaded.astype(pixels.dtype), where=changed)
