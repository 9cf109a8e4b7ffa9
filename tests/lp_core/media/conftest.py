"""Made material: moving images, videos written without the code under test, specifications."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.color_tags import SRGB
from lp_core.timing import FrameRate


def _picture(index: int, width: int, height: int, bits: int = 8, has_alpha: bool = False) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    planes = [
        120 + 100 * np.sin((columns + 3 * index) / 17),
        120 + 100 * np.cos((rows - 2 * index) / 23),
        np.full(rows.shape, 60 + 5 * index % 150),
        255 * columns / max(width - 1, 1),
    ][: 4 if has_alpha else 3]
    eight = np.rint(np.stack(planes, axis=-1)).astype(np.uint8)
    return eight if bits == 8 else eight.astype(np.uint16) * 257


@pytest.fixture
def picture() -> Callable[..., np.ndarray]:
    """(index, width, height, bits, has_alpha) -> a smooth moving image."""
    return _picture


@pytest.fixture
def frame() -> Callable[..., Frame]:
    """The same as a Frame."""
    return lambda index, *args, **kwargs: Frame(_picture(index, *args, **kwargs), index, Fraction(index, 25))


@pytest.fixture
def spec() -> Callable[..., SinkSpec]:
    """A specification; only what a test is about has to be named."""

    def make(width: int = 64, height: int = 48, **changes: Any) -> SinkSpec:
        values: dict[str, Any] = {
            "rate": FrameRate(Fraction(25)),
            "bit_depth": 8,
            "has_alpha": False,
            "color": SRGB,
            "codec": "h264",
            "quality": 18,
            "overwrite": False,
        }
        return SinkSpec(width, height, **(values | changes))

    return make


@pytest.fixture
def make_film(tmp_path: Path) -> Callable[..., Path]:
    """Writes a video of flat gray images with PyAV alone.

    Image k has the gray ``10 + 5 k`` (k below 45); ``times`` are presentation times in ``tick`` units.
    """

    def make(
        name: str = "film.mp4",
        count: int = 20,
        *,
        size: tuple[int, int] = (64, 48),
        encoder: str = "libx264",
        pixel_format: str = "yuv420p",
        rate: Fraction = Fraction(25),
        tick: Fraction | None = None,
        times: Sequence[int] | None = None,
        options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
        tags: ColorTags | None = None,
        turn: tuple[float, bool, bool] | None = None,
        sound: Callable[[Any], Any] | None = None,
        pictures: Sequence[np.ndarray] | None = None,
    ) -> Path:
        path = tmp_path / name
        tick = tick or 1 / rate
        with av.open(str(path), "w", container_options=container_options or {}) as container:
            stream = container.add_stream(encoder, rate=rate, options=options or {})
            stream.width, stream.height, stream.pix_fmt = *size, pixel_format
            stream.codec_context.time_base = tick
            if turn is not None:
                stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
            if tags is not None:
                stream.codec_context.color_range = 2 if tags.is_full_range else 1
                stream.codec_context.colorspace = {"bt709": 1, "smpte170m": 6}[tags.matrix]
            finish_sound = sound(container) if sound else None
            for k in range(count):
                pixels = (
                    pictures[k] if pictures else np.full((size[1], size[0], 3), 10 + 5 * (k % 45), np.uint8)
                )
                picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
                picture.pts, picture.time_base = (times[k] if times else k), tick
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
            if finish_sound:
                finish_sound()
        return path

    return make


@pytest.fixture
def packets_of() -> Callable[[Path], list[tuple[int, int]]]:
    """(position, size) in the file of each image's data."""

    def find(path: Path) -> list[tuple[int, int]]:
        with av.open(str(path)) as container:
            return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]

    return find


@pytest.fixture
def ffmpeg() -> Callable[..., None]:
    """Runs ffmpeg; skips where it is not installed."""
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        pytest.skip("ffmpeg and ffprobe are not installed (make system)")

    def call(*arguments: Any) -> None:
        subprocess.run(["ffmpeg", "-y", "-v", "error", *map(str, arguments)], check=True, timeout=60)

    return call
