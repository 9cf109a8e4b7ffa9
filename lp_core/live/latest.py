"""A place for one item where the newest wins: live threads hand on what is fresh and never queue."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """One item, replaced by whatever comes next; taken once."""

    def __init__(self) -> None:
        self._there = threading.Condition()
        self._item: T | None = None
        self.dropped = 0
        """Items that were replaced before anyone took them."""

    def put(self, item: T) -> None:
        """Puts an item in, in place of one that nobody has taken."""
        with self._there:
            if self._item is not None:
                self.dropped += 1
            self._item = item
            self._there.notify()

    def take(self, timeout_s: float) -> T | None:
        """The newest item; None when none came in time."""
        with self._there:
            if self._item is None:
                self._there.wait(timeout_s)
            item, self._item = self._item, None
            return item

    def wake(self) -> None:
        """Lets anyone who waits look around."""
        with self._there:
            self._there.notify_all()
