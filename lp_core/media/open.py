"""Path -> what reads or writes it; backends are imported on use."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lp_core.errors import EXTRAS, SettingError, UnknownCodec, absent_library, missing_extra
from lp_core.files import check_folder, check_name, check_readable, refuse_existing
from lp_core.leftovers import sweep
from lp_core.media.base import (
    AS_STORED,
    FrameSink,
    FrameSource,
    OpenSink,
    ReadOptions,
    ResumableSink,
    SinkSpec,
)
from lp_core.media.bounds import check_output_size
from lp_core.media.frame_pattern import WRITABLE_STILLS, SequencePattern, refuse_existing_pictures, split_clip
from lp_core.media.image.single import SinglePictureSink, numbered
from lp_core.media.kinds import kind_of, refuse_foreign
from lp_core.media.references import reference_kind
from lp_core.media.transforms import LIMITS, USUAL_LIMITS, TransformedSink, fitted_spec, fitted_to
from lp_core.media.trim import TrimmedSource
from lp_core.media.video.codecs import CONTAINERS, film_codec
from lp_core.timing import FrameRate

_PLACE = re.compile(r"#+|%0?[0-9]*d")
STILLS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".jif", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".apng"),
)
_FILMS = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mts", ".m2ts", ".ts", ".mpg", ".mpeg"),
    *(".wmv", ".flv", ".ogv", ".3gp"),
    *(".m2t", ".vob", ".h264", ".264", ".h265", ".265", ".hevc", ".m2v", ".ivf", ".y4m"),
)

_OIIO_STILLS = (".exr", ".dpx")
_OIIO_WRITABLE = (".exr", ".dpx", ".tif", ".tiff")

SOURCES: Mapping[str, str] = {
    **dict.fromkeys(STILLS, "lp_core.media.image.stills:StillSource"),
    **dict.fromkeys(_OIIO_STILLS, "lp_core.media.image.oiio_reader:OiioStillSource"),
    **dict.fromkeys(_FILMS, "lp_core.media.video.reader:VideoSource"),
}
"""File suffix -> reader of a single file."""

BY_CONTENT: Mapping[str, str] = {
    "still": SOURCES[".png"],
    "animation": "lp_core.media.image.animation:AnimatedSource",
    "openexr": SOURCES[".exr"],
    "dpx": SOURCES[".dpx"],
}
"""What a file is by its first bytes (``lp_core.media.kinds``) -> reader of a single file."""

SEQUENCE_SOURCES: Mapping[str, str] = {
    **dict.fromkeys(STILLS, "lp_core.media.image.sequence:SequenceSource"),
    **dict.fromkeys(_OIIO_STILLS, "lp_core.media.image.oiio_reader:OiioSequenceSource"),
}
"""File suffix -> reader of numbered files."""

_SOUND_ONLY = frozenset(
    {".wav", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".flac", ".ogg", ".opus", ".wma", ".caf", ".ac3"}
)
SINKS: Mapping[str, str] = dict.fromkeys(CONTAINERS, "lp_core.media.video.writer:VideoSink")
"""File suffix -> writer of a video."""

SEQUENCE_SINKS: Mapping[str, str] = {
    **dict.fromkeys(WRITABLE_STILLS, "lp_core.media.image.sequence:SequenceSink"),
    **dict.fromkeys(_OIIO_WRITABLE, "lp_core.media.image.oiio_writer:OiioSequenceSink"),
}
"""File suffix -> writer of numbered files."""


def open_source(
    path: str | Path,
    sequence_rate: FrameRate | None = None,
    options: ReadOptions = AS_STORED,
) -> FrameSource:
    """Opens a still, a numbered sequence (``in.%04d.exr``, ``in.####.exr 1001-1100``) or a video.

    Args:
        path: what to read; its content decides how, and the suffix where the content does not show it.
        sequence_rate: rate of an image sequence; None: the one in ``options``, else what the headers say,
            else 24 frames per second.
        options: frames, layer, view, and what happens to missing frames and fields.

    Raises:
        UnreadableMedia, EmptyVideo, TruncatedMedia: the file is missing, forbidden, damaged or without a
        frame. UnknownCodec: a format that is not read; the message names it.
        MissingDependency: the kind of file needs an extra that is not installed.
        SettingError: a pattern with two places for the number; frames, a layer or a view that are not there.
    """
    path, ranged, step = split_clip(path)
    if sequence_rate is not None:
        options = replace(options, rate=sequence_rate)
    if SequencePattern.parse(path) is not None:
        if ranged is not None and options.frames is not None and not options.frames.within(ranged):
            raise SettingError(f"{path} is given as {ranged}, which does not hold {options.frames}.")
        backend = _backend(path, SEQUENCE_SOURCES, "read")
        sequence: FrameSource = backend(path, replace(options, clip=ranged, step=step))
        return sequence
    _refuse_foreign_numbered(path)
    check_readable(path)
    backend = _load(path, _reader(path, options))
    source: FrameSource = backend(path, options)
    if options.frames is None or source.info.is_still:
        return source
    return TrimmedSource(str(path), source, options.frames)


def open_sink(path: str | Path, spec: SinkSpec) -> FrameSink:
    """Opens a video, a numbered image sequence or a single image for writing; makes its folder if need be.

    Frames are fitted to what the file holds: see ``lp_core.media.transforms``.

    Raises:
        OutputExists, NoWritePermission, DiskFull, UnknownCodec, MediaError: see ``check_output``.
        UnreadableMedia and others: the sound of ``spec.audio`` cannot be read.
    """
    path = Path(path)
    check_output(path, spec.overwrite, spec.codec)
    check_output_size(path, spec.width, spec.height)
    backend = _writer(path)
    limits = LIMITS.get(path.suffix.lower(), USUAL_LIMITS)
    if fitted_spec(spec, limits) == spec:
        sink: FrameSink = backend(path, spec)
        return sink
    return TransformedSink(path, spec, [fitted_to(str(path), limits)], backend)


def open_parts(path: str | Path, open_part: OpenSink, spec: SinkSpec, folder: Path) -> ResumableSink:
    """Opens a video or a numbered image sequence for writing in parts; a folder keeps what must outlive a crash.

    Whether the output may be written, ``check_output`` says before the work begins.

    Args:
        path: video or numbered image sequence.
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
            f"{path} names a single image, which is not made in parts; name a sequence, such as "
            f"{numbered(path).name}, or a video."
        )
    _backend(path, SINKS if is_film else SEQUENCE_SINKS, "written")
    kind = getattr(
        importlib.import_module("lp_core.media.resumable"), "FilmParts" if is_film else "SequenceParts"
    )
    parts: ResumableSink = kind(path, spec, folder, open_part)
    return parts


