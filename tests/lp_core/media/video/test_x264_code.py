"""The same images give the same bytes as H.264, whatever the processor can do."""

import av
import cv2
import numpy as np
import pytest

from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.open import open_sink
from lp_core.media.video import writer
from lp_core.media.video.x264_code import repeatable_routines
from lp_core.timing import FrameRate


@pytest.mark.parametrize("has_avx512", [True, False])
def test_avx512_is_left_out_where_there_is_any(monkeypatch, has_avx512):
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda feature: has_avx512)
    assert repeatable_routines() == (
        ":asm=MMX2,SSE2,SSSE3,SSE4.2,AVX,FMA3,AVX2,LZCNT,BMI1,BMI2" if has_avx512 else ""
    )


def test_the_choice_reaches_the_encoder(monkeypatch, tmp_path):
    """A video does not record which routines encoded it, so a parameter that shows is passed instead."""
    monkeypatch.setattr(writer, "repeatable_routines", lambda: ":keyint=7")
    rate, tags = FrameRate.parse(25), ColorTags("bt709", "iec61966-2-1", "gbr", is_full_range=True)
    path = tmp_path / "a.mp4"
    with open_sink(path, SinkSpec(64, 48, rate, 8, False, tags, "h264", 18, overwrite=True)) as sink:
        for index in range(21):
            sink.write(Frame(np.full((48, 64, 3), 90, np.uint8), index, rate.time_s(index)))
        sink.commit()
    with av.open(path) as video:
        assert [frame.key_frame for frame in video.decode(video=0)] == ([True] + 6 * [False]) * 3
