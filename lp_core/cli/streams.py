"""Standard streams that cannot end the program: closed, full, or without a reader."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any, TextIO

from lp_core.errors import DiskFull, LpError

_NO_READER = (errno.EPIPE, errno.ESHUTDOWN, errno.ECONNRESET)


class _Channel(io.FileIO):
    """A file that drops what it cannot write, and keeps the first reason."""

    lost: OSError | None = None

    def write(self, data: Any) -> int:  # noqa: ANN401 - what the base class takes
        """Writes, or drops; always all of it."""
        try:
            count = super().write(data)
        except OSError as error:
            self.lost = self.lost or error
            count = None
        return memoryview(data).nbytes if count is None else count


def reserve_streams() -> None:
    """Opens the null device where a standard stream is closed.

    Else the next file that is opened gets its number, and what libraries print goes into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number


def tolerant_streams() -> _Channel:
    """Replaces stdout and stderr by streams that never fail; returns stdout's channel.

    A file name may hold what the terminal cannot show: that is written with backslashes.
    """
    out = _Channel(1, "w", closefd=False)
    sys.stdout = _text(out, sys.stdout)
    sys.stderr = _text(_Channel(2, "w", closefd=False), sys.stderr)
    return out


def finish(out: _Channel) -> LpError | None:
    """Writes what is left; the error of an output that is not complete, None where it is or nobody reads it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if out.lost is None or out.lost.errno in _NO_READER:
        return None
    return DiskFull(
        f"The program's output is not complete, because it cannot be written ({out.lost.strerror}); files that were "
        "asked for are not concerned."
    )


def _text(channel: _Channel, like: TextIO | None) -> TextIO:
    if like is not None and sys.platform == "win32" and like.isatty():
        return like  # the console takes words, not bytes
    encoding = getattr(like, "encoding", None) or "utf-8"
    is_terminal = channel.isatty()
    return io.TextIOWrapper(
        io.BufferedWriter(channel),
        encoding,
        "backslashreplace",
        line_buffering=True,
        write_through=is_terminal,
    )
