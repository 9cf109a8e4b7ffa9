"""Conforming one constant rate to another: each output time shows the frame that is on screen then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from lp_core.timing import FrameRate

T = TypeVar("T")


def at_rate(items: Iterable[T], rate_in: FrameRate, rate_out: FrameRate) -> Iterator[T]:
    """Yields for output frame k = 0, 1, ... the item on screen at k / rate_out; nothing is blended.

    Equal rates pass every item through once. The last item stays on screen for one period of ``rate_in``.

    Convention:
        Item i covers the half-open time [i, i + 1) / rate_in.
    """
    k = 0
    for i, item in enumerate(items):
        end_s = rate_in.time_s(i + 1)
        while rate_out.time_s(k) < end_s:
            yield item
            k += 1


def conformed_count(count: int, rate_in: FrameRate, rate_out: FrameRate) -> int:
    """Number of frames that ``at_rate`` makes of ``count`` items: those that start before the items end."""
    return -int(-(rate_in.time_s(count) * rate_out.fps) // 1)
