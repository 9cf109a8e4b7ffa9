"""Which channels of an EXR file are the picture: parts, layers and views by their names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lp_core.errors import SettingError, UnreadableMedia

_MAIN_LAYERS = ("", "rgba", "rgb", "beauty", "main", "rgba.main")
_COLORS = {
    "r": "R",
    "red": "R",
    "g": "G",
    "green": "G",
    "b": "B",
    "blue": "B",
    "a": "A",
    "alpha": "A",
    "y": "Y",
}


@dataclass(frozen=True)
class Part:
    """One part of a file, as its header names things."""

    name: str
    """Name of the part; empty for a file of one part."""
    view: str
    """View the whole part belongs to; empty when it does not say."""
    views: tuple[str, ...]
    """Views that lie in one part, told apart by their channels' names; the first one's bear no name."""
    channels: tuple[str, ...]
    """Full names of its channels, in the order they are stored."""


@dataclass(frozen=True)
class Choice:
    """The channels that make the picture."""

    part: int
    """Index of the part."""
    channels: tuple[int, ...]
    """Indices of red, green, blue and, where there is one, alpha; grey names one channel three times."""
    layer: str
    """Layer's name; empty for the main picture."""
    view: str
    """View's name; empty where the file has none."""


@dataclass(frozen=True)
class _Plane:
    part: int
    index: int
    layer: str
    view: str
    color: str


def choose_channels(path: Path, parts: Sequence[Part], layer: str | None, view: str | None) -> Choice:
    """The picture's channels.

    Args:
        path: the file, for messages.
        parts: what its headers say.
        layer: a layer's or a part's name; None: the main picture, or the only one there is.
        view: a view's name; None: the first.

    Raises:
        SettingError: there is no such layer or view; the message lists those there are.
        UnreadableMedia: no channels that make a picture.
    """
    planes = [plane for number, part in enumerate(parts) for plane in _planes(number, part)]
    views = list(dict.fromkeys(plane.view for plane in planes if plane.view))
    if view is not None and view not in views:
        there = f"its views are {', '.join(views)}" if views else "it has no views"
        raise SettingError(f"{path} has no view '{view}'; {there}.")
    wanted_view = view or (views[0] if views else "")
    in_view = [plane for plane in planes if plane.view in ("", wanted_view)]
    groups: dict[tuple[int, str], dict[str, int]] = {}
    for plane in in_view:
        groups.setdefault((plane.part, plane.layer), {}).setdefault(plane.color, plane.index)
    pictures = {key: found for key, colors in groups.items() if (found := _picture(colors))}
    if not pictures:
        raise UnreadableMedia(
            f"{path} has no channels R, G and B (or Y) in any layer; render a picture, not data alone."
        )
    key = _chosen(path, parts, pictures, layer)
    return Choice(key[0], pictures[key], key[1], wanted_view)


def _chosen(
    path: Path, parts: Sequence[Part], pictures: dict[tuple[int, str], tuple[int, ...]], layer: str | None
) -> tuple[int, str]:
    if layer is None:
        main = [key for word in _MAIN_LAYERS for key in pictures if key[1].lower() == word]
        return (main or list(pictures))[0]
    for key in pictures:
        if layer in (key[1], parts[key[0]].name):
            return key
    names = ", ".join(dict.fromkeys(key[1] or "(main)" for key in pictures))
    raise SettingError(f"{path} has no picture in a layer '{layer}'; its layers are {names}.")


def _planes(number: int, part: Part) -> list[_Plane]:
    planes = []
    for index, channel in enumerate(part.channels):
        *words, base = channel.split(".")
        view = part.view or (part.views[0] if part.views else "")
        if words and not part.view and words[-1] in part.views:
            view = words.pop()
        layer = ".".join(words)
        if not layer and number:
            layer = _without_view(part.name, view)  # in files of many parts the part's name is the layer
        planes.append(_Plane(number, index, layer, view, _COLORS.get(base.lower(), base)))
    return planes


def _without_view(name: str, view: str) -> str:
    for mark in ("." + view, "_" + view):
        if view and name.endswith(mark):
            name = name[: -len(mark)]
    return "" if name.lower() in _MAIN_LAYERS or name == view else name


def _picture(colors: dict[str, int]) -> tuple[int, ...] | None:
    alpha = (colors["A"],) if "A" in colors else ()
    if all(color in colors for color in "RGB"):
        return (colors["R"], colors["G"], colors["B"], *alpha)
    if "Y" in colors and "RY" not in colors:
        return (colors["Y"],) * 3 + alpha
    return None
