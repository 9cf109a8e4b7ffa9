"""The dialogs as data: what they ask and in which words; windows, the guide's images and tests are made from it.

Every setting and slider of LP Suite is there, read from its own definition: there is one place for defaults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from lp_core.settings import RenderSettings
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import Setting, all_settings, group_names, grouped, with_groups

from .api_results import ResolveRefused

ASKED_ELSEWHERE = {
    "face": ("face",),
    "input": ("frames", "handles", "driving_offset"),
    "sliders": ("edit", "edit_file"),
    "output": ("overwrite", "fps", "strict"),
}
"""Settings that the clip's place on the timeline, or a separate control, decides."""
MAIN = ("engine", "region", "strength")
"""Settings on the first tab."""

PLACES = ("on a track above", "into the clip")
"""Where a result can go."""


@dataclass(frozen=True)
class Control:
    """One thing that is asked."""

    name: str
    """What it is called in the values."""
    label: str
    """What stands next to it."""
    kind: str
    """choice, toggle, whole, number, text or file."""
    value: Any
    """What it shows at first."""
    help: str = ""
    """What it does."""
    choices: tuple[str, ...] = ()
    """Of a choice."""
    minimum: float | None = None
    """Lowest number."""
    maximum: float | None = None
    """Highest number."""

    def read(self, text: str) -> Any:  # noqa: ANN401 - as its kind says
        """The value of a text; numbers may be written with either decimal sign; empty: the value it had.

        Raises:
            ResolveRefused: it is none, or out of range.
        """
        if self.kind not in ("whole", "number"):
            return text
        if not text.strip():
            return self.value
        try:
            value = int(text) if self.kind == "whole" else float(text.strip().replace(",", "."))
        except ValueError:
            raise ResolveRefused(f"{self.label}: {text!r} is not a number; correct it.") from None
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not low <= value <= high:
            raise ResolveRefused(f"{self.label}: {text} must lie between {low:g} and {high:g}.")
        return value


@dataclass(frozen=True)
class Tab:
    """A page of a dialog."""

    title: str
    """What is on it."""
    controls: tuple[Control, ...]
    """From top to bottom."""


@dataclass(frozen=True)
class Dialog:
    """A window with tabs and two buttons."""

    name: str
    """For programs."""
    title: str
    """For people."""
    tabs: tuple[Tab, ...]
    """Its pages."""
    accept: str
    """Words of the button that goes on."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """Those of all tabs."""
        return tuple(control for tab in self.tabs for control in tab.controls)


def animate_dialog(
    clips: Sequence[str],
    drivers: Sequence[str],
    portraits: Sequence[str],
    folder: str,
    values: Mapping[str, Any],
    in_place: bool = False,
) -> Dialog:
    """The dialog of *Animate Clip*.

    Args:
        clips: clips under the playhead, first the one that is seen.
        drivers: performances to choose from.
        portraits: images to choose from; the first is the clip itself.
        folder: where results go.
        values: group -> setting -> value of what is proposed.
        in_place: whether the first clip has to be rendered by Resolve first.
    """
    by_group = {group: _controls(group, values.get(group, {})) for group in group_names()}
    everything = {control.name: control for controls in by_group.values() for control in controls}
    main = [everything[name] for name in MAIN]
    first = (
        Control(
            "clip", "Clip", "choice", clips[0], "gives the position and length of the result", tuple(clips)
        ),
        Control("driver", "Performance", "choice", drivers[0], "what drives the face", tuple(drivers)),
        Control(
            "driver_file",
            "or a file",
            "file",
            "",
            "video, image, sound of a voice, .lpmotion or .pkl; goes before the choice",
        ),
        Control("portrait", "Portrait", "choice", portraits[0], "what is animated", tuple(portraits)),
        Control("folder", "Results go to", "file", folder, "folder that the worker may write"),
        Control(
            "handles",
            "Handles",
            "whole",
            0,
            "more frames at either end, as far as the clip has them",
            minimum=0,
            maximum=1000,
        ),  # fmt: skip
        *_placing(in_place),
    )
    tabs = [Tab("Render", (*first, *main))]
    for group, controls in by_group.items():
        rest = tuple(control for control in controls if control.name not in MAIN)
        if rest:
            tabs.append(Tab(group.capitalize(), rest))
    tabs.append(Tab("Expression", tuple(_slider(name) for name in SLIDERS)))
    return Dialog("LivePortraitAnimate", "LivePortrait: Animate Clip", tuple(tabs), "Render")


def _placing(in_place: bool) -> tuple[Control, ...]:
    """What is done with clips that are retimed or have no file, and where a result goes."""
    return (
        Control(
            "in_place",
            "Render in place first",
            "toggle",
            in_place,
            "Resolve renders what has no file, or is retimed, before it is animated; its grade goes along",
        ),
        Control(
            "place",
            "Result goes",
            "choice",
            PLACES[0],
            "into the clip: a Fusion composition of the clip, before its retime; no grade is changed",
            PLACES,
        ),
    )


def batch_dialog(timeline: str, folder: str) -> Dialog:
    """The dialog of *Batch Timeline*."""
    controls = (
        Control("folder", "Results go to", "file", folder, "folder that the worker may write"),
        *(control for group in group_names() for control in _controls(group, {}) if control.name in MAIN),
    )
    return Dialog("LivePortraitBatch", f"LivePortrait: {timeline}", (Tab("Batch", controls),), "Render all")


def settings_of(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Group -> setting -> value of what differs from the defaults, from a dialog's values; sliders become edits.

    Raises:
        SettingError: a value is not one the setting can have.
    """
    found = grouped(
        {
            item.name: item.typed(values[item.name])
            for item in all_settings()
            if item.name in values and values[item.name] != ("" if item.default is None else item.default)
        }
    )
    with_groups(RenderSettings(), found)
    edits = [
        f"{name}={values[name]:g}"
        for name, slider in SLIDERS.items()
        if values.get(name) not in (None, "") and values[name] != slider.neutral
    ]
    if edits:
        found.setdefault("sliders", {})["edit"] = edits
    return found


def changed_of(settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What differs from the defaults, of the settings in a job."""
    found: dict[str, dict[str, Any]] = {}
    for item in all_settings():
        default = list(item.default) if item.kind is tuple else item.default
        value = settings.get(item.group, {}).get(item.name, default)
        if value != default:
            found.setdefault(item.group, {})[item.name] = value
    return found


def _controls(group: str, proposed: Mapping[str, Any]) -> list[Control]:
    elsewhere = ASKED_ELSEWHERE.get(group, ())
    return [
        setting_control(item, proposed.get(item.name, item.default))
        for item in all_settings()
        if item.group == group and item.name not in elsewhere
    ]


_KINDS = {bool: "toggle", int: "whole", float: "number"}


def setting_control(item: Setting, value: Any) -> Control:  # noqa: ANN401 - any setting's value
    """The control of a setting that shows a value."""
    kind = "choice" if item.choices else "file" if item.path else _KINDS.get(item.kind, "text")
    shown = "" if value is None else value
    return Control(
        item.name, item.label.capitalize(), kind, shown, item.help, item.choices, item.minimum, item.maximum
    )


def _slider(name: str) -> Control:
    slider = SLIDERS[name]
    value = slider.neutral if slider.has_neutral else ""
    words = name.replace("_", " ").capitalize()
    return Control(name, words, "number", value, slider.help, (), slider.minimum, slider.maximum)
