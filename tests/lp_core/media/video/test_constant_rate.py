from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.media.video.constant_rate import (
    TimedItem,
    conform,
    constant_rate,
    hold_over_gaps,
    is_even,
    is_in_step,
    keeping_rate,
)

rates = st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(25, 2)])
uneven = st.lists(st.integers(1, 200), min_size=1, max_size=40)


def shown(times, duration=Fraction(0)):
    return [TimedItem(Fraction(time), duration, index) for index, time in enumerate(times)]


def sums(intervals):
    total, times = Fraction(0), [Fraction(0)]
    for interval in intervals:
        total += Fraction(interval, 1000)
        times.append(total)
    return times


@given(rates, st.integers(1, 60), st.fractions(-5, 5))
def test_a_constant_rate_comes_through_unchanged(fps, count, start):
    assert list(conform(shown([start + k / fps for k in range(count)]), fps)) == list(range(count))


@given(rates, st.integers(1, 60))
def test_times_rounded_to_milliseconds_change_nothing(fps, count):
    times = [Fraction(round(1000 * k / fps), 1000) for k in range(count)]
    assert list(conform(shown(times), fps)) == list(range(count))


@given(rates, uneven)
def test_each_slot_shows_the_nearest_and_the_length_is_kept(fps, intervals):
    times = sums(intervals)
    slots = list(conform(shown(times), fps))
    assert slots == sorted(slots)
    assert abs(len(slots) / fps - (times[-1] + 1 / fps)) <= 1 / fps
    for k, index in enumerate(slots):
        distances = [abs(time - k / fps) for time in times]
        assert distances[index] == min(distances)
        assert index == distances.index(min(distances))  # the earlier of two


def test_the_last_one_stays_as_long_as_it_says():
    assert list(conform(shown([0, Fraction(1, 10)], Fraction(3, 10)), Fraction(10))) == [0, 1, 1, 1]


def test_nothing_gives_nothing():
    assert list(conform([], Fraction(25))) == []
    assert list(hold_over_gaps([])) == []


@given(st.lists(st.booleans(), max_size=30))
def test_gaps_are_held_and_marked(present):
    entries = [
        TimedItem(Fraction(k), Fraction(1), k if is_there else None) for k, is_there in enumerate(present)
    ]
    held = list(hold_over_gaps(entries))
    if not any(present):
        assert held == []
        return
    assert [entry.time_s for entry in held] == [entry.time_s for entry in entries]
    first = present.index(True)
    for k, entry in enumerate(held):
        before = [index for index in range(k + 1) if present[index]]
        assert entry.item == ((before[-1] if before else first), not present[k])


MS = Fraction(1, 1000)


@pytest.mark.parametrize(
    ("times", "average", "expected"),
    [
        ([Fraction(0), 33 * MS, 66 * MS], Fraction(30), Fraction(30)),
        ([Fraction(0), 40 * MS, 80 * MS], Fraction(25), Fraction(25)),
        ([Fraction(1001 * k, 30000) for k in range(50)], None, Fraction(30000, 1001)),
        ([Fraction(round(1001 * k / 30), 1000) for k in range(200)], None, Fraction(30000, 1001)),
        ([Fraction(round(1001 * k / 24), 1000) for k in range(200)], None, Fraction(24000, 1001)),
        ([Fraction(round(1000 * k / 60), 1000) for k in range(200)], None, Fraction(60)),
        ([Fraction(k, 7) for k in range(10)], Fraction(30), Fraction(7)),
        ([Fraction(0)], Fraction(24), Fraction(24)),
        ([], Fraction(2997, 100), Fraction(30000, 1001)),
        ([], Fraction(37, 2), Fraction(37, 2)),
        ([], None, None),
        ([], Fraction(0), None),
    ],
)
def test_constant_rate(times, average, expected):
    tick = MS if all(time * 1000 % 1 == 0 for time in times) else Fraction(1, 90000)
    assert constant_rate(times, average, tick) == expected


def test_an_odd_but_exact_rate_is_kept():
    rate = Fraction(299, 10)
    assert constant_rate([k / rate for k in range(9)], rate, Fraction(1, 90000)) == rate
    assert constant_rate([k / rate for k in range(9)], rate, 1 / rate) == rate


def test_a_rate_that_drops_keeps_the_usual_one():
    times = sums([33, 33, 34, 33, 33, 34, 33, 33, 34, 66, 67, 66])
    assert constant_rate(times, Fraction(24), MS) == 30


def test_evenness():
    tick = Fraction(1, 1000)
    assert is_even(sums([33, 34, 33, 33, 34]), tick)
    assert is_even([], tick)
    assert not is_even(sums([33, 33, 66, 33, 33]), tick)
    assert not is_even([Fraction(k) / 25 for k in (0, 1, 2, 4, 5, 6)], Fraction(1, 25))


@given(rates, uneven)
def test_all_are_kept_in_order_when_asked(fps, intervals):
    times = sums(intervals)
    slots = list(conform(shown(times), fps, keeps_all=True))
    assert slots == sorted(slots)
    assert set(slots) == set(range(len(times)))


@given(uneven)
def test_the_keeping_rate_lets_none_come_late(intervals):
    times = sums([max(interval, 5) for interval in intervals])
    fps = keeping_rate(times, Fraction(10))
    assert fps >= 10
    slots = list(conform(shown(times), fps, keeps_all=True))
    for index, time in enumerate(times):
        assert slots.index(index) / fps - time <= 1 / fps + MS


@pytest.mark.parametrize(
    ("intervals", "usual", "expected"),
    [
        ([40] * 10 + [120] * 13, Fraction(25, 3), 25),
        ([40] * 20 + [120] * 3, Fraction(25), 25),
        ([42, 41, 42, 42, 41] * 4, Fraction(24000, 1001), Fraction(24000, 1001)),
        ([40] * 20 + [20] + [40] * 20, Fraction(25), 25),  # half a frame early once: nothing is lost at 25
        ([100] * 20 + [20] * 20, Fraction(10), 50),
    ],
)
def test_the_keeping_rate_is_the_usual_one_where_it_can_be(intervals, usual, expected):
    assert keeping_rate(sums(intervals), usual) == expected


def test_a_drift_is_out_of_step():
    assert is_in_step(sums([40] * 100), Fraction(25), MS)
    assert not is_in_step(sums([41] * 100), Fraction(25), MS)
    assert is_in_step([], Fraction(25), MS)
