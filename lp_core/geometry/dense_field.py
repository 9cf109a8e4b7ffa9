"""Dense motion of a performance: coarse optical flow of the driving video, from each frame to the reference frame.

Landmarks know the face; hair, ears, neck and shoulders are known to the pixels alone. The flow is found by Dense
Inverse Search (lp_core.geometry.optical_flow) in images of SIDE x SIDE pixels, or as many in another shape, and kept
in cells of CELL x CELL of them. The search starts from the head motion that the landmarks give, so that a large
movement is not lost. Eyes and mouth have no correspondence where they open or close. They are left out and filled
from around them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.geometry.affine import fit_affine
from lp_core.geometry.facemesh import EYES, LIPS_INNER_LOWER, LIPS_INNER_UPPER, OVAL
from lp_core.geometry.optical_flow import COARSE, dense_flow

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

SIDE = 256
"""Side of a square with the area of the images that are compared."""
CELL = 2
"""Their pixels, across and down, in a cell of the field: the search itself looks no finer."""
ODD, ALIKE_SOFT = 18.0, 2.0
"""Difference of brightness, 8-bit codes, from which flow counts less, to none at twice as much; softness, pixels."""
SHADE_SOFT = 1.3
"""Softness of the brightness that is compared, in cells: grain and small errors of the flow cancel out."""
SHADE_UNIT = 0.2
"""Unit in which a shade is stored: as telling as a cell of flow."""
DARK = 12.0
"""Added to both: near black a ratio says nothing."""
HEAD_RADII = (1.5, 4.0)
"""The search expects that what is within so many radii of the face moves as the face does, and nothing beyond."""
HEAD_STEP = 8
"""Pixels of the images that are compared, in a cell of what is expected."""
HOLE_GROWN = 0.35
"""How far beyond the outline of an eye or a mouth nothing is trusted, over its size."""


@dataclass(frozen=True)
class DenseField:
    """Where everything that one frame of a performance shows is in its reference frame."""

    flow: F32
    """(h, w, 2) pixels of the driving image: what a cell shows is in the reference at its place + flow."""
    trust: F32
    """(h, w) 0..1 how sure that is."""
    size: tuple[int, int]
    """Width and height of the driving image, pixels."""
    shade: F32 | None = None
    """(h, w) logarithm of a cell's brightness over that of the same skin in the reference; None: not asked for."""

    @classmethod
    def of(
        cls, flow: F32, landmarks: NDArray[np.floating], size: tuple[int, int], shade: F32 | None = None
    ) -> DenseField:
        """The field of a flow; eyes and mouth are not trusted.

        Args:
            flow: (h, w, 2) in cells.
            landmarks: (478, 2 or 3) of the frame's face, pixels.
            size: width and height of the image, pixels.
            shade: (h, w).
        """
        scale = flow.shape[1] / size[0]
        trust = np.ones(flow.shape[:2], np.float32)
        trust[_openings(landmarks, scale, trust.shape)] = 0
        return cls(flow / np.float32(scale), trust, size, shade)

    @classmethod
    def of_planes(cls, planes: F32, landmarks: NDArray[np.floating], size: tuple[int, int]) -> DenseField:
        """The field of its ``planes``; the rest as for ``of``."""
        shade = planes[..., 2] * np.float32(SHADE_UNIT) if planes.shape[2] > 2 else None
        return cls.of(np.ascontiguousarray(planes[..., :2]), landmarks, size, shade)

    @property
    def cells(self) -> F32:
        """(h, w, 2) the flow in cells."""
        return self.flow * np.float32(self.scale)

    @property
    def planes(self) -> F32:
        """(h, w, 2 or 3) as it is stored: the flow in cells and, where it is known, the shade in SHADE_UNIT."""
        if self.shade is None:
            return self.cells
        return np.dstack([self.cells, self.shade / np.float32(SHADE_UNIT)])

    @property
    def scale(self) -> float:
        """Cells per pixel."""
        return float(self.flow.shape[1] / self.size[0])


