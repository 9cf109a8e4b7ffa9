"""Which frames a clip needs, and which moment of the performance belongs to them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.batch.clip_time import ClipRange, Frames, clamped, exact_rate, needed_frames, performance_beside
from lp_core.errors import SettingError

F = Fraction
NTSC = F(30000, 1001)


def span_at(fps, start, count, speed=1):
    return ClipRange(F(start) / fps, F(count) / fps, F(speed))


@pytest.mark.parametrize(
    "speed,before,after,handles,frames",
    [
        (1, 0, 0, 0, Frames(10, 20)),
        (1, 0, 0, 8, Frames(2, 36)),
        (1, 5, 3, 0, Frames(5, 28)),
        (2, 0, 0, 0, Frames(10, 40)),
        (2, 5, 0, 0, Frames(0, 50)),
        (F(1, 2), 0, 0, 0, Frames(10, 10)),
        (F(1, 2), 0, 5, 0, Frames(10, 13)),
        (0, 0, 0, 0, Frames(10, 1)),
        (-1, 0, 0, 0, Frames(10, 20)),
        (-2, 0, 0, 0, Frames(10, 40)),
        (-1, 5, 3, 0, Frames(7, 28)),
    ],
)
def test_frames_of_a_clip(speed, before, after, handles, frames):
    for fps in (F(25), NTSC):
        found = needed_frames(span_at(fps, 10, 20, speed), F(0), fps, before / fps, after / fps, handles)
        assert found == frames


def test_a_clock_that_starts_at_one_hour():
    span = span_at(F(24), 86400 + 12, 24)
    assert needed_frames(span, F(86400, 24), F(24), F(0), F(0), 0) == Frames(12, 24)


def test_backwards_the_last_frame_is_seen_first():
    span = span_at(F(25), 10, 20, -1)
    assert span.time_on_timeline(F(29, 25), F(1, 25)) == 0
    assert span.time_on_timeline(F(10, 25), F(1, 25)) == F(19, 25)


def test_frames_that_floats_blur_are_whole():
    start = F(repr(29.970030784606934)) / exact_rate(23.976024627685547)  # as Hiero writes frame 30 of 24
    assert needed_frames(ClipRange(start, F(11, 24)), F(0), F(24), F(0), F(0), 0) == Frames(30, 11)


def test_media_of_another_rate_than_the_timeline():
    span = ClipRange(F(1), F(2))  # told at 24
    assert needed_frames(span, F(0), NTSC, F(0), F(0), 0) == Frames(29, 61)  # 29.97 to 89.91


def test_only_what_is_there():
    assert clamped(Frames(-4, 20), 30) == Frames(0, 16)
    assert clamped(Frames(20, 20), 30) == Frames(20, 10)
    assert clamped(Frames(40, 4), 30) is None
    assert clamped(Frames(40, 4), None) == Frames(40, 4)


@given(
    st.integers(0, 500),
    st.integers(1, 200),
    st.fractions(F(1, 8), 8),
    st.booleans(),
    st.fractions(F(1, 4), 4),
)
def test_the_performance_is_in_step_with_the_timeline(start, count, speed, is_back, driver_speed):
    """At any frame of the media, the performance is where the timeline is when it shows that frame."""
    fps = F(25)
    span = span_at(fps, start, count, -speed if is_back else speed)
    first = start / fps
    beside = performance_beside(span, first, 1 / fps, F(3), driver_speed)
    for frame in (0, 1, 7):
        media_s = first + frame / fps
        shown_s = span.time_on_timeline(media_s, 1 / fps)
        assert beside.start_s + beside.speed * frame / fps == F(3) + driver_speed * shown_s


def test_rates_are_read_as_they_are_meant():
    assert exact_rate(29.97) == exact_rate(29.97002997) == exact_rate(30000 / 1001) == NTSC
    assert exact_rate(23.976) == F(24000, 1001)
    assert exact_rate(12.5) == F(25, 2)
    assert exact_rate(25.0) == 25
    with pytest.raises(SettingError):
        exact_rate(0.0)
