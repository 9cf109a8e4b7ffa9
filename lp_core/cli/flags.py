"""Command-line options derived from the settings' fields, and settings made of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from lp_core.settings import RenderSettings
from lp_core.settings.table import Setting, all_settings, grouped, with_groups

Command = TypeVar("Command", bound=Callable[..., Any])

_TYPES: dict[type, click.ParamType[Any]] = {str: click.STRING, int: click.INT, float: click.FLOAT}


def settings_options(*only: str) -> Callable[[Command], Command]:
    """A decorator that adds one option for every setting, or for those named.

    Choices and ranges are shown in the help and checked by the settings themselves, so that a wrong value has
    the same words and the same exit code from the command line, a file and a host.
    """

    def decorate(command: Command) -> Command:
        for item in reversed(list(all_settings())):
            if not only or item.name in only:
                command = _option(item)(command)
        return command

    return decorate


def settings_from(values: Mapping[str, Any]) -> RenderSettings:
    """The settings with the given values; a setting that is not named keeps its default.

    Raises:
        SettingError: a value is out of range.
        UnknownCodec: the codec is not known.
    """
    return with_groups(RenderSettings(), grouped(values))


def _option(item: Setting) -> Callable[[Command], Command]:
    flag = "--" + item.name.replace("_", "-")
    if item.kind is tuple:
        return click.option(flag, item.name, multiple=True, metavar="NAME=VALUE", help=item.help)
    if item.kind is bool:
        off = "/--no-" + item.name.replace("_", "-") if item.default else ""
        return click.option(flag + off, item.name, is_flag=True, default=item.default, help=item.help)
    return click.option(
        flag,
        item.name,
        type=_TYPES[item.kind],
        default=item.default,
        show_default=item.default is not None,
        metavar=_metavar(item),
        help=item.help,
    )


def _metavar(item: Setting) -> str:
    if item.choices:
        return "[" + "|".join(item.choices) + "]"
    if item.minimum is not None and item.maximum is not None:
        return f"{item.minimum:g}..{item.maximum:g}"
    return "TEXT" if item.kind is str else "NUMBER"
