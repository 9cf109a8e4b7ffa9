"""Bounded hand-over between threads: read ahead of the reader, write behind the writer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from lp_core.contexts import ClosesOnExit

T = TypeVar("T")

_WAKE_S = 0.1
"""A waiting thread looks this often whether it is still wanted; also lets Ctrl-C through on Windows."""


@dataclass(frozen=True)
class _End:
    """Last thing in every queue: how the other side finished."""

    error: BaseException | None = None


class ReadAhead(ClosesOnExit, Generic[T]):
    """Runs an iterable in a separate thread, at most ``depth`` items ahead of its reader.

    An exception of the iterable is raised at the reader, in its place in the order. ``close`` may be called
    twice and from any state; after it the thread is gone and a generator has run its ``finally`` blocks.
    """

    def __init__(self, items: Iterable[T], depth: int, name: str) -> None:
        self._items = iter(items)
        self._queue: queue.Queue[T | _End] = queue.Queue(depth)
        self._stop = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                if not self._offer(item):
                    break
        except BaseException as error:  # noqa: BLE001 - handed to the reader, whatever it is
            end = _End(error)
        end = _closed(self._items, end)
        self._offer(end)

    def _offer(self, item: T | _End) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_WAKE_S)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        while not self._ended:
            try:
                item = self._queue.get(timeout=_WAKE_S)
            except queue.Empty:
                continue
            if not isinstance(item, _End):
                return item
            self._ended = True
            if item.error is not None:
                raise item.error
        raise StopIteration

    def close(self) -> None:
        """Stops reading and waits for the thread."""
        self._ended = True
        self._stop.set()
        self._thread.join()


def _closed(items: Iterator[object], end: _End) -> _End:
    """Closes a generator in the thread that ran it; its error counts unless there is an earlier one."""
    close = getattr(items, "close", None)
    if close is None:
        return end
    try:
        close()
    except BaseException as error:  # noqa: BLE001 - handed to the reader, whatever it is
        return end if end.error is not None else _End(error)
    return end


class WriteBehind(ClosesOnExit, Generic[T]):
    """Hands items to ``write`` in a separate thread, at most ``depth`` items behind.

    An exception of ``write`` is raised at the next ``put``, or at ``finish``. Leaving the context without
    ``finish`` drops what is still waiting. No thread outlives the context.
    """

    def __init__(self, write: Callable[[T], None], depth: int, name: str) -> None:
        self._write = write
        self._queue: queue.Queue[T | _End] = queue.Queue(depth)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                item = self._queue.get(timeout=_WAKE_S)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                return
            try:
                self._write(item)
            except BaseException as error:  # noqa: BLE001 - handed to the writer, whatever it is
                self._error = error
                self._stop.set()

    def put(self, item: T) -> None:
        """Takes the next item; waits while the queue is full; raises what an earlier write raised."""
        self._offer(item)
        self._raise()

    def finish(self) -> None:
        """Waits until everything is written; raises what a write raised."""
        self._offer(_End())
        self._thread.join()
        self._raise()

    def _offer(self, item: T | _End) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_WAKE_S)
            except queue.Full:
                continue
            return

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Stops writing and waits for the thread; may be called twice."""
        self._stop.set()
        self._thread.join()
