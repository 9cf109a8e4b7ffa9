"""Passes next to an image that cannot hold them: numbered EXR files, and numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import AbortsOnExit
from lp_core.files import (
    make_folder,
    move_into_place,
    refuse_existing,
    remove,
    remove_folders,
    temporary_path,
    write_failure,
)
from lp_core.frame import Frame
from lp_core.media.base import FrameSink, OpenSink, SinkSpec
from lp_core.media.frame_pattern import SequencePattern, without_places
from lp_core.motion.reliability import REGIONS

SCHEMA = "lpsuite.faces"
VERSION = 1
CSV = "confidence_csv"
"""Key of the file that holds the confidence as comma-separated values."""
_CSV_HEAD = ",".join(("frame", "confidence", *REGIONS, "cause")) + "\n"
CONVENTION = "x to the right and y downwards in pixels of the frame, pixel centers at integers; z is away"


def pass_path(output: str | Path, name: str, suffix: str) -> Path:
    """Where a pass goes: out.mp4 -> out.NAME.%04d.exr, out.%05d.png -> out.NAME.%05d.exr.

    Args:
        output: video or pattern of the image.
        name: of the pass.
        suffix: .exr for numbered images, .json for one file.
    """
    path = Path(output)
    pattern = SequencePattern.parse(path)
    stem = path.stem if pattern is None else pattern.prefix.rstrip("._-") or "frames"
    if suffix in (".json", ".csv"):
        return path.with_name(f"{stem}.{name}{suffix}")
    digits = 4 if pattern is None else pattern.digits
    return path.with_name(f"{without_places(stem + '.')}{name}.%0{digits}d{suffix}")


class SplitSink(AbortsOnExit):
    """Writes the image to one sink and some of its layers to separate sinks.

    A frame without such a layer gets a black one, so that files keep the numbers of their frames.
    """

    def __init__(
        self,
        output: str | Path,
        spec: SinkSpec,
        layers: Iterable[str],
        open_main: OpenSink,
        open_layer: OpenSink,
    ) -> None:
        """Opens the image's sink; a layer's is opened with its first frame, which has its size.

        Args:
            output: name of the image.
            spec: of the image.
            layers: names of the layers that have separate files.
            open_main: opens the image's sink.
            open_layer: opens a layer's.
        """
        self._output, self._spec, self._open_layer = Path(output), spec, open_layer
        self._layers = tuple(layers)
        self._others: dict[str, FrameSink] = {}
        self._black: dict[str, NDArray[np.float32]] = {}
        self._written: list[tuple[int, Fraction]] = []
        self._main = open_main(self._output, spec)

    @property
    def notes(self) -> tuple[str, ...]:
        """What all of the sinks have to say."""
        return tuple(note for sink in (self._main, *self._others.values()) for note in sink.notes)

    def write(self, frame: Frame) -> None:
        """Takes the next frame."""
        for name in self._layers:
            if name in frame.layers:
                pixels = _picture_of(name, frame.layers[name])
                sink = self._sink_of(name, pixels)
                sink.write(Frame(pixels, frame.index, frame.time_s, metadata=frame.metadata))
            elif name in self._others:
                self._others[name].write(Frame(self._black[name], frame.index, frame.time_s))
        kept = {name: layer for name, layer in frame.layers.items() if name not in self._layers}
        self._main.write(replace(frame, layers=kept))
        if len(self._others) < len(self._layers):
            self._written.append((frame.index, frame.time_s))

    def commit(self) -> None:
        """Finishes all files, the image last."""
        for sink in (*self._others.values(), self._main):
            sink.commit()

    def abort(self) -> None:
        """Removes what was written; may be called twice."""
        for sink in (*self._others.values(), self._main):
            sink.abort()

    def _sink_of(self, name: str, pixels: NDArray[np.float32]) -> FrameSink:
        if name not in self._others:
            height, width, channels = pixels.shape
            is_frame = (width, height) == (self._spec.width, self._spec.height)
            spec = replace(
                self._spec,
                width=width,
                height=height,
                bit_depth=32,
                has_alpha=channels == 4,
                alpha="premultiplied",
                sample_type="float",
                exr_compression="zips",
                windows=self._spec.windows if is_frame else None,
                audio=None,
            )
            self._others[name] = sink = self._open_layer(pass_path(self._output, name, ".exr"), spec)
            self._black[name] = np.zeros_like(pixels)
            for index, time_s in self._written:
                sink.write(Frame(self._black[name], index, time_s))
        return self._others[name]


def _picture_of(name: str, layer: NDArray[np.float32]) -> NDArray[np.float32]:
    """A layer as the main image of a file: a matte as white with alpha, two channels as red and green."""
    channels = layer.shape[2]
    if name in ("matte", "person", "occlusion"):
        return np.repeat(layer[..., :1], 4, axis=2)
    if channels < 3:
        layer = np.concatenate([layer, np.zeros((*layer.shape[:2], 3 - channels), np.float32)], axis=2)
    return np.ascontiguousarray(layer, np.float32)


class FaceFile(AbortsOnExit):
    """Landmarks and confidence of every frame as one JSON file; satisfies ``lp_core.render.passes.FaceLog``."""

    def __init__(
        self, paths: Mapping[str, Path], width: int, height: int, first_number: int, overwrite: bool
    ) -> None:
        """Opens the files.

        Args:
            paths: 'landmarks' or 'confidence' -> file.
            width: of the frames in pixels.
            height: of the frames in pixels.
            first_number: number of the first frame.
            overwrite: replace files that exist.

        Raises:
            OutputExists, NoWritePermission, DiskFull, MediaError: a file cannot be made.
        """
        for path in paths.values():
            refuse_existing(path, overwrite)
        self._first, self._scheme = first_number, ""
        self._head = {"schema": SCHEMA, "version": VERSION, "width": width, "height": height}
        self._open: dict[str, tuple[Path, Path]] = {}
        self._made: list[Path] = []
        for name, path in paths.items():
            self._made += make_folder(path)
            self._open[name] = (temporary_path(path), path)
            head = json.dumps({**self._head, "convention": CONVENTION})[:-1] + ', "frames": ['
            self._append(name, _CSV_HEAD if name == CSV else head, "w")
        self._lines = 0

    def add(
        self,
        index: int,
        confidence: float,
        landmarks: NDArray[np.float32] | None,
        scheme: str,
        trust: NDArray[np.float32] | None = None,
        cause: str = "",
    ) -> None:
        """Takes the numbers of the next frame; see ``lp_core.render.passes.FaceLog``."""
        line: dict[str, Any] = {"frame": self._first + index, "confidence": round(float(confidence), 4)}
        comma = ",\n" if self._lines else "\n"
        self._scheme = scheme or self._scheme
        self._lines += 1
        regions = [] if trust is None else [round(float(value), 4) for value in trust]
        if "confidence" in self._open:
            told = {
                **line,
                **dict(zip(REGIONS, regions, strict=False)),
                **({"cause": cause} if cause else {}),
            }
            self._append("confidence", comma + json.dumps(told))
        if CSV in self._open:
            self._append(CSV, ",".join(map(str, (line["frame"], line["confidence"], *regions, cause))) + "\n")
        if "landmarks" in self._open:
            rows = None if landmarks is None else np.round(landmarks.astype(np.float64), 3).tolist()
            self._append("landmarks", comma + json.dumps({**line, "points": rows}))

    def commit(self) -> None:
        """Finishes the files and moves them to their names."""
        for name, (temporary, path) in self._open.items():
            if name != CSV:
                self._append(name, '\n], "scheme": ' + json.dumps(self._scheme) + "}\n")
            move_into_place(temporary, path)
        self._open, self._made = {}, []

    def abort(self) -> None:
        """Removes what was written; may be called twice."""
        for temporary, _ in self._open.values():
            remove(temporary)
        remove_folders(self._made)
        self._open, self._made = {}, []

    def _append(self, name: str, text: str, mode: str = "a") -> None:
        temporary, path = self._open[name]
        try:
            with temporary.open(mode, encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise write_failure(path, error) from error
