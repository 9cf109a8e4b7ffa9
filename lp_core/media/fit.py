"""Frames as they come -> frames as a kind of file holds them: display window, state of alpha, depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lp_core.color.alpha import premultiply, unpremultiply
from lp_core.contexts import AbortsOnExit
from lp_core.frame import AlphaState, Frame, Pixels
from lp_core.media.base import FrameSink, SinkSpec
from lp_core.media.check_frames import check_frame


@dataclass(frozen=True)
class FormatLimits:
    """What a kind of file can hold of a frame."""

    windows: bool = False
    """Display and data window; else only the display window is written."""
    alpha: AlphaState = "straight"
    """State of its alpha."""
    depths: tuple[int, ...] = (8, 16)
    """Bits a channel that its sink takes: 8, 16, 32 (float)."""


USUAL = FormatLimits()
"""Films, PNG, JPEG and DPX."""

HOLDS: Mapping[str, FormatLimits] = {
    ".exr": FormatLimits(windows=True, alpha="premultiplied", depths=(32,)),
    ".tif": FormatLimits(depths=(8, 16, 32)),
    ".tiff": FormatLimits(depths=(8, 16, 32)),
}
"""File suffix -> what it holds, where that is not the usual."""


class FittedSink(AbortsOnExit):
    """Turns every frame into what the sink behind it takes; what that sink takes already passes untouched."""

    def __init__(
        self, name: str, spec: SinkSpec, holds: FormatLimits, open_sink: Callable[[SinkSpec], FrameSink]
    ) -> None:
        """Opens the sink behind.

        Args:
            name: file name, for messages.
            spec: the frames that will be handed over.
            holds: what the file can hold.
            open_sink: opens the sink for a specification that fits.
        """
        self._name, self._spec, self._fitted = name, spec, fitted_spec(spec, holds)
        self._sink = open_sink(self._fitted)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return (*self._sink.notes, *fit_notes(self._name, self._spec, self._fitted))

    def write(self, frame: Frame) -> None:
        """Takes the next frame; see the sink behind."""
        check_frame(Path(self._name), frame, self._spec)
        self._sink.write(replace(frame, pixels=fitted_pixels(frame.pixels, self._spec, self._fitted)))

    def commit(self) -> None:
        """Finishes the file."""
        self._sink.commit()

    def abort(self) -> None:
        """Removes what was written; may be called twice."""
        self._sink.abort()


def fit_notes(name: str, spec: SinkSpec, fitted: SinkSpec) -> tuple[str, ...]:
    """Sentences the user should see about what a fit leaves out."""
    if spec.bit_depth == 32 and fitted.bit_depth == 16:
        return (f"{name} holds whole numbers; values were cut to 0..1.",)
    return ()


def fitted_spec(spec: SinkSpec, holds: FormatLimits) -> SinkSpec:
    """The specification of the frames as the file holds them; the same one when nothing has to change."""
    depth = spec.bit_depth
    if depth not in holds.depths:
        depth = 16 if depth == 32 else 32
    fitted = replace(spec, bit_depth=depth, alpha=holds.alpha if spec.has_alpha else spec.alpha)
    if spec.windows is not None and not holds.windows:
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
