"""Frames of a talking portrait as VP8, encoded as they are drawn: they leave on time, however long encoding takes."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av import CodecContext, Packet, VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from lp_core.live.phrases import FPS

BITS_PER_S = 1_500_000
"""Ample for a head at 512 x 512."""
KEY_S = 10
"""A key frame comes at least so often; clients that lose one ask for it sooner."""
_OPTIONS = {
    "deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "error-resilient": "default",
    "static-thresh": "100", "undershoot-pct": "100", "overshoot-pct": "15", "minrate": str(BITS_PER_S),
    "maxrate": str(BITS_PER_S), "bufsize": str(BITS_PER_S),
}  # fmt: skip


class Vp8:
    """Encodes; ``encode`` is called by one thread, ``want_key`` by any."""

    def __init__(self, width: int, height: int) -> None:
        """For frames of a size; odd sides lose a pixel."""
        self._width, self._height = width // 2 * 2, height // 2 * 2
        codec = CodecContext.create("libvpx", "w")
        assert isinstance(codec, VideoCodecContext)  # noqa: S101 - for the type checker
        codec.width, codec.height, codec.pix_fmt = self._width, self._height, "yuv420p"
        codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS)
        codec.bit_rate, codec.gop_size, codec.qmin, codec.qmax = BITS_PER_S, KEY_S * FPS, 2, 56
        codec.thread_count, codec.options = 1, _OPTIONS
        self._codec, self._key = codec, threading.Event()

    def want_key(self) -> None:
        """The next frame shall need no other to be decoded."""
        self._key.set()

    def encode(self, pixels: NDArray[np.uint8], index: int) -> list[Packet[Any]]:
        """The packets of a frame.

        Args:
            pixels: (H, W, 3) RGB.
            index: its time is index / FPS; greater than that of the frame before.
        """
        planes = cv2.cvtColor(pixels[: self._height, : self._width], cv2.COLOR_RGB2YUV_I420)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        if self._key.is_set():
            self._key.clear()
            frame.pict_type = PictureType.I
        return list(self._codec.encode(frame))
