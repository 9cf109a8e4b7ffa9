"""Log lines for a terminal or a file, without anything a terminal obeys."""

from __future__ import annotations

import logging

from lp_core.errors import neutral, one_line


class NeutralLines(logging.Formatter):
    """Log lines in which a name can neither begin a new line nor send a terminal escape."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and below it the traceback of an exception."""
        plain = logging.makeLogRecord(record.__dict__)
        plain.msg, plain.args = one_line(record.getMessage()), ()
        return neutral(super().format(plain))


def neutral_log() -> None:
    """Sends warnings and errors of all libraries to stderr; a program that has a log keeps its own."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(NeutralLines("%(levelname)s: %(message)s"))
    root.addHandler(handler)
