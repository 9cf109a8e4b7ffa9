"""Command-line options derived from the settings' fields, and settings made of their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

from lp_core.settings import RenderSettings, setting_fields

Command = TypeVar("Command", bound=Callable[..., Any])

_TYPES: dict[type, click.ParamType[Any]] = {str: click.STRING, int: click.INT, float: click.FLOAT}


def settings_options(*only: str) -> Callable[[Command], Command]:
    """A decorator that adds one option for every setting, or for those named.

    Choices and ranges are shown in the help and checked by the settings themselves, so that a wrong value has
    the same words and the same exit code from the command line, a file and a host.
    """

    def decorate(command: Command) -> Command:
        for name, kind, default, meta in reversed(list(_all_settings())):
            if not only or name in only:
                command = _option(name, kind, default, meta)(command)
        return command

    return decorate


def settings_from(values: Mapping[str, Any]) -> RenderSettings:
    """The settings with the given values; a setting that is not named keeps its default.

    Raises:
        SettingError: a value is out of range.
        UnknownCodec: the codec is not known.
    """
    groups = {}
    for group_name, group in _groups():
        names = [name for name, _, _ in setting_fields(group)]
        groups[group_name] = type(group)(**{name: values[name] for name in names if name in values})
    return RenderSettings(**groups)


def _groups() -> Iterator[tuple[str, Any]]:
    defaults = RenderSettings()
    return ((item.name, getattr(defaults, item.name)) for item in fields(defaults))


def _all_settings() -> Iterator[tuple[str, type, Any, dict[str, Any]]]:
    for _, group in _groups():
        hints = get_type_hints(type(group))
        for name, default, meta in setting_fields(group):
            hint = hints[name]
            if get_origin(hint) is tuple:
                yield name, tuple, default, meta
                continue
            kind = next((item for item in get_args(hint) if item is not type(None)), hint)
            yield name, kind, default, meta


def _option(name: str, kind: type, default: Any, meta: dict[str, Any]) -> Callable[[Command], Command]:  # noqa: ANN401
    flag = "--" + name.replace("_", "-")
    if kind is tuple:
        return click.option(flag, name, multiple=True, metavar="NAME=VALUE", help=meta["help"])
    if kind is bool:
        off = "/--no-" + name.replace("_", "-") if default else ""
        return click.option(flag + off, name, is_flag=True, default=default, help=meta["help"])
    return click.option(
        flag,
        name,
        type=_TYPES[kind],
        default=default,
        show_default=default is not None,
        metavar=_metavar(kind, meta),
        help=meta["help"],
    )


def _metavar(kind: type, meta: dict[str, Any]) -> str:
    if meta["choices"]:
        return "[" + "|".join(meta["choices"]) + "]"
    if meta["minimum"] is not None and meta["maximum"] is not None:
        return f"{meta['minimum']:g}..{meta['maximum']:g}"
    return "TEXT" if kind is str else "NUMBER"
