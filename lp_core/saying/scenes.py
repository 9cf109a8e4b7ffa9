"""Scripts: scenes with portrait, voice and text, from YAML or Markdown.

Markdown::

    ---
    portrait: anna.jpg
    voice: hibari:heart
    ---
    # Opening
    emotion: happy
    pause: 0.5

    Welcome to the tour.

YAML has the same names: ``portrait``, ``voice``, ..., and ``scenes``, a list of mappings with ``text``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from lp_core.errors import MALFORMED, SettingError, missing_extra
from lp_core.settings.speech import SpeechSettings
from lp_core.speech.voices.base import Delivery
from lp_core.speech.voices.script import read_script
from lp_core.speech.voices.text import read_text

TEXT_SUFFIXES = (".txt", ".ssml", ".xml")
SCRIPT_SUFFIXES = (".md", ".markdown", ".yaml", ".yml")
_MOST_SCENES = 500
_DEEPEST = 24
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*\s*")
_ENTRY = re.compile(r"([a-z_]+):\s*(.*?)\s*")


@dataclass(frozen=True)
class ScriptScene:
    """A part of a script: one portrait, one voice."""

    text: str
    """Plain text or SSML."""
    portrait: str
    """Still image or video."""
    voice: str = ""
    """Name of the voice; empty: the default for the language."""
    language: str = ""
    """BCP 47 tag; empty: the voice's own."""
    speed: float = 1.0
    """0.5..2."""
    emotion: str = ""
    """As the setting of the same name; empty: the setting's value."""
    pause: float = 0.0
    """Seconds of silence after the scene, 0..30."""
    music: str = ""
    """Sound file under the scene, as far as it reaches; empty: none."""
    title: str = ""
    """Name of the scene."""

    def __post_init__(self) -> None:
        if not self.portrait:
            raise SettingError(f"The scene '{self.title or self.text[:30]}' has no portrait; name one.")
        if not 0 <= self.pause <= 30:
            raise SettingError(f"pause = {self.pause:g} is out of range; give 0 to 30 seconds.")
        Delivery(self.language, self.speed)
        if self.emotion:
            SpeechSettings(emotion=self.emotion)
        read_script(self.text)


_NAMES = tuple(item.name for item in fields(ScriptScene))
_NUMBERS = ("speed", "pause")


def read_scenes(path: Path, defaults: Mapping[str, Any]) -> tuple[ScriptScene, ...]:
    """The scenes of a script file; files it names are relative to it.

    Args:
        path: ``.md``, ``.markdown``, ``.yaml`` or ``.yml``.
        defaults: values of what the script does not say, by the names of ``ScriptScene``.

    Raises:
        SettingError: the script is not understood.
        MissingDependency: the library that reads YAML is not installed.
        UnreadableMedia: the file cannot be read.
    """
    text = read_text(path)
    is_markdown = path.suffix.lower() in (".md", ".markdown")
    head, parts = _markdown(text) if is_markdown else _yaml(text, path)
    if not 0 < len(parts) <= _MOST_SCENES:
        raise SettingError(f"{path} has {len(parts)} scenes; write 1 to {_MOST_SCENES}.")
    scenes = []
    for number, part in enumerate(parts, 1):
        where = f"Scene {number} of {path}"
        values = {**defaults, **_typed(head, str(path)), **_typed(part, where)}
        if "text" not in values:
            raise SettingError(f"{where} has no text; write some.")
        for name in ("portrait", "music"):
            named = part.get(name, head.get(name))
            if named:
                values[name] = str(path.parent / str(named))
        scenes.append(ScriptScene(**values))
    return tuple(scenes)


def _typed(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _NAMES:
            raise SettingError(f"{where} has '{name}', which is not known; known are {', '.join(_NAMES)}.")
        try:
            found[name] = float(value) if name in _NUMBERS else str(value)
        except MALFORMED as error:
            raise SettingError(f"{where}: {name} is not a number; write one.") from error
    return found


def _markdown(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    lines = text.splitlines()
    head: dict[str, str] = {}
    if lines and lines[0].strip() == "---" and "---" in (line.strip() for line in lines[1:]):
        end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == "---")
        head = {match[1]: match[2] for line in lines[1:end] if (match := _ENTRY.fullmatch(line))}
        lines = lines[end + 1 :]
    parts: list[dict[str, str]] = []
    for line in lines:
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            parts.append({"title": heading[1]})
            continue
        if not parts:
            if not line.strip():
                continue
            parts.append({})
        entry = _ENTRY.fullmatch(line)
        if entry is not None and entry[1] in _NAMES and "text" not in parts[-1]:
            parts[-1][entry[1]] = entry[2]
        elif line.strip() or "text" in parts[-1]:
            parts[-1]["text"] = f"{parts[-1]['text']}\n{line}" if "text" in parts[-1] else line
    return head, parts


def _yaml(text: str, path: Path) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    try:
        yaml = import_module("yaml")
    except ImportError as error:
        raise missing_extra("A script in YAML", "voice", "write it in Markdown") from error
    if "&" in text and "*" in text and re.search(r"(^|[\s\[{,:-])[&*]\w", text):
        raise SettingError(f"{path} uses YAML's anchors (& and *), which are not read; write values out.")
    if _is_deep(text):
        raise SettingError(f"{path} nests lists more than {_DEEPEST} deep; make it flatter.")
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, *MALFORMED) as error:
        raise SettingError(
            f"{path} is not a YAML ({str(error).splitlines()[0]}); check its indentation."
        ) from error
    if isinstance(values, list):
        values = {"scenes": values}
    scenes = values.get("scenes") if isinstance(values, dict) else None
    if not isinstance(scenes, list) or not all(isinstance(scene, dict) for scene in scenes):
        raise SettingError(f"{path} has no list 'scenes' of names and values; write one.")
    head = {str(name): value for name, value in values.items() if name != "scenes"}
    return head, [{str(name): value for name, value in scene.items()} for scene in scenes]


def _is_deep(text: str) -> bool:
    """Whether brackets or dashes nest deeper than any script; YAML's reader takes long for them."""
    depth = 0
    for sign in re.findall(rf"[][{{}}]|(?:- ){{{_DEEPEST}}}", text):
        depth += 1 if sign in "[{" else -1
        if depth > _DEEPEST or len(sign) > 1:
            return True
        depth = max(depth, 0)
    return False


def scenes_of(portrait: str, text: str, defaults: Mapping[str, Any]) -> tuple[ScriptScene, ...]:
    """The scenes that a command names.

    Args:
        portrait: still image, video, or a script where there is no text.
        text: what is said, or the name of a text file; empty: the portrait names a script.
        defaults: values by the names of ``ScriptScene``.

    Raises:
        SettingError: it is not understood.
        UnreadableMedia: a file cannot be read.
    """
    name = text or portrait
    suffix = Path(name).suffix.lower() if len(name) < 1024 and "\n" not in name else ""
    if suffix in SCRIPT_SUFFIXES:
        values = {**defaults, **({"portrait": portrait} if text else {})}
        return read_scenes(Path(name), values)
    if not text:
        raise SettingError(
            f"There is nothing to say; give a text, or a script ({', '.join(SCRIPT_SUFFIXES)})."
        )
    if suffix in TEXT_SUFFIXES:
        text = read_text(Path(name))
    return (ScriptScene(text=text, portrait=portrait, **defaults),)


def with_emotion(settings: SpeechSettings, scene: ScriptScene, seed: int) -> SpeechSettings:
    """The settings with the scene's mood and the seed."""
    return replace(settings, emotion=scene.emotion or settings.emotion, speech_seed=seed)
