"""A part of a video is a separate clip, with the images, numbers and timecode it has in the whole."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.media import MemorySource

from lp_core.errors import SettingError
from lp_core.media.trim import TrimmedSource
from lp_core.timing import FrameRange, FrameRate, Timecode


def source(count=10, **info):
    return MemorySource(lambda index: np.full((4, 6, 3), index, np.uint8), count, **info)


def test_the_part():
    timecode = Timecode.parse("01:00:00:00", FrameRate.parse(25))
    whole = source(timecode=timecode)
    with TrimmedSource("a.mp4", whole, FrameRange(3, 6)) as part:
        frames = list(part)
    assert [(frame.index, int(frame.pixels[0, 0, 0])) for frame in frames] == [(0, 3), (1, 4), (2, 5), (3, 6)]
    assert [frame.time_s * 25 for frame in frames] == [0, 1, 2, 3]
    info = part.info
    assert (info.frame_count, info.first_frame, info.frames_before) == (4, 3, 3)
    assert info.timecode.text == "01:00:00:03"
    assert whole.closed == 1


def test_damaged_frames_are_counted_within():
    whole = source()
    whole.damaged_frames = (1, 4, 9)
    assert TrimmedSource("a.mp4", whole, FrameRange(3, 6)).damaged_frames == (1,)


@pytest.mark.parametrize("frames", [FrameRange(-1, 3), FrameRange(8, 10), FrameRange(20, 30)])
def test_frames_that_are_not_there(frames):
    whole = source()
    with pytest.raises(SettingError, match="has the frames 0 to 9"):
        TrimmedSource("a.mp4", whole, frames)
    assert whole.closed == 1


def test_a_film_that_did_not_tell_its_length():
    whole = source()
    whole.info = type(whole.info)(6, 4, whole.info.rate, None)
    with TrimmedSource("a.mp4", whole, FrameRange(8, 11)) as part:
        frames = iter(part)
        assert [next(frames).index, next(frames).index] == [0, 1]
        with pytest.raises(SettingError, match="ends 2 frames before"):
            next(frames)
