"""Settings that only live streams have; everything else of a stream are the settings of a render.

Standard library only, Python 3.7 syntax.
"""

import re
from dataclasses import dataclass

from ..errors import SettingError
from .schema import check, setting

BACKGROUNDS = ("photo", "matte", "color")


@dataclass(frozen=True)
class LiveSettings:
    """What only a live stream knows; the rest of it are the settings of a render."""

    mirror: bool = setting(False, "mirror the performer, as one sees oneself in a mirror")
    background: str = setting(
        "photo",
        "what stands behind the head: the photo with its own transparency, nothing (transparent by the matte), "
        "or a solid color",
        choices=BACKGROUNDS,
    )
    background_color: str = setting("#00b140", "solid color behind the head, as #RRGGBB")
    longest_side: int = setting(
        1024,
        "longest side of the live image; a larger portrait is reduced",
        minimum=64,
        maximum=8192,
        unit="px",
    )

    def __post_init__(self) -> None:
        check(self)
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.background_color):
            raise SettingError(
                f"background_color = {self.background_color!r} is not a color; write it like #00b140."
            )
