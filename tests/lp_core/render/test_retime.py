"""Which frame is on screen when, at another rate."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lp_core.render.retime import at_rate, conformed_count
from lp_core.timing import FrameRate

rates = st.sampled_from(["24", "25", "30", "23.976", "29.97", "59.94", "12.5"]).map(FrameRate.parse)


@given(st.integers(0, 200), rates, rates)
def test_each_output_frame_shows_the_item_on_screen_at_its_time(count, rate_in, rate_out):
    shown = list(at_rate(range(count), rate_in, rate_out))
    assert shown == [rate_in.frame_at(rate_out.time_s(k)) for k in range(len(shown))]
    assert len(shown) == conformed_count(count, rate_in, rate_out)


@given(st.integers(0, 200), rates)
def test_the_same_rate_changes_nothing(count, rate):
    assert list(at_rate(range(count), rate, rate)) == list(range(count))


@given(st.integers(1, 100_000), rates, rates)
def test_the_length_in_seconds_is_kept_within_one_frame(count, rate_in, rate_out):
    seconds_in = Fraction(count) / rate_in.fps
    seconds_out = Fraction(conformed_count(count, rate_in, rate_out)) / rate_out.fps
    assert 0 <= seconds_out - seconds_in < 1 / rate_out.fps
