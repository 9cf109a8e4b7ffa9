"""What D-ID's clients want to be said: the script of a talk, of a file or in real time."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lp_core.errors import SettingError
from lp_core.worker.compat.answers import Body


class Provider(Body):
    """Who speaks."""

    type: str = "microsoft"
    voice_id: str = ""
    language: str = ""
    voice_config: dict[str, Any] = Field(default_factory=dict)


class Script(Body):
    """What is said."""

    type: Literal["text", "audio"]
    input: str = ""
    audio_url: str = ""
    provider: Provider = Field(default_factory=lambda: Provider.model_validate({}))
    ssml: bool = False
    subtitles: bool = False


def spoken_text(script: Script) -> str:
    """The text of a script of text, as SSML where it holds tags.

    Raises:
        SettingError: it is empty, or not a text.
    """
    if script.type != "text":
        raise SettingError("Failed to validate script: a stream says texts; send type text.")
    if not script.input.strip():
        raise SettingError("Failed to validate script: input is empty.")
    text = script.input
    if script.ssml and not text.lstrip().startswith("<speak") or not script.ssml and "<break" in text:
        return f"<speak>{text}</speak>"
    return text


def speed_of(provider: Provider) -> float:
    """0.5..2 of the provider's rate; 1 where it names none."""
    try:
        return min(max(float(str(provider.voice_config.get("rate"))), 0.5), 2.0)
    except ValueError:
        return 1.0
