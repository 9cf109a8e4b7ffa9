"""Frames with the meaning of their numbers, and frames converted on their way to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.color.alpha import premultiply, unpremultiply
from lp_core.color.management import Conversion
from lp_core.contexts import AbortsOnExit, ClosesOnExit
from lp_core.frame import AlphaState, ClipInfo, Encoding, Frame
from lp_core.media.base import FrameSink, FrameSource, SinkSpec
from lp_core.media.fit import as_float

F32 = NDArray[np.float32]


class InterpretedSource(ClosesOnExit):
    """A source whose frames say what their numbers mean; the numbers stay."""

    def __init__(self, source: FrameSource, encoding: Encoding) -> None:
        """Takes the source over and closes it with itself."""
        self._source, self._encoding = source, encoding

    @property
    def info(self) -> ClipInfo:
        """What is known of the clip."""
        return self._source.info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """The source's."""
        return self._source.damaged_frames

    @property
    def notes(self) -> tuple[str, ...]:
        """The source's."""
        return self._source.notes

    def __iter__(self) -> Iterator[Frame]:
        """Yields the source's frames with their encoding."""
        alpha = self.info.alpha
        return (replace(frame, alpha=alpha, encoding=self._encoding) for frame in self._source)

    def close(self) -> None:
        """Releases the file."""
        self._source.close()


class ConvertedSink(AbortsOnExit):
    """A sink that takes float frames of another colour space than the file's."""

    def __init__(self, sink: FrameSink, convert: Callable[[F32], F32], alpha: AlphaState) -> None:
        """Takes the sink over.

        Args:
            sink: takes float32 frames in the file's space.
            convert: colours (..., 3) of the frames to the file's space.
            alpha: state of the frames' colours.
        """
        self._sink, self._convert, self._alpha = sink, convert, alpha

    @property
    def notes(self) -> tuple[str, ...]:
        """The sink's."""
        return self._sink.notes

    def write(self, frame: Frame) -> None:
        """Takes the next frame; see the sink behind."""
        pixels = converted(frame.pixels, self._convert, self._alpha)
        layers = dict(frame.layers)
        if "crop" in layers:
            layers["crop"] = converted(layers["crop"], self._convert, self._alpha)
        metadata = {**frame.metadata, "chromaticities": None}  # the header's are those of the source
        self._sink.write(replace(frame, pixels=pixels, layers=layers, metadata=metadata, encoding=None))

    def commit(self) -> None:
        """Finishes the file."""
        self._sink.commit()

    def abort(self) -> None:
        """Removes what was written; may be called twice."""
        self._sink.abort()


def converted(pixels: NDArray[Any], convert: Callable[[F32], F32], alpha: AlphaState) -> F32:
    """(H, W, C) float32, 1.0 = white: pixels of any type with their colours, never their alpha, converted."""
    light = as_float(pixels)
    is_premultiplied = light.shape[2] == 4 and alpha == "premultiplied"
    if is_premultiplied:
        light = unpremultiply(light)
    colors = convert(np.ascontiguousarray(light[..., :3]))
    light = np.concatenate([colors, light[..., 3:]], axis=2)
    return np.ascontiguousarray(premultiply(light) if is_premultiplied else light, np.float32)


def open_converted(
    open_sink: Callable[[SinkSpec], FrameSink], conversion: Conversion, spec: SinkSpec
) -> ConvertedSink:
    """Opens a sink behind a conversion, for frames as ``spec`` says."""
    kind = spec.sample_type if spec.sample_type != "int" else "half" if spec.bit_depth == 8 else "float"
    inner = replace(spec, bit_depth=32, color=conversion.tags, sample_type=kind)
    return ConvertedSink(open_sink(inner), conversion.convert, spec.alpha)
