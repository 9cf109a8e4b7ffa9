"""Mattes and clean plates of a source: found by a model, or read from the user's files in step with its frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.faces.base import Face
from lp_core.faces.person import PersonSegmenter, edged
from lp_core.frame import Box, ClipInfo, Frame
from lp_core.geometry.background import joined
from lp_core.geometry.fill import filled, grained, laid, ramp, soft_fill, unlike, widened
from lp_core.geometry.optical_flow import ROUGH
from lp_core.geometry.steady import SeenPatch, steadied
from lp_core.geometry.warp import reduce
from lp_core.layering.fronts import SourceFronts
from lp_core.media.base import ReadOptions
from lp_core.media.in_step import InStep, matte_of, open_in_step
from lp_core.render.fronts import Fronts
from lp_core.render.layers import Layer, Layers, SoftFill
from lp_core.settings import RenderSettings

F32 = NDArray[np.float32]

_LOOKED_PX = 960
"""Longer side from twice which on a video's frame is reduced by a whole number before anything is looked for."""
_FILL_PX = 128
"""Side at which a video's background is filled behind the person."""
_DTYPES = {8: np.uint8, 16: np.uint16, 32: np.float32}
_FRINGE = 0.012
"""Width of the strip around the person where loose hair may be, in longer sides of the frame."""


