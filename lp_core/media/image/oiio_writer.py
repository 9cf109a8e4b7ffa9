"""Numbered EXR, DPX and TIFF files by OpenImageIO: layers, windows, metadata, half and float."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - the name everybody knows it by
from numpy.typing import NDArray

from lp_core.color.primaries import CHROMATICITIES, LINEAR_ONLY
from lp_core.errors import MediaError
from lp_core.files import move_into_place, remove, temporary_path, write_failure
from lp_core.frame import LAYER_CHANNELS, Box, Frame, Windows, shifted, united
from lp_core.media.base import Attribute, SinkSpec
from lp_core.media.image.headers import wide_profile
from lp_core.media.image.sequence import SequenceSink
from lp_core.media.image.smpte import packed

_FLOAT_LAYERS = ("stmap", "forward")  # half cannot tell two columns of a wide image apart
_LOSSY = ("dwa", "b44", "pxr24")
_UNTRUE = (  # promises more about a file than a rewritten one keeps
    "acesImageContainerFlag",
    "nuke/node_hash",  # of the tree whose image the plate is
    "nuke/full_layer_names",
)


class OiioSequenceSink(SequenceSink):
    """Writes numbered files; layers of the image's size go next to it (EXR)."""

    def __init__(self, path: str | Path, spec: SinkSpec) -> None:
        super().__init__(path, spec)
        self._kind = self._pattern.path_of(0).suffix.lower()
        if self._kind == ".exr" and spec.exr_compression.startswith(_LOSSY):
            self._notes += (
                f"{self._pattern} is compressed with {spec.exr_compression}, which changes pixels a little; "
                "zip, zips, piz, rle and none keep them.",
            )

    def _check(self, path: Path) -> None:
        if path.suffix.lower() == ".dpx" and self._spec.bit_depth == 32:
            raise MediaError(f"{path} cannot hold floating-point frames; hand over 16 bits.")

    def _write_picture(self, path: Path, frame: Frame, index: int) -> None:
        if self._kind == ".exr":
            header, pixels = _exr_picture(frame, index, self._spec)
        else:
            header, pixels = _plain_part(frame, index, self._spec, self._kind)
        temporary = temporary_path(path)
        try:
            _write(temporary, header, pixels)
        except OSError as error:
            cause = _cause(path, pixels.nbytes, error)
            remove(temporary)
            raise write_failure(path, cause) from error
        except BaseException:
            remove(temporary)
            raise
        move_into_place(temporary, path, durable=False)


def _exr_picture(frame: Frame, index: int, spec: SinkSpec) -> tuple[Any, NDArray[Any]]:
    """Header and pixels: one part, because Nuke reads nothing of a file whose parts have different windows."""
    display, data, canvas = _windows(frame, spec)
    planes, names, kinds = [frame.pixels], list("RGBA"[: frame.pixels.shape[2]]), _picture_kinds(frame, spec)
    for layer, values in frame.layers.items():
        _check_layer(layer, values, frame)
        planes.append(values)
        names += [f"{layer}.{name}" for name in _channels_of(layer)[: values.shape[2]]]
        kinds += ["float" if layer in _FLOAT_LAYERS else kinds[0]] * values.shape[2]
    box = shifted(data, canvas[:2])
    whole = np.concatenate(planes, axis=2) if len(planes) > 1 else frame.pixels
    pixels = np.ascontiguousarray(whole[box[1] : box[3], box[0] : box[2]], np.float32)
    return _exr_spec(data, display, names, kinds, frame, index, spec), pixels


def _channels_of(layer: str) -> tuple[str, ...]:
    """Channel names of a layer; empty where it is not known. Each face of a cast has a separate matte."""
    return LAYER_CHANNELS.get("matte" if layer.startswith("matte_") else layer, ())


def _check_layer(layer: str, values: NDArray[np.float32], frame: Frame) -> None:
    if not _channels_of(layer):
        raise MediaError(f"The layer '{layer}' has no channel names; known are {', '.join(LAYER_CHANNELS)}.")
    if values.shape[:2] != frame.pixels.shape[:2]:
        raise MediaError(f"The layer '{layer}' has another size than the image; write it to separate files.")


def _picture_kinds(frame: Frame, spec: SinkSpec) -> list[str]:
    kind = spec.sample_type
    if kind == "int":
        kind = "half" if spec.bit_depth == 8 else "float"
    return [kind] * frame.pixels.shape[2]


def _windows(frame: Frame, spec: SinkSpec) -> tuple[Box, Box, Box]:
    """(display window, this image's data window, the clip's canvas)."""
    whole = (0, 0, spec.width, spec.height)
    windows = spec.windows or Windows(whole, whole)
    canvas, data = windows.canvas, frame.data_window
    if data is None or united(canvas, data) != canvas:
        data = windows.data
    return windows.display, data, canvas


