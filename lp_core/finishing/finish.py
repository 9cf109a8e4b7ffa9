"""How a result is finished: cut of the portrait, what is behind it, captions on it.

The cut is made before the render, so that only what is seen is drawn. Background and captions change every frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.faces.base import Face, FaceBox
from lp_core.finishing.captions import Caption, caption_layer
from lp_core.frame import Frame, Pixels
from lp_core.media.base import SinkSpec
from lp_core.media.open import open_source
from lp_core.media.pixels import resized_pixels
from lp_core.media.transforms import FrameTransform, MakeTransform, as_float
from lp_core.render.edges import FilmedFace, Still

F32 = NDArray[np.float32]

_ASPECT = re.compile(r"(\d{1,4}):(\d{1,4})")
_COLOR = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_HEAD = 1.45
"""Height of a head with its hair, in heights of the landmarks' box."""
_EYES_AT = 0.42
"""Where the eyes are in the cut, from its top."""
_LEAST_HEIGHT, _MOST_HEIGHT = 64, 4320


@dataclass(frozen=True)
class Framing:
    """The cut of a portrait."""

    aspect: str = ""
    """Such as 9:16; empty: the portrait's own."""
    head_height: float = 0.0
    """Height of the head with its hair as a part of the cut's height, 0.05..0.95; 0: the largest cut."""
    height: int = 0
    """Rows of the result; 0: as many as the cut has in the portrait."""

    def __post_init__(self) -> None:
        match = _ASPECT.fullmatch(self.aspect) if self.aspect else None
        if self.aspect and (match is None or not int(match[1]) or not int(match[2])):
            raise SettingError(f"frame = '{self.aspect}' is not an aspect ratio; write it like 9:16.")
        if self.head_height and not 0.05 <= self.head_height <= 0.95:
            raise SettingError(f"head_height = {self.head_height:g} is out of range; give 0.05 to 0.95.")
        if self.height and not _LEAST_HEIGHT <= self.height <= _MOST_HEIGHT:
            raise SettingError(
                f"frame_height = {self.height} is out of range; give {_LEAST_HEIGHT} to {_MOST_HEIGHT} rows."
            )

    @property
    def ratio(self) -> float | None:
        """Width divided by height; None: the portrait's own."""
        if not self.aspect:
            return None
        width, height = map(int, self.aspect.split(":"))
        return width / height

    @property
    def is_whole(self) -> bool:
        """True: the portrait stays as it is."""
        return not self.aspect and not self.head_height and not self.height


