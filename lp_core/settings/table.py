"""Every setting of a render as one table: the only place that walks the settings groups.

Flags, wire schemas, marks, panels, knobs and macros are made from this table. Standard library only, Python 3.7
syntax.
"""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple, get_type_hints

from ..errors import SettingError
from .face_names import FACE_SETTINGS, is_photo
from .render import RenderSettings

Groups = Dict[str, Dict[str, Any]]
"""Values of settings by group and name."""


@dataclass(frozen=True)
class Setting:
    """One setting: everything that an option, a knob or a schema needs to know."""

    group: str
    """Group in RenderSettings, such as ``motion``."""
    name: str
    """Name, unique over all groups."""
    kind: type
    """str, int, float, bool, or tuple for a list of texts."""
    is_optional: bool
    """True: None is a valid value."""
    default: Any
    """The only default."""
    help: str
    """What it does."""
    choices: Tuple[str, ...] = ()
    """All valid values; empty: not a choice."""
    minimum: Optional[float] = None
    """Lowest number; None: no limit."""
    maximum: Optional[float] = None
    """Highest number; None: no limit."""
    unit: str = ""
    """Unit of a number; empty: none."""
    path: str = ""
    """'file' or 'folder' for a path; else empty."""
    words: Tuple[str, ...] = ()
    """Values of a path that name no file."""

    @property
    def label(self) -> str:
        """Name for people: ``source_face`` as ``source face``."""
        return self.name.replace("_", " ")

    def typed(self, value: Any) -> Any:  # noqa: ANN401 - untrusted JSON
        """The value with the setting's own type; a whole number is accepted for a fraction, a list for a tuple.

        Raises:
            SettingError: the value has another type.
        """
        if value is None and self.is_optional:
            return None
        if self.kind is tuple:
            if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
                return tuple(value)
            raise SettingError(f"{self.name} = {value!r} has the wrong type; it must be a list of texts.")
        if type(value) is self.kind:
            return value
        if self.kind is float and type(value) is int and abs(value) < 2**53:
            return float(value)
        wanted = self.kind.__name__ + (" or nothing" if self.is_optional else "")
        raise SettingError(f"{self.name} = {value!r} has the wrong type; it must be {wanted}.")

    def coerced(self, value: Any) -> Any:  # noqa: ANN401 - untrusted
        """The value with the setting's own type; a text such as ``0.5``, ``yes`` or ``smile=0.6;yaw=8`` is read.

        Raises:
            SettingError: the value cannot be read as the setting's type.
        """
        if not isinstance(value, str):
            return self.typed(int(value) if self.kind is int and _is_whole(value) else value)
        if self.kind is tuple:
            return tuple(part.strip() for part in value.split(";"))
        if self.kind is bool:
            if value.strip().lower() in _SWITCHES:
                return _SWITCHES[value.strip().lower()]
            raise SettingError(f"{self.name} = {value!r} is not a switch; write true or false.")
        try:
            return self.kind(value)
        except ValueError as error:
            raise SettingError(f"{self.name} = {value!r} is not a number.") from error


_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _is_whole(value: Any) -> bool:  # noqa: ANN401 - untrusted
    return isinstance(value, float) and value.is_integer()


def settings_of(group: str, defaults: Any) -> Iterator[Setting]:  # noqa: ANN401 - any settings group
    """The settings of one group, in order.

    Args:
        group: name that the settings carry as theirs.
        defaults: an instance of the group.
    """
    hints = get_type_hints(type(defaults))
    for item in fields(defaults):
        hint, meta = hints[item.name], item.metadata
        kind, is_optional = _kind(hint)
        yield Setting(
            group,
            item.name,
            kind,
            is_optional,
            item.default,
            meta["help"],
            tuple(meta["choices"] or ()),
            meta["minimum"],
            meta["maximum"],
            meta["unit"],
            meta["path"],
            tuple(meta["words"]),
        )


def _kind(hint: Any) -> Tuple[type, bool]:  # noqa: ANN401 - a type hint
    """(type of the value, whether None is valid too) of a type hint."""
    if getattr(hint, "__origin__", None) is tuple:
        return tuple, False
    kinds = [kind for kind in getattr(hint, "__args__", (hint,)) if kind is not type(None)]
    return kinds[0], len(kinds) < len(getattr(hint, "__args__", (hint,)))


@lru_cache(maxsize=None)
def all_settings() -> Tuple[Setting, ...]:
    """Every setting of a render, group by group, in order. Made once: resolving type hints is slow."""
    defaults = RenderSettings()
    return tuple(item for name in group_names() for item in settings_of(name, getattr(defaults, name)))


def group_names() -> Tuple[str, ...]:
    """Names of the groups in RenderSettings, in order."""
    return tuple(item.name for item in fields(RenderSettings))


def find(name: str) -> Setting:
    """The setting of a name.

    Raises:
        SettingError: there is none.
    """
    for item in all_settings():
        if item.name == name:
            return item
    raise SettingError(f"There is no setting {name!r}; `lpsuite animate --help` lists all settings.")


def grouped(values: Mapping[str, Any]) -> Groups:
    """Values by setting name, sorted into groups; names that are not settings are left out."""
    found = {}  # type: Groups
    for item in all_settings():
        if item.name in values:
            found.setdefault(item.group, {})[item.name] = values[item.name]
    return found


def with_values(settings: RenderSettings, values: Mapping[str, Any]) -> RenderSettings:
    """The settings with some values replaced, each group checked.

    Args:
        settings: what stays.
        values: by setting name.

    Raises:
        SettingError: a name is not a setting, or a value is out of range.
    """
    for name in values:
        find(name)
    return with_groups(settings, grouped(values))


def with_groups(settings: RenderSettings, groups: Groups) -> RenderSettings:
    """The settings with the values of some groups replaced, each group checked.

    Raises:
        SettingError: a value is out of range.
    """
    changed = {name: replace(getattr(settings, name), **values) for name, values in groups.items()}
    return replace(settings, **changed)


def changed_values(settings: RenderSettings) -> Groups:
    """The values that differ from the defaults, by group."""
    found = {}  # type: Groups
    for item in all_settings():
        value = getattr(getattr(settings, item.group), item.name)
        if value != item.default:
            found.setdefault(item.group, {})[item.name] = value
    return found


def path_values(settings: RenderSettings) -> Dict[Tuple[str, str], str]:
    """(group, name) -> value of every setting that names a file or folder and is given, reference photos included."""
    found = {}
    for item in all_settings():
        value = getattr(getattr(settings, item.group), item.name)
        if (
            value
            and value not in item.words
            and (item.path or (item.name in FACE_SETTINGS and is_photo(value)))
        ):
            found[item.group, item.name] = value
    return found
