"""Which encoding a clip has, and how its frames become what an output holds: the user's word, else the tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lp_core.color.encoding import encoding_of
from lp_core.errors import missing_extra
from lp_core.frame import ClipInfo, ColorTags, Encoding
from lp_core.settings import ColorSettings

if TYPE_CHECKING:
    from lp_core.color.spaces import Spaces

F32 = NDArray[np.float32]

SCREEN = ColorTags(primaries="bt709", transfer="iec61966-2-1", matrix="gbr", is_full_range=True)
"""Tags of the display view."""
LINEAR = ColorTags(primaries="bt709", transfer="linear", matrix="gbr", is_full_range=True)
_TAGS: Mapping[str, tuple[str, str]] = {
    "srgb": ("bt709", "iec61966-2-1"),
    "rec.1886 rec.709": ("bt709", "bt709"),
    "gamma 2.2 rec.709": ("bt709", "gamma22"),
    "display p3": ("smpte432", "iec61966-2-1"),
    "gamma 2.6 p3-d65": ("smpte432", "smpte428"),
    "rec.2100-pq": ("bt2020", "smpte2084"),
    "rec.2100-hlg": ("bt2020", "arib-std-b67"),
    "linear rec.709 (srgb)": ("bt709", "linear"),
    "linear rec.2020": ("bt2020", "linear"),
    "linear p3-d65": ("smpte432", "linear"),
    "linear adobergb": ("adobe", "linear"),
    "acescg": ("ap1", "linear"),
    "aces2065-1": ("ap0", "linear"),
}
"""Name of a space without ' - Display' and the like, in small letters -> primaries and transfer of its tags."""


@dataclass(frozen=True)
class Conversion:
    """What happens to frames on their way to a file."""

    convert: Callable[[F32], F32]
    """Colors (..., 3) of the frames, 1.0 = white, to the file's."""
    tags: ColorTags
    """Color description of the file."""
    note: str
    """What the user reads."""


class ColorManagement:
    """The choices of one render."""

    def __init__(self, settings: ColorSettings) -> None:
        self._settings = settings

    @cached_property
    def _spaces(self) -> Spaces:
        try:
            from lp_core.color.spaces import Spaces
        except ImportError as error:
            raise missing_extra("A color space given by name", "vfx") from error
        return Spaces(self._settings.ocio)

    def encoding(self, info: ClipInfo, is_source: bool) -> Encoding:
        """What a clip's numbers mean: by the user's word for the source, else by its header.

        Raises:
            SettingError: the space or the configuration is not there.
            MissingDependency: OpenColorIO is needed and not installed.
        """
        if is_source and self._settings.input_space is not None:
            return self._spaces.space(self._settings.input_space)
        told = info.metadata.get("chromaticities")
        numbers = getattr(told, "value", told)
        return encoding_of(info.color, numbers if numbers is not None and len(numbers) == 8 else None)

    def conversion(self, encoding: Encoding, source_is_exr: bool, output_is_exr: bool) -> Conversion | None:
        """How frames of the source's encoding become the output's; None: they are written as they are.

        Without a word from the user EXR is scene-linear, everything else is for the screen, and a result of the
        source's own kind keeps the source's numbers.

        Raises:
            SettingError, MissingDependency: see ``encoding``.
        """
        wanted, given = self._settings.output_space, self._settings.input_space
        if wanted is not None:
            space = self._spaces.space(wanted)
            tags = _tags_of(space.name, LINEAR if output_is_exr else SCREEN)
            note = f"Colors were converted from {encoding.name} to {space.name}."
            if given is not None:
                return Conversion(self._spaces.conversion(given, wanted), tags, note)
            return Conversion(lambda rgb: space.from_linear(encoding.to_linear(rgb)), tags, note)
        if source_is_exr == output_is_exr:
            return None
        if output_is_exr:
            note = "The EXR images are scene-linear (BT.709 primaries); --output-space makes them otherwise."
            return Conversion(encoding.to_linear, LINEAR, note)
        if encoding.is_display:
            return None
        note = "Linear light was converted for the screen (sRGB, cut to 0..1); --output-space makes it otherwise."
        return Conversion(encoding.to_display, SCREEN, note)


def _tags_of(space: str, otherwise: ColorTags) -> ColorTags:
    word = space.lower().removesuffix(" - display").removesuffix(" - texture")
    primaries, transfer = _TAGS.get(word, (otherwise.primaries, otherwise.transfer))
    return ColorTags(primaries, transfer, "gbr", is_full_range=True)
