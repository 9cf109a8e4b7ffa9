"""Path -> whoever reads or writes it; backends are imported on use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lp_core.errors import MissingDependency, SettingError, UnknownCodec
from lp_core.media.aside import check_folder, refuse_existing
from lp_core.media.base import AS_STORED, FrameSink, FrameSource, OpenSink, PartedSink, ReadOptions, SinkSpec
from lp_core.media.codecs import CONTAINERS, film_codec
from lp_core.media.failures import check_readable
from lp_core.media.fit import HOLDS, USUAL, FittedSink, fitted_spec
from lp_core.media.sequence import WRITABLE_STILLS, SequencePattern, refuse_existing_pictures, split_range
from lp_core.media.single_picture import SinglePictureSink, numbered
from lp_core.media.trim import TrimmedSource
from lp_core.timing import FrameRate

STILLS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_FILMS = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mts", ".m2ts", ".ts", ".mpg", ".mpeg"),
    *(".wmv", ".flv", ".ogv", ".3gp", ".gif"),
)

_OIIO_STILLS = (".exr", ".dpx")
_OIIO_WRITABLE = (".exr", ".dpx", ".tif", ".tiff")
_EXTRAS = {"OpenImageIO": "vfx"}

SOURCES: Mapping[str, str] = {
    **dict.fromkeys(STILLS, "lp_core.media.images:StillSource"),
    **dict.fromkeys(_OIIO_STILLS, "lp_core.media.oiio_read:OiioStillSource"),
    **dict.fromkeys(_FILMS, "lp_core.media.video_read:VideoSource"),
}
"""File suffix -> reader of a single file."""

SEQUENCE_SOURCES: Mapping[str, str] = {
    **dict.fromkeys(STILLS, "lp_core.media.picture_sequence:SequenceSource"),
    **dict.fromkeys(_OIIO_STILLS, "lp_core.media.oiio_read:OiioSequenceSource"),
}
"""File suffix -> reader of numbered files."""

_SOUND_ONLY = frozenset(
    {".wav", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".flac", ".ogg", ".opus", ".wma", ".caf", ".ac3"}
)
SINKS: Mapping[str, str] = dict.fromkeys(CONTAINERS, "lp_core.media.video_write:VideoSink")
"""File suffix -> writer of a film."""

SEQUENCE_SINKS: Mapping[str, str] = {
    **dict.fromkeys(WRITABLE_STILLS, "lp_core.media.picture_sequence:SequenceSink"),
    **dict.fromkeys(_OIIO_WRITABLE, "lp_core.media.oiio_write:OiioSequenceSink"),
}
"""File suffix -> writer of numbered files."""


def open_source(
    path: str | Path,
    sequence_rate: FrameRate | None = None,
    options: ReadOptions = AS_STORED,
) -> FrameSource:
    """Opens a still, a numbered sequence (``in.%04d.exr``, ``in.####.exr 1001-1100``) or a film.

    Args:
        path: what to read; the suffix decides who reads it.
        sequence_rate: rate of a picture sequence; None: the one in ``options``, else what the headers tell,
            else 24 frames per second.
        options: frames, layer, view, and what becomes of missing frames and fields.

    Raises:
        UnreadableMedia, EmptyVideo, TruncatedMedia: the file is missing, forbidden, damaged or without a
        picture. UnknownCodec: the suffix is not known.
        MissingDependency: the kind of file needs an extra that is not installed.
        SettingError: a pattern with two places for the number; frames, a layer or a view that are not there.
    """
    path, ranged = split_range(path)
    if sequence_rate is not None:
        options = replace(options, rate=sequence_rate)
    if SequencePattern.parse(path) is not None and not path.is_file():  # a#1.mov may be a film's own name
        if ranged is not None and options.frames is not None and not options.frames.within(ranged):
            raise SettingError(f"{path} is given as {ranged}, which does not hold {options.frames}.")
        sequence: FrameSource = _backend(path, SEQUENCE_SOURCES, "read")(path, replace(options, clip=ranged))
        return sequence
    check_readable(path)
    backend = _backend(path, SOURCES, "read")
    source: FrameSource = backend(path, options)
    if options.frames is None or source.info.is_still:
        return source
    return TrimmedSource(str(path), source, options.frames)


def open_sink(path: str | Path, spec: SinkSpec) -> FrameSink:
    """Opens a film, a numbered picture sequence or a single picture for writing; makes its folder if need be.

    Frames are fitted to what the file holds: see ``lp_core.media.fit``.

    Raises:
        OutputExists, NoWritePermission, DiskFull, UnknownCodec, MediaError: see ``check_output``.
        UnreadableMedia and others: the sound of ``spec.audio`` cannot be read.
    """
    path = Path(path)
    check_output(path, spec.overwrite, spec.codec)
    backend = _writer(path)
    holds = HOLDS.get(path.suffix.lower(), USUAL)
    if fitted_spec(spec, holds) == spec:
        sink: FrameSink = backend(path, spec)
        return sink
    return FittedSink(str(path), spec, holds, lambda fitted: backend(path, fitted))


def open_parts(path: str | Path, open_part: OpenSink, spec: SinkSpec, folder: Path) -> PartedSink:
    """Opens a film or a numbered picture sequence for writing in parts; a folder keeps what must outlive a crash.

    Whether the output may be written, ``check_output`` tells before the work begins.

    Args:
        path: film or numbered picture sequence.
        open_part: opens a part: ``open_sink``, or a conversion before it.
        spec: what the whole has to be.
        folder: for segments and journals; made if need be.

    Raises:
        UnknownCodec: unknown file type or codec, or a pair that does not go together.
    """
    path = Path(path)
    is_film = SequencePattern.parse(path) is None
    if is_film and path.suffix.lower() in SEQUENCE_SINKS:
        raise UnknownCodec(
            f"{path} names a single picture, which is not made in parts; name a sequence, such as "
            f"{numbered(path).name}, or a film."
        )
    _backend(path, SINKS if is_film else SEQUENCE_SINKS, "written")
    kind = getattr(
        importlib.import_module("lp_core.media.parts"), "FilmParts" if is_film else "SequenceParts"
    )
    parts: PartedSink = kind(path, spec, folder, open_part)
    return parts


def check_output(path: str | Path, overwrite: bool, codec: str | None = None) -> None:
    """Refuses an output that could not be written, before any work is done. Leaves nothing behind.

    Args:
        path: film, numbered picture sequence or single picture.
        overwrite: an output that exists may be replaced.
        codec: a film's codec; None: only the file type is looked at.

    Raises:
        OutputExists: it is there and may not be replaced.
        NoWritePermission, DiskFull, MediaError: no file can be made there.
        UnknownCodec: unknown file type or codec, or a pair that does not go together.
        SettingError: a pattern with two places for the number.
    """
    path = Path(path)
    pattern = SequencePattern.parse(path)
    _writer(path)
    if pattern is not None:
        refuse_existing_pictures(pattern, overwrite)
    else:
        if codec is not None and path.suffix.lower() in SINKS:
            film_codec(path, codec)
        refuse_existing(path, overwrite)
    check_folder(path)


def _writer(path: Path) -> Callable[[Path, SinkSpec], FrameSink]:
    """What writes a path: a film, numbered pictures or a single one."""
    suffix = path.suffix.lower()
    is_numbered = SequencePattern.parse(path) is not None
    backend: Callable[[Path, SinkSpec], FrameSink] = _backend(
        path, SEQUENCE_SINKS if is_numbered or suffix in SEQUENCE_SINKS else SINKS, "written"
    )
    if is_numbered or suffix not in SEQUENCE_SINKS:
        return backend
    return partial(SinglePictureSink, open_numbered=backend)


def _backend(path: Path, table: Mapping[str, str], done: str) -> Any:  # noqa: ANN401 - a class by name
    target = table.get(path.suffix.lower())
    if target is None and done == "read" and path.suffix.lower() in _SOUND_ONLY:
        raise UnknownCodec(
            f"{path} is a sound file ({path.suffix.lower()[1:]}), and a face has to be seen; give the video that "
            "it belongs to, or an image sequence."
        )
    if target is None:
        raise UnknownCodec(f"{path} has a type that cannot be {done}; known types are {', '.join(table)}.")
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "")
        if extra is None:
            raise
        raise MissingDependency(
            f"{path} needs {error.name}, which is not installed; get it with: pip install 'lp-suite[{extra}]'"
        ) from error
