"""Exact time: rates, and frames <-> seconds."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.timing import FrameRate

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
