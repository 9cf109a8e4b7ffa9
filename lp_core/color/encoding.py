"""What a clip's numbers mean: the way to linear light, to what a screen shows, and back.

Convention:
    Colors are (..., 3) float32 RGB, 1.0 = white. Linear light is scene-linear with BT.709's primaries; the
    display view is that through the shaper (sRGB's curve, going on below 0 and above 1). Premultiplied colors
    are converted as they are: as if over black.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.color.primaries import CHROMATICITIES, bt709_from
from lp_core.color.transfer import SRGB, Transfer, shaped8, transfer_of
from lp_core.frame import ColorTags

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class TaggedEncoding:
    """An encoding by a curve and primaries; satisfies ``lp_core.frame.Encoding``."""

    name: str
    """For messages."""
    curve: Transfer
    """Codes <-> linear light in its own primaries."""
    bt709_from_own: F64
    """(3, 3) linear light to BT.709's primaries."""

    @property
    def is_display(self) -> bool:
        """True where the codes are made for a screen."""
        return self.curve.is_display

    def to_linear(self, rgb: F32) -> F32:
        """Codes to linear light."""
        return _mixed(self.curve.to_linear(rgb), self.bt709_from_own)

    def from_linear(self, rgb: F32) -> F32:
        """Linear light to codes."""
        return self.curve.from_linear(_mixed(rgb, np.asarray(np.linalg.inv(self.bt709_from_own), np.float64)))

    def to_display(self, rgb: F32) -> F32:
        """Codes to the display view; codes made for a screen are that already."""
        return np.asarray(rgb, np.float32) if self.curve.is_display else SRGB.from_linear(self.to_linear(rgb))

    def to_display8(self, rgb: F32) -> NDArray[np.uint8]:
        """The display view in 8 bits, clipped."""
        if not self.curve.is_display:
            return shaped8(self.to_linear(rgb))
        shown = np.nan_to_num(rgb, posinf=1.0, neginf=0.0)
        return np.rint(np.clip(shown, 0.0, 1.0) * 255).astype(np.uint8)

    def from_display(self, rgb: F32) -> F32:
        """The display view to codes."""
        return np.asarray(rgb, np.float32) if self.curve.is_display else self.from_linear(SRGB.to_linear(rgb))


def _mixed(rgb: F32, matrix: F64) -> F32:
    if (matrix == np.eye(3)).all():
        return rgb
    return (np.asarray(rgb, np.float64) @ matrix.T).astype(np.float32)


def encoding_of(tags: ColorTags, chromaticities: Sequence[float] | None = None) -> TaggedEncoding:
    """The encoding by a clip's tags.

    Args:
        tags: color description of the clip.
        chromaticities: of its header, eight numbers in EXR's order; None: by the tags.
    """
    own = CHROMATICITIES.get(tags.primaries) if chromaticities is None else chromaticities
    matrix = np.eye(3) if own is None else bt709_from(own)
    return TaggedEncoding(f"{tags.primaries} primaries, {tags.transfer}", transfer_of(tags.transfer), matrix)
