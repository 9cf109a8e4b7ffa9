"""EXR and DPX by OpenImageIO: any layer and view, windows, metadata, half and float without loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - the name everybody knows it by
from numpy.typing import NDArray

from lp_core.errors import EmptyVideo, MediaError, SettingError, TruncatedMedia, UnreadableMedia
from lp_core.files import check_readable
from lp_core.frame import Box, ClipInfo, ColorTags, Frame, Pixels, SampleType, Windows, united
from lp_core.media.base import AS_STORED, Attribute, ReadOptions
from lp_core.media.bounds import check_samples, check_size
from lp_core.media.image.exr_layers import ExrPart, LayerChoice, choose_channels
from lp_core.media.image.sequence import SequenceSource
from lp_core.media.image.smpte import unpacked
from lp_core.media.image.stills import DEFAULT_RATE, StillSource
from lp_core.timing import FrameRate, Timecode

_OWN_WORDS = ("oiio:", "openexr:")
_TOLD_BY_FIELDS = frozenset(
    {"compression", "PixelAspectRatio", "FramesPerSecond", "name", "view", "multiView"}
)
_LINEAR = ColorTags(primaries="bt709", transfer="linear", matrix="gbr", is_full_range=True)
_DISPLAY = ColorTags(primaries="bt709", transfer="bt709", matrix="gbr", is_full_range=True)
_LOG_WORDS = ("printing density", "logarithmic")
_BT709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)


@dataclass(frozen=True)
class ImageHeader:
    """What one file says before its pixels are read."""

    choice: LayerChoice
    """The channels that make the image."""
    windows: Windows
    """Its display and data window."""
    sample_type: SampleType
    """How its numbers are kept."""
    bit_depth: int
    """Bits of the delivered pixels: 8, 16 or 32 (float32)."""
    metadata: dict[str, Attribute]
    """Everything a header says but what a writer decides by itself."""
    pixel_aspect: Fraction
    """Width of a pixel divided by its height."""
    fps: Fraction | None
    """Frames per second, where it says so."""
    lost: tuple[str, ...]
    """Names of attributes whose text cannot be read."""


class OiioReader:
    """Reads files of one kind with one choice of layer and view."""

    def __init__(self, options: ReadOptions) -> None:
        self._layer, self._view = options.layer, options.view

    def header(self, path: Path) -> ImageHeader:
        """What a file says; reads no pixels.

        Raises:
            UnreadableMedia: missing, forbidden, deep, or no image.
            SettingError: no such layer or view.
        """
        file = _opened(path)
        try:
            return _header(path, _specs(path, file), self._layer, self._view)
        finally:
            file.close()

    def pixels(self, path: Path, canvas: Box) -> tuple[Pixels, ImageHeader]:
        """A file's image on a canvas that holds its windows; 0 where the file has no pixels.

        Raises:
            TruncatedMedia: the file ends too early.
            UnreadableMedia, SettingError: see ``header``.
        """
        file = _opened(path)
        try:
            header = _header(path, _specs(path, file), self._layer, self._view)
            channels = header.choice.channels
            first, end = min(channels), max(channels) + 1
            left, top, right, bottom = header.windows.data
            check_samples(path, right - left, bottom - top, end - first)
            kind = {8: "uint8", 16: "uint16", 32: "float"}[header.bit_depth]
            read = file.read_image(header.choice.part, 0, first, end, kind)
            if read is None:
                raise TruncatedMedia(f"{path} is damaged ({_reason(file)}); copy or render it again.")
        finally:
            file.close()
        picked = read if channels == tuple(range(first, end)) else read[..., [c - first for c in channels]]
        return _on_canvas(picked, header.windows.data, canvas), header

    def info(self, path: Path, headers: Sequence[ImageHeader], rate: FrameRate | None) -> ClipInfo:
        """What is known of a clip whose present files have these headers, the first file's first."""
        first = headers[0]
        canvas = first.windows.canvas
        for header in headers[1:]:
            canvas = united(canvas, header.windows.canvas)
        _check_canvas(path, canvas)
        rate = rate or (DEFAULT_RATE if first.fps is None else FrameRate(first.fps))
        color, notes = _color(path, first)
        if first.choice.note:
            notes += (first.choice.note,)
        if first.lost:
            notes += (
                f"{path} has words in its header that are not in UTF-8 and are not carried over: "
                f"{', '.join(first.lost)}.",
            )
        return ClipInfo(
            width=canvas[2] - canvas[0],
            height=canvas[3] - canvas[1],
            rate=rate,
            frame_count=len(headers),
            bit_depth=first.bit_depth,
            has_alpha=len(first.choice.channels) == 4,
            color=color,
            alpha="premultiplied" if path.suffix.lower() == ".exr" else "straight",
            sample_type=first.sample_type,
            timecode=_timecode(first.metadata.get("smpte:TimeCode"), rate),
            pixel_aspect=first.pixel_aspect,
            windows=replace(first.windows, data=_grown(first.windows, canvas)),
            metadata=first.metadata,
            notes=notes,
        )


