"""Videos joined of segments: what the container has to keep."""

import numpy as np
import pytest

from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.open import open_parts, open_sink, open_source
from lp_core.timing import FrameRate, Timecode

RATE = FrameRate.parse("29.97")


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mov", "prores422hq.mov", "prores4444.mov", "ffv1.mkv"])
def test_the_timecode_outlives_the_joining(tmp_path, name):
    start = Timecode.parse("00:59:59;20", RATE)
    spec = SinkSpec(
        width=64, height=64, rate=RATE, bit_depth=8, has_alpha=False, color=ColorTags(),
        codec=name.partition(".")[0], quality=12, overwrite=True, timecode=start,
    )  # fmt: skip
    path = tmp_path / name
    parts = open_parts(path, open_sink, spec, tmp_path / "parts")
    for run in parts.missing(10):
        frames = (Frame(np.zeros((64, 64, 3), np.uint8), index, RATE.time_s(index)) for index in run)
        parts.write(run.start, frames)
    parts.join(10)
    with open_source(path) as source:
        assert source.info.timecode == start
        assert len(list(source)) == 10
