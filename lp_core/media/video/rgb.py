"""The one place where pixels change between RGB and what a video stores: matrix, range, chroma, orientation.

The filter graph is used, not the frame's own conversion, because only there the position of chroma samples can be set
(left, as H.264 and HEVC have it): the other assumes the middle and shifts color by half a pixel.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from lp_core.frame import ColorTags, Pixels
from lp_core.media.color_tags import MATRICES, RGB_MATRIX, code_of

_UPRIGHT_FILTERS: dict[int, tuple[tuple[str, str], ...]] = {
    1: (),
    2: (("hflip", ""),),
    3: (("hflip", ""), ("vflip", "")),
    4: (("vflip", ""),),
    5: (("transpose", "cclock_flip"),),
    6: (("transpose", "clock"),),
    7: (("transpose", "clock_flip"),),
    8: (("transpose", "cclock"),),
}

# Without these, fast tables are used: up to 3 codes off and biased (measured); with them within half a code.
_ACCURATE = "accurate_rnd+full_chroma_int+full_chroma_inp"

_SCALE_WORDS = {"bt470bg": "bt470", "bt2020nc": "bt2020"}
_FULL, _VIDEO = 2, 1


def rgb_format(bit_depth: int, has_alpha: bool) -> str:
    """Packed pixel format of Frame.pixels in the media library's words."""
    if bit_depth == 8:
        return "rgba" if has_alpha else "rgb24"
    return "rgba64le" if has_alpha else "rgb48le"


class ToRgb:
    """Stored frames -> contiguous RGB arrays of one size."""

    def __init__(
        self, size: tuple[int, int], bit_depth: int, has_alpha: bool, tags: ColorTags, orientation: int
    ) -> None:
        """Builds nothing yet: the graph follows the first frame.

        Args:
            size: (width, height) stored, before turning; frames of another size are scaled to it.
            bit_depth: 8 or 16 bits of the result.
            has_alpha: RGBA instead of RGB.
            tags: matrix and range of the stored frames.
            orientation: how to turn them upright, 1..8 as in EXIF.
        """
        self._size, self._tags, self._orientation = size, tags, orientation
        self._format = rgb_format(bit_depth, has_alpha)
        self._is_deep_yuv = bit_depth > 8 and tags.matrix != RGB_MATRIX
        self._filled_bits = 16, 16
        self._shape: tuple[int, int, str] | None = None
        self._graph = Graph()

    def __call__(self, frame: VideoFrame) -> Pixels:
        """(H, W, 3) or (H, W, 4), uint8 or uint16, C-contiguous, upright."""
        shape = (frame.width, frame.height, frame.format.name)
        if shape != self._shape:
            self._graph = self._build(*shape)
            self._shape = shape
        frame.colorspace = code_of(MATRICES, self._tags.matrix)
        frame.color_range = _FULL if self._tags.is_full_range else _VIDEO
        self._graph.push(frame)
        # Rows are padded unless the width is a multiple of 32; what leaves here never is.
        pixels = np.ascontiguousarray(self._graph.vpull().to_ndarray())
        return _widened(pixels, *self._filled_bits) if self._is_deep_yuv else pixels

    def _build(self, width: int, height: int, pixel_format: str) -> Graph:
        scale = (
            f"w={self._size[0]}:h={self._size[1]}:flags=bilinear+{_ACCURATE}"
            f":in_range={'pc' if self._tags.is_full_range else 'tv'}:out_range=pc"
        )
        filters = [("scale", scale), ("format", f"pix_fmts={self._format}")]
        if self._is_deep_yuv:
            # Straight from yuv420p10 to rgb48 the library delivers wrong chroma; over planes it is right.
            planes = "gbrap16le" if self._format == "rgba64le" else "gbrp16le"
            filters[1:1] = [("format", f"pix_fmts={planes}"), ("scale", f"flags={_ACCURATE}")]
        depth = VideoFormat(pixel_format).components[0].bits
        self._filled_bits = depth if self._tags.is_full_range else 8, depth
        return _chain(
            width, height, pixel_format, self._tags, [*filters, *_UPRIGHT_FILTERS[self._orientation]]
        )


