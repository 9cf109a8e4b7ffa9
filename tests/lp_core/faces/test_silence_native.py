"""Native noise goes to the log, and the terminal comes back whatever happens."""

import logging
import os
import threading

import pytest

from lp_core.faces.silence_native import native_stderr_to_log


def test_noise_goes_to_the_log_and_not_to_the_terminal(capfd, caplog):
    with caplog.at_level(logging.DEBUG), native_stderr_to_log():
        os.write(2, b"W0000 native noise \xff\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
    assert [record.getMessage() for record in caplog.records] == ["W0000 native noise \ufffd"]


def test_terminal_comes_back_after_an_error(capfd):
    with pytest.raises(RuntimeError, match="inner"), native_stderr_to_log():
        raise RuntimeError("inner")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_no_descriptor_is_left_open():
    before = os.dup(2)
    os.close(before)
    for _ in range(3):
        with native_stderr_to_log():
            pass
    after = os.dup(2)
    os.close(after)
    assert after == before


def test_terminal_comes_back_after_two_threads(capfd):
    entered, leave = threading.Event(), threading.Event()

    def first():
        with native_stderr_to_log():
            entered.set()
            leave.wait(10)

    def second():
        with native_stderr_to_log():
            pass

    one, other = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    entered.wait(10)
    other.start()
    other.join(0.2)
    assert other.is_alive()
    leave.set()
    one.join()
    other.join()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
