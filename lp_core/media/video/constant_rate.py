"""Uneven presentation times -> a constant rate. Pure; times are exact fractions of a second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

T = TypeVar("T")
N = TypeVar("N", int, Fraction)
"""Ticks or seconds."""

_NTSC = tuple(Fraction(n, 1001) for n in (24000, 30000, 48000, 60000, 120000))
STANDARD_RATES = (
    tuple(Fraction(n) for n in (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)) + _NTSC
)

_SNAP = Fraction(3, 1000)  # wider than clock jitter of phones, narrower than 24 to 25
_OFTEN = 10  # one interval of so many is frequent
_FASTEST = 240  # frames per second that an uneven clip may be delivered at
_SECOND = Fraction(1)
_EVEN = Fraction(1, 10)  # intervals within a tenth of the usual one are a constant rate with jitter


@dataclass(frozen=True)
class TimedItem(Generic[T]):
    """Something that is on screen from a time on."""

    time_s: Fraction
    """Presentation time in seconds."""
    duration_s: Fraction
    """How long it stays by its own account, in seconds; matters for the last one only."""
    item: T
    """What is shown."""


def hold_over_gaps(shown: Iterable[TimedItem[T | None]]) -> Iterator[TimedItem[tuple[T, bool]]]:
    """Puts the previous item in place of each None (the first one before any came); True marks stand-ins.

    A stream of nothing but None yields nothing.
    """
    early: list[TimedItem[T | None]] = []
    last: T | None = None
    for entry in shown:
        item = last if entry.item is None else entry.item
        if item is None:
            early.append(entry)
            continue
        last = item
        for gap in early:
            yield TimedItem(gap.time_s, gap.duration_s, (item, True))
        early.clear()
        yield TimedItem(entry.time_s, entry.duration_s, (item, entry.item is None))


def conform(shown: Iterable[TimedItem[T]], fps: Fraction, keeps_all: bool = False) -> Iterator[T]:
    """For each time k / fps after the first item, the item that is nearest in time (the earlier one of two).

    Args:
        shown: items in order of time; the first one's time is the origin.
        fps: output rate, frames per second.
        keeps_all: every item comes at least once, late if it must, at the cost of repeats that follow.

    Yields:
        As many items as frame periods fit, rounded, from the first item to the end of the last; at least one,
        if there is an item; more where all are kept that do not fit.
    """
    count = 0
    origin: Fraction | None = None
    previous: TimedItem[T] | None = None
    for entry in shown:
        if origin is None or previous is None:
            origin = entry.time_s
        else:
            middle = (previous.time_s + entry.time_s) / 2 - origin
            least = count + 1 if keeps_all else 0
            while count < least or Fraction(count) / fps <= middle:
                yield previous.item
                count += 1
        previous = entry
    if origin is None or previous is None:
        return
    end = previous.time_s + (previous.duration_s or 1 / fps) - origin
    total = max(int(end * fps + Fraction(1, 2)), count + 1 if keeps_all else 1)
    for _ in range(count, total):
        yield previous.item


def is_in_step(times_s: Sequence[N], fps: Fraction, tick_s: Fraction) -> bool:
    """True when one item for each frame period is never off by more than half a period (or the tick)."""
    if not times_s:
        return True
    allowed = float(max(1 / (2 * fps), 2 * tick_s))
    period, start = float(1 / fps), float(times_s[0])
    return all(abs(k * period - float(time) + start) <= allowed for k, time in enumerate(times_s))


def keeping_rate(times_s: Sequence[Fraction], usual: Fraction) -> Fraction:
    """The rate at which all items of an uneven clip can be shown without falling behind.

    Args:
        times_s: presentation times, sorted.
        usual: rate that suits most intervals; taken when nothing is lost by it.

    Returns:
        The first at which none comes more than a frame period late, of: the usual rate, the mean, that of each
        frequent interval, the standard ones. Where there is none (up to 240 frames per second), the one at which
        the latest comes earliest.
    """
    times = [float(time - times_s[0]) for time in times_s]
    intervals = sorted(
        after - before for before, after in zip(times, times[1:], strict=False) if after > before
    )
    if not intervals:
        return usual
    mean = _near(len(intervals) / times[-1])
    often: set[Fraction] = set()
    start = 0
    for end in range(1, len(intervals) + 1):
        if end == len(intervals) or intervals[end] > intervals[start] * float(1 + _EVEN):
            if (end - start) * _OFTEN >= len(intervals):
                often.add(_near((end - start) / sum(intervals[start:end])))
            start = end
    rates = {*STANDARD_RATES, _near(1 / intervals[0])}
    likely = [mean, *sorted(often), *sorted(rates)]
    choices = [usual, *(rate for rate in likely if usual < rate <= _FASTEST)]
    delays = []
    for rate in choices:
        delays.append(_delay(times, float(rate)))
        if delays[-1] * float(rate) <= 1:
            return rate
    return choices[delays.index(min(delays))]


def _near(rate: float) -> Fraction:
    """The standard rate near a measured one, else that as a simple fraction."""
    exact = Fraction(rate).limit_denominator(1001)
    return _standard(exact, Fraction(0)) or exact


def _delay(times: Sequence[float], fps: float) -> float:
    """How late, in seconds, the latest item comes at least once."""
    slot, delay = 0, 0.0
    for before, time in zip(times, times[1:], strict=False):
        slot = max(slot + 1, int((before + time) / 2 * fps + 1e-6) + 1)
        delay = max(delay, slot / fps - time)
    return delay - 1e-6


def is_even(times_s: Sequence[N], tick_s: Fraction) -> bool:
    """True when the intervals between sorted times differ by jitter and rounding to ``tick_s`` only."""
    steps = _intervals(times_s)
    if not steps:
        return True
    usual = Fraction(steps[len(steps) // 2])
    allowed = max(usual * _EVEN, min(2 * tick_s, usual / 4))
    return usual - steps[0] <= allowed and steps[-1] - usual <= allowed


def constant_rate(
    times: Sequence[N], average: Fraction | None, tick_s: Fraction, unit_s: Fraction = _SECOND
) -> Fraction | None:
    """The constant rate that suits a clip best.

    Args:
        times: presentation times of (the beginning of) the clip, sorted, in units of ``unit_s``; whole ticks are
            much faster than seconds.
        average: the container's average rate, if it states one.
        tick_s: what the times are rounded to, in seconds.
        unit_s: unit of ``times``, in seconds.

    Returns:
        Exactly one over the interval where all are equal and the tick is fine; else the standard rate near
        the average or near the usual interval; else the usual interval's own rate. None when nothing is
        known.
    """
    intervals = _intervals(times)
    if not intervals:
        return _standard(average, Fraction(0)) or average if average else None
    shortest = intervals[0] * unit_s
    is_exact = tick_s == shortest or 100 * tick_s <= shortest
    if intervals[0] == intervals[-1] and is_exact:
        return 1 / shortest
    middle = intervals[len(intervals) // 2]
    alike = [interval for interval in intervals if abs(interval - middle) <= middle * _EVEN]
    slack = Fraction(alike[-1] - alike[0], sum(alike))  # how far jitter can move the mean of so few
    usual = len(alike) / (sum(alike) * unit_s)
    mean = len(intervals) / (sum(intervals) * unit_s)
    near_usual: list[Fraction] = [
        rate for rate in (average, mean) if rate and abs(rate - usual) < usual * Fraction(1, 50)
    ]
    for rate in (*near_usual, usual):
        standard = _standard(rate, slack)
        if standard is not None:
            return standard
    return (near_usual or [usual])[0].limit_denominator(1001)


def _intervals(times: Sequence[N]) -> list[N]:
    return sorted(b - a for a, b in zip(times, times[1:], strict=False) if b > a)


def _standard(rate: Fraction, slack: Fraction) -> Fraction | None:
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= nearest * max(_SNAP, slack) else None
