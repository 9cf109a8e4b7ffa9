"""Passes: what an image was made with, as layers, metadata and numbers next to it.

Convention:
    Layers are written as Nuke expects them: ``stmap`` absolute, 0..1, counted from the bottom left, with a third
    channel of 1, without which Blender cannot read it;
    ``forward`` in pixels per frame, x to the right, y upwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Animation
from lp_core.frame import Box, ClipInfo, Frame
from lp_core.geometry.face_regions import region_coverage
from lp_core.geometry.flow import forward_motion, st_map
from lp_core.geometry.optical_flow import film_motion
from lp_core.media.base import Attribute
from lp_core.motion.reliability import REGIONS
from lp_core.render.layer_passes import head_layer, unit_colors
from lp_core.render.layers import Layer, moved_person

F32 = NDArray[np.float32]

CONFIDENCE = "lpsuite/confidence"
"""Name in an image's metadata: how sure the landmarker was of the driving face, 0..1."""
CROP_MATRIX = "lpsuite/frameFromCrop"
"""Nine numbers row by row: ``frame = matrix @ (x, y, 1)``, pixel centers at integers, y downwards."""
FACE_MATTE = "matte_"
"""Layer of the matte of one face of a cast: this and the face's name."""
NOT_MOVED: tuple[F32, Box] = (np.zeros((0, 0, 2), np.float32), (0, 0, 0, 0))
_Y_UP = np.array([1, -1], np.float32)


class FaceLog(Protocol):
    """Takes the numbers of every frame that no image can hold."""

    def add(
        self,
        index: int,
        confidence: float,
        landmarks: F32 | None,
        scheme: str,
        trust: F32 | None = None,
        cause: str = "",
    ) -> None:
        """Takes those of the next frame.

        Args:
            index: position in the result.
            confidence: of the driving face, 0..1.
            landmarks: (P, 3) of the result's face, pixels of the frame, y downwards; None where it is not there.
            scheme: layout of the landmarks.
            trust: (3,) how far the performance's face, eyes and mouth can be trusted; None: not known.
            cause: what lowers the lowest of them.
        """
        ...

    def commit(self) -> None:
        """Finishes the file."""
        ...

    def abort(self) -> None:
        """Removes what was written; may be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True)
class DrawnFrame:
    """One image of the result with what the engine said of it."""

    frame: Frame
    """The image."""
    animation: Animation | None
    """What the engine gave; None: the source's image passed through."""
    confidence: float
    """How sure the landmarker was of the driving face, 0..1."""
    plate: Frame | None = None
    """The image of a filmed source that it was made from; None: the source is a still."""
    layer: Layer | None = None
    """Person and background of the source; None: not known."""
    faces: tuple[tuple[str, Animation | None], ...] = ()
    """Of a cast: name and animation of each of its faces; empty where one face is animated."""
    trust: F32 | None = None
    """(3,) how far the performance's face, eyes and mouth can be trusted, 0..1; None: not known."""
    cause: str = ""
    """What lowers the lowest of them: a name of lp_core.motion.reliability.CAUSES."""
    held: F32 | None = None
    """(H, W) 0..1, what a holdout protects; None: nothing."""

    @property
    def flow(self) -> tuple[F32, Box]:
        """The flow and its box."""
        return NOT_MOVED if self.animation is None else (self.animation.region_flow, self.animation.region)


def with_passes(
    drawn: Iterable[DrawnFrame],
    passes: frozenset[str],
    info: ClipInfo,
    log: FaceLog | None = None,
    alpha: str = "source",
) -> Iterator[Frame]:
    """The frames with the passes that were asked for.

    Motion needs the following frame, so frames come one later then; the last frame goes on as it came.

    Args:
        drawn: the result, image by image.
        passes: names out of ``lp_core.settings.PASSES``.
        info: the source, for its windows.
        log: takes landmarks and confidence.
        alpha: of the frames, one of ``lp_core.settings.render.ALPHAS``.
    """
    steps = _with_motion(drawn) if "motion" in passes else ((one, NOT_MOVED) for one in drawn)
    for one, motion in steps:
        if log is not None:
            animation = one.animation
            points = None if animation is None else animation.landmarks_frame
            scheme = "" if animation is None else animation.landmark_scheme
            log.add(one.frame.index, one.confidence, points, scheme, one.trust, one.cause)
        layers = {name: make(one, info) for name, make in _LAYERS.items() if name in passes}
        if "matte" in passes:
            for name, animation in one.faces:
                layers[FACE_MATTE + name] = _matte(replace(one, animation=animation), info)
        if "motion" in passes:
            layers["forward"] = _whole(motion[0] * _Y_UP, motion[1], one.frame)
        yield replace(
            _cut_out(one) if alpha == "matte" else one.frame,
            layers={
                **one.frame.layers,
                **{name: layer for name, layer in layers.items() if layer is not None},
            },
            metadata={**one.frame.metadata, **_metadata(one, passes)},
        )


def _cut_out(one: DrawnFrame) -> Frame:
    """The frame with the matte for its alpha; a separate alpha is multiplied with it."""
    pixels, animation = one.frame.pixels, one.animation
    height, width = pixels.shape[:2]
    matte = np.zeros((height, width), np.float32) if animation is None else animation.matte
    shown = matte[..., None]
    color: NDArray[Any] = pixels[..., :3]
    if one.frame.alpha == "premultiplied":
        color = color * shown
    whole = shown * (pixels[..., 3:] if pixels.shape[2] == 4 else one.frame.white)
    kept = [np.rint(part) if pixels.dtype.kind == "u" else part for part in (color, whole)]
    return replace(one.frame, pixels=np.concatenate(kept, axis=2).astype(pixels.dtype))


