"""What the OBS source offers, written as Lua from the settings of LP Suite: there is one place for defaults."""

from __future__ import annotations

import math
from typing import Any

from hosts.kit.lua_text import text
from lp_core.performance_name import BUILTIN_MOTIONS
from lp_core.settings.live import LiveSettings
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import Setting, all_settings, settings_of

SHOWN = (
    *("engine", "mirror", "background", "background_color", "longest_side"),
    *("source_face", "driving_face", "region", "strength", "smoothing"),
)
"""The settings that OBS shows, in this order; the page of ``lpsuite serve`` has all."""
IDLE_S = 10
"""Seconds after its last source that a worker started by OBS ends."""


def options_text(command: list[str], serve: list[str]) -> str:
    """The text of lp_options.lua.

    Args:
        command: what starts LP Suite.
        serve: further words for its worker.
    """
    words = ["serve", "--from-host", "--until-idle", str(IDLE_S), *serve]
    known = {item.name: item for item in (*all_settings(), *settings_of("live", LiveSettings()))}
    rows = [lua(_item(known[name])) for name in SHOWN]
    sliders = [lua(_slider(name)) for name, slider in SLIDERS.items() if slider.has_neutral]
    return "\n".join(
        [
            "-- Written by `lpsuite host install obs` from the settings of LP Suite; do not edit.",
            "return {",
            f"  command = {lua(command)},",
            f"  serve = {lua(words)},",
            f"  demos = {lua(list(BUILTIN_MOTIONS))},",
            "  settings = {",
            *(f"    {row}," for row in rows),
            "  },",
            "  sliders = {",
            *(f"    {row}," for row in sliders),
            "  },",
            "}",
            "",
        ]
    )


def lua(value: Any) -> str:  # noqa: ANN401 - any plain value
    """A plain value as Lua."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{name} = {lua(item)}" for name, item in value.items() if item is not None)
            + " }"
        )
    return "{ " + ", ".join(lua(item) for item in value) + " }"


def _item(item: Setting) -> dict[str, Any]:
    kind = "choice" if item.choices else {str: "string"}.get(item.kind, item.kind.__name__)
    default = item.default
    if item.name.endswith("_color"):
        red, green, blue = (int(default[at : at + 2], 16) for at in (1, 3, 5))
        kind, default = "color", 0xFF000000 | blue << 16 | green << 8 | red
    return {
        "name": item.name,
        "key": item.name,
        "group": item.group,
        "kind": kind,
        "label": item.label.capitalize(),
        "help": item.help,
        "default": default,
        "choices": item.choices or None,
        "minimum": item.minimum,
        "maximum": item.maximum,
    }


def _slider(name: str) -> dict[str, Any]:
    slider = SLIDERS[name]
    step = 10.0 ** math.floor(math.log10((slider.maximum - slider.minimum) / 100))
    return {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "help": slider.help,
        "minimum": float(slider.minimum),
        "maximum": float(slider.maximum),
        "neutral": float(slider.neutral),
        "step": step,
    }