class SourceLayers:
    """The layer of each source frame; see lp_core.render.layers.Layers for the contract."""

    memory = 1

    def __init__(
        self,
        matte: Callable[[], InStep[F32]] | None,
        plate: Callable[[], InStep[NDArray[Any]]] | None,
        is_film: bool,
    ) -> None:
        """Opens the files; without a matte, the model.

        Args:
            matte: opens the user's matte of the person; None: a model finds the person.
            plate: opens the user's clean plate; None: it is filled from around.
            is_film: whether the source is a video: its mattes are steadied, and made faster.

        Raises:
            LpError: a file or the model cannot be used.
        """
        self._stack = ExitStack()
        self._matte = None if matte is None else self._stack.enter_context(matte())
        self._plate = None if plate is None else self._stack.enter_context(plate())
        self._segmenter = None if self._matte is not None else self._stack.enter_context(PersonSegmenter())
        self._is_film = is_film
        self._before: deque[SeenPatch] = deque(maxlen=self.memory)
        self._last: tuple[Frame, Layer | None] | None = None

    def at(self, frame: Frame, face: Face | None, number: int) -> Layer | None:
        """The layer of a frame; see the contract."""
        if self._last is None or self._last[0] is not frame:
            self._last = frame, self._found(frame, face, number)
        return self._last[1]

    def _found(self, frame: Frame, face: Face | None, number: int) -> Layer | None:
        plate = None if self._plate is None else self._plate.at(number)
        if self._matte is not None:
            person = self._matte.at(number)
            return Layer.whole(person, _plate_around(frame, person, None) if plate is None else plate)
        if self._segmenter is None or face is None:
            self._before.clear()
            return None
        if self._is_film:
            return self._filmed(self._segmenter, frame, face, plate)
        person = self._segmenter.matte(frame.as_rgb8(), face.landmarks_frame)
        fringe = ramp(person > 0, _half_fringe(max(person.shape)))
        return Layer.whole(person, _plate_around(frame, person, fringe) if plate is None else plate, fringe)

    def _filmed(
        self, segmenter: PersonSegmenter, frame: Frame, face: Face, plate: NDArray[Any] | None
    ) -> Layer:
        """The layer of a video's frame: everything is found at the size at which the person is seen."""
        image = frame.as_rgb8()
        less = max(max(image.shape[:2]) // _LOOKED_PX, 1)
        seen_image = image if less == 1 else reduce(image, 1 / less)
        size = seen_image.shape[1], seen_image.shape[0]
        patch, small = segmenter.look(seen_image, face.landmarks_frame[:, :2] / np.float32(less))
        seen = SeenPatch.of(seen_image, patch)
        values = steadied(seen, tuple(self._before), ROUGH)
        self._before.appendleft(seen)
        found = edged(values, patch.box, small, size, is_fast=True)
        near = ramp(found > 0, _half_fringe(max(size) * found.shape[1] / (patch.box[2] - patch.box[0])))
        box = _enlarged(patch.box, size, (image.shape[1], image.shape[0]))
        cover = joined(found[..., None], near)
        if plate is not None:
            return Layer(box, cover, plate)
        # What is shown is what is stored in most videos: then the reduced image is there already.
        whole = (0, 0, small.shape[1], small.shape[0])
        pixels, part = (small, whole) if np.may_share_memory(image, frame.pixels) else (frame.pixels, box)
        return Layer(box, cover, SoftFill(soft_fill(pixels, near, part, _FILL_PX)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _enlarged(box: Box, size: tuple[int, int], whole: tuple[int, int]) -> Box:
    """A box of a reduced frame in the whole one, both of a width and height."""
    left, top, right, bottom = (round(edge * whole[at % 2] / size[at % 2]) for at, edge in enumerate(box))
    return left, top, right, bottom


def _half_fringe(side: float) -> int:
    return max(round(_FRINGE * side / 2), 1)


def _plate_around(frame: Frame, person: F32, fringe: F32 | None) -> NDArray[Any]:
    """A still's pixels with the person filled from beyond the fringe, and hair in it: what is not the wall's grain."""
    shape = person > 0
    hole = widened(shape, 2 * _half_fringe(max(person.shape)))
    soft = filled(frame.pixels, hole)
    weight = shape.astype(np.float32)
    if fringe is not None:
        weight = np.maximum(weight, fringe * unlike(frame.pixels, soft, hole, shape))
    return laid(grained(soft, frame.pixels, hole), frame.pixels, weight)


def open_layers(
    engine: str, settings: RenderSettings, info: ClipInfo, options: ReadOptions
) -> Callable[[], Layers] | None:
    """Opens matte and plate of a source; None where the background is left to the engine.

    That is so with the liveportrait engine, without a moving head (``--region``), for sources with alpha, which have
    their own matte, and with ``--person-matte off``.

    Args:
        engine: name of the engine.
        settings: of the render.
        info: of the source; matte and plate must be as large.
        options: how the source is read.

    Raises:
        SettingError: a file's size differs, or the pass 'person' is asked for and no matte is used.
        UnreadableMedia and others: a file cannot be opened.
    """
    matte, plate = settings.input.person_matte, settings.input.clean_plate
    is_moving = settings.motion.region in ("all", "pose") and not settings.speech.lipsync
    if engine != "mesh" or matte == "off" or not is_moving or info.has_alpha:
        asked = sorted(settings.output.pass_names & {"person", "head", "clean"})
        if asked:
            raise SettingError(
                f"The pass '{asked[0]}' needs --person-matte, which works with the mesh engine, a moving head and a "
                "source without alpha; leave the pass out, or add --person-matte auto."
            )
        return None
    masks = None if matte == "auto" else open_in_step(matte, "person matte", matte_of, info, options)
    plates = (
        None
        if plate is None
        else open_in_step(plate, "clean plate", partial(_plate_like, info), info, options)
    )
    return partial(SourceLayers, masks, plates, not info.is_still)


def open_holdout(holdout: str, info: ClipInfo, options: ReadOptions) -> Callable[[], InStep[F32]] | None:
    """Opens the user's matte of what must not be touched; None where none is given.

    Args:
        holdout: image, sequence or video; auto or off: none is given.
        info: of the source; the matte must be as large.
        options: how the source is read.

    Raises:
        SettingError: the sizes differ.
        UnreadableMedia and others: the file cannot be opened.
    """
    if holdout in ("auto", "off"):
        return None
    return open_in_step(holdout, "holdout matte", matte_of, info, options)


def open_fronts(holdout: str) -> Callable[[], Fronts] | None:
    """Opens what finds things in front of the face; None where nobody looks."""
    return SourceFronts if holdout == "auto" else None


def _plate_like(info: ClipInfo, frame: Frame) -> NDArray[Any]:
    """The pixels of a clean plate.

    Raises:
        SettingError: it stores other numbers than the source.
    """
    if frame.pixels.dtype != _DTYPES[info.bit_depth]:
        raise SettingError(
            "The clean plate has another bit depth than the source; export it in the source's format."
        )
    return frame.pixels[..., :3]
