"""Which channels of an EXR file make the image: parts, layers and views by their names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.media.image.layer_names import MAIN_WORDS, beauty_rank, is_data, matching

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
class ExrPart:
    """One part of a file, as its header names things."""

    name: str
    """Name of the part; empty for a file of one part."""
    view: str
    """View the whole part belongs to; empty when it does not say."""
    views: tuple[str, ...]
    """Views of one part, distinguished by their channels' names; those of the first need not name it."""
    channels: tuple[str, ...]
    """Full names of its channels, in the order they are stored."""


@dataclass(frozen=True)
class LayerChoice:
    """The channels that make the image."""

    part: int
    """Index of the part."""
    channels: tuple[int, ...]
    """Indices of red, green, blue and, where there is one, alpha; gray names one channel three times."""
    layer: str
    """Layer's name; empty for the main layer."""
    view: str
    """View's name; empty where the file has none."""
    note: str | None = None
    """Which layer was taken, where the file has others and the user named none."""


@dataclass(frozen=True)
class _Plane:
    part: int
    index: int
    layer: str
    view: str
    color: str


_Key = tuple[int, str]
_Found = Mapping[_Key, tuple[int, ...]]


def choose_channels(path: Path, parts: Sequence[ExrPart], layer: str | None, view: str | None) -> LayerChoice:
    """The image's channels.

    Args:
        path: the file, for messages.
        parts: what its headers say.
        layer: a layer's or a part's name, or the last word of it; None: the finished image, by the names that
            renderers and compositing programs give it.
        view: a view's name; None: the first.

    Raises:
        SettingError: no such layer or view, or several that could be meant; the message lists them.
        UnreadableMedia: no channels that make an image.
    """
    planes = [plane for number, part in enumerate(parts) for plane in _planes(number, part, len(parts))]
    views = list(dict.fromkeys(plane.view for plane in planes if plane.view))
    if view is not None and view not in views:
        there = f"its views are {', '.join(views)}" if views else "it has no views"
        raise SettingError(f"{path} has no view '{view}'; {there}.")
    wanted_view = view or (views[0] if views else "")
    groups: dict[_Key, dict[str, int]] = {}
    for plane in planes:
        if plane.view in ("", wanted_view):
            groups.setdefault((plane.part, plane.layer), {}).setdefault(plane.color, plane.index)
    images = {key: found for key, colors in groups.items() if (found := _image(_with_alpha(groups, key)))}
    if layer is not None:
        key = _named(path, parts, {**images, **_numbers(groups, images)}, layer)
        return LayerChoice(key[0], (images.get(key) or _data(groups[key]) or ()), key[1], wanted_view)
    if not images:
        raise UnreadableMedia(
            f"{path} has no channels R, G and B (or Y) in any layer; render an image, not data alone."
        )
    key = _finished(path, images)
    return LayerChoice(key[0], images[key], key[1], wanted_view, _taken(path, images, key))


def _finished(path: Path, images: _Found) -> _Key:
    """The layer with the finished image: by its name, else the first that is not data."""
    ranked = sorted(
        (rank, place) for place, key in enumerate(images) if (rank := beauty_rank(key[1])) is not None
    )
    if ranked:
        return list(images)[ranked[0][1]]
    for key in images:
        if len(images) == 1 or not is_data(key[1]):
            return key
    raise SettingError(
        f"{path} has no layer whose name means a finished image; choose one with --layer: {_listed(images)}."
    )


def _taken(path: Path, images: _Found, key: _Key) -> str | None:
    others = [other for other in images if other != key]
    if key[1].lower() in MAIN_WORDS or not others:
        return None
    rank = beauty_rank(key[1])
    reason = "by its name"
    if rank is None:
        reason = "a guess: no name means a finished image"
    elif any(
        found is not None and found[0] == rank[0] for found in (beauty_rank(name) for _, name in others)
    ):
        reason = "a guess: several names mean a finished image"
    return f"{path}: the layer '{key[1]}' is used ({reason}); --layer takes another: {_listed(others)}."


def _named(path: Path, parts: Sequence[ExrPart], images: _Found, layer: str) -> _Key:
    names = [name for key in images for name in (key[1], parts[key[0]].name if len(parts) > 1 else key[1])]
    fitting = matching(names, layer)
    keys = [key for key in images if {key[1], parts[key[0]].name if len(parts) > 1 else key[1]} & {*fitting}]
    exact = [key for key in keys if key[1] in fitting] or keys
    if len(exact) == 1 or (exact and len({key[1] for key in exact}) == 1):
        return exact[0]
    if exact:
        raise SettingError(
            f"{path} has {len(exact)} layers that '{layer}' could mean: {_listed(exact)}; give one in full."
        )
    raise SettingError(f"{path} has no image in a layer '{layer}'; its layers are {_listed(images)}.")


def _listed(keys: Iterable[_Key]) -> str:
    return ", ".join(dict.fromkeys(key[1] or "(main)" for key in keys))


def _numbers(groups: Mapping[_Key, dict[str, int]], images: _Found) -> _Found:
    """Layers that hold no colors, yet can be looked at when somebody asks for them."""
    return {
        key: found
        for key, colors in groups.items()
        if key not in images and (found := _data(colors)) is not None
    }


def _planes(number: int, part: ExrPart, count: int) -> list[_Plane]:
    planes = []
    for index, channel in enumerate(part.channels):
        *words, base = channel.split(".")
        view = part.view or (part.views[0] if part.views else "")
        known = (part.view,) if part.view else part.views
        for place in (-1, 0):
            if words and words[place] in known:
                view = words.pop(place)
                break
        layer = ".".join(words)
        if not layer and count > 1:
            layer = _without_view(part.name, view)  # in files of many parts the part's name is the layer
        planes.append(_Plane(number, index, layer, view, _COLORS.get(base.lower(), base)))
    return planes


def _without_view(name: str, view: str) -> str:
    for mark in (".", "_"):
        if view:
            name = name.removesuffix(mark + view).removeprefix(view + mark)
    return "" if name.lower() in (*MAIN_WORDS, "rgba.main") or name == view else name


def _with_alpha(groups: Mapping[_Key, dict[str, int]], key: _Key) -> dict[str, int]:
    """A layer's channels; where it has no alpha, the one that bears no layer's name (RenderMan: Ci.r, a)."""
    alone = groups.get((key[0], ""), {})
    return {**alone, **groups[key]} if {*alone} == {"A"} else groups[key]


def _image(colors: Mapping[str, int]) -> tuple[int, ...] | None:
    alpha = (colors["A"],) if "A" in colors else ()
    if all(color in colors for color in "RGB"):
        return (colors["R"], colors["G"], colors["B"], *alpha)
    if "Y" in colors and not {"RY", "BY", "X", "x", "Z", "z"} & {*colors}:
        return (colors["Y"],) * 3 + alpha
    return None


def _data(colors: Mapping[str, int]) -> tuple[int, ...] | None:
    """Three coordinates as red, green and blue, or one number as gray."""
    by_name = {name.lower(): index for name, index in colors.items()}
    if all(axis in by_name for axis in "xyz"):
        return tuple(by_name[axis] for axis in "xyz")
    return tuple(colors.values()) * 3 if len(colors) == 1 else None
