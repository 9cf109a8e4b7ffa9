"""Who plays whom: the faces of a source and their performances, from ``--face`` and cast files."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.job import RenderJob
from lp_core.performance_name import with_file
from lp_core.settings import FaceSettings, RenderSettings
from lp_core.settings.table import find, path_values, with_values

_INLINE = "--face"
"""Stands for the cast file in messages about an entry with separate settings."""
_OF_THE_WHOLE = frozenset(("face", "cast", "source_face"))
_OF_THE_OUTPUT = frozenset(("input", "color", "output", "upscale", "provenance"))
"""Groups of settings that hold for the whole result."""


@dataclass(frozen=True)
class CastMember:
    """One face and its performance."""

    face: str
    """The face of the source, in the words of ``source_face``."""
    driving: str
    """Its performance."""
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Its own settings by name, such as region, strength or engine."""

    @property
    def name(self) -> str:
        """The face as a part of a layer's name: letters, digits and underscores."""
        return re.sub(r"[^A-Za-z0-9]+", "_", self.face).strip("_")


def cast_of(given: FaceSettings, driving: str) -> tuple[CastMember, ...]:
    """The cast that settings name; empty where they name none.

    Args:
        given: ``face`` holds entries such as ``0=a.mp4`` or ``left`` (then the face follows ``driving``), or JSON
            objects like a row of a cast file; ``cast`` names a TOML or JSON file with a list ``faces`` of tables:
            face, driving, and settings by name.
        driving: the performance of faces that name none.

    Raises:
        SettingError: an entry is not understood, or a face is named twice.
        UnreadableMedia: the cast file cannot be read.
    """
    members = [_entry(entry, driving) for entry in given.face]
    if given.cast is not None:
        members += _read(Path(given.cast), driving)
    faces = [member.face for member in members]
    twice = sorted({face for face in faces if faces.count(face) > 1})
    if twice:
        raise SettingError(f"The face {twice[0]} is cast twice; name it once.")
    return tuple(members)


def inlined(given: FaceSettings, here: Callable[[str], str] = str) -> FaceSettings:
    """The same cast without a cast file, so that it depends on no other file's text.

    Args:
        given: names a cast.
        here: gives a file's name as it is to be written; also for the files that settings of a face name.

    Raises:
        SettingError, UnreadableMedia: as ``cast_of``.
    """
    if not given.face and given.cast is None:
        return given
    return replace(given, cast=None, face=tuple(_as_entry(member, here) for member in cast_of(given, "")))


def member_paths(member: CastMember) -> dict[str, str]:
    """Setting -> file or folder that the settings of one face name; its photo among them."""
    values = with_values(RenderSettings(), {**member.settings, "source_face": member.face})
    named = {"source_face", *member.settings}
    return {name: path for (_, name), path in path_values(values).items() if name in named}


def cast_files(given: FaceSettings) -> list[str]:
    """Every file that a cast names next to the cast file: performances (with their prefixes) and files of settings."""
    if not given.face and given.cast is None:
        return []
    members = cast_of(given, "")
    performances = [member.driving for member in members if member.driving]
    return performances + [path for member in members for path in member_paths(member).values()]


def _as_entry(member: CastMember, here: Callable[[str], str]) -> str:
    paths = {name: here(path) for name, path in member_paths(member).items()}
    face = paths.pop("source_face", member.face)
    driving = with_file(member.driving, here) if member.driving else ""
    if not member.settings and not face.startswith("{"):
        return f"{face}={driving}" if driving else face
    values = {"face": face, **({"driving": driving} if driving else {}), **member.settings, **paths}
    return json.dumps(values, sort_keys=True)


def member_job(job: RenderJob, member: CastMember) -> RenderJob:
    """The render of one face of a cast, as if it were the only one."""
    alone = with_values(job.settings, {"face": (), "cast": None, "source_face": member.face})
    return replace(job, driving=member.driving, settings=with_values(alone, member.settings))


def _entry(entry: str, driving: str) -> CastMember:
    if entry.lstrip().startswith("{"):
        try:
            row = json.loads(entry)
        except (ValueError, RecursionError) as error:
            raise SettingError(f"face = {entry[:80]!r} is not valid JSON ({error}).") from error
        return _member(row, driving, Path(_INLINE))
    face, equals, performance = entry.partition("=")
    if not face.strip() or (equals and not performance.strip()):
        raise SettingError(f"face = {entry!r} is not a face and its performance; write it like 0=driver.mp4.")
    return CastMember(face.strip(), performance.strip() or driving)


def _read(path: Path, driving: str) -> list[CastMember]:
    try:
        text = path.read_text(encoding="utf-8")
        table = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UnreadableMedia(f"The cast file '{path}' cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"The cast file '{path}' is not valid ({error}); write TOML or JSON.") from error
    rows = table.get("faces") if isinstance(table, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise SettingError(f"The cast file '{path}' needs a list 'faces' of tables with face and driving.")
    return [_member(row, driving, path) for row in rows]


def _member(row: Mapping[str, Any], driving: str, path: Path) -> CastMember:
    face, performance = row.get("face"), row.get("driving", driving)
    if isinstance(face, int) and not isinstance(face, bool):
        face = str(face)
    if not isinstance(face, str) or not face or not isinstance(performance, str):
        raise SettingError(f"A face in '{path}' needs texts: face, such as \"0\", and driving, a file.")

    def beside(name: str) -> str:
        there = path.parent / name
        is_there = os.path.isfile(there)  # noqa: PTH113 - Path.is_file raises for a name that is too long
        return str(there) if name and is_there else name

    settings = {
        name: _value(name, value, path) for name, value in row.items() if name not in ("face", "driving")
    }
    return CastMember(face, with_file(performance, beside), settings)


def _value(name: str, value: Any, path: Path) -> Any:  # noqa: ANN401 - untrusted
    setting = find(name.replace("-", "_"))
    if setting.name in _OF_THE_WHOLE or setting.group in _OF_THE_OUTPUT:
        raise SettingError(f"'{path}' gives a face the setting {name}, which holds for the whole result.")
    return setting.coerced(value)
