"""Timecode words of EXR and DPX headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.media.image.smpte import packed, unpacked
from lp_core.timing import FrameRate, Timecode

RATES = [FrameRate.parse(text) for text in ("24", "23.976", "25", "29.97", "30", "50", "59.94", "60")]


@given(st.sampled_from(RATES), st.integers(0, 10**7), st.booleans())
def test_a_word_comes_back(rate, frame, drop):
    timecode = Timecode(frame, rate, drop and (rate.fps * 1001) % 30000 == 0)
    word = packed(timecode)
    assert 0 <= word < 2**32
    assert unpacked(word, rate) == timecode


def test_known_words():
    assert packed(Timecode.parse("12:34:56:23", RATES[0])) == 0x12345623
    assert packed(Timecode.parse("01:02:03;04", RATES[3])) == 0x01020344
    assert packed(Timecode.parse("01:02:03:49", RATES[5])) == 0x01028324


@pytest.mark.parametrize("word", [0x00000029, 0x25000000, 0x00600000, 0xFFFFFFFF])
def test_words_that_name_no_moment(word):
    assert unpacked(word, RATES[0]) is None


def test_a_word_may_be_signed():
    assert unpacked(packed(Timecode.parse("23:00:00:00", RATES[0])) - 2**32, RATES[0]).text == "23:00:00:00"