def _with_motion(drawn: Iterable[DrawnFrame]) -> Iterator[tuple[DrawnFrame, tuple[F32, Box]]]:
    before: DrawnFrame | None = None
    now: DrawnFrame | None = None
    for following in drawn:
        if now is not None:
            yield now, _motion(now, following)
        before, now = now, following
    if now is not None:
        back, box = NOT_MOVED if before is None else _motion(now, before)
        yield now, (-back, box)


def _motion(now: DrawnFrame, following: DrawnFrame) -> tuple[F32, Box]:
    is_drawn = now.animation is not None and following.animation is not None
    if now.plate is None or following.plate is None or now.plate is following.plate:
        return forward_motion(now.flow, following.flow) if is_drawn else NOT_MOVED
    plate_motion = film_motion(now.plate.as_rgb8(), following.plate.as_rgb8())
    if plate_motion is None:
        return NOT_MOVED
    flows = (now.flow, following.flow) if is_drawn else (NOT_MOVED, NOT_MOVED)
    return forward_motion(*flows, plate_motion)


def _whole(part: F32, box: Box, frame: Frame) -> F32:
    whole = np.zeros((*frame.pixels.shape[:2], *part.shape[2:]), np.float32)
    whole[box[1] : box[3], box[0] : box[2]] = part
    return whole


def _matte(one: DrawnFrame, info: ClipInfo) -> F32:
    if one.animation is None:
        return np.zeros((*one.frame.pixels.shape[:2], 1), np.float32)
    return one.animation.matte[..., None]


def _person(one: DrawnFrame, info: ClipInfo) -> F32:
    if one.layer is None:
        return np.zeros((*one.frame.pixels.shape[:2], 1), np.float32)
    return moved_person(one.layer, one.frame, one.animation)[..., None]


def _head(one: DrawnFrame, info: ClipInfo) -> F32:
    if one.layer is None:
        return np.zeros((*one.frame.pixels.shape[:2], 4), np.float32)
    plate = one.layer.whole_plate(one.plate or one.frame)
    return head_layer(one.frame, plate, moved_person(one.layer, one.frame, one.animation))


def _clean(one: DrawnFrame, info: ClipInfo) -> F32:
    if one.layer is None:
        return unit_colors(one.frame, one.frame.pixels)
    is_free = moved_person(one.layer, one.frame, one.animation) == 0
    plate = one.layer.whole_plate(one.plate or one.frame)
    return unit_colors(one.frame, np.where(is_free[..., None], one.frame.pixels, plate))


def _occlusion(one: DrawnFrame, info: ClipInfo) -> F32:
    if one.held is None:
        return np.zeros((*one.frame.pixels.shape[:2], 1), np.float32)
    return one.held[..., None]


def _st_map(one: DrawnFrame, info: ClipInfo) -> F32:
    height, width = one.frame.pixels.shape[:2]
    shown = (0, 0, width, height) if info.windows is None else info.windows.display_in_frame
    places = st_map(*one.flow, (width, height), shown)
    return np.dstack([places, np.ones((height, width), np.float32)])


def _regions(one: DrawnFrame, info: ClipInfo) -> F32:
    """(H, W, 3) skin, eyes, inside of the mouth; of a cast, the larger face covers the others."""
    height, width = one.frame.pixels.shape[:2]
    drawn = [animation for _, animation in one.faces] if one.faces else [one.animation]
    whole = np.zeros((height, width, 3), np.float32)
    for animation in sorted(filter(None, drawn), key=face_size):
        if animation.contours is not None:
            nearer = region_coverage(animation.contours, (width, height))
            whole = whole * (1 - nearer.sum(axis=2, keepdims=True)) + nearer
    return whole if one.held is None else whole * (1 - one.held[..., None])


def face_size(animation: Animation) -> float:
    """Area around the drawn face, square pixels: the larger face is taken for the nearer one."""
    points = animation.landmarks_frame
    if points is None:
        left, top, right, bottom = animation.region
        return float((right - left) * (bottom - top))
    across, down = np.ptp(points[:, :2], axis=0)
    return float(across * down)


def _shading(one: DrawnFrame, info: ClipInfo) -> F32:
    factor = np.ones((*one.frame.pixels.shape[:2], 1), np.float32)
    shading = None if one.animation is None else one.animation.shading
    if shading is not None:
        left, top, right, bottom = shading.region
        factor[top:bottom, left:right, 0] = shading.factor
    return factor


def _crop(one: DrawnFrame, info: ClipInfo) -> F32 | None:
    return None if one.animation is None or one.animation.crop is None else one.animation.crop.pixels


_LAYERS: dict[str, Callable[[DrawnFrame, ClipInfo], F32 | None]] = {
    "matte": _matte,
    "person": _person,
    "head": _head,
    "clean": _clean,
    "occlusion": _occlusion,
    "stmap": _st_map,
    "regions": _regions,
    "shading": _shading,
    "crop": _crop,
}


def _metadata(one: DrawnFrame, passes: frozenset[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "confidence" in passes:
        found[CONFIDENCE] = Attribute("float", float(one.confidence))
        if one.trust is not None:
            for name, value in zip(REGIONS, one.trust, strict=True):
                found[CONFIDENCE + name.capitalize()] = Attribute("float", float(value))
            found[CONFIDENCE + "Cause"] = one.cause or "none"
    if "crop" in passes and one.animation is not None and one.animation.crop is not None:
        numbers = tuple(float(number) for number in one.animation.crop.frame_from_crop.ravel())
        found[CROP_MATRIX] = Attribute("float[9]", numbers)
    return found