class OiioStillSource(StillSource):
    """One EXR or DPX file as a clip of one frame."""

    def __init__(self, path: str | Path, options: ReadOptions = AS_STORED) -> None:
        path = Path(path)
        try:
            check_readable(path)
        except EmptyVideo as error:
            raise UnreadableMedia(str(error)) from error
        reader = OiioReader(options)
        header = reader.header(path)
        pixels, _ = reader.pixels(path, header.windows.canvas)
        self._info = replace(reader.info(path, [header], None), is_still=True)
        self._frame = Frame(pixels, 0, Fraction(0), metadata=header.metadata, data_window=header.windows.data)


class OiioSequenceSource(SequenceSource):
    """Numbered EXR or DPX files as a clip."""

    def _describe(self, paths: Sequence[Path]) -> ClipInfo:
        self._reader = OiioReader(self._options)
        headers = [self._reader.header(path) for path in paths]
        self._check_alike(paths, headers)
        info = self._reader.info(self._pattern.path_of(self._numbers[0]), headers, self._options.rate)
        assert info.windows is not None  # noqa: S101 - this reader always sets them
        self._canvas = info.windows.canvas
        self._tells_rate = headers[0].fps is not None
        return info

    def _check_alike(self, paths: Sequence[Path], headers: Sequence[ImageHeader]) -> None:
        """Refuses a sequence whose format, layer or alpha changes; names the first frame that differs."""
        numbers = [number for number in self._numbers if number not in self._missing]
        for number, path, header in zip(numbers, paths, headers, strict=True):
            differs = _difference(headers[0], header)
            if differs is not None:
                raise MediaError(
                    f"Frame {number} ({path}) {differs}, unlike frame {numbers[0]}; render all frames alike."
                )

    def _picture(self, path: Path) -> Frame:
        pixels, header = self._reader.pixels(path, self._canvas)
        return Frame(pixels, 0, Fraction(0), metadata=header.metadata, data_window=header.windows.data)


def _difference(first: ImageHeader, header: ImageHeader) -> str | None:
    """In what a file cannot follow another one of its sequence; None where it can."""
    left, top, right, bottom = header.windows.display
    if header.windows.display != first.windows.display:
        return f"has a display window of {right - left}x{bottom - top} pixels at ({left}, {top})"
    if header.choice.layer != first.choice.layer:
        return f"has no layer '{first.choice.layer or '(main)'}'"
    if len(header.choice.channels) != len(first.choice.channels):
        return f"has {'an' if len(header.choice.channels) == 4 else 'no'} alpha channel"
    return None


def _grown(windows: Windows, canvas: Box) -> Box:
    """A data window that spans the canvas where the sequence's images go beyond the first one's."""
    return windows.data if windows.canvas == canvas else canvas


def _opened(path: Path) -> Any:  # noqa: ANN401 - OpenImageIO's reader
    check_readable(path)
    file = oiio.ImageInput.open(str(path))
    if file is None:
        raise UnreadableMedia(f"{path} cannot be decoded ({_reason(oiio)}); render or copy it again.")
    return file


def _reason(teller: Any) -> str:  # noqa: ANN401 - a reader or the library
    try:
        text = str(teller.geterror()).strip().splitlines()
        oiio.geterror()
    except UnicodeDecodeError:  # it quotes the file's own words
        return "its header is damaged"
    return text[0] if text else "no reason given"


def _specs(path: Path, file: Any) -> list[Any]:  # noqa: ANN401 - OpenImageIO's reader
    specs: list[Any] = []
    try:
        while file.seek_subimage(len(specs), 0):
            specs.append(file.spec())
            tuple(specs[-1].channelnames)
        file.geterror()
    except UnicodeDecodeError as error:
        raise UnreadableMedia(
            f"{path} names its channels in no known script; its header is damaged, render it again."
        ) from error
    return specs


def _text(spec: Any, name: str) -> str:  # noqa: ANN401 - OpenImageIO's header
    try:
        value = spec.getattribute(name)
    except UnicodeDecodeError:
        return ""
    return value if isinstance(value, str) else ""


def _views(spec: Any) -> tuple[str, ...]:  # noqa: ANN401 - OpenImageIO's header
    try:
        value = spec.getattribute("multiView")
    except UnicodeDecodeError:
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def _rate(value: Any) -> Fraction | None:  # noqa: ANN401 - whatever a header holds
    """Frames per second of an attribute that may be a rational, a number or nonsense."""
    if isinstance(value, tuple) and len(value) == 2 and value[1]:
        value = Fraction(int(value[0]), int(value[1]))
    try:
        return FrameRate.parse(value).fps if isinstance(value, Fraction | float | int) else None
    except SettingError:
        return None


