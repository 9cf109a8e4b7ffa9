"""Plates of real images for tests of hosts: numbered, with timecode, each frame told by a block in its corner."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRate, Timecode

BLOCK = 16
SIZE = (640, 360)


def real_pictures(film, count):
    """The first images of a video, made small; the block in their corner says which they are."""
    with open_source(film) as source:
        found = [
            cv2.resize(frame.as_rgb8(), SIZE, interpolation=cv2.INTER_AREA) for frame in islice(source, count)
        ]
    for index, picture in enumerate(found):
        picture[:BLOCK, : BLOCK * 6] = 0
        for bit in range(6):
            if index >> bit & 1:
                picture[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255
    return found


def told_index(pixels):
    """Which image of ``real_pictures`` this one is of."""
    scale = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    values = [
        pixels[4 : BLOCK - 4, bit * BLOCK + 4 : (bit + 1) * BLOCK - 4, :3].astype(np.float64).mean() / scale
        for bit in range(6)
    ]
    return sum((value > 0.25) << bit for bit, value in enumerate(values))


def write_plate(path, pictures, rate, timecode, drop=False, first=0, codec="prores422hq"):
    """A video, or numbered EXR in linear light, of images, with the timecode of the first."""
    exact = FrameRate.parse(rate)
    hours, minutes, seconds, frames = (int(word) for word in timecode.replace(";", ":").split(":"))
    start = Timecode.of(hours, minutes, seconds, frames, exact, drop)
    is_exr = Path(path).suffix == ".exr"
    height, width = pictures[0].shape[:2]
    spec = SinkSpec(
        width=width, height=height, rate=exact, bit_depth=32 if is_exr else 8, has_alpha=False, color=ColorTags(),
        codec=codec, quality=12, overwrite=True, start_number=first, timecode=start, sample_type="half",
    )  # fmt: skip
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open_sink(path, spec) as sink:
        for index, picture in enumerate(pictures):
            pixels = (picture.astype(np.float32) / 255) ** 2.2 if is_exr else picture
            sink.write(Frame(pixels, index, exact.time_s(index)))
        sink.commit()
    return str(path)
