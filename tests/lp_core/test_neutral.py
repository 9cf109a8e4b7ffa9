import pytest

from lp_core.errors import LpError, UnreadableMedia, WorkerError, neutral


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b]0;title\x07", "a\\x1b[31mred\\x1b]0;title\\x07"),
        ("\x9b2J\x7f\x00\r", "\\x9b2J\\x7f\\x00\\r"),
        ("exe\u202egnp.", "exe\\u202egnp."),
        ("two\nlines\tand tabs, é 漢字", "two\nlines\tand tabs, é 漢字"),
    ],
)
def test_nothing_is_left_that_a_terminal_obeys(text, shown):
    assert neutral(text) == shown
    for kind in (LpError, UnreadableMedia, WorkerError):
        assert str(kind(f"{text} is missing.")) == f"{shown} is missing."
