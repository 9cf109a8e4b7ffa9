"""Threads between decode, draw and encode: order, bounds, faults, ends."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.render.pipeline import ReadAhead, WriteBehind


class PlantedError(Exception):
    pass


def wait_until(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.002)


@given(st.lists(st.integers()), st.integers(1, 5))
def test_items_arrive_whole_and_in_order(items, depth):
    with ReadAhead(items, depth, "test") as ahead:
        assert list(ahead) == items
    written = []
    with WriteBehind(written.append, depth, "test") as behind:
        for item in items:
            behind.put(item)
        behind.finish()
    assert written == items


def test_reading_stays_within_the_depth():
    made = []

    def numbers():
        for number in range(100):
            made.append(number)
            yield number

    with ReadAhead(numbers(), 3, "test") as ahead:
        wait_until(lambda: len(made) == 4)  # three wait, one is in hand
        time.sleep(0.15)
        assert len(made) == 4
        assert next(ahead) == 0
        wait_until(lambda: len(made) == 5)


def test_error_arrives_after_the_items_before_it():
    def items():
        yield 1
        raise PlantedError("cause")

    with ReadAhead(items(), 2, "test") as ahead:
        assert next(ahead) == 1
        with pytest.raises(PlantedError, match="cause"):
            next(ahead)
        with pytest.raises(StopIteration):
            next(ahead)


def test_close_ends_the_thread_and_the_generator_in_any_state():
    ended = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            ended.set()

    ahead = ReadAhead(endless(), 1, "test-endless")
    next(ahead)
    ahead.close()
    ahead.close()
    assert ended.is_set()
    assert "test-endless" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(StopIteration):
        next(ahead)


def test_error_in_the_generators_end_is_not_lost():
    def items():
        try:
            yield 1
        finally:
            raise PlantedError("at the end")

    with ReadAhead(items(), 2, "test") as ahead:
        next(ahead)
        with pytest.raises(PlantedError, match="at the end"):
            next(ahead)


def test_writing_stays_within_the_depth():
    gate = threading.Event()
    put = []

    def write(_item):
        gate.wait(5)

    def feed(behind):
        for item in range(10):
            behind.put(item)
            put.append(item)

    with WriteBehind(write, 2, "test") as behind:
        feeder = threading.Thread(target=feed, args=(behind,))
        feeder.start()
        wait_until(lambda: len(put) == 3)  # one is being written, two wait
        time.sleep(0.15)
        assert len(put) == 3
        gate.set()
        feeder.join()
        behind.finish()


def test_write_error_is_raised_at_put():
    def write(item):
        raise PlantedError(str(item))

    with WriteBehind(write, 1, "test") as behind, pytest.raises(PlantedError, match="0"):
        for item in range(100):
            behind.put(item)


def test_write_error_of_the_last_item_is_raised_at_finish():
    def write(item):
        if item == 2:
            raise PlantedError

    with WriteBehind(write, 5, "test") as behind:
        for item in range(3):
            behind.put(item)
        with pytest.raises(PlantedError):
            behind.finish()


def test_leaving_without_finish_drops_what_waits():
    written, gate = [], threading.Event()

    def write(item):
        gate.wait(0.1)
        written.append(item)

    with WriteBehind(write, 10, "test") as behind:
        for item in range(10):
            behind.put(item)
    behind.close()
    assert len(written) < 10
