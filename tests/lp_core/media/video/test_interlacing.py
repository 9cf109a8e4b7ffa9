"""Interlaced videos: refused, made whole, or kept as they are."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.filter import Graph

from lp_core.errors import MediaError
from lp_core.media.base import ReadOptions
from lp_core.media.open import open_source

COUNT = 8
INTERLACED_CODING = 1 << 18
"""FFmpeg's AV_CODEC_FLAG_INTERLACED_DCT."""


def marked_interlaced():
    """A graph that marks RGB images as two fields, top first, and makes them YCbCr."""
    graph = Graph()
    steps = [
        graph.add("buffer", "video_size=256x64:pix_fmt=rgb24:time_base=1/25"),
        graph.add("setfield", "tff"),
        graph.add("format", "yuv422p10le"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*steps).configure()
    return graph


@pytest.fixture
def interlaced(tmp_path):
    """A bar that runs to the right by 8 pixels a field, two fields an image."""
    path = tmp_path / "fields.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("prores_ks", rate=Fraction(25), options={"profile": "hq"})
        stream.width, stream.height, stream.pix_fmt = 256, 64, "yuv422p10le"
        stream.codec_context.flags |= INTERLACED_CODING
        graph = marked_interlaced()
        for index in range(COUNT):
            picture = np.zeros((64, 256, 3), np.uint8)
            for field in (0, 1):
                left = 16 + (index * 2 + field) * 8
                picture[field::2, left : left + 24] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            graph.push(frame)
            container.mux(stream.encode(graph.vpull()))
        container.mux(stream.encode(None))
    return path


def combing(frame):
    """How much neighboring rows differ."""
    rows = frame.pixels[8:-8, :, 0].astype(np.float64) / np.iinfo(frame.pixels.dtype).max
    return np.abs(np.diff(rows, axis=0)).mean()


def test_refused_unless_something_is_said(interlaced):
    with pytest.raises(MediaError, match=r"fields\.mov is interlaced.*--interlaced frame"):
        open_source(interlaced)


def test_kept(interlaced):
    with open_source(interlaced, options=ReadOptions(interlaced="keep")) as source:
        frames = list(source)
    assert len(frames) == COUNT
    assert combing(frames[3]) > 0.05


def test_made_whole(interlaced):
    with open_source(interlaced, options=ReadOptions(interlaced="frame")) as source:
        frames = list(source)
        assert source.info.frame_count == COUNT
    assert [frame.index for frame in frames] == list(range(COUNT))
    for frame in frames[1:-1]:
        assert combing(frame) < 0.02
        middle = frame.pixels[32, :, 0].astype(np.float64)
        position = (middle * np.arange(256)).sum() / middle.sum()
        # The kept field is the first one: the bar's middle is at 16 + 16 * index + 11.5.
        assert abs(position - (27.5 + 16 * frame.index)) < 3