class FromRgb:
    """RGB arrays of one size -> frames as a codec stores them."""

    def __init__(
        self, size: tuple[int, int], bit_depth: int, has_alpha: bool, tags: ColorTags, stored: str
    ) -> None:
        """Builds the graph.

        Args:
            size: (width, height).
            bit_depth: 8 or 16 bits of the arrays.
            has_alpha: the arrays are RGBA.
            tags: matrix and range to store with.
            stored: pixel format to store in; without alpha, alpha is dropped.
        """
        self._format = rgb_format(bit_depth, has_alpha)
        self._is_deep_yuv = bit_depth > 8 and tags.matrix != RGB_MATRIX
        self._alpha_bits = next((part.bits for part in VideoFormat(stored).components if part.is_alpha), 16)
        scale = f"flags=bicubic+{_ACCURATE}:in_range=pc:out_range={'pc' if tags.is_full_range else 'tv'}"
        if tags.matrix != RGB_MATRIX:
            scale += f":out_color_matrix={_SCALE_WORDS.get(tags.matrix, tags.matrix)}"
        if "420" in stored:
            scale += ":out_chroma_loc=left"
        source = ColorTags(matrix=RGB_MATRIX, is_full_range=True)
        self._graph = _chain(
            *size, self._format, source, [("scale", scale), ("format", f"pix_fmts={stored}")]
        )

    def __call__(self, pixels: Pixels) -> VideoFrame:
        """(H, W, 3) or (H, W, 4), uint8 or uint16 -> a stored frame without times."""
        if self._is_deep_yuv:
            pixels = _narrowed(pixels, self._alpha_bits)
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=self._format)
        frame.colorspace, frame.color_range = 0, _FULL
        self._graph.push(frame)
        return self._graph.vpull()


def _chain(
    width: int, height: int, pixel_format: str, tags: ColorTags, filters: list[tuple[str, str]]
) -> Graph:
    graph = Graph()
    matrix = tags.matrix if tags.matrix in MATRICES.values() else "unknown"
    arguments = (
        f"video_size={width}x{height}:pix_fmt={pixel_format}:time_base={Fraction(1, 25)}"
        f":colorspace={matrix}:range={'pc' if tags.is_full_range else 'tv'}"
    )
    steps: list[FilterContext] = [graph.add("buffer", args=arguments)]
    steps += [graph.add(name, options) if options else graph.add(name) for name, options in filters]
    steps.append(graph.add("buffersink"))
    graph.link_nodes(*steps).configure()
    return graph


def _narrowed(pixels: Pixels, alpha_bits: int) -> Pixels:
    """16-bit RGB(A) as the library's YCbCr conversion wants it: white is 255 * 256, full alpha all its bits.

    Without this white became code 943 instead of 940 in 10 bits, and alpha was up to one and a half codes off.
    """
    rows: NDArray[np.uint16] = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1)
    return (rows - (rows >> _by_channel(pixels, 8, alpha_bits))).reshape(pixels.shape)


def _widened(pixels: Pixels, color_bits: int, alpha_bits: int) -> Pixels:
    """The way back: white, ``2 ** bits - 1`` shifted up to 16 bits, becomes 65535; full alpha too."""
    white = _by_channel(pixels, *((1 << 16) - (1 << (16 - bits)) for bits in (color_bits, alpha_bits)))
    rows: NDArray[np.uint16] = np.minimum(pixels.reshape(pixels.shape[0], -1), white)
    rows += rows >> _by_channel(pixels, color_bits, alpha_bits)
    return rows.reshape(pixels.shape)


def _by_channel(pixels: Pixels, color: int, alpha: int) -> NDArray[np.uint16]:
    """One number for each value of a row: as long as the row, because a broadcast over 4 channels is slow."""
    channels = [color] * 3 + [alpha] * (pixels.shape[2] - 3)
    return np.tile(np.array(channels, np.uint16), pixels.shape[1])
