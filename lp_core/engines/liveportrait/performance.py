"""Between a stored performance and the key points' algebra: units, reading an image, strengths.

Convention:
    A MotionFrame of an implicit rig keeps the network's numbers in units of a crop: size and place
    are those of a crop whose half side is 1, origin at its center; its rotation is head -> camera, the
    transpose of the one that acts on rows. A video is read as if the crop were the square of the image's
    height around the image's center: the network looks at each frame through a separate crop, so that the
    face is always as large as it was trained for, and what it says is moved into that common square. So
    nothing depends on the frames before, and no box needs averaging over the clip. A template of the
    published pipeline keeps its own crop's units. Where the model turns the square with the face, rotation and
    place are those within the turned square; such a model takes the expression alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lp_core.engines.liveportrait.motion_extractor import RawMotion
from lp_core.engines.liveportrait.table import LIVEPORTRAIT, PublishedModel
from lp_core.faces.base import Face, Landmarker
from lp_core.faces.ratios import eye_openness, lip_openness
from lp_core.faces.schemes import MEDIAPIPE478, scheme_of
from lp_core.frame import Frame
from lp_core.geometry.crop import CropShape, Square, oriented_square
from lp_core.geometry.facemesh import EYES
from lp_core.geometry.paste import cut_square, halved
from lp_core.motion.implicit.motion import (
    F64,
    ImplicitMotion,
    bins_to_degrees,
    implicit_motion,
    rotation_from_degrees,
)
from lp_core.motion.implicit.rigs import LIVEPORTRAIT21, ImplicitRig
from lp_core.motion.landmarks.motion import eye_gaze
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.smoothing import slerp

F32 = NDArray[np.float32]

CROP_PX = 512
"""Side of the square that is cut out of a frame; the networks read it halved."""


class MotionNetwork(Protocol):
    """M."""

    def motion(self, image: torch.Tensor) -> RawMotion:
        """(B, 3, 256, 256), [0, 1] -> the raw motion."""
        ...


def network_picture(frame: Frame, square: Square) -> F32:
    """What F and M see of a frame.

    Faces larger than the crop are averaged over their pixels, never skipped over.

    Args:
        frame: of any depth and encoding.
        square: around the face.

    Returns:
        (256, 256, 3) float32, 0..1, display-encoded.
    """
    return _shown(frame, halved(cut_square(frame.pixels[..., :3], square, CROP_PX)))


def network_pictures(frame: Frame, square: Square, appearance_px: int) -> tuple[F32, F32]:
    """What F and M see of a frame, cut once: (appearance_px, appearance_px, 3) and (256, 256, 3).

    Args:
        frame: of any depth and encoding.
        square: around the face.
        appearance_px: side of F's image, 512 or 256.
    """
    crop = cut_square(frame.pixels[..., :3], square, CROP_PX)
    small = _shown(frame, halved(crop))
    return (_shown(frame, crop) if appearance_px == CROP_PX else small), small


def _shown(frame: Frame, crop: F32) -> F32:
    return np.clip(np.nan_to_num(frame.shown(crop)), 0.0, 1.0)


def as_batch(picture: F32) -> torch.Tensor:
    """(H, W, 3) -> (1, 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)[None]))


def read_states(
    network: MotionNetwork, pictures: torch.Tensor, rig: ImplicitRig = LIVEPORTRAIT21
) -> list[tuple[ImplicitMotion, F64]]:
    """(state, canonical key points (K, 3)) of each of (B, 3, 256, 256) images."""
    raw = network.motion(pictures)
    angles = [bins_to_degrees(logits.float().cpu().numpy(), rig) for logits in (raw.pitch, raw.yaw, raw.roll)]
    numbers = [value.float().cpu().numpy() for value in (raw.exp, raw.scale, raw.t)]
    keypoints = raw.kp.float().cpu().numpy().astype(np.float64).reshape(len(pictures), -1, 3)
    states = []
    for i in range(len(pictures)):
        pitch, yaw, roll = (angle[i] for angle in angles)
        expression, scale, translation = (value[i : i + 1] for value in numbers)
        rotation = rotation_from_degrees(pitch, yaw, roll, rig)
        states.append((implicit_motion(rotation, expression, scale, translation, rig), keypoints[i]))
    return states


