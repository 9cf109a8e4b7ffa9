"""Who is turned away when too many connect: with a clock by hand."""

import logging
import socket
import time

import h11
import pytest

from lp_core.errors import TooBusy
from lp_core.worker import connections
from lp_core.worker.connections import HEADER_S, PATIENCE_S, ConnectionLimits, LimitedSocket
from lp_core.worker.log_rate import LogRate


class Protocol:
    """What the limits see of a connection."""

    def __init__(self, state):
        self.conn, self.transport = self, self
        self.their_state, self.ended = state, False

    def abort(self):
        self.ended = True


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def limits(clock):
    return ConnectionLimits(16, lambda: clock[0])


@pytest.fixture
def fill(limits):
    """Adds connections of a state; they are closed at the end."""
    made = []

    def add(count, state):
        for _ in range(count):
            pair = socket.socketpair()
            made.extend(pair)
            limits.add(pair[0])
            limits.find(pair[0].fileno()).protocol = Protocol(state)
        return [limits.find(item.fileno()) for item in made[-2 * count :: 2]]

    yield add
    for item in made:
        item.close()


def test_a_request_takes_the_place_of_the_one_that_waited_longest(limits, clock, fill):
    fill(15, h11.DONE)
    waiting = fill(1, h11.IDLE)[0]
    waiting.begun_at = waiting.active_at = clock[0]
    fill(limits.turn, h11.IDLE)
    clock[0] = 5.0
    assert limits.has_room(is_request=True)
    assert waiting.protocol.ended and limits.evicted == 1


def test_requests_that_are_answered_are_never_cut_off(limits, fill):
    busy = fill(limits.most + limits.turn, h11.DONE)
    assert not limits.has_room(is_request=True)
    assert not any(item.protocol.ended for item in busy)


def test_one_that_says_nothing_takes_no_place_of_a_recent_one(limits, clock, fill):
    fill(16, h11.SEND_BODY)
    assert not limits.has_room(is_request=False)
    clock[0] = PATIENCE_S + 0.01
    assert limits.has_room(is_request=False)


def test_half_a_head_is_given_up_and_a_slow_body_too(limits, clock, fill):
    head, body, busy = fill(1, h11.IDLE)[0], fill(1, h11.SEND_BODY)[0], fill(1, h11.DONE)[0]
    clock[0] = HEADER_S + 1
    head.active_at = body.active_at = clock[0]  # one byte now and then does not help a head
    limits.sweep()
    assert head.protocol.ended and not body.protocol.ended
    clock[0] += connections.BODY_S + 1
    limits.sweep()
    assert body.protocol.ended and not busy.protocol.ended


def test_streams_leave_half_of_the_places(limits):
    limits.streams["text/event-stream"] = 8
    assert not limits.has_stream("text/event-stream") and limits.has_stream("other")
    assert isinstance(limits.no_stream("text/event-stream"), TooBusy)


@pytest.mark.parametrize(
    ("sent", "is_request"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\ncontent-Length: 2\r\n\r\n{}", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"\x16\x03\x01", True),
        (b"", False),
    ],
)
def test_a_whole_request_is_recognized_before_it_is_read(sent, is_request):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        assert connections._is_request(connections._peek(ours)) is is_request
        assert not sent or ours.recv(100) == sent


def test_the_listening_socket_refuses_the_surplus(limits):
    with LimitedSocket() as listener:
        listener.limits = limits
        limits.most = 0
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        with socket.create_connection(listener.getsockname(), timeout=5) as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            end = time.monotonic() + 5
            while not limits.refused and time.monotonic() < end:
                with pytest.raises(BlockingIOError):
                    listener.accept()
            assert client.recv(1000).startswith(b"HTTP/1.1 503 ")
        assert (limits.refused, limits.count) == (1, 0)


EVENTS_HEAD = b"GET /jobs/a/events?x HTTP/1.1\r\nAuthorization: Bearer a\r\n\r\n"


def test_a_stream_that_cannot_be_had_is_refused_unread(limits):
    assert limits.may_ask(EVENTS_HEAD)
    limits.streams["text/event-stream"] = limits.most_streams
    assert not limits.may_ask(EVENTS_HEAD)
    assert limits.may_ask(b"GET /jobs HTTP/1.1\r\n\r\n")
    assert limits.may_ask(b"\x16\x03\x01")


def test_many_strangers_are_refused_unread_and_a_known_client_is_not(limits, clock):
    limits.knows = lambda head: b"Bearer a" in head
    stranger, known = b"GET /jobs HTTP/1.1\r\n\r\n", b"GET /jobs HTTP/1.1\r\nAuthorization: Bearer a\r\n\r\n"
    asked = [limits.may_ask(stranger) for _ in range(connections.STRANGERS + 10)]
    assert asked == [True] * connections.STRANGERS + [False] * 10
    assert limits.may_ask(known)
    clock[0] = 1.0
    assert limits.may_ask(stranger)


def test_a_flood_is_closed_without_an_answer(limits):
    answers = []
    for _ in range(connections._FLOOD + 2):
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(b"G")
            limits.refuse(ours)
            try:
                answers.append(theirs.recv(100)[:12])
            except ConnectionResetError:
                answers.append(b"")
    assert answers == [b"HTTP/1.1 503"] * connections._FLOOD + [b""] * 2
    assert limits.refused == connections._FLOOD + 2


def test_a_log_says_how_much_it_left_out():
    clock = [0.0]
    rate = LogRate(2, 60, lambda: clock[0])
    record = logging.LogRecord("a", 30, "f", 1, "line %d", (1,), None)
    assert [rate.filter(record) for _ in range(5)] == [True, True, False, False, False]
    clock[0] = 61.0
    assert rate.filter(record)
    assert record.getMessage() == "line 1 (3 lines before this one were left out)"
