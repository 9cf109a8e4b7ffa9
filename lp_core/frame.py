"""What travels through a render: a frame, and what is known of a clip before its frames are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.timing import FrameRate, Timecode

Pixels = NDArray[Any]
"""(H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16 (full range) or float32.

Whether alpha is straight or premultiplied, ``ClipInfo.alpha`` says: straight everywhere but in EXR.
"""

Box = tuple[int, int, int, int]
"""Half-open box (left, top, right, bottom) in pixels."""

AlphaState = Literal["straight", "premultiplied"]
SampleType = Literal["int", "half", "float"]

LAYER_CHANNELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "beauty": ("R", "G", "B", "A"),
        "matte": ("A",),
        "person": ("A",),
        "occlusion": ("A",),
        "head": ("R", "G", "B", "A"),
        "clean": ("R", "G", "B"),
        "stmap": ("red", "green", "blue"),
        "forward": ("u", "v"),
        "regions": ("red", "green", "blue"),
        "shading": ("Y",),
        "crop": ("R", "G", "B", "A"),
        "confidence": ("Y",),
    }
)
"""Layer next to the image -> names of its channels; a layer may have fewer channels than names."""


class Encoding(Protocol):
    """What an image's numbers mean; ``lp_core.color`` makes them.

    Convention:
        Colors (..., 3) float32 RGB, 1.0 = white, of any sign and size; new arrays are returned.
    """

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def is_display(self) -> bool:
        """True where the codes are what a screen shows."""
        ...

    def to_linear(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Codes to scene-linear light."""
        ...

    def from_linear(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scene-linear light to codes."""
        ...

    def to_display(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Codes to what a screen shows, which is what networks and landmarkers understand."""
        ...

    def to_display8(self, rgb: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The same in 8 bits, clipped and fast: for whole images that are only looked at."""
        ...

    def from_display(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """What a screen shows to codes."""
        ...


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NOTHING


@dataclass(frozen=True)
class Windows:
    """Where an image is in its file's own coordinates, as EXR has it.

    Convention:
        Half-open boxes (left, top, right, bottom), y downwards. Frames cover the canvas: the smallest box that
        holds both windows, so that overscan is delivered too; where there is no data, pixels are 0.
    """

    display: Box
    """What is meant to be shown: the format."""
    data: Box
    """Where the file has pixels; smaller (cropped) or larger (overscan) than the display window."""

    @property
    def canvas(self) -> Box:
        """The box that frames cover."""
        return united(self.display, self.data)

    @property
    def display_in_frame(self) -> Box:
        """The display window in pixels of the frame."""
        return shifted(self.display, self.canvas[:2])


def united(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def shifted(box: Box, origin: tuple[int, int]) -> Box:
    """The box in coordinates whose zero is at ``origin`` (x, y)."""
    return box[0] - origin[0], box[1] - origin[1], box[2] - origin[0], box[3] - origin[1]


@dataclass(frozen=True)
class ColorTags:
    """Color description of an image, in the words of ITU-T H.273 as FFmpeg spells them."""

    primaries: str = "bt709"
    """Color primaries: bt709, bt470bg, smpte170m, bt2020, ... ; 'unspecified' when not stated."""
    transfer: str = "bt709"
    """Transfer characteristic: bt709, iec61966-2-1 (sRGB), smpte2084, arib-std-b67, ..."""
    matrix: str = "bt709"
    """YCbCr matrix: bt709, smpte170m, bt470bg, bt2020nc, or 'gbr' for images stored as RGB."""
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
    """Number of frames that will be delivered; None when the container does not say."""
    bit_depth: int = 8
    """Bits per channel of the delivered pixels: 8 (uint8), 16 (uint16) or 32 (float32)."""
    has_alpha: bool = False
    """True when frames are RGBA."""
    has_audio: bool = False
    """True when the file carries sound."""
    is_still: bool = False
    """True for a single image (it may be repeated for as long as the performance lasts)."""
    color: ColorTags = field(default_factory=ColorTags)
    """Color description of the file."""
    alpha: AlphaState = "straight"
    """What the frames' colors are; EXR and linear formats are premultiplied and stay so, to the bit."""
    sample_type: SampleType = "int"
    """How the file keeps its numbers: 'half' and 'float' are delivered as float32, without loss."""
    first_frame: int | None = None
    """Number of the first frame; None where frames bear no numbers (videos, stills): they count from 0."""
    frames_before: int = 0
    """Frames of the clip before the first delivered one; negative where held frames precede the clip."""
    timecode: Timecode | None = None
    """Timecode of the first frame; None when the file has none."""
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel divided by its height."""
    windows: Windows | None = None
    """Display and data window; None: both are the frame."""
    metadata: Mapping[str, Any] = field(default_factory=_nothing)
    """What else the first image's header says, by its own names; carried to files of the same kind."""
    notes: tuple[str, ...] = ()
    """Sentences the user should see, for example that a variable rate was conformed."""


@dataclass(frozen=True)
class Frame:
    """One image of a clip. The array is never written to after the frame is made.

    Convention:
        Rows top to bottom, columns left to right, pixel centers at integer coordinates.
    """

    pixels: Pixels
    """(H, W, 3) RGB or (H, W, 4) RGBA, C-contiguous, encoded as in the file."""
    index: int
    """0-based position in the delivered (constant-rate) clip."""
    time_s: Fraction
    """Presentation time in seconds: index / rate."""
    layers: Mapping[str, NDArray[np.float32]] = field(default_factory=_nothing)
    """Layer (a key of LAYER_CHANNELS) -> (H, W, C) written next to the image by sinks that can."""
    metadata: Mapping[str, Any] = field(default_factory=_nothing)
    """What this image's own header says, or what a render says of it; overrides the clip's."""
    data_window: Box | None = None
    """This image's own data window, in file coordinates; None: the clip's."""

    alpha: AlphaState = "straight"
    """State of the colors, where there is alpha: see ``ClipInfo.alpha``."""
    encoding: Encoding | None = None
    """What the pixels' numbers mean; None: display codes, as in videos and stills without tags."""

    @property
    def white(self) -> float:
        """Code of white: 255, 65535, or 1 for float."""
        return 1.0 if self.pixels.dtype.kind == "f" else float(np.iinfo(self.pixels.dtype).max)

    @property
    def time_ms(self) -> int:
        """The time in whole milliseconds, rounded down, as landmarkers take it."""
        return int(self.time_s * 1000)

    def shown(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Colors in the pixels' own codes -> display view.

        Args:
            values: (..., 3) RGB.

        Returns:
            (..., 3), 1.0 = white; not cut to 0..1.
        """
        rgb = np.asarray(values, np.float32) / np.float32(self.white)
        return rgb if self.encoding is None else self.encoding.to_display(rgb)

    def coded(self, shown: NDArray[np.float32]) -> NDArray[np.float32]:
        """Display view (..., 3), 1.0 = white -> the pixels' own codes, as float32, neither rounded nor cut."""
        rgb = shown if self.encoding is None else self.encoding.from_display(shown)
        return np.asarray(rgb * np.float32(self.white), np.float32)

    def as_rgb8(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 view or copy for analysis: display view, alpha dropped, clipped to 0..1."""
        rgb = self.pixels[..., :3]
        if self.encoding is not None and not self.encoding.is_display:
            rgb = self.encoding.to_display8(np.asarray(rgb, np.float32) / np.float32(self.white))
        elif rgb.dtype == np.uint16:
            rgb = ((rgb.astype(np.uint32) + 128) // 257).astype(np.uint8)
        elif rgb.dtype != np.uint8:
            rgb = np.rint(np.clip(np.nan_to_num(rgb, posinf=1.0, neginf=0.0), 0.0, 1.0) * 255.0).astype(
                np.uint8
            )
        return np.ascontiguousarray(rgb)
