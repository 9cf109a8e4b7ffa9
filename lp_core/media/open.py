"""Path -> whoever reads or writes it; backends are imported on use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lp_core.errors import UnknownCodec
from lp_core.media.aside import check_folder, refuse_existing
from lp_core.media.base import FrameSink, FrameSource, SinkSpec
from lp_core.media.codecs import CONTAINERS, film_codec
from lp_core.media.failures import check_readable
from lp_core.media.sequence import WRITABLE_STILLS, SequencePattern, refuse_existing_pictures
from lp_core.timing import FrameRate

_STILLS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_FILMS = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mts", ".m2ts", ".ts", ".mpg", ".mpeg"),
    *(".wmv", ".flv", ".ogv", ".3gp", ".gif"),
)

SOURCES: Mapping[str, str] = {
    **dict.fromkeys(_STILLS, "lp_core.media.images:StillSource"),
    **dict.fromkeys(_FILMS, "lp_core.media.video_read:VideoSource"),
}
"""File suffix -> reader of a single file."""

SEQUENCE_SOURCES: Mapping[str, str] = dict.fromkeys(_STILLS, "lp_core.media.picture_sequence:SequenceSource")
"""File suffix -> reader of numbered files."""

SINKS: Mapping[str, str] = dict.fromkeys(CONTAINERS, "lp_core.media.video_write:VideoSink")
"""File suffix -> writer of a film."""

SEQUENCE_SINKS: Mapping[str, str] = dict.fromkeys(
    WRITABLE_STILLS, "lp_core.media.picture_sequence:SequenceSink"
)
"""File suffix -> writer of numbered files."""


def open_source(path: str | Path, sequence_rate: FrameRate | None = None) -> FrameSource:
    """Opens a still, a numbered picture sequence (``in.%04d.png``, ``in.####.png``) or a film.

    Args:
        path: what to read; the suffix decides who reads it.
        sequence_rate: rate of a picture sequence, which carries none; None: 24 frames per second.

    Raises:
        UnreadableMedia, EmptyVideo, TruncatedMedia: the file is missing, forbidden, damaged or without a
        picture. UnknownCodec: the suffix is not known.
        SettingError: a pattern with two places for the number.
    """
    path = Path(path)
    is_sequence = SequencePattern.parse(path) is not None
    if not is_sequence:
        check_readable(path)
    backend = _backend(path, SEQUENCE_SOURCES if is_sequence else SOURCES, "read")
    source: FrameSource = backend(path, sequence_rate) if is_sequence and sequence_rate else backend(path)
    return source


def open_sink(path: str | Path, spec: SinkSpec) -> FrameSink:
    """Opens a film or a numbered picture sequence for writing; makes its folder if need be.

    Raises:
        OutputExists, NoWritePermission, DiskFull, UnknownCodec, MediaError: see ``check_output``.
        UnreadableMedia and others: the sound of ``spec.audio`` cannot be read.
    """
    path = Path(path)
    check_output(path, spec.overwrite, spec.codec)
    backend = (
        _film_backend(path)
        if SequencePattern.parse(path) is None
        else _backend(path, SEQUENCE_SINKS, "written")
    )
    sink: FrameSink = backend(path, spec)
    return sink


def check_output(path: str | Path, overwrite: bool, codec: str | None = None) -> None:
    """Refuses an output that could not be written, before any work is done. Leaves nothing behind.

    Args:
        path: film or numbered picture sequence.
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
    if pattern is not None:
        _backend(path, SEQUENCE_SINKS, "written")
        refuse_existing_pictures(pattern, overwrite)
    else:
        _film_backend(path)
        if codec is not None:
            film_codec(path, codec)
        refuse_existing(path, overwrite)
    check_folder(path)


def _film_backend(path: Path) -> Any:  # noqa: ANN401 - a class by name
    if path.suffix.lower() in SEQUENCE_SINKS:
        numbered = path.with_name(f"{path.stem}.%04d{path.suffix}")
        raise UnknownCodec(
            f"{path} names a single picture; name a sequence, such as {numbered.name}, or a film."
        )
    return _backend(path, SINKS, "written")


def _backend(path: Path, table: Mapping[str, str], done: str) -> Any:  # noqa: ANN401 - a class by name
    target = table.get(path.suffix.lower())
    if target is None:
        raise UnknownCodec(f"{path} has a type that cannot be {done}; known types are {', '.join(table)}.")
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