def _exr_spec(
    data: Box, display: Box, names: list[str], kinds: list[str], frame: Frame, index: int, spec: SinkSpec
) -> Any:  # noqa: ANN401 - OpenImageIO's header
    is_mixed = len(set(kinds)) > 1
    made = oiio.ImageSpec(data[2] - data[0], data[3] - data[1], len(names), "float" if is_mixed else kinds[0])
    made.x, made.y = data[:2]
    made.full_x, made.full_y = display[:2]
    made.full_width, made.full_height = display[2] - display[0], display[3] - display[1]
    made.channelnames = tuple(names)
    if is_mixed:  # formats that are all alike are passed over in favor of the header's own
        made.channelformats = tuple(oiio.TypeDesc(kind) for kind in kinds)
    _describe(made, frame, index, spec)
    _name_primaries(made, frame, spec)
    made.attribute("compression", spec.exr_compression)
    made.attribute("FramesPerSecond", oiio.TypeRational, _rational(spec))
    return made


def _name_primaries(made: Any, frame: Frame, spec: SinkSpec) -> None:  # noqa: ANN401
    """Chromaticities of linear light that is not BT.709's, which EXR assumes; a header's own win."""
    numbers = {**CHROMATICITIES, **LINEAR_ONLY}.get(spec.color.primaries)
    is_told = {**spec.attributes, **frame.metadata}.get("chromaticities") is not None
    if numbers and not is_told and spec.color.transfer == "linear" and spec.color.primaries != "bt709":
        made.attribute("chromaticities", oiio.TypeDesc("float[8]"), numbers)


def _plain_part(frame: Frame, index: int, spec: SinkSpec, kind: str) -> tuple[Any, NDArray[Any]]:
    height, width, channels = frame.pixels.shape
    made = oiio.ImageSpec(width, height, channels, {8: "uint8", 16: "uint16", 32: "float"}[spec.bit_depth])
    if kind == ".dpx":
        _describe(made, frame, index, spec)
        bits = spec.attributes.get("oiio:BitsPerSample")
        if spec.bit_depth == 8 or not isinstance(bits, Attribute):
            made.attribute("oiio:BitsPerSample", spec.bit_depth)
    else:
        made.attribute("oiio:UnassociatedAlpha", 1)
        made.attribute("compression", "lzw")  # zip takes several times as long for a quarter less
        made.attribute("PixelAspectRatio", float(spec.pixel_aspect))
        profile = wide_profile(spec.color)
        if profile is not None:
            made.attribute(
                "ICCProfile", oiio.TypeDesc(f"uint8[{len(profile)}]"), np.frombuffer(profile, np.uint8)
            )
    return made, np.ascontiguousarray(frame.pixels)


def _describe(made: Any, frame: Frame, index: int, spec: SinkSpec) -> None:  # noqa: ANN401
    for name, value in {**spec.attributes, **frame.metadata}.items():
        if name not in _UNTRUE and value is not None:
            _set(made, name, value)
    stamp = {**spec.attributes, **frame.metadata}.get("smpte:TimeCode")
    if spec.timecode is not None:
        user_bits = stamp.value[1] if isinstance(stamp, Attribute) else 0
        value = (packed(spec.timecode.plus(index)), user_bits)
        made.attribute("smpte:TimeCode", oiio.TypeTimeCode, value)
    made.attribute("PixelAspectRatio", float(spec.pixel_aspect))


def _set(made: Any, name: str, value: Any) -> None:  # noqa: ANN401 - a header and any value it can hold
    plain = value.value if isinstance(value, Attribute) else value
    if isinstance(plain, str):
        # As the bytes it was read from: headers hold Latin-1 too, which the reader escapes.
        made.attribute(name, plain.encode("utf-8", "surrogateescape"))
    elif isinstance(value, Attribute):
        made.attribute(name, oiio.TypeDesc(value.kind), value.value)
    elif isinstance(value, np.ndarray | list | tuple):
        numbers = tuple(float(number) for number in np.asarray(value, np.float64).ravel())
        kind = {9: "matrix33", 16: "matrix"}.get(len(numbers), f"float[{len(numbers)}]")
        made.attribute(name, oiio.TypeDesc(kind), numbers)
    else:
        made.attribute(name, value)


def _rational(spec: SinkSpec) -> tuple[int, int]:
    fps = spec.rate.fps.limit_denominator(2**31 - 1)
    return fps.numerator, fps.denominator


def _write(path: Path, header: Any, pixels: NDArray[Any]) -> None:  # noqa: ANN401 - OpenImageIO's header
    file = oiio.ImageOutput.create(str(path))
    if file is None:
        raise OSError(oiio.geterror())
    is_open = file.open(str(path), header)
    done = is_open and file.write_image(pixels)
    closed = not is_open or file.close()
    if not (done and closed):
        raise OSError(str(file.geterror()).strip() or "the file could not be finished")


def _cause(path: Path, size: int, error: OSError) -> OSError:
    """The system's own error where the library only says that writing failed; asked before tidying up."""
    if error.errno is None and shutil.disk_usage(path.parent).free < size:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    try:
        probe = temporary_path(path)
        probe.touch()
        probe.unlink()
    except OSError as found:
        return found
    return error