@dataclass(frozen=True)
class Finish:
    """How a result is finished."""

    framing: Framing = field(default_factory=Framing)
    """The cut of the portrait."""
    background: str = ""
    """#RRGGBB, an image or a video that is seen where the portrait is transparent; empty: none."""
    matte: str = ""
    """Image whose brightness is the portrait's opacity; empty: the portrait's own alpha."""
    captions: tuple[Caption, ...] = ()
    """Text on the frames, in order of time."""

    @property
    def is_plain(self) -> bool:
        """True: nothing is changed."""
        return self == Finish()

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files it is made of."""
        return tuple(name for name in (self.background, self.matte) if name and not name.startswith("#"))

    def transforms(self) -> list[MakeTransform]:
        """Changes of every frame, in order."""
        found = [over_background(self.background)] if self.background else []
        return [*found, *([captioned(self.captions)] if self.captions else [])]

    def prepared(self, still: Still) -> Still:
        """The portrait with its matte, cut.

        Raises:
            SettingError: there is nothing that a background could be seen through.
            LpError: the matte cannot be read.
        """
        if self.matte:
            still = _with_matte(still, self.matte)
        if self.background and not still.info.has_alpha:
            raise SettingError(
                "The portrait is opaque, so no background can be seen; give a portrait with alpha, or its matte."
            )
        return still if self.framing.is_whole else reframed(still, self.framing)


PLAIN = Finish()
"""Nothing is changed."""


def finished(source: Still | FilmedFace, finish: Finish) -> Still | FilmedFace:
    """A portrait with its matte, cut; a video stays as it is.

    Raises:
        SettingError: a video is to be cut, or nothing can be seen behind the portrait.
    """
    if isinstance(source, Still):
        return finish.prepared(source)
    if not finish.framing.is_whole or finish.matte:
        raise SettingError("A video keeps its frame; leave out the frame, the head's height and the matte.")
    return source


def reframed(still: Still, framing: Framing) -> Still:
    """The portrait, cut and scaled; even width and height."""
    height, width = still.frame.pixels.shape[:2]
    left, top, wide, high = cut_of(still.face, width, height, framing)
    rows = framing.height or high
    scale = rows / high
    size = (max(round(wide * scale / 2), 1) * 2, max(round(rows / 2), 1) * 2)
    pixels = resized_pixels(
        np.ascontiguousarray(still.frame.pixels[top : top + high, left : left + wide]), size
    )
    factors = (size[0] / wide, size[1] / high)
    frame = replace(still.frame, pixels=pixels, data_window=None, layers={})
    info = replace(still.info, width=size[0], height=size[1], windows=None, pixel_aspect=Fraction(1))
    return Still(info, frame, _moved(still.face, left, top, factors))


def cut_of(face: Face, width: int, height: int, framing: Framing) -> tuple[int, int, int, int]:
    """Left, top, width and height of the cut in pixels of the portrait; always inside it."""
    ratio = framing.ratio or width / height
    box = face.box
    high = min(float(height), width / ratio)
    if framing.head_height:
        high = min(high, _HEAD * (box.bottom - box.top) / framing.head_height)
    wide = high * ratio
    x, _ = box.center
    eyes = box.top + 0.3 * (box.bottom - box.top)
    left = min(max(x - wide / 2, 0.0), width - wide)
    top = min(max(eyes - _EYES_AT * high, 0.0), height - high)
    return int(left), int(top), max(min(round(wide), width), 2), max(min(round(high), height), 2)


def _moved(face: Face, left: int, top: int, factors: tuple[float, float]) -> Face:
    """The face in pixels of the cut; pixel centers are integers."""
    x, y = factors
    points = face.landmarks_frame.astype(np.float64)
    points[:, 0] = (points[:, 0] - left + 0.5) * x - 0.5
    points[:, 1] = (points[:, 1] - top + 0.5) * y - 0.5
    points[:, 2] *= x
    box = face.box
    moved = FaceBox(
        (box.left - left) * x, (box.top - top) * y, (box.right - left) * x, (box.bottom - top) * y
    )
    return replace(face, landmarks_frame=points.astype(np.float32), box=moved)


def _with_matte(still: Still, name: str) -> Still:
    pixels = still.frame.pixels[..., :3]
    with open_source(name) as source:
        matte = next(iter(source)).pixels
    if matte.shape[:2] != pixels.shape[:2]:
        raise SettingError(
            f"The matte {name} has {matte.shape[1]}x{matte.shape[0]} pixels and the portrait "
            f"{pixels.shape[1]}x{pixels.shape[0]}; make it the same size."
        )
    share = as_float(matte)[..., :3].mean(axis=2, keepdims=True)
    alpha = share if pixels.dtype == np.float32 else np.rint(share * np.iinfo(pixels.dtype).max)
    joined = np.ascontiguousarray(np.concatenate([pixels, alpha.astype(pixels.dtype)], axis=2))
    info = replace(still.info, has_alpha=True, alpha="straight")
    return Still(info, replace(still.frame, pixels=joined, alpha="straight"), still.face)


def over_background(name: str) -> MakeTransform:
    """Every frame over a color, an image or a video, which starts again when it ends."""
    behind = _Background(name)

    def make(spec: SinkSpec) -> FrameTransform:
        if not spec.has_alpha:
            raise SettingError("The frames are opaque, so no background can be seen; leave it out.")
        size = (spec.width, spec.height)

        def apply(frame: Frame) -> Frame:
            light = as_float(frame.pixels)
            alpha = light[..., 3:]
            front = light[..., :3] if frame.alpha == "premultiplied" else light[..., :3] * alpha
            mixed = front + (1 - alpha) * behind.at(frame.index, size)
            return replace(frame, pixels=_as_stored(mixed, frame.pixels), alpha="straight")

        return FrameTransform(replace(spec, has_alpha=False, alpha="straight"), apply)

    return make


def _as_stored(light: F32, like: Pixels) -> Pixels:
    if like.dtype == np.float32:
        return np.ascontiguousarray(light, np.float32)
    top = float(np.iinfo(like.dtype).max)
    stored: Pixels = np.rint(np.clip(light, 0, 1) * top).astype(like.dtype)
    return np.ascontiguousarray(stored)


class _Background:
    """What is behind a portrait: frames of a size, by their index."""

    def __init__(self, name: str) -> None:
        match = _COLOR.fullmatch(name)
        self._name = name
        self._color = (
            None if match is None else np.array([int(part, 16) / 255 for part in match.groups()], np.float32)
        )
        self._still: F32 | None = None
        self._frames: Iterator[Frame] | None = None
        self._next = 0
        if match is None:
            with open_source(name) as source:
                self._is_still = source.info.is_still

    def at(self, index: int, size: tuple[int, int]) -> F32:
        """(H, W, 3) or (3,) float32 behind the frame of an index."""
        if self._color is not None:
            return self._color
        if self._is_still:
            if self._still is None or self._still.shape[1::-1] != size:
                with open_source(self._name) as source:
                    self._still = _filling(next(iter(source)), size)
            return self._still
        if self._frames is None or index < self._next:
            self._frames, self._next = _looped(self._name), 0
        picture = next(self._frames)
        self._next += 1
        while self._next <= index:
            picture = next(self._frames)
            self._next += 1
        return _filling(picture, size)


def _looped(name: str) -> Iterator[Frame]:
    while True:
        with open_source(name) as source:
            yield from source


def _filling(frame: Frame, size: tuple[int, int]) -> F32:
    """(H, W, 3) the middle of a frame, filling a size."""
    pixels: NDArray[Any] = frame.as_rgb8()
    height, width = pixels.shape[:2]
    ratio = size[0] / size[1]
    wide, high = (width, round(width / ratio)) if width / height < ratio else (round(height * ratio), height)
    wide, high = max(min(wide, width), 1), max(min(high, height), 1)
    left, top = (width - wide) // 2, (height - high) // 2
    cut = np.ascontiguousarray(pixels[top : top + high, left : left + wide])
    return as_float(resized_pixels(cut, size))


def captioned(captions: tuple[Caption, ...]) -> MakeTransform:
    """Text at the bottom of the frames while it is said."""

    def make(spec: SinkSpec) -> FrameTransform:
        kept: dict[str, tuple[F32, int]] = {}

        def apply(frame: Frame) -> Frame:
            now = float(spec.rate.time_s(frame.index))
            text = next((item.text for item in captions if item.start_s <= now < item.end_s), "")
            if not text:
                return frame
            if text not in kept:
                kept.clear()
                kept[text] = caption_layer(text, spec.width, spec.height)
            layer, top = kept[text]
            pixels = frame.pixels.copy()
            part = as_float(pixels[top : top + len(layer)])
            alpha = layer[..., 3:]
            part[..., :3] = part[..., :3] * (1 - alpha) + layer[..., :3] * alpha
            if part.shape[2] == 4:
                part[..., 3:] = np.maximum(part[..., 3:], alpha)
            pixels[top : top + len(layer)] = _as_stored(part, pixels)
            return replace(frame, pixels=pixels)

        return FrameTransform(spec, apply)

    return make
