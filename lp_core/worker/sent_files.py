"""What is looked at in a file that a client sent or named, before it is taken."""

from __future__ import annotations

from pathlib import Path

from lp_core.errors import SettingError
from lp_core.media.open import open_source
from lp_core.media.video.header import open_film


def look_into(path: Path, kind: str, most_s: float) -> float | None:
    """The length of a sound or video in seconds, None of an image; refuses what is not of its kind.

    Raises:
        SettingError: it is of another kind, or too long.
        LpError: it cannot be read.
    """
    if kind == "image":
        with open_source(str(path)) as source:
            if not source.info.is_still:
                raise SettingError("The file is not a still image; send JPEG or PNG.")
        return None
    with open_film(path) as container:
        streams = container.streams.audio if kind == "audio" else container.streams.video
        if not streams:
            raise SettingError(f"The file holds no {kind}; send another one.")
        seconds = (container.duration or 0) / 1_000_000
    if seconds > most_s:
        raise SettingError(f"The file lasts {seconds:.0f} s and may last {most_s:.0f} s; shorten it.")
    return seconds
