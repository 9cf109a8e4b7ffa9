"""Portraits for live streams: a file becomes a prepared image with alpha; and how a drawn one is finished."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import Animation, Engine
from lp_core.engines.registry import choose_engine, make_engine
from lp_core.errors import UnreadableMedia
from lp_core.faces.base import Face
from lp_core.faces.open import open_analyzer
from lp_core.faces.selector import require_face
from lp_core.finishing.finish import Framing, cut_of
from lp_core.frame import Frame
from lp_core.geometry.warp import reduce
from lp_core.media.open import STILLS, open_source
from lp_core.media.pixels import resized_pixels
from lp_core.provenance.open_watermark import WatermarkReader
from lp_core.settings import RenderSettings
from lp_core.settings.live import LiveSettings
from lp_core.wanted_people import MOST_FACES

WHOLE = Framing()
"""No cut."""
Rgba = NDArray[np.uint8]
"""(H, W, 4) uint8, straight alpha, display-encoded."""


@dataclass(frozen=True)
class SceneKey:
    """What a scene depends on; where none of it changes, the scene stays."""

    portrait: str
    """File of the portrait."""
    step: int
    """How many portraits further in the same folder."""
    face: str
    """Which face."""
    longest_side: int
    """Pixels."""
    engine: tuple[Any, ...]
    """Which engine, with what loaded."""

    @classmethod
    def of(cls, portrait: str, step: int, settings: RenderSettings, live: LiveSettings) -> SceneKey:
        """Of a stream's settings."""
        engine = settings.engine
        loaded = (engine.engine, engine.weights, engine.device, engine.precision, engine.compile)
        return cls(portrait, step, settings.face.source_face, live.longest_side, loaded)


@dataclass(frozen=True)
class Scene:
    """An engine with a portrait it has prepared."""

    wanted: SceneKey
    """What it was made for."""
    engine: Engine
    """Draws it."""
    portrait: Any
    """The engine's own."""
    face: Face
    """The face of the portrait that is animated."""
    picture: Rgba
    """The portrait as it is."""
    name: str
    """File it is from."""

    def under(self, settings: RenderSettings) -> Scene:
        """The same scene with the engine under other settings."""
        return replace(self, engine=self.engine.with_settings(settings))


def make_scene(
    wanted: SceneKey,
    settings: RenderSettings,
    before: Scene | None,
    admit: Callable[[str], object] = str,
    framing: Framing = WHOLE,
) -> Scene:
    """Loads and prepares a portrait; the engine of the scene before is kept where it fits.

    Args:
        wanted: what to load.
        settings: of the engine.
        before: the scene that is shown now.
        admit: is given the portrait's name before it is opened; raises NotAllowed for what may not be read.
        framing: cut around the face.

    Raises:
        LpError: the portrait or the engine cannot be used.
    """
    if before is not None and before.wanted.engine == wanted.engine:
        engine = before.engine.with_settings(settings)
    else:
        engine = make_engine(choose_engine(settings)[0], settings)
    path = neighbor(Path(wanted.portrait), wanted.step)
    admit(str(path))  # a neighbor may be a link, and the portrait one since it was asked for
    with open_source(path) as source:
        first = next(iter(source), None)
    if first is None:
        raise UnreadableMedia(f"{path} holds no image; choose another portrait.")
    picture = to_rgba8(first, wanted.longest_side)
    face = _face_in(picture, wanted.face, path)
    if not framing.is_whole:
        picture = _cut(picture, face, framing)
        face = _face_in(picture, "largest", path)
    frame = Frame(picture, 0, Fraction(0))
    return Scene(wanted, engine, engine.prepare(frame, face), face, picture, path.name)


def _face_in(picture: Rgba, which: str, path: Path) -> Face:
    with closing(open_analyzer(is_video=False, max_faces=MOST_FACES)) as analyzer:
        faces = analyzer.analyze(np.ascontiguousarray(picture[..., :3]))
    height, width = picture.shape[:2]
    return require_face(faces, which, width, height, str(path))


def _cut(picture: Rgba, face: Face, framing: Framing) -> Rgba:
    """The part of the portrait that the framing asks for, in its size; even width and height."""
    height, width = picture.shape[:2]
    left, top, wide, high = cut_of(face, width, height, framing)
    rows = framing.height or high
    size = (max(round(wide * rows / high / 2), 1) * 2, max(round(rows / 2), 1) * 2)
    part: Rgba = resized_pixels(np.ascontiguousarray(picture[top : top + high, left : left + wide]), size)
    return part


def marked(drawn: Animation, mark: WatermarkReader | None, index: int, time_s: Fraction) -> Animation:
    """The drawn image with its invisible mark, where one is given."""
    if mark is None:
        return drawn
    frame = Frame(drawn.pixels, index, time_s)
    return replace(drawn, pixels=mark(frame, drawn.region_matte, drawn.region).pixels)


def neighbor(path: Path, step: int) -> Path:
    """The image so many places further among those of the same folder, round and round."""
    if step == 0:
        return path
    try:
        pictures = sorted(p for p in path.parent.iterdir() if p.suffix.lower() in STILLS and p.is_file())
    except OSError as error:
        raise UnreadableMedia(f"{path.parent} cannot be listed: {error.strerror}.") from error
    if path not in pictures:
        raise UnreadableMedia(f"{path} is not an image among others; choose one.")
    return pictures[(pictures.index(path) + step) % len(pictures)]


def to_rgba8(frame: Frame, longest_side: int) -> Rgba:
    """Any image in 8 bits with alpha, at most so large; color is averaged by alpha where it is reduced."""
    rgb, pixels = frame.as_rgb8(), frame.pixels
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    if pixels.shape[2] == 4:
        as_color = np.repeat(pixels[..., 3:], 3, axis=2)
        alpha = replace(frame, pixels=as_color).as_rgb8()[..., :1]
    scale = longest_side / max(rgb.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(np.concatenate([rgb, alpha], axis=2))
    if alpha.min() == 255:
        small = reduce(rgb, scale)
        return np.concatenate([small, np.full((*small.shape[:2], 1), 255, np.uint8)], axis=2)
    share = alpha.astype(np.float32) / 255
    covered = reduce(np.concatenate([rgb * share, share], axis=2), scale)
    color = covered[..., :3] / np.maximum(covered[..., 3:], 1e-3)
    color = np.where(covered[..., 3:] > 1e-3, color, reduce(rgb, scale))
    whole: Rgba = np.rint(np.concatenate([np.clip(color, 0, 255), covered[..., 3:] * 255], axis=2)).astype(
        np.uint8
    )
    return whole


def finished(animation: Animation, live: LiveSettings) -> Rgba:
    """The drawn image with the background that is asked for, straight alpha."""
    pixels: Rgba = animation.pixels
    if live.background == "photo":
        return pixels
    matte = np.rint(animation.matte * 255).astype(np.uint8)
    alpha = cv2.multiply(np.ascontiguousarray(pixels[..., 3]), matte, scale=1 / 255)
    if live.background == "matte":
        result = pixels.copy()
        result[..., 3] = alpha
        return result
    return over_color(np.dstack([pixels[..., :3], alpha]), live.background_color)


def over_color(picture: Rgba, color: str) -> Rgba:
    """The image over an opaque color (#RRGGBB), mixed in display values as OBS mixes them."""
    back = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
    share = picture[..., 3:].astype(np.float32) / 255
    result = np.full_like(picture, 255)
    result[..., :3] = np.rint(picture[..., :3] * share + back * (1 - share))
    return result
