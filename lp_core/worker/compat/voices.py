"""Voices as the vendors' clients name them, mapped to ours by language and sex."""

from __future__ import annotations

import re
from functools import lru_cache

from lp_core.speech.voices.base import VoiceInfo
from lp_core.speech.voices.registry import DEFAULT_VOICE, REMOTE_KINDS, installed_voices

_LOCALE = re.compile(r"([a-z]{2,3})-([A-Z]{2})\b")
_MALE = re.compile(
    "guy|davis|andrew|tony|jason|eric|roger|steffan|brandon|christopher|jacob|ryan|william|liam|conrad|killian|henri|alvaro|"
    "diego|giuseppe|antonio|matthew|joey|brian|russell|hans|dmitry|yunxi|keita",
    re.IGNORECASE,
)
"""Names of well-known male voices; all others are taken for female ones."""


@lru_cache(maxsize=1)
def voices() -> tuple[VoiceInfo, ...]:
    """The voices that clients may name."""
    return tuple(info for info in installed_voices() if info.id.partition(":")[0] in REMOTE_KINDS)


def matching_voice(name: str, locale: str = "") -> tuple[str, str]:
    """(voice, language) of ours for a vendor's voice.

    Args:
        name: our own name, or a vendor's such as en-US-JennyNeural.
        locale: language that the client names next to it.
    """
    if name.partition(":")[0] in REMOTE_KINDS:
        return name, locale
    match = _LOCALE.search(name) or _LOCALE.search(locale)
    language = match[0] if match else locale
    first = language.lower().partition("-")[0]
    is_male = _MALE.search(name) is not None
    if first in ("", "en"):
        return ("espeak:en-us+m3", language) if is_male and _has_espeak() else (DEFAULT_VOICE, language)
    return f"espeak:{first}+{'m3' if is_male else 'f2'}", language


def _has_espeak() -> bool:
    return any(info.id.startswith("espeak:") for info in voices())
