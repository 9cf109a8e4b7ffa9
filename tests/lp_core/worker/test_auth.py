"""Whom the gate knows by the first bytes of a request."""

import pytest

from lp_core.worker.auth import Gate


@pytest.fixture
def gate():
    return Gate("t" * 32, frozenset({"localhost"}), port=80)


@pytest.mark.parametrize(
    ("line", "is_known"),
    [
        (b"Authorization: Bearer " + b"t" * 32, True),
        (b"AUTHORIZATION:bearer  " + b"t" * 32 + b" ", True),
        (b"Authorization: Bearer " + b"t" * 31, False),
        (b"Authorization: Basic " + b"t" * 32, False),
        (b"X: Authorization: Bearer " + b"t" * 32, False),
        (b"Cookie: a=b; lpsuite_session_80=%s", True),
        (b"cookie: lpsuite_session_80=%s;c=d", True),
        (b"Cookie: lpsuite_session_81=%s", False),
        (b"Cookie: lpsuite_session_80=other", False),
        (b"X: y", False),
    ],
)
def test_the_head_of_a_request_tells_who_is_known(gate, line, is_known):
    session = gate.login(gate.new_login())
    line = line.replace(b"%s", session.encode())
    assert gate.knows(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n\r\n") is is_known