def check_output(path: str | Path, overwrite: bool, codec: str | None = None) -> None:
    """Refuses an output that could not be written, before any work is done. Leaves nothing behind.

    Args:
        path: video, numbered image sequence or single image.
        overwrite: an output that exists may be replaced.
        codec: a video's codec; None: only the file type is looked at.

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
        check_name(pattern.path_of(0))
    else:
        if codec is not None and path.suffix.lower() in SINKS:
            film_codec(path, codec)
        refuse_existing(path, overwrite)
    check_folder(path if pattern is None else pattern.path_of(0))
    sweep(path.parent)


def _writer(path: Path) -> Callable[[Path, SinkSpec], FrameSink]:
    """What writes a path: a video, numbered images or a single one."""
    suffix = path.suffix.lower()
    is_numbered = SequencePattern.parse(path) is not None
    backend: Callable[[Path, SinkSpec], FrameSink] = _backend(
        path, SEQUENCE_SINKS if is_numbered or suffix in SEQUENCE_SINKS else SINKS, "written"
    )
    if is_numbered or suffix not in SEQUENCE_SINKS:
        return backend
    return partial(SinglePictureSink, open_numbered=backend)


def _refuse_foreign_numbered(path: Path) -> None:
    """Names the format of numbered files of a type that nothing reads, such as ``a.####.heic``."""
    parts = _PLACE.split(path.name)
    if len(parts) == 1 or path.exists() or not path.parent.is_dir():
        return
    numbered_name = re.compile("-?[0-9]+".join(map(re.escape, parts)))
    for found in sorted(path.parent.iterdir()):
        if numbered_name.fullmatch(found.name):
            refuse_foreign(found)
            return


def _reader(path: Path, options: ReadOptions) -> str:
    """What reads a single file: by its content, else by its suffix."""
    refuse_foreign(path)
    if options.references == "follow" and reference_kind(path) is not None:
        return SOURCES[".mp4"]
    kind = kind_of(path)
    suffix = path.suffix.lower()
    if kind == "video":
        return SOURCES[suffix if suffix in _FILMS else ".mp4"]
    return BY_CONTENT[kind] if kind is not None else _target(path, SOURCES, "read")


def _target(path: Path, table: Mapping[str, str], done: str) -> str:
    target = table.get(path.suffix.lower())
    if target is None and done == "read" and path.suffix.lower() in _SOUND_ONLY:
        raise UnknownCodec(
            f"{path} is a sound file ({path.suffix.lower()[1:]}), and a face has to be seen; give the video that "
            "it belongs to, or an image sequence."
        )
    if target is None:
        raise UnknownCodec(f"{path} has a type that cannot be {done}; known types are {', '.join(table)}.")
    return target


def _backend(path: Path, table: Mapping[str, str], done: str) -> Any:  # noqa: ANN401 - a class by name
    return _load(path, _target(path, table, done))


def _load(path: Path, target: str) -> Any:  # noqa: ANN401 - a class by name
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if absent_library(error) is None:
            raise
        raise missing_extra(f"The file type of {path}", EXTRAS[str(error.name)]) from error
