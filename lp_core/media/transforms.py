"""Changes to every frame on its way to a file: upscaling, color conversion, fitting to what the file holds.

The order is the order of a list::

    TransformedSink(path, spec, [resized(stage), converted_to(conversion)], open_sink)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.color.alpha import premultiply, unpremultiply
from lp_core.color.management import Conversion
from lp_core.contexts import AbortsOnExit
from lp_core.errors import MediaError
from lp_core.frame import AlphaState, Frame, Pixels
from lp_core.media.base import OpenSink, SinkSpec

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class FrameTransform:
    """A change of every frame, made for frames of one specification."""

    spec: SinkSpec
    """Specification of the frames that come out."""
    apply: Callable[[Frame], Frame]
    """Called with every frame of a clip, in order."""
    notes: tuple[str, ...] = ()
    """Sentences the user should see."""


MakeTransform = Callable[[SinkSpec], FrameTransform]
"""Makes a transform for frames of a specification."""


class FrameStage(Protocol):
    """Turns frames into others, possibly of another size."""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the results, in pixels."""
        ...

    def apply(self, frame: Frame) -> Frame:
        """The changed frame; called with every frame of a clip, in order."""
        ...


class TransformedSink(AbortsOnExit):
    """A sink that changes every frame before it is written."""

    def __init__(
        self, path: Path, spec: SinkSpec, transforms: Sequence[MakeTransform], open_sink: OpenSink
    ) -> None:
        """Opens the sink for what the last transform gives.

        Args:
            path: of the output.
            spec: of the frames that will be written to this sink.
            transforms: in the order in which they are applied.
            open_sink: opens the output.
        """
        self._transforms: list[FrameTransform] = []
        for make in transforms:
            self._transforms.append(make(self._transforms[-1].spec if self._transforms else spec))
        self._sink = open_sink(path, self._transforms[-1].spec if self._transforms else spec)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return (*self._sink.notes, *(note for step in self._transforms for note in step.notes))

    def write(self, frame: Frame) -> None:
        """Changes and writes the next frame; see the sink behind."""
        for step in self._transforms:
            frame = step.apply(frame)
        self._sink.write(frame)

    def commit(self) -> None:
        """Finishes the output."""
        self._sink.commit()

    def abort(self) -> None:
        """Removes what was written; may be called twice."""
        self._sink.abort()


def check_frame(path: Path, frame: Frame, spec: SinkSpec) -> None:
    """Raises MediaError where size, channels or depth differ from the specification."""
    expected = (spec.height, spec.width, 4 if spec.has_alpha else 3)
    dtype = {8: np.uint8, 16: np.uint16, 32: np.float32}[spec.bit_depth]
    if frame.pixels.shape != expected or frame.pixels.dtype != dtype:
        raise MediaError(
            f"Frame {frame.index} for {path} has shape {frame.pixels.shape} and type {frame.pixels.dtype}, "
            f"but {expected} and {np.dtype(dtype)} were announced; hand over frames of one size and depth."
        )


def resized(stage: FrameStage) -> MakeTransform:
    """A stage, such as upscaling; windows become the whole frame where the size changes."""

    def make(spec: SinkSpec) -> FrameTransform:
        width, height = stage.size(spec.width, spec.height)
        is_same = (width, height) == (spec.width, spec.height)
        windows = spec.windows if is_same else None
        return FrameTransform(replace(spec, width=width, height=height, windows=windows), stage.apply)

    return make


_COLORED: Mapping[str, AlphaState] = MappingProxyType(
    {"crop": "straight", "clean": "straight", "head": "premultiplied"}
)
"""Layers that hold colors, and the state of their alpha."""


def converted_to(conversion: Conversion) -> MakeTransform:
    """A color conversion; the results are float, and no longer carry the source's chromaticities."""

    def make(spec: SinkSpec) -> FrameTransform:
        kind = spec.sample_type if spec.sample_type != "int" else "half" if spec.bit_depth == 8 else "float"

        def apply(frame: Frame) -> Frame:
            layers = dict(frame.layers)
            for name, alpha in _COLORED.items():
                if name in layers:
                    layers[name] = converted(layers[name], conversion.convert, alpha)
            return replace(
                frame,
                pixels=converted(frame.pixels, conversion.convert, spec.alpha),
                layers=layers,
                metadata={**frame.metadata, "chromaticities": None},
                encoding=None,
            )

        inner = replace(spec, bit_depth=32, color=conversion.tags, sample_type=kind)
        return FrameTransform(inner, apply)

    return make