@dataclass(frozen=True)
class DenseReference:
    """The reference frame that others are compared with."""

    gray: U8
    """(h, w) reduced to the area of SIDE x SIDE."""
    size: tuple[int, int]
    """Width and height of the image, pixels."""
    outline: NDArray[np.float64]
    """(N, 2) outline of its face, pixels of the reduced image."""

    @property
    def grid(self) -> tuple[int, int]:
        """Width and height of a field, cells."""
        return self.gray.shape[1] // CELL, self.gray.shape[0] // CELL

    @classmethod
    def of(cls, pixels: U8, landmarks: NDArray[np.floating]) -> DenseReference:
        """The reference from its image.

        Args:
            pixels: (H, W, 3) RGB, display codes.
            landmarks: (478, 2 or 3) of its face, pixels.
        """
        gray = small_gray(pixels)
        return cls(
            gray, (pixels.shape[1], pixels.shape[0]), _outline(landmarks, gray.shape[1] / pixels.shape[1])
        )

    def motion(
        self, pixels: U8, landmarks: NDArray[np.floating], with_shade: bool = False
    ) -> DenseField | None:
        """The dense motion of another frame.

        Args:
            pixels: (H, W, 3) RGB, display codes.
            landmarks: (478, 2 or 3) of its face, pixels.
            with_shade: whether its shade is wanted too.

        Returns:
            None where the image has another size.
        """
        height, width = pixels.shape[:2]
        if (width, height) != self.size:
            return None
        now = small_gray(pixels)
        outline = _outline(landmarks, now.shape[1] / width)
        flow = dense_flow(now, self.gray, COARSE, _head_motion(outline, self.outline, now.shape))
        cells = cv2.resize(flow, self.grid, interpolation=cv2.INTER_AREA) / np.float32(CELL)
        same = carried_along(self.gray, flow)
        shade = _shade(now, same, self.grid) if with_shade else None
        field = DenseField.of(cells, landmarks, self.size, shade)
        trust = cv2.resize(_difference(now, same), self.grid, interpolation=cv2.INTER_AREA)
        return replace(field, trust=field.trust * _alike(trust))


def _outline(landmarks: NDArray[np.floating], scale: float) -> NDArray[np.float64]:
    """(N, 2) outline of a face in an image reduced by ``scale``."""
    return np.asarray((landmarks[OVAL, :2] + 0.5) * scale - 0.5, np.float64)


def _head_motion(now: NDArray[np.float64], then: NDArray[np.float64], shape: tuple[int, ...]) -> F32:
    """(h, w, 2) where a head goes whose outline (N, 2) is ``now`` and was ``then``; 0 far from it."""
    height, width = shape
    size = -(-width // HEAD_STEP), -(-height // HEAD_STEP)
    x = ((np.arange(size[0], dtype=np.float32) + 0.5) * width / size[0] - 0.5)[None, :]
    y = ((np.arange(size[1], dtype=np.float32) + 0.5) * height / size[1] - 0.5)[:, None]
    middle = now.mean(axis=0)
    radius = max(float(np.linalg.norm(now - middle, axis=1).mean()), 1.0)
    near, far = HEAD_RADII
    share = np.clip((far - np.hypot(x - middle[0], y - middle[1]) / radius) / (far - near), 0, 1)
    share *= share * (3 - 2 * share)
    head = fit_affine(now, then - now)
    planes = [share * (row[0] * x + row[1] * y + row[2]) for row in head]
    coarse = np.asarray(cv2.merge(planes), np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def carried_along(then: U8, flow: F32) -> U8:
    """(h, w) what a flow takes from another frame: the frame itself where the flow is right."""
    height, width = then.shape
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    same = cv2.remap(
        then, flow[..., 0] + x, flow[..., 1] + y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(same, np.uint8)


def likeness(now: U8, same: U8) -> F32:
    """(h, w) 1 where another frame, carried along the flow, looks like the frame, 0 where the flow is lost."""
    return _alike(_difference(now, same))


def _difference(now: U8, same: U8) -> F32:
    return np.asarray(
        cv2.GaussianBlur(cv2.absdiff(now, same).astype(np.float32), (0, 0), ALIKE_SOFT), np.float32
    )


def _alike(difference: NDArray[np.floating]) -> F32:
    return np.asarray(np.clip(2 - difference / np.float32(ODD), 0, 1), np.float32)


def _shade(now: U8, same: U8, grid: tuple[int, int]) -> F32:
    """(h, w) cells: logarithm of low-passed brightness over that of the same place in the reference."""
    soft, base = (
        cv2.GaussianBlur(one.astype(np.float32), (0, 0), SHADE_SOFT) + np.float32(DARK) for one in (now, same)
    )
    return np.asarray(cv2.resize(cv2.log(soft / base), grid, interpolation=cv2.INTER_AREA), np.float32)


def small_gray(pixels: U8) -> U8:
    """(h, w) an image (H, W, 3) RGB as flow is searched in it: gray, reduced to the area of SIDE x SIDE."""
    height, width = pixels.shape[:2]
    scale = min(SIDE / float(np.sqrt(height * width)), 1.0)
    size = max(round(width * scale), 16), max(round(height * scale), 16)
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def _openings(landmarks: NDArray[np.floating], scale: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(h, w) True at eyes and mouth."""
    mask = np.zeros(shape[:2], np.uint8)
    outlines = [(eye.upper, eye.lower) for eye in EYES] + [(LIPS_INNER_UPPER, LIPS_INNER_LOWER)]
    for upper, lower in outlines:
        line = (landmarks[np.concatenate([upper, lower[-2:0:-1]]), :2] + 0.5) * scale - 0.5
        middle = line.mean(axis=0)
        grown = middle + (line - middle) * (1 + HOLE_GROWN)
        cv2.fillPoly(mask, [np.rint(grown).astype(np.int32)], 1)
    return np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), bool)
