"""Figures of a live stream: rate, latency to the finished image, latency to what the reader drew."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np

from lp_core.link.ring import DrawnRingFrame

KEPT = 120
"""Frames that the figures are taken over."""


class LiveMeter:
    """Counts what a stream does; each method is called by one thread at a time."""

    def __init__(self) -> None:
        self._done_ns: deque[int] = deque(maxlen=KEPT)
        self._made_ms: deque[float] = deque(maxlen=KEPT)
        self._shown_ms: deque[float] = deque(maxlen=KEPT)
        self._frames = self._dropped = self._seen = 0

    def drawn(self, time_ns: int, dropped: int) -> None:
        """An image is in the ring.

        Args:
            time_ns: when its driver's frame was there.
            dropped: driver's frames so far that were overtaken by newer ones.
        """
        now = time.monotonic_ns()
        self._done_ns.append(now)
        self._made_ms.append((now - time_ns) / 1e6)
        self._frames += 1
        self._dropped = dropped

    def see(self, drawn: DrawnRingFrame | None) -> None:
        """What the ring's reader says it drew."""
        if drawn is not None and drawn.number != self._seen:
            self._seen = drawn.number
            self._shown_ms.append((drawn.drawn_ns - drawn.time_ns) / 1e6)

    def figures(self) -> dict[str, Any]:
        """frames, dropped, fps, made_ms and shown_ms (median, and 95th percentile), as plain values."""
        done = list(self._done_ns)
        is_fresh = len(done) > 1 and time.monotonic_ns() - done[-1] < 1_000_000_000
        fps = (len(done) - 1) / ((done[-1] - done[0]) / 1e9) if is_fresh else 0.0
        return {
            "frames": self._frames,
            "dropped": self._dropped,
            "fps": round(fps, 1),
            "made_ms": _spread(list(self._made_ms)),
            "shown_ms": _spread(list(self._shown_ms)),
        }


def _spread(values: list[float]) -> list[float]:
    """[median, 95th percentile]; empty without values."""
    return [round(float(np.percentile(values, share)), 1) for share in (50, 95)] if values else []
