"""What the writers of EXR files call their layers: which names mean the finished image, and which mean data. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAIN_WORDS = ("", "rgba", "rgb", "beauty", "main")
"""Names of the main layer, in small letters; the empty one is the channels R, G, B without a prefix."""

_BEAUTY = (
    *MAIN_WORDS,
    "combined",  # Blender: ViewLayer.Combined
    "finalimage",  # Unreal Engine
    "rgbaprimary",
    "beautyrgba",
    "rgbabeauty",
    "ci",  # RenderMan
    "c",  # mantra and Karma
    "primary",
    "masterbeauty",
    "effectsresult",  # V-Ray, with lens effects and denoiser
    "rgbcolor",
    "final",
    "finalcolor",
    "finalrender",
    "render",
    "composite",
    "comp",
    "image",
    "color",
    "colour",
    "master",
)
"""Words of a finished image without its marks, the surest first."""

_PARENTS = ("composite", "viewlayer", "renderlayer", "masterlayer", "defaultrenderlayer", "scene")
"""What comes before the word where several layers have a finished image, the likeliest first."""

_DATA = re.compile(
    r"^(n|z|p|pref|nref|v|uv|st|id|ids|a|alpha|pt|mist|depth)\d*$"
    r"|occlusion|^ao|ao$|normal|depth|^z(buffer|back|front|norm)?$|crypto|matte|mask|holdout"
    r"|position|velocity|motion|vector|stmap|^uv|uv$|uvpass|texcoord|pointworld|^worldpos"
    r"|(object|material|instance|asset|node|prim|render)id|indexob|indexma|hitproxy|facing|fresnel|curvature"
    r"|wireframe|samplecount|samplerate|debug|^noise|variance|shadow(catcher)?$|^deep|disparity|tangent|^bary"
)
"""Names of measurements and helpers, without marks: never the image somebody wants animated."""

_BEHIND = re.compile(r"(bg|back|background|env|environment|sky|world|set|fx)\d*$")
"""Parents of what is behind or around a person."""

_MARKS = re.compile(r"[^a-z0-9]+")


def words_of(layer: str) -> list[str]:
    """A layer's words in small letters without marks: 'View Layer.Combined' -> viewlayer, combined."""
    return [_MARKS.sub("", word) for word in layer.lower().split(".")]


def is_data(layer: str) -> bool:
    """True for normals, depth, occlusion, mattes, cryptomattes and other layers that are not for the eye."""
    *parents, last = words_of(layer)
    if last in MAIN_WORDS and parents:
        last = parents[-1]  # N.rgb
    if last in _BEAUTY:
        return False
    stripped = last.removeprefix("finalimage")
    return any(_DATA.search(word) for word in (last, stripped) if word)


def beauty_rank(layer: str) -> tuple[int, int] | None:
    """How surely a name means the finished image, least first; None where it does not say so."""
    words = words_of(layer)
    if is_data(layer):
        return None
    last = words[-1]
    rank = _BEAUTY.index(last) if last in _BEAUTY else _loose_rank(last)
    if rank is None:
        return None
    return rank, _parent_rank(words[-2] if len(words) > 1 else "")


def _parent_rank(parent: str) -> int:
    if not parent:
        return -1
    if parent in _PARENTS:
        return _PARENTS.index(parent)
    return len(_PARENTS) + bool(_BEHIND.match(parent))


def _loose_rank(word: str) -> int | None:
    """The rank of a word that only begins or ends like a finished image's name: BeautyAux, SceneCombined, RGBA_key.

    All of these come after the exact ones.
    """
    for rank, known in enumerate(_BEAUTY):
        if len(known) > 4 and (word.startswith(known) or word.endswith(known)):
            return len(_BEAUTY) + rank
    if word.startswith("rgba"):
        return 2 * len(_BEAUTY)
    return None


def matching(names: Sequence[str], wanted: str) -> list[str]:
    """The names that ``wanted`` means: itself, else without regard to case, else by the last words.

    Returns:
        One name where it is clear, several where it could be any of them, none where nothing fits.
    """
    low = wanted.lower()
    rules = (
        lambda name: name == wanted,
        lambda name: name.lower() == low,
        lambda name: not name and low in (*MAIN_WORDS, "(main)"),
        lambda name: name.lower().endswith("." + low),
        lambda name: words_of(name)[-1] == _MARKS.sub("", low),
    )
    for rule in rules:
        found = [name for name in dict.fromkeys(names) if rule(name)]
        if found:
            return found
    return []
