"""A source prepared for the mesh engine: what does not change with the motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.mesh.lashes import lash_offset
from lp_core.engines.mesh.plate_mouth import PlateMouth
from lp_core.engines.mesh.tone import FaceTone, face_tone
from lp_core.engines.mesh.unseen import UnseenSkin, unseen_skin
from lp_core.faces.base import Face
from lp_core.frame import Frame
from lp_core.geometry.facemesh import EYES, OVAL, RIGID
from lp_core.geometry.sampling import CutOutSampler, Sampler
from lp_core.geometry.warp import reduce
from lp_core.motion.landmarks.motion import motion_from_landmarks
from lp_core.motion.landmarks.transfer import FaceFields, face_fields
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.tuning import LandmarkTuning

TRIAL_FACE_PX = 200.0
"""Height of the face in calibration's trial images."""
GRID_FACE_PX = 160.0
"""The flow is computed on a grid where the face is at most this high; above, it is interpolated."""


@dataclass(frozen=True)
class MeshPortrait:
    """A source with its face, in the units the mesh engine computes in."""

    source: Frame
    """The frame itself."""
    face: MotionFrame
    """Pose and shape of the source's face."""
    points: NDArray[np.float64]
    """(478, 3) landmarks in pixels of the source, camera axes, z from the head origin."""
    origin: NDArray[np.float64]
    """(2,) head origin in the source, pixels."""
    unit_px: float
    """Pixels per head unit."""
    radius_px: float
    """Largest radius of the face outline, pixels."""
    tone: FaceTone
    """Color of the face."""
    fields: FaceFields
    """How the face's points follow mouth and lids."""
    tuning: LandmarkTuning | None
    """Corrections from calibration; None before or without it."""
    grid_scale: float
    """Grid cells per pixel, 0 < grid_scale <= 1."""
    plate: PlateMouth | None = None
    """The mouth of the plate, where another voice replaces it."""
    has_teeth: bool = True
    """Whether an opened mouth shows human teeth; False for a face whose points were set by hand."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the source."""
        return self.source.pixels.shape[1], self.source.pixels.shape[0]

    @cached_property
    def affine_solver(self) -> NDArray[np.float64]:
        """(4, 478) times (478, N) values at the landmarks: their affine map of (x, y, z, 1), by least squares."""
        return np.asarray(np.linalg.pinv(np.column_stack([self.points, np.ones(len(self.points))])))

    @cached_property
    def lash_offsets(self) -> dict[int, float]:
        """``EyeIndices.blink`` of an eye -> how far above the landmarks its upper lashes are, in eye widths."""
        return {eye.blink: lash_offset(self.source.pixels, self.points, eye) for eye in EYES}

    @cached_property
    def unseen(self) -> UnseenSkin | None:
        """The skin that the source does not show; None where it shows all."""
        return unseen_skin(self.points, self.radius_px)

    @cached_property
    def sampler(self) -> Sampler | CutOutSampler:
        """Samples the source."""
        pixels = self.source.pixels
        is_cut_out = pixels.shape[2] == 4 and self.source.alpha == "straight"
        return CutOutSampler(pixels) if is_cut_out else Sampler(pixels)


def prepare_portrait(
    source: Frame,
    face: Face,
    blendshapes: NDArray[np.float32],
    tuning: LandmarkTuning | None = None,
    plate: PlateMouth | None = None,
) -> MeshPortrait:
    """Prepares a source for animation; cheap enough for every frame of a plate."""
    height, width = source.pixels.shape[:2]
    motion = motion_from_landmarks(face.landmarks_frame, face.head_rotation, blendshapes, width, height)
    origin = face.landmarks_frame[RIGID, :2].mean(axis=0, dtype=np.float64)
    unit_px = float(motion.scale) * height
    # The landmarks as the motion gives them back: so a performance at rest moves nothing, not by a rounding.
    points = unit_px * motion.expression.astype(np.float64) @ motion.rotation.T.astype(np.float64)
    points[:, :2] += origin
    oval = points[OVAL, :2]
    return MeshPortrait(
        source=source,
        face=motion,
        points=points,
        origin=origin,
        unit_px=unit_px,
        radius_px=float(np.linalg.norm(oval - oval.mean(axis=0), axis=1).max()),
        tone=face_tone(source, points),
        fields=face_fields(motion.expression.astype(np.float64)),
        tuning=tuning,
        grid_scale=min(1.0, GRID_FACE_PX / max(float(np.ptp(oval[:, 1])), 1.0)),
        plate=plate,
        has_teeth=bool(face.blendshapes),
    )


def reduced_portrait(portrait: MeshPortrait) -> MeshPortrait:
    """The same portrait in 8 bits and small, for trials: the face at most TRIAL_FACE_PX high."""
    scale = min(1.0, TRIAL_FACE_PX / max(float(np.ptp(portrait.points[OVAL, 1])), 1.0))
    pixels = reduce(portrait.source.as_rgb8(), scale)
    points = portrait.points * scale
    points[:, :2] += (scale - 1) / 2
    return replace(
        portrait,
        source=Frame(pixels, portrait.source.index, portrait.source.time_s),
        points=points,
        origin=portrait.origin * scale + (scale - 1) / 2,
        unit_px=portrait.unit_px * scale,
        radius_px=portrait.radius_px * scale,
        grid_scale=1.0,
    )
