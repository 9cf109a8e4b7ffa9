"""Pairs of frames to train on. Every random number comes from the seed and the pair's own number.

So a pair does not depend on the process that draws it, two processes see together what one would see, and a run that is
continued needs no replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lp_core.engines.liveportrait.sizes import Sizes
from lp_core.errors import SettingError
from lp_core.geometry.facemesh import LIPS_OUTER_LOWER, LIPS_OUTER_UPPER, OVAL
from lp_core.motion.implicit.motion import degrees_from_rotation
from lp_core.training.config import Augmentation
from lp_core.training.losses import GUIDED
from lp_core.training.store import StoredShot, TrainingSet

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
BEND_SIDE, BEND_SPREAD, AFFINE_SPREAD = 5, 0.005, 0.05
"""Of the random map of the equivariance loss."""
KEPT_BYTES = 1 << 30
"""Sets that are smaller than this, decoded, are kept in memory."""
MIRRORED = {159: 386, 145: 374, 61: 291, 386: 159, 374: 145, 291: 61}
"""Guided landmark -> the one on the other side; those on the midline stay."""
LIPS = np.concatenate([LIPS_OUTER_UPPER, LIPS_OUTER_LOWER[::-1]])


@dataclass(frozen=True)
class PairBatch:
    """Pairs of frames of one shot each, as tensors on one device."""

    source: Tensor
    """(B, 3, S, S), [0, 1], what F and M read."""
    driving: Tensor
    """(B, 3, S, S), what M reads."""
    truth: Tensor
    """(B, 3, S', S'), the driving frame as G should draw it."""
    source_marks: Tensor
    """(B, 478, 2) landmarks in grid units."""
    driving_marks: Tensor
    """(B, 478, 2)."""
    degrees: Tensor
    """(2, B, 3) pitch, yaw, roll of both frames."""
    face: Tensor
    """(B, 1, S', S') 1 inside the face of the driving frame."""
    lips: Tensor
    """(B, 1, S', S') 1 inside its lips."""
    affine: Tensor
    """(B, 2, 3) of the equivariance loss."""
    bends: Tensor
    """(B, 25) of the equivariance loss."""

    def on(self, device: torch.device) -> PairBatch:
        """The same on another device."""
        return PairBatch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class _Looked:
    """A frame after augmentation."""

    image: F32
    truth: F32
    marks: F64
    degrees: F64


class PairSampler:
    """Draws pairs from the trained frames of a set."""

    def __init__(self, found: TrainingSet, sizes: Sizes, augmentation: Augmentation, seed: int) -> None:
        """Takes the shots that may be trained on.

        Raises:
            SettingError: there is none.
        """
        self.shots: Sequence[StoredShot] = [stored for stored in found.shots if stored.trained > 0]
        if not self.shots:
            raise SettingError(f"{found.folder} has no frame to train on; prepare more people.")
        self._sizes, self._augmentation, self._seed = sizes, augmentation, seed
        total = sum(stored.trained for stored in self.shots) * found.size**2 * 3
        self._keeps = total <= KEPT_BYTES

    def batch(self, first: int, count: int) -> PairBatch:
        """The pairs ``first`` .. ``first + count - 1``."""
        rows = [self._pair(number) for number in range(first, first + count)]
        return PairBatch(
            **{
                name: torch.from_numpy(np.stack([row[name] for row in rows]))
                for name in rows[0]
                if name != "degrees"
            },
            degrees=torch.from_numpy(np.stack([row["degrees"] for row in rows], axis=1)),
        )

    def _pair(self, number: int) -> dict[str, F32]:
        random = np.random.Generator(np.random.Philox(key=[self._seed, number]))
        stored = self.shots[int(random.integers(len(self.shots)))]
        source, driving = self._frames(stored, random)
        change = self._augmentation
        is_flipped = bool(random.random() < change.flip)
        tint = 1 + random.uniform(-change.jitter, change.jitter, 3) * np.array([1.0, 0.3, 0.3])
        a, b = (self._look(stored, index, is_flipped, tint, random) for index in (source, driving))
        side = b.truth.shape[-1]
        affine = np.eye(2, 3) + random.normal(0, AFFINE_SPREAD, (2, 3))
        return {
            "source": a.image,
            "driving": b.image,
            "truth": b.truth,
            "source_marks": a.marks.astype(np.float32),
            "driving_marks": b.marks.astype(np.float32),
            "degrees": np.stack([a.degrees, b.degrees]).astype(np.float32),
            "face": area(b.marks[OVAL], side),
            "lips": area(b.marks[LIPS], side, grown=0.03),
            "affine": affine.astype(np.float32),
            "bends": random.normal(0, BEND_SPREAD, BEND_SIDE**2).astype(np.float32),
        }

    def _frames(self, stored: StoredShot, random: np.random.Generator) -> tuple[int, int]:
        source = int(random.integers(stored.trained))
        if stored.shot.truth >= 0:
            return source, stored.shot.truth
        others = random.integers(stored.trained, size=3)
        kind = random.random()
        if kind < self._augmentation.stills:
            return source, source
        if kind > 1 - self._augmentation.far:
            marks = stored.labels["landmarks"][..., :2]
            apart = [float(np.abs(marks[other] - marks[source]).mean()) for other in others]
            return source, int(others[int(np.argmax(apart))])
        return source, int(others[0])

    def _look(
        self, stored: StoredShot, index: int, is_flipped: bool, tint: F64, random: np.random.Generator
    ) -> _Looked:
        change = self._augmentation
        shift = random.uniform(-2 * change.shift, 2 * change.shift, 2)
        zoom = 1 + random.uniform(-change.zoom, change.zoom)
        turn = radians(random.uniform(-change.roll_deg, change.roll_deg))
        linear = zoom * np.array([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]])
        image = stored.image(index, self._keeps)
        points = stored.labels["landmarks"][index][:, :2].astype(np.float64)
        rotation = stored.labels["rotation"][index].astype(np.float64)
        if is_flipped:
            linear = linear @ np.diag([-1.0, 1.0])
            points = _swapped(points)
            mirror = np.diag([-1.0, 1.0, 1.0])
            rotation = mirror @ rotation @ mirror
        rolled = np.eye(3)
        rolled[:2, :2] = linear / zoom if not is_flipped else linear @ np.diag([-1.0, 1.0]) / zoom
        moved = warped(image, linear, shift)
        marks = points @ linear.T + shift
        return _Looked(
            image=network_image(moved, self._sizes.input_px, tint),
            truth=network_image(moved, self._sizes.output_px, tint),
            marks=marks,
            degrees=np.stack(degrees_from_rotation((rolled @ rotation).T)),
        )


def _swapped(points: F64) -> F64:
    """Landmarks of which the guided ones have changed sides, as they do in a mirror."""
    found = points.copy()
    for mark in GUIDED.values():
        found[mark] = points[MIRRORED.get(mark, mark)]
    return found


def warped(image: NDArray[np.uint8], linear: F64, shift: F64) -> NDArray[np.uint8]:
    """An image (S, S, 3) moved by ``p' = linear @ p + shift`` in grid units; its edges are repeated."""
    size = len(image)
    to_px = np.array([[size / 2, 0, (size - 1) / 2], [0, size / 2, (size - 1) / 2], [0, 0, 1]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, shift
    whole = to_px @ matrix @ np.linalg.inv(to_px)
    moved = cv2.warpAffine(
        image, whole[:2], (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def network_image(image: NDArray[np.uint8], side: int, tint: F64 | float = 1.0) -> F32:
    """(S, S, 3) uint8 -> (3, side, side) float32, 0..1, averaged down where it is larger."""
    how = cv2.INTER_AREA if len(image) >= side else cv2.INTER_LINEAR
    small = cv2.resize(image, (side, side), interpolation=how) if len(image) != side else image
    scaled = np.clip(small.astype(np.float32) / 255 * np.asarray(tint, np.float32), 0, 1)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def area(outline: F64, side: int, grown: float = 0.0) -> F32:
    """(1, side, side) 1 inside an outline in grid units, grown by a share of the side."""
    points = np.rint(((outline + 1) * side - 1) / 2).astype(np.int32)
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [points], 1)
    if grown:
        reach = 2 * max(1, round(grown * side)) + 1
        mask = cv2.dilate(mask, np.ones((reach, reach), np.uint8))
    return mask[None].astype(np.float32)
