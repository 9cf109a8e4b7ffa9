"""The files that a job names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lp_core.media.frame_pattern import files_of
from lp_core.performance_name import is_builtin, speech_file
from lp_core.settings import RenderSettings
from lp_core.settings.face_names import photos_by_name
from lp_core.settings.table import path_values

_BY_THEIR_HASH = ("weights",)  # models are checked where they are loaded


def input_files(names: Iterable[str], settings: RenderSettings | None = None) -> list[Path]:
    """The files that names and settings mean and that are there, each once."""
    found: dict[Path, None] = {}
    for name in names:
        if not is_builtin(name):
            found.update(dict.fromkeys(files_of(speech_file(name))))
    for (_, setting), value in ({} if settings is None else path_values(settings)).items():
        if setting not in _BY_THEIR_HASH:
            found.update(dict.fromkeys(files_of(value)))
    if settings is not None:
        found.update(dict.fromkeys(Path(name) for name in photos_by_name(settings.face)))
    return list(found)
