"""RenderJob: what a host, a file or the command line asks for, with a versioned JSON form.

Standard library only, Python 3.7 syntax.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Dict, List, Tuple

from .errors import SettingError
from .settings import RenderSettings
from .settings.table import all_settings, group_names, with_groups

SCHEMA = "lpsuite.job"
VERSION = 2

_NAMES = ("source", "driving", "output")
_KEYS = ("schema", "version", *_NAMES, "settings")


def _split_engine_group(job: Dict[str, Any]) -> Dict[str, Any]:
    """Version 1 kept the settings of each engine in the group ``engine``."""
    groups = job.get("settings", {})
    if not isinstance(groups, dict) or not isinstance(groups.get("engine"), dict):
        return {**job, "version": 2}
    moved = {}  # type: Dict[str, Dict[str, Any]]
    for name, value in groups["engine"].items():
        group = next((item.group for item in all_settings() if item.name == name), "engine")
        moved.setdefault(group, {})[name] = value
    return {**job, "version": 2, "settings": {**groups, "engine": {}, **moved}}


_UPGRADES: Dict[int, Callable[[Dict[str, Any]], Dict[str, Any]]] = {1: _split_engine_group}
"""version -> step that turns a job of that version into one of the next."""


@dataclass(frozen=True)
class RenderJob:
    """One render as it was asked for; nothing in it has been opened or checked against the disk."""

    source: str
    """Still, video or frame pattern that is animated."""
    driving: str
    """Performance: a video, a motion file, or a built-in motion such as ``demo:expressive``."""
    output: str
    """Video or frame pattern that is written."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Everything else."""

    def __post_init__(self) -> None:
        for name in _NAMES:
            value = getattr(self, name)
            if not isinstance(value, str) or not value or "\0" in value:
                raise SettingError(f"The job's {name} = {value!r} is not a file name; give one.")

    def to_json(self) -> str:
        """The job as JSON text (ASCII only, so that any channel carries it)."""
        return json.dumps({"schema": SCHEMA, "version": VERSION, **asdict(self)}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "RenderJob":
        """Reads what ``to_json`` wrote; settings that are not named keep their defaults.

        Raises:
            SettingError: the text is not a job, of a newer version, or holds an unknown, missing, misspelt or
                misplaced key, a value of the wrong type, or one out of range.
        """
        job = _upgraded(_parse(text))
        _known("The job", job, _KEYS)
        missing = [name for name in _NAMES if name not in job]
        if missing:
            raise SettingError("The job does not say its {}; add it.".format(" and ".join(missing)))
        groups = job.get("settings", {})
        return cls(job["source"], job["driving"], job["output"], _settings(groups))


def _parse(text: str) -> Dict[str, Any]:
    try:
        job = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except SettingError:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise SettingError(f"The job is not JSON text ({error}); write it again.") from error
    if not isinstance(job, dict) or job.get("schema") != SCHEMA:
        raise SettingError(f"The text is not a job: its schema must be '{SCHEMA}'.")
    return job


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise SettingError("The job says {} twice; say it once.".format(", ".join(twice)))
    return found


def _no_constant(word: str) -> None:
    raise SettingError(f"The job holds {word}, which is not a number; write a finite one.")


def _upgraded(job: Dict[str, Any]) -> Dict[str, Any]:
    version = job.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version > VERSION:
        raise SettingError(
            f"The job has version {version!r} and this program reads up to {VERSION}; update LP Suite."
        )
    while job["version"] != VERSION:
        step = _UPGRADES.get(job["version"])
        if step is None:
            raise SettingError(f"The job's version {version} was never in use; write it again.")
        job = step(job)
    return job


def _known(where: str, given: Any, names: Tuple[str, ...]) -> None:  # noqa: ANN401 - untrusted JSON
    if not isinstance(given, dict):
        raise SettingError(f"{where} must be an object of names and values.")
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise SettingError(
            "{} has no {}; known names are {}.".format(where, ", ".join(unknown), ", ".join(names))
        )


def _settings(groups: Any) -> RenderSettings:  # noqa: ANN401 - untrusted JSON
    _known("The job's settings", groups, group_names())
    read: Dict[str, Dict[str, Any]] = {name: {} for name in groups}
    known = {(item.group, item.name): item for item in all_settings()}
    for group, values in groups.items():
        _known(
            f"The settings group '{group}'", values, tuple(name for found, name in known if found == group)
        )
        read[group] = {name: known[group, name].typed(value) for name, value in values.items()}
    return with_groups(RenderSettings(), read)