def _aspect(value: Any) -> Fraction:  # noqa: ANN401 - whatever a header holds
    if not isinstance(value, float | int) or not 0.01 <= value <= 100:
        return Fraction(1)
    return Fraction(value).limit_denominator(100_000)


def _timecode(stamp: Attribute | None, rate: FrameRate) -> Timecode | None:
    if stamp is None or stamp.kind != "timecode":
        return None
    return unpacked(int(stamp.value[0]), rate)


def _attributes(spec: Any) -> tuple[dict[str, Attribute], tuple[str, ...]]:  # noqa: ANN401 - OpenImageIO's header
    """What a header says, and the names of what cannot be read."""
    read, lost = {}, []
    for item in spec.extra_attribs:
        try:
            name = item.name
        except UnicodeDecodeError:
            lost.append("a word without a readable name")
            continue
        if name != "oiio:BitsPerSample" and (name.startswith(_OWN_WORDS) or name in _TOLD_BY_FIELDS):
            continue
        try:
            read[name] = Attribute(str(item.type), item.value)
        except UnicodeDecodeError:
            lost.append(name)
    return read, tuple(lost)


def _header(path: Path, specs: list[Any], layer: str | None, view: str | None) -> ImageHeader:
    views = _views(specs[0])
    _check_bounds(path, specs)
    has_flat = not all(spec.deep for spec in specs)
    parts = [
        ExrPart(
            name=_text(spec, "oiio:subimagename"),
            view=_text(spec, "view"),
            views=views,
            channels=() if spec.deep and has_flat else tuple(spec.channelnames),
        )
        for spec in specs
    ]
    choice = choose_channels(path, parts, layer, view)
    spec = specs[choice.part]
    if spec.deep:
        raise UnreadableMedia(f"{path} is a deep image; flatten it first.")
    sample_type, bit_depth = _sample_type(path, spec, choice)
    metadata, lost = _attributes(spec)
    return ImageHeader(
        choice=choice,
        windows=Windows(
            (spec.full_x, spec.full_y, spec.full_x + spec.full_width, spec.full_y + spec.full_height),
            (spec.x, spec.y, spec.x + spec.width, spec.y + spec.height),
        ),
        sample_type=sample_type,
        bit_depth=bit_depth,
        metadata=metadata,
        pixel_aspect=_aspect(spec.getattribute("PixelAspectRatio")),
        fps=_rate(spec.getattribute("FramesPerSecond")),
        lost=lost,
    )


def _check_bounds(path: Path, specs: list[Any]) -> None:
    """Refuses windows that are too large, together too; raises UnreadableMedia."""
    for spec in specs:
        check_size(path, spec.full_width, spec.full_height)
        check_size(path, spec.width, spec.height)
        _check_canvas(
            path,
            united(
                (spec.full_x, spec.full_y, spec.full_x + spec.full_width, spec.full_y + spec.full_height),
                (spec.x, spec.y, spec.x + spec.width, spec.y + spec.height),
            ),
        )


def _check_canvas(path: Path, canvas: Box) -> None:
    check_size(path, canvas[2] - canvas[0], canvas[3] - canvas[1])


def _sample_type(path: Path, spec: Any, choice: LayerChoice) -> tuple[SampleType, int]:  # noqa: ANN401
    formats = {str(spec.channelformat(index)) for index in choice.channels}
    if formats <= {"half", "float", "double"}:
        return ("half" if formats == {"half"} else "float"), 32
    if formats == {"uint8"}:
        return "int", 8
    if formats <= {"uint16", "uint10", "uint12"}:
        return "int", 16
    raise UnreadableMedia(
        f"{path} keeps its image as {', '.join(sorted(formats))}; export it as half or float."
    )


def _color(path: Path, header: ImageHeader) -> tuple[ColorTags, tuple[str, ...]]:
    if header.bit_depth == 32:
        white = header.metadata.get("chromaticities")
        is_bt709 = white is None or (white.kind == "float[8]" and np.allclose(white.value, _BT709, atol=2e-3))
        return (_LINEAR if is_bt709 else replace(_LINEAR, primaries="unspecified")), ()
    words = header.metadata.get("dpx:Transfer")
    if words is not None and str(words.value).lower() in _LOG_WORDS:
        note = f"{path} holds {words.value} values; they are used as they are unless an input space is given."
        return replace(_DISPLAY, transfer="unspecified"), (note,)
    return _DISPLAY, ()


def _on_canvas(pixels: NDArray[Any], data: Box, canvas: Box) -> Pixels:
    if data == canvas:
        return np.ascontiguousarray(pixels)
    whole = np.zeros((canvas[3] - canvas[1], canvas[2] - canvas[0], pixels.shape[2]), pixels.dtype)
    top, left = data[1] - canvas[1], data[0] - canvas[0]
    whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole
