"""A few frames that span a performance, chosen while it is read, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import DrivingPicture, TrialFrame
from lp_core.geometry.facemesh import JAW_OPEN, LEFT_EYE, RIGHT_EYE, SMILE_LEFT, SMILE_RIGHT
from lp_core.geometry.rotation import angles_deg
from lp_core.geometry.warp import reduce
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.tuning import features


@dataclass(frozen=True)
class Density:
    """How closely a performance is sampled."""

    kept: int
    """Most frames kept for their distance from each other."""
    first_distance: float
    """Distance in feature space from which a frame counts as new, at first."""


QUICK, FINE = Density(52, 0.1), Density(300, 0.04)
DENSITIES = {"off": QUICK, "quick": QUICK, "fine": FINE}
"""By the calibration setting; without calibration the sample is not used."""
FACE_PX = 220
"""Height of the kept piece of the driving image."""
CLEARLY = 1.02
"""A new extreme must exceed the old one by this factor."""


@dataclass
class PerformanceSample:
    """Collects samples; ``offer`` every frame, then read ``samples``.

    Keeps the extremes of head angles, jaw, smile and blinks, and a set of frames that are far from each
    other: when it grows too large, the distance that counts as far is raised by half (the doubling idea of
    streaming k-center clustering, Charikar, Chekuri, Feder, Motwani, STOC 1997).
    """

    density: Density = QUICK
    _distance: float = field(init=False)
    _points: NDArray[np.float64] | None = None
    """(K, F) features of what is kept."""
    _kept: list[TrialFrame] = field(default_factory=list)
    _extremes: dict[int, tuple[float, TrialFrame]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._distance = self.density.first_distance

    def offer(
        self, motion: MotionFrame, picture: NDArray[np.uint8] | None, landmarks: NDArray[np.float32] | None
    ) -> None:
        """Looks at one measured frame.

        Args:
            motion: the performance at this frame.
            picture: (H, W, 3) RGB, display-encoded; None for stored motion.
            landmarks: (478, 3) in pixels of the image.
        """
        sample: TrialFrame | None = None
        for slot, value in enumerate(_extremes(motion)):
            if slot not in self._extremes or value > max(self._extremes[slot][0] * CLEARLY, 1e-3):
                sample = sample or _sample(motion, picture, landmarks)
                self._extremes[slot] = value, sample
        point = features(motion)
        if self._points is None:
            self._points = np.empty((0, len(point)))
        if self._is_near(point, self._points):
            return
        self._points = np.vstack([self._points, point])
        self._kept.append(sample or _sample(motion, picture, landmarks))
        while len(self._kept) > self.density.kept:
            self._distance *= 1.5
            self._thin(self._points)

    @property
    def samples(self) -> list[TrialFrame]:
        """The extremes, then the spread ones; each frame once."""
        unique = {id(sample): sample for sample in [*(s for _, s in self._extremes.values()), *self._kept]}
        return list(unique.values())

    def _is_near(self, point: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
        return bool((np.linalg.norm(others - point, axis=1) < self._distance).any())

    def _thin(self, points: NDArray[np.float64]) -> None:
        kept: list[int] = []
        for number, point in enumerate(points):
            if not self._is_near(point, points[kept]):
                kept.append(number)
        self._points, self._kept = points[kept], [self._kept[number] for number in kept]


def _extremes(motion: MotionFrame) -> NDArray[np.float64]:
    angles = np.array(angles_deg(motion.rotation.astype(np.float64)))
    shapes = motion.blendshapes.astype(np.float64)
    smile = (shapes[SMILE_LEFT] + shapes[SMILE_RIGHT]) / 2
    readings = [shapes[JAW_OPEN], smile, shapes[LEFT_EYE.blink], shapes[RIGHT_EYE.blink]]
    return np.concatenate([readings, 90 + angles, 90 - angles])


def _sample(
    motion: MotionFrame, picture: NDArray[np.uint8] | None, landmarks: NDArray[np.float32] | None
) -> TrialFrame:
    if picture is None or landmarks is None:
        return TrialFrame(motion, None)
    height, width = picture.shape[:2]
    low = np.clip(np.floor(landmarks[:, :2].min(axis=0)).astype(int), 0, (width - 2, height - 2))
    high = np.clip(np.ceil(landmarks[:, :2].max(axis=0)).astype(int) + 1, low + 2, (width, height))
    scale = min(1.0, FACE_PX / float(high[1] - low[1]))
    piece = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    small = reduce(piece, scale) if scale < 1 else piece
    moved = landmarks.astype(np.float64) - [low[0], low[1], 0.0]
    moved *= scale
    moved[:, :2] += (scale - 1) / 2
    return TrialFrame(motion, DrivingPicture(small, moved.astype(np.float32)))
