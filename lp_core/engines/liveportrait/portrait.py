"""A source prepared for the LivePortrait engine: what does not change with the motion."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from lp_core.engines.base import NO_TUNING
from lp_core.engines.liveportrait.detail import beyond_white
from lp_core.engines.liveportrait.filmed_source import FilmedPlan
from lp_core.engines.liveportrait.guard import is_black
from lp_core.engines.liveportrait.networks import Networks
from lp_core.engines.liveportrait.performance import (
    CROP_PX,
    MotionNetwork,
    as_batch,
    network_picture,
    network_pictures,
    read_states,
)
from lp_core.engines.liveportrait.retarget import Ratios
from lp_core.engines.liveportrait.table import PublishedModel
from lp_core.engines.liveportrait.warping import WarpSource
from lp_core.faces.base import Face
from lp_core.faces.hand_points import animal_points
from lp_core.faces.ratios import eye_openness, lip_openness
from lp_core.faces.schemes import scheme_of
from lp_core.frame import Frame
from lp_core.geometry.crop import (
    SOURCE_CROP,
    CropShape,
    Square,
    crop_from_frame,
    frame_from_crop,
    oriented_square,
)
from lp_core.geometry.face_matte import face_mask
from lp_core.geometry.face_regions import FaceContours
from lp_core.geometry.mouth_region import MouthRegion
from lp_core.geometry.paste import F32, PastePlace, cut, feather_mask, place_of
from lp_core.motion.implicit.motion import F64, ImplicitMotion, transform_keypoints


@dataclass(frozen=True)
class LivePortraitPortrait:
    """A source with its face, in the units the networks compute in."""

    source: Frame
    """The frame itself."""
    state: ImplicitMotion
    """Pose and expression of the source's face."""
    keypoints: F64
    """(K, 3) canonical key points."""
    points: F64
    """(K, 3) the same in their place: where the warp starts."""
    ratios: Ratios
    """Openness of its eyes and lips, one frame."""
    warp: WarpSource
    """Feature volume and what else the warp needs of the source, on the networks' device."""
    place: PastePlace
    """Where the networks' image belongs in the frame."""
    beyond: F32 | None
    """(512, 512, 3) what of the crop's display view is below 0 and above 1; None where nothing does."""
    plan: FilmedPlan = field(default_factory=dict)
    """What a survey of a filmed source found; see ``lp_core.engines.liveportrait.filmed_source``."""
    contours: FaceContours | None = None
    """Of the source's face, where the pass ``regions`` is asked for; else None."""
    square: Square | None = None
    """Around the face, in the frame; None: not known."""
    is_dark: bool = False
    """Whether the crop itself is almost black, so that a black image of it is not a fault."""


@dataclass(frozen=True)
class Look:
    """Which square of a source is looked at, and what of it is pasted back."""

    crop: CropShape | None = None
    """Around the face; None: the model's own."""
    pastes_face: bool = False
    """True: the face alone, through a matte."""
    where: MouthRegion | None = None
    """Region that may change; None: all that is pasted."""


PLAIN_LOOK = Look()
"""The model's own square, pasted whole."""


def read_source(
    network: MotionNetwork, source: Frame, face: Face, crop: CropShape = SOURCE_CROP
) -> ImplicitMotion:
    """Pose and expression of a source's face, as ``prepare_portrait`` reads them."""
    square = oriented_square(face.landmarks_frame, crop)
    ((state, _),) = read_states(network, as_batch(network_picture(source, square)))
    return state


def ratios_of(face: Face) -> Ratios:
    """Openness of a face's eyes and lips, one frame."""
    scheme = scheme_of(face.scheme)
    eyes = eye_openness(face.landmarks_frame, scheme).astype(np.float64)
    return Ratios(eyes[None], np.array([lip_openness(face.landmarks_frame, scheme)], np.float64))


def source_square(model: PublishedModel, face: Face, crop: CropShape | None = None) -> Square:
    """The square of a source that a model looks at.

    Args:
        model: whose crop it is; animals are cropped by nine points, as published.
        face: the source's.
        crop: size and shift; None: the model's own.
    """
    points = animal_points(face) if model.is_of_animals else face.landmarks_frame
    return oriented_square(points, crop or model.source_crop)


def prepare_portrait(
    networks: Networks,
    source: Frame,
    face: Face,
    plan: FilmedPlan = NO_TUNING,
    look: Look = PLAIN_LOOK,
) -> LivePortraitPortrait:
    """Prepares a source: the crop, M, F and the source's share of W, once.

    Args:
        networks: of any model.
        source: the frame.
        face: the face in it.
        plan: of a filmed source.
        look: which square is looked at, and how much of it is pasted back.
    """
    row = networks.model
    height, width = source.pixels.shape[:2]
    square = source_square(row, face, look.crop)
    large, small = network_pictures(source, square, row.appearance_px)
    ((state, keypoints),) = read_states(networks, as_batch(small), row.rig)
    points = transform_keypoints(keypoints, state)
    warp = networks.prepare_source(networks.appearance(as_batch(large)), torch.from_numpy(points[None]))
    matrix = frame_from_crop(square, CROP_PX)
    mask = feather_mask(CROP_PX)
    if look.pastes_face:
        to_crop = crop_from_frame(square, CROP_PX)
        landmarks = face.landmarks_frame[:, :2].astype(np.float64)
        mask = mask * face_mask(landmarks @ to_crop[:2, :2].T + to_crop[:2, 2], CROP_PX)
    can_exceed = source.pixels.dtype == np.float32 or not (
        source.encoding is None or source.encoding.is_display
    )
    return LivePortraitPortrait(
        source=source,
        state=state,
        keypoints=keypoints,
        points=points,
        ratios=ratios_of(face),
        warp=warp,
        place=_within(place_of(matrix, mask, width, height), look.where),
        beyond=beyond_white(source, cut(source.pixels[..., :3], matrix, CROP_PX)) if can_exceed else None,
        plan=plan,
        square=square,
        is_dark=is_black(small),
    )


def _within(place: PastePlace, where: MouthRegion | None) -> PastePlace:
    """A place that shows in a region alone; None: as it is."""
    region = place.region
    if where is None or region.is_empty:
        return place
    weight = where.weight((region.left, region.top, region.right, region.bottom))
    return replace(place, weight=place.weight * weight)
