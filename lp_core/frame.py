"""What travels through a render: a frame, and what is known of a clip before its frames are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.timing import FrameRate

Pixels = NDArray[Any]
"""(H, W, 3) RGB or (H, W, 4) RGBA with straight alpha; uint8, uint16 (full range) or float32."""


@dataclass(frozen=True)
class ColorTags:
    """Colour description of a picture, in the words of ITU-T H.273 as FFmpeg spells them."""

    primaries: str = "bt709"
    """Colour primaries: bt709, bt470bg, smpte170m, bt2020, ... ; 'unspecified' when not told."""
    transfer: str = "bt709"
    """Transfer characteristic: bt709, iec61966-2-1 (sRGB), smpte2084, arib-std-b67, ..."""
    matrix: str = "bt709"
    """YCbCr matrix: bt709, smpte170m, bt470bg, bt2020nc, or 'gbr' for pictures stored as RGB."""
    is_full_range: bool = False
    """True: codes use 0..max (JPEG, PNG). False: video range (16..235 in 8 bits)."""


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a source of frames before decoding it."""

    width: int
    """Width in pixels, after rotation metadata has been applied."""
    height: int
    """Height in pixels, after rotation metadata has been applied."""
    rate: FrameRate
    """Constant rate at which frames are delivered (variable-rate clips are conformed to it)."""
    frame_count: int | None
    """Number of frames that will be delivered; None when the container does not tell."""
    bit_depth: int = 8
    """Bits per channel of the delivered pixels: 8 (uint8), 16 (uint16) or 32 (float32)."""
    has_alpha: bool = False
    """True when frames are RGBA."""
    has_audio: bool = False
    """True when the file carries sound."""
    is_still: bool = False
    """True for a single picture (it may be repeated for as long as the performance lasts)."""
    color: ColorTags = field(default_factory=ColorTags)
    """Colour description of the file."""
    notes: tuple[str, ...] = ()
    """Sentences the user should see, for example that a variable rate was conformed."""


@dataclass(frozen=True)
class Frame:
    """One picture of a clip. The array is never written to after the frame is made.

    Convention:
        Rows top to bottom, columns left to right, pixel centres at integer coordinates.
    """

    pixels: Pixels
    """(H, W, 3) RGB or (H, W, 4) RGBA straight alpha, C-contiguous, display-encoded as in the file."""
    index: int
    """0-based position in the delivered (constant-rate) clip."""
    time_s: Fraction
    """Presentation time in seconds: index / rate."""

    def as_rgb8(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 view or copy for analysis: alpha dropped, 16-bit rounded, float clipped to 0..1."""
        rgb = self.pixels[..., :3]
        if rgb.dtype == np.uint16:
            rgb = ((rgb.astype(np.uint32) + 128) // 257).astype(np.uint8)
        elif rgb.dtype != np.uint8:
            rgb = np.rint(np.clip(np.nan_to_num(rgb), 0.0, 1.0) * 255.0).astype(np.uint8)
        return np.ascontiguousarray(rgb)
