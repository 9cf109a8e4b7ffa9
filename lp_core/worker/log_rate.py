"""Keeps a log from growing by what strangers send."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

MOST_LINES = 20
PERIOD_S = 60.0


class LogRate(logging.Filter):
    """Lets through a number of lines a period, then says how many it left out."""

    def __init__(
        self,
        most: int = MOST_LINES,
        period_s: float = PERIOD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins a period.

        Args:
            most: lines in a period.
            period_s: its length in seconds.
            clock: seconds.
        """
        super().__init__()
        self._most, self._period_s, self._clock = most, period_s, clock
        self._begun_at, self._count = clock(), 0

    def filter(self, record: logging.LogRecord) -> bool:
        """True where the line is logged; the first line of a period counts what the one before left out."""
        now = self._clock()
        left_out = 0
        if now - self._begun_at >= self._period_s:
            left_out = max(self._count - self._most, 0)
            self._begun_at, self._count = now, 0
        self._count += 1
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} lines before this one were left out)"
            record.args = ()
        return self._count <= self._most


def limit_logs() -> None:
    """Limits what the server's libraries say of what they receive; once is enough."""
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        if not any(isinstance(item, LogRate) for item in logger.filters):
            logger.addFilter(LogRate())
