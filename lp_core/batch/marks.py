"""What a clip's mark says: which performance, which engine, which settings.

A mark is a set of keys and values. ``driver`` names the performance; every other key is a setting by the name of
its option, such as ``engine``, ``strength`` or ``on_lost``; ``driver_start`` is the performance's frame at the
clip's head. A key that is not known is an error, so that a slip of the pen is not lost.
"""

from __future__ import annotations

import glob
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.settings import RenderSettings
from lp_core.settings.table import all_settings, with_values

KEYS = ("lp_suite", "liveportrait")
"""Keys of metadata that hold a mark; the first is written."""
EFFECT = "LivePortrait"
"""Name of the effect that marks a clip."""
MARKER = "LP"
"""Name of the marker that marks a clip; what follows a colon are its keys."""
"""What a driver's name begins with when it is part of the timeline."""
LOG_COLUMN = "LP"
"""Column of an Avid log that holds a mark."""
_RUN_SETTINGS = ("frames", "handles", "fps", "overwrite")
"""Settings of the whole run; a clip's own would contradict the timeline."""
FARTHEST_FRAME = 10**9
_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*")


@dataclass(frozen=True)
class ClipMark:
    """What is to be done with a clip."""

    driver: str
    """A file, ``demo:NAME``, ``clip:NAME`` or ``track:NAME`` of the timeline."""
    driver_start: int = 0
    """The performance's frame at the clip's head, counted from its own beginning."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings by the name of their option."""

    def as_dict(self) -> dict[str, Any]:
        """The mark as plain values."""
        start = {"driver_start": self.driver_start} if self.driver_start else {}
        return {"driver": self.driver, **start, **self.settings}

    def as_marker(self) -> str:
        """The mark as a marker's name."""
        pairs = ", ".join(f"{name}={_written(value)}" for name, value in self.as_dict().items())
        return f"{MARKER}: {pairs}"


def _written(value: Any) -> str:  # noqa: ANN401 - a setting's value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s,;\"']", text) else text


def read_mark(values: Mapping[str, Any], where: str) -> ClipMark:
    """A mark of plain values.

    Args:
        values: keys and values; texts serve for numbers and switches.
        where: the clip, for messages.

    Raises:
        SettingError: no driver, an unknown key, or a value that is not allowed.
    """
    given = {str(name).replace("-", "_"): value for name, value in values.items()}
    if "driving" in given and "driver" not in given:
        given["driver"] = given.pop("driving")
    driver, start = given.pop("driver", None), given.pop("driver_start", 0)
    if not isinstance(driver, str) or not driver:
        raise SettingError(f"The mark of {where} names no driver; add driver=FILE, clip:NAME or track:NAME.")
    settings = {name: _setting(name, value, where) for name, value in given.items()}
    mark = ClipMark(driver, _frame(start, where), settings)
    apply_mark(RenderSettings(), mark)
    return mark


def apply_mark(settings: RenderSettings, mark: ClipMark) -> RenderSettings:
    """The settings of a run with those of a clip's mark on top.

    Raises:
        SettingError: a value is out of range, or two contradict each other.
    """
    return with_values(settings, mark.settings)


def _setting(name: str, value: Any, where: str) -> Any:  # noqa: ANN401 - untrusted
    if name in _RUN_SETTINGS:
        raise SettingError(f"The mark of {where} sets {name}, which belongs to the whole run; give it there.")
    known = {item.name: item for item in all_settings()}
    if name not in known:
        raise SettingError(
            f"The mark of {where} has the key '{name}', which is not known; keys are driver, driver_start and "
            "the names of the options of lpsuite animate."
        )
    try:
        return known[name].coerced(value)
    except SettingError as error:
        raise SettingError(f"The mark of {where} cannot be used: {error}") from error


def _frame(value: Any, where: str) -> int:  # noqa: ANN401 - untrusted
    """``driver_start`` as a number."""
    is_number = isinstance(value, int | float | str) and not isinstance(value, bool)
    try:
        number = float(value) if is_number else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not number.is_integer() or abs(number) > FARTHEST_FRAME:
        raise SettingError(f"driver_start of {where} = {value!r} is not a frame number.")
    return int(number)


def is_marker(name: str) -> bool:
    """True for the name of a marker that marks its clip."""
    return name.strip() == MARKER or name.lstrip().startswith(MARKER + ":")