def converted(pixels: NDArray[Any], convert: Callable[[F32], F32], alpha: AlphaState) -> F32:
    """Pixels with their colors converted; alpha stays.

    Args:
        pixels: (H, W, 3 or 4) of any sample type.
        convert: (..., 3) float32 colors, 1.0 = white, to colors of the other space.
        alpha: state of the alpha of ``pixels``; kept.

    Returns:
        (H, W, 3 or 4) float32, 1.0 = white.
    """
    light = as_float(pixels)
    is_premultiplied = light.shape[2] == 4 and alpha == "premultiplied"
    if is_premultiplied:
        light = unpremultiply(light)
    colors = convert(np.ascontiguousarray(light[..., :3]))
    light = np.concatenate([colors, light[..., 3:]], axis=2)
    return np.ascontiguousarray(premultiply(light) if is_premultiplied else light, np.float32)


@dataclass(frozen=True)
class FormatLimits:
    """What a file format can hold of a frame."""

    windows: bool = False
    """Display and data window; else only the display window is written."""
    alpha: AlphaState = "straight"
    """State of its alpha."""
    depths: tuple[int, ...] = (8, 16)
    """Bits per channel that its sink takes: 8, 16, 32 (float)."""


USUAL_LIMITS = FormatLimits()
"""Video, PNG, JPEG and DPX."""

LIMITS: Mapping[str, FormatLimits] = {
    ".exr": FormatLimits(windows=True, alpha="premultiplied", depths=(32,)),
    ".tif": FormatLimits(depths=(8, 16, 32)),
    ".tiff": FormatLimits(depths=(8, 16, 32)),
}
"""File suffix -> its limits, where they are not the usual ones."""


def fitted_to(name: str, limits: FormatLimits) -> MakeTransform:
    """Display window, alpha state and depth as a file format holds them.

    Args:
        name: of the file, for messages.
        limits: of its format.
    """

    def make(spec: SinkSpec) -> FrameTransform:
        fitted = fitted_spec(spec, limits)
        is_cut = spec.bit_depth == 32 and fitted.bit_depth == 16
        notes = (f"{name} holds whole numbers; values were cut to 0..1.",) if is_cut else ()

        def apply(frame: Frame) -> Frame:
            check_frame(Path(name), frame, spec)
            return replace(frame, pixels=fitted_pixels(frame.pixels, spec, fitted))

        return FrameTransform(fitted, apply, notes)

    return make


def fitted_spec(spec: SinkSpec, limits: FormatLimits) -> SinkSpec:
    """The specification of the frames as the file holds them; the same one when nothing has to change."""
    depth = spec.bit_depth
    if depth not in limits.depths:
        depth = 16 if depth == 32 else 32
    fitted = replace(spec, bit_depth=depth, alpha=limits.alpha if spec.has_alpha else spec.alpha)
    if spec.windows is not None and not limits.windows:
        left, top, right, bottom = spec.windows.display_in_frame
        fitted = replace(fitted, width=right - left, height=bottom - top, windows=None)
    return fitted


def fitted_pixels(pixels: Pixels, spec: SinkSpec, fitted: SinkSpec) -> Pixels:
    """Pixels of ``spec`` as ``fitted`` announces them."""
    if spec.windows is not None and fitted.windows is None:
        left, top, right, bottom = spec.windows.display_in_frame
        pixels = pixels[top:bottom, left:right]
    if spec.has_alpha and spec.alpha != fitted.alpha:
        pixels = as_float(pixels)
        pixels = unpremultiply(pixels) if fitted.alpha == "straight" else premultiply(pixels)
    if fitted.bit_depth == 32:
        return np.ascontiguousarray(as_float(pixels))
    if pixels.dtype == np.float32:
        dtype = np.uint8 if fitted.bit_depth == 8 else np.uint16
        top_code = float(np.iinfo(dtype).max)
        pixels = np.rint(np.clip(np.nan_to_num(pixels, posinf=1.0), 0.0, 1.0) * top_code).astype(dtype)
    return np.ascontiguousarray(pixels)


def as_float(pixels: Pixels) -> Pixels:
    """(H, W, C) float32 where 1.0 is the whole-number types' greatest value; float32 stays as it is."""
    if pixels.dtype == np.float32:
        return pixels
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
