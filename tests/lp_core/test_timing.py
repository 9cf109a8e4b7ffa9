"""Exact time: rates, and frames <-> seconds."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.timing import FrameRange, FrameRate, Timecode

rates = st.builds(
    FrameRate,
    st.one_of(
        st.integers(1, 240).map(Fraction),
        st.sampled_from([24000, 30000, 48000, 60000, 120000]).map(lambda n: Fraction(n, 1001)),
        st.fractions(Fraction(1, 100), 1000, max_denominator=100_000),
    ),
)


@pytest.mark.parametrize(
    "text,fps",
    [
        ("25", Fraction(25)),
        (24, Fraction(24)),
        (" 50 ", Fraction(50)),
        ("23.976", Fraction(24000, 1001)),
        ("23.976024", Fraction(24000, 1001)),
        (23.976, Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        ("2997/100", Fraction(30000, 1001)),
        ("12.5", Fraction(25, 2)),
        (Fraction(15, 2), Fraction(15, 2)),
    ],
)
def test_rates_are_read_exactly(text, fps):
    assert FrameRate.parse(text).fps == fps


@pytest.mark.parametrize(
    "text", ["", "fast", "0", "-25", "1001", "1/0", "nan", "inf", float("nan"), float("inf")]
)
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(SettingError, match="frame rate"):
        FrameRate.parse(text)


@given(rates)
def test_text_form_comes_back(rate):
    assert FrameRate.parse(str(rate)).fps in (rate.fps, FrameRate.parse(rate.fps).fps)


@given(rates, st.integers(0, 10**9))
def test_a_frame_is_on_screen_at_its_start_and_not_before(rate, frame):
    time_s = rate.time_s(frame)
    assert rate.frame_at(time_s) == frame
    assert rate.frame_at(time_s - Fraction(1, 10**15)) == frame - 1


@given(rates, st.fractions(0, 10**6))
def test_a_frame_covers_the_time_it_is_found_by(rate, time_s):
    frame = rate.frame_at(time_s)
    assert rate.time_s(frame) <= time_s < rate.time_s(frame + 1)


def test_ten_hours_of_ntsc_do_not_drift():
    rate = FrameRate.parse("29.97")
    frames = 10 * 3600 * 30
    assert rate.time_s(frames) == Fraction(frames * 1001, 30000)
    assert rate.time_s(frames) - 36000 == 36


ntsc = st.sampled_from([30000, 60000, 120000]).map(lambda n: FrameRate(Fraction(n, 1001)))
clock_rates = st.sampled_from(
    [*(FrameRate.parse(text) for text in ("24", "25", "30", "50", "60", "23.976", "29.97", "59.94"))]
)


class TestFrameRange:
    @pytest.mark.parametrize(
        "text,first,last",
        [
            ("1001-1100", 1001, 1100),
            ("7", 7, 7),
            ("-8-100", -8, 100),
            ("-8--2", -8, -2),
            (" 1 - 2 ", 1, 2),
            ("-3", -3, -3),
        ],
    )
    def test_text_is_read(self, text, first, last):
        assert FrameRange.parse(text) == FrameRange(first, last)

    @pytest.mark.parametrize("text", ["", "a-b", "1-", "10-1", "1-2-3", "1..5", "1e3", "9999999999", "--1"])
    def test_what_is_no_range_is_refused(self, text):
        with pytest.raises(SettingError, match="1001-1100"):
            FrameRange.parse(text)

    @given(st.integers(-(10**6), 10**6), st.integers(0, 10**6), st.integers(0, 100))
    def test_text_form_comes_back_and_handles_lengthen(self, first, more, handles):
        frames = FrameRange(first, first + more)
        assert FrameRange.parse(str(frames)) == frames
        assert len(frames) == more + 1
        assert frames.first in frames
        assert frames.last + 1 not in frames
        longer = frames.with_handles(handles)
        assert len(longer) == len(frames) + 2 * handles
        assert frames.within(longer)
        assert longer.within(frames) is (handles == 0)

    def test_it_lists_its_numbers(self):
        assert list(FrameRange(-1, 2)) == [-1, 0, 1, 2]


class TestTimecode:
    @pytest.mark.parametrize(
        "text,rate,frame",
        [
            ("00:00:00:00", "25", 0),
            ("01:00:00:00", "25", 90000),
            ("01:00:00:00", "23.976", 86400),  # a clock face of 24 frames a second
            ("00:00:59;29", "29.97", 1799),
            ("00:01:00;02", "29.97", 1800),  # 00:01:00;00 and ;01 are left out
            ("00:10:00;00", "29.97", 17982),
            ("01:00:00;00", "29.97", 107892),
            ("00:01:00;04", "59.94", 3600),
            ("23:59:59;29", "29.97", 2589407),
        ],
    )
    def test_known_addresses(self, text, rate, frame):
        timecode = Timecode.parse(text, FrameRate.parse(rate))
        assert timecode.frame == frame
        assert str(timecode) == text

    @pytest.mark.parametrize(
        "text,rate",
        [
            ("00:01:00;00", "29.97"),
            ("00:00:00:25", "25"),
            ("24:00:00:00", "25"),
            ("00:60:00:00", "25"),
            ("00:00:00;00", "25"),
            ("00:00:00;00", "23.976"),
            ("1:0:0:0", "25"),
            ("", "25"),
        ],
    )
    def test_what_does_not_exist_is_refused(self, text, rate):
        with pytest.raises(SettingError, match="imecode"):
            Timecode.parse(text, FrameRate.parse(rate))

    @given(clock_rates, st.integers(0, 10**8))
    def test_text_form_comes_back(self, rate, frame):
        timecode = Timecode(frame, rate)
        assert Timecode.parse(timecode.text, rate) == timecode

    @given(ntsc, st.integers(0, 10**8))
    def test_drop_frame_comes_back_and_counts_on_by_one(self, rate, frame):
        timecode = Timecode(frame, rate, is_drop_frame=True)
        assert Timecode.parse(timecode.text, rate) == timecode
        assert timecode.plus(1).plus(-1) == timecode
        assert timecode.plus(1).face > timecode.face or timecode.plus(1).frame == 0

    @given(ntsc, st.integers(0, 2_589_407))
    def test_drop_frame_keeps_up_with_the_clock(self, rate, frame):
        timecode = Timecode(frame, rate, is_drop_frame=True)
        hours, minutes, seconds, frames = timecode.face
        nominal = -(-rate.fps // 1)
        shown_s = hours * 3600 + minutes * 60 + seconds + Fraction(frames, nominal)
        assert abs(shown_s - rate.time_s(timecode.frame)) < Fraction(1, 10)

    def test_another_rate_keeps_the_seconds(self):
        timecode = Timecode.parse("01:02:03:12", FrameRate.parse(24))
        assert timecode.at_rate(FrameRate.parse(48)).text == "01:02:03:24"
        assert timecode.at_rate(FrameRate.parse(25)).text == "01:02:03:12"
        assert timecode.at_rate(timecode.rate) is timecode

    def test_after_a_day_it_comes_round(self):
        last = Timecode.parse("23:59:59;29", FrameRate.parse("29.97"))
        assert last.plus(1).text == "00:00:00;00"
        assert Timecode(0, FrameRate.parse(25)).plus(-1).text == "23:59:59:24"