def read_marker(name: str, notes: Sequence[str], where: str) -> ClipMark:
    """The mark of a marker's name and of its comments; JSON in a comment counts, the name overrides it.

    Args:
        name: ``LP`` or ``LP: driver=..., engine=...``.
        notes: comment, and whatever note an editing program keeps with its markers.
        where: the clip, for messages.

    Raises:
        SettingError: it is not understood.
    """
    values: dict[str, Any] = {}
    for note in notes:
        values.update(_noted(note, where))
    values.update(parse_pairs(name.strip()[len(MARKER) :].lstrip(": \t"), where))
    return read_mark(values, where)


def _noted(note: str, where: str) -> dict[str, Any]:
    text = note.strip()
    if text.startswith("{"):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingError(
                f"The marker's note of {where} is not valid JSON ({error}); correct it."
            ) from error
        inner = next((values[key] for key in KEYS if isinstance(values.get(key), dict)), values)
        return dict(inner)
    return parse_pairs(text, where) if _PAIR.match(text) else {}


def parse_pairs(text: str, where: str) -> dict[str, str]:
    """``driver=a b.mp4, engine=mesh`` as a dictionary; a value may be in double quotes.

    A value reaches to the next ``key=`` after a comma, semicolon or blank, so that file names with blanks need no
    quotes.

    Raises:
        SettingError: it is not understood.
    """
    values: dict[str, str] = {}
    rest = text.strip()
    while rest:
        match = _PAIR.match(rest)
        if match is None:
            raise SettingError(f"The mark of {where} reads '{rest}'; write it like driver=FILE, engine=mesh.")
        value, rest = _value(rest[match.end() :])
        values[match[1]] = value
    return values


def _value(text: str) -> tuple[str, str]:
    if text.startswith('"'):
        try:
            value, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            value, end = text[1:].partition('"')[0], len(text[1:].partition('"')[0]) + 2
        return str(value), text[end:].lstrip(" ,;\t")
    following = re.search(r"[\s,;]+(?=[A-Za-z_][A-Za-z0-9_-]*\s*=)", text)
    end = len(text) if following is None else following.start()
    return text[:end].strip(" ,;\t"), "" if following is None else text[following.end() :]


@dataclass(frozen=True)
class MapLine:
    """One entry of a sidecar: which clips, and their mark."""

    name: str
    """Clip name; ``*`` and ``?`` stand for any characters."""
    track: str
    """Track name, in the same manner."""
    mark: ClipMark

    def fits(self, clip: str, track: str) -> bool:
        """Whether it is meant for a clip."""
        return fnmatchcase(clip, self.name) and fnmatchcase(track, self.track)


def read_map(path: Path) -> tuple[MapLine, ...]:
    """Reads a sidecar; the first entry that fits a clip counts.

    TOML with one ``[[clip]]`` for every entry; or an Avid log (.ale), whose column ``LP`` holds the keys of a mark and
    whose column ``Name`` says of which clips.

    Raises:
        UnreadableMedia: the file is not there.
        SettingError: it is not understood.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableMedia(f"{path} cannot be read ({error.strerror}); check --map.") from error
    if path.suffix.lower() == ".ale":
        return _of_log(data, path)
    try:
        values = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{path} is not valid TOML: {error}.") from error
    entries = values.pop("clip", [])
    if values or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingError(f"{path} may hold [[clip]] tables only; see docs/batch.md.")
    return tuple(_line(entry, f"{path}, entry {number}") for number, entry in enumerate(entries, 1))


def _of_log(data: bytes, path: Path) -> tuple[MapLine, ...]:
    """The marks of an Avid log: tabs between the columns that stand after ``Column``, rows after ``Data``."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    words = [line.strip() for line in lines]
    if "Column" not in words or "Data" not in words[words.index("Column") :]:
        raise SettingError(f"{path} is not an Avid log: it lacks the lines Column and Data.")
    at = words.index("Column")
    columns = lines[at + 1].split("\t")
    if LOG_COLUMN not in columns or "Name" not in columns:
        raise SettingError(
            f"{path} has no column {LOG_COLUMN} or no column Name; add {LOG_COLUMN} with driver=FILE in Avid."
        )
    rows = (
        dict(zip(columns, line.split("\t"), strict=False)) for line in lines[words.index("Data", at) + 1 :]
    )
    return tuple(
        MapLine(glob.escape(row["Name"]), "*", read_mark(parse_pairs(row[LOG_COLUMN].strip(), where), where))
        for row in rows
        if row.get(LOG_COLUMN, "").strip()
        for where in (f"{path}, clip {row['Name']}",)
    )


def _line(entry: Mapping[str, Any], where: str) -> MapLine:
    rest = dict(entry)
    name, track = rest.pop("name", "*"), rest.pop("track", "*")
    if not isinstance(name, str) or not isinstance(track, str):
        raise SettingError(f"{where}: name and track must be texts.")
    return MapLine(name, track, read_mark(rest, where))