def read_performance(
    network: MotionNetwork,
    seen: Sequence[tuple[Frame, Face]],
    landmarker: Landmarker | None = None,
    model: PublishedModel = LIVEPORTRAIT,
    crop: CropShape | None = None,
) -> list[MotionFrame]:
    """Motion of faces in driving frames, read in one batch.

    Convention: see the module.

    Args:
        network: M.
        seen: frames and the faces in them.
        landmarker: of the points that crops and openness go by; None: the faces' own.
        model: whose M it is.
        crop: around a face; None: the model's own.
    """
    points = [refined(landmarker, frame, face) for frame, face in seen]
    turned = [oriented_square(face.landmarks_frame, crop or model.driving_crop) for face in points]
    squares = turned if model.is_driving_turned else [square.upright() for square in turned]
    pictures = [
        as_batch(network_picture(frame, square)) for (frame, _), square in zip(seen, squares, strict=True)
    ]
    states = read_states(network, torch.cat(pictures), model.rig)
    return [
        _motion_frame(frame, face, fine, square, state, keypoints)
        for (frame, face), fine, square, (state, keypoints) in zip(seen, points, squares, states, strict=True)
    ]


def refined(landmarker: Landmarker | None, frame: Frame, face: Face) -> Face:
    """The face with a landmarker's points; as it is without one."""
    return face if landmarker is None else landmarker.refined(frame.as_rgb8(), face)


def _motion_frame(
    frame: Frame, face: Face, fine: Face, square: Square, state: ImplicitMotion, keypoints: F64
) -> MotionFrame:
    height, width = frame.pixels.shape[:2]
    zoom = square.side / height
    offset = (square.center - np.array([width / 2, height / 2])) / (height / 2)
    points = face.landmarks_frame.astype(np.float64)
    has_irises = scheme_of(face.scheme) is MEDIAPIPE478
    extras = {"keypoints": keypoints.astype(np.float32)}
    if state.rig.scales > 1:
        extras["stretch"] = state.stretch.astype(np.float32)
    return MotionFrame(
        rotation=state.rotation.T.astype(np.float32),
        scale=np.float32(state.scale * zoom),
        translation=(offset + state.translation[:2] * zoom).astype(np.float32),
        expression=state.expression.astype(np.float32),
        eyes=eye_openness(fine.landmarks_frame, scheme_of(fine.scheme)),
        gaze=np.array(
            [eye_gaze(points, eye) for eye in EYES] if has_irises else np.zeros((2, 2)), np.float32
        ),
        lips=lip_openness(fine.landmarks_frame, scheme_of(fine.scheme)),
        blendshapes=face.coefficients,
        confidence=np.float32(face.score),
        extras=extras,
    )


def implicit_of(motion: MotionFrame, rig: ImplicitRig = LIVEPORTRAIT21) -> ImplicitMotion:
    """A stored frame in the algebra's form, its own crop's units.

    Convention: see the module.
    """
    translation = np.array([*motion.translation, 0.0])
    sizes = np.asarray(motion.scale, np.float64)
    if rig.scales > 1:
        sizes = sizes * np.asarray(motion.extras.get("stretch", np.ones(3)), np.float64)
    return implicit_motion(motion.rotation.T, motion.expression, sizes, translation, rig)


def seen_as(source: ImplicitMotion, driving: ImplicitMotion, reference: ImplicitMotion) -> ImplicitMotion:
    """The performance as if its crop showed the head, at its reference, where and as large as the source's.

    Relative motion so goes by head sizes, whatever the crop was; absolute motion starts from the portrait's
    own place, for where a performer stood in another image means nothing here.
    """
    zoom = source.scale / reference.scale
    moved = (driving.translation - reference.translation) * zoom
    return replace(driving, scale=driving.scale * zoom, translation=source.translation + moved)


def strengthened(
    driving: ImplicitMotion, rest: ImplicitMotion, pose: float, expression: float
) -> ImplicitMotion:
    """The performance with its distance from rest multiplied, head and face each by their own factor."""
    if pose == 1.0 and expression == 1.0:
        return driving
    return replace(
        driving,
        rotation=slerp(rest.rotation, driving.rotation, pose),
        expression=rest.expression + expression * (driving.expression - rest.expression),
        scale=float(rest.scale * (driving.scale / rest.scale) ** pose),
        translation=rest.translation + pose * (driving.translation - rest.translation),
    )
